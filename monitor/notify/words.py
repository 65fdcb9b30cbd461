"""Words: what people say over a broker. An acknowledgement is followed, one after the other; whatever else is published
there is passed over, and fills neither the memory nor the log.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

LARGEST = 4096  # bytes of a word
MOST = 100  # words that may wait
TELL_EVERY = 60.0  # seconds between lines about what cannot be followed
ID = re.compile("[0-9a-z]{1,64}")

Acknowledged = Callable[[str, str | None], Awaitable[str | None]]


class Words:
    """What comes in under one topic. `acknowledged` is told the incident and the name that somebody gives, and answers
    why it does not follow."""

    def __init__(self, topic: str) -> None:
        self.acknowledged: Acknowledged | None = None
        self._topic = topic
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST)
        self._told_at = -TELL_EVERY

    def take(self, payload: bytes) -> None:
        """One more word, in its turn."""
        if self._waiting.full():
            self._tell("there are more than can be followed")
        else:
            self._waiting.put_nowait(payload if len(payload) <= LARGEST else b"")

    async def follow(self) -> None:
        """Follows them until cancelled; whatever else comes in does not wait for that."""
        while True:
            await self._hear(await self._waiting.get())

    async def _hear(self, payload: bytes) -> None:
        try:
            word = json.loads(payload)
        except (ValueError, RecursionError):
            word = None
        incident = word.get("incident") if isinstance(word, dict) else None
        by = word.get("by") if isinstance(word, dict) else None
        known = isinstance(incident, str) and ID.fullmatch(incident)
        if not known or not isinstance(by, str | None) or len(by or "") > 200 or not (by or "").isprintable():
            return self._tell("something is none")
        if self.acknowledged is None:
            return None
        try:
            refused = await self.acknowledged(str(incident), by or None)
        except Exception:  # whatever it is, the connection has no part in it
            log.exception("an acknowledgement under %s could not be followed", self._topic)
            return None
        return None if refused is None else self._tell(f"one is not followed: {refused}")

    def _tell(self, what: str) -> None:
        """A line in the log, and not one for each message: whoever may publish may publish a million."""
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= TELL_EVERY:
            self._told_at = now
            log.warning("of the acknowledgements under %s %s", self._topic, what)
