"""Apprise: the hundred other services, by way of the package of that name, which is an extra.

Apprise sends in threads and says yes or no; what it has to say besides is the reason that is told.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import body_of, line, links_of, subject_of
from monitor.notify.receiver import SAID, secrets_of
from monitor.notify.served import Served

TYPE = {
    **dict.fromkeys(("resolved", "member_cleared"), "success"),
    **dict.fromkeys(("eased", "acknowledged", "test", "summary"), "info"),
    **dict.fromkeys(("reminder", "cause_changed", "member_added"), "warning"),
}
FAILURE = "failure"
TIME = 10  # seconds that one address may take
REMEDY = "it needs the extra: pip install 'vtex-monitor[apprise]'"


class Section(Protocol):
    """What the configuration says of it."""

    url: Sequence[str]


class Apprise:
    """Sends to every address of a channel."""

    def __init__(self, section: Section) -> None:
        self._served = Served(section.url)
        self._mask = secrets_of(section)
        self._threads = ThreadPoolExecutor(4, "apprise")  # its own: one that hangs keeps nobody else waiting

    async def deliver(self, message: Message) -> str | None:
        """Sends a notice to every address that has not got it yet, each in a thread of its own."""
        event = line(message.payload.get("event_id"), 255)
        text = body_of(message, 20_000)
        missing = [url for url in links_of(message).values() if url not in text]
        told = (subject_of(message, 250), "\n".join([text, *missing]), TYPE.get(message.event, FAILURE))
        urls = self._served.left(event)
        loop = asyncio.get_running_loop()
        said = await asyncio.gather(*(loop.run_in_executor(self._threads, _send, url, *told) for url in urls))
        refused = {url: reason for url, reason in zip(urls, said, strict=True) if reason is not None}
        self._served.note(event, refused)
        if refused:
            reasons = "; ".join(self._mask.line(one, SAID) for one in refused.values())
            raise DeliveryFailed(f"Apprise could not send it to {len(refused)} of {len(said)}: {reasons}")
        return None

    async def close(self) -> None:
        """Waits for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _send(url: str, title: str, body: str, kind: str) -> str | None:
    """Sends to one address; why not, when it was not taken. Blocks as long as the service may take."""
    try:
        import apprise
    except ImportError:
        raise DeliveryFailed(f"Apprise is not installed; {REMEDY}", permanent=True) from None
    said = logging.getLogger("apprise")
    said.propagate = False  # its log shows addresses; what it says comes with the result
    said.setLevel(logging.WARNING)  # … however little of ours is logged
    sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not sender.add(url):
        raise DeliveryFailed("an address is none that Apprise knows", permanent=True)
    done = sender.notify(body, title, apprise.NotifyType(kind), body_format="text", timeout=TIME)
    if done:
        return None
    return next((one.message for one in reversed(list(done.logs()))), "no reason was given")
