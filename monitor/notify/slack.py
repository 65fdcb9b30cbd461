"""Slack: a message to an incoming webhook, in blocks, with a plain text for screens that show none.

Nothing that came from outside becomes a mention, a link or a format: `&`, `<` and `>` are escaped and Slack is told to
take the rest as it is. Only our own addresses are links.
"""

from collections.abc import Iterable
from typing import Any

from yarl import URL

from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import body_of, links_of, rest_of, subject_of
from monitor.notify.receiver import Receiver, Section

HEADER, SECTION, FALLBACK = 150, 3000, 3000  # characters that a block takes, and that we send as plain text
SIGN = {
    **dict.fromkeys(("resolved", "member_cleared"), ":large_green_circle:"),
    **dict.fromkeys(("eased", "acknowledged"), ":large_yellow_circle:"),
    **dict.fromkeys(("test", "summary"), ":large_blue_circle:"),
}
ALARM = ":red_circle:"


class Slack:
    """Posts to one incoming webhook."""

    def __init__(self, section: Section) -> None:
        self._url = URL(section.url)
        self._receiver = Receiver(section)

    async def deliver(self, message: Message) -> str | None:
        """Posts a notice. Slack has no key by which it would know one it has already."""
        answer = await self._receiver.post(self._url, posted(message))
        if answer.text.lstrip().startswith("<"):
            # A page instead of Slack's `ok`: a proxy or a portal took it, and nobody will read it.
            raise DeliveryFailed(f"{self._url.host} answered {answer.status} with a page and not as Slack does")
        return None

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()


def posted(message: Message) -> dict[str, Any]:
    """The body that Slack gets."""
    links = list(links_of(message).values())
    sign = SIGN.get(message.event, ALARM)
    subject = subject_of(message, HEADER)
    text = rest_of(message, SECTION)
    found = [url for url in links if url not in text]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": fitted(f"{sign} {subject}", HEADER), "emoji": True}},
        _section(text, links),
        *(_section(url, links) for url in found),
    ]
    return {
        "text": fitted(body_of(message, FALLBACK), FALLBACK),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _section(text: str, links: Iterable[str]) -> dict[str, Any]:
    shown = linked(text, links)
    if len(shown) > SECTION:
        shown = fitted(text, SECTION)
    return {"type": "section", "text": {"type": "mrkdwn", "text": shown, "verbatim": True}}


def escaped(text: str) -> str:
    """As Slack wants it: these three letters and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """The escaped text, clipped so that no escape is cut."""
    found, cut = escaped(text), len(text)
    while len(found) > limit:
        cut -= max(1, (len(found) - limit) // 5)
        found = escaped(text[:cut]) + "…"
    return found


def linked(text: str, links: Iterable[str]) -> str:
    """The escaped text in which our own addresses can be clicked."""
    found = escaped(text)
    for url in sorted(set(links), key=len, reverse=True):
        found = found.replace(escaped(url), f"<{escaped(url)}>")
    return found
