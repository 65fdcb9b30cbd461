"""Roster: the agents of one place that divide its probes among themselves, and which of them asks what.

Nobody hands out probes one by one. The core says with every answer to a heartbeat who is there; from that each agent
works out alone what falls to it, and all come to the same. Of each probe every agent has a rank, drawn from both names;
the highest asks it. So a probe moves only when whoever asks it leaves, or somebody comes who ranks higher.

What was said holds until something else is. An agent that hears nothing goes on with its part: it cannot know whether
it is the core that is away or itself, and a probe that two ask is one that is not missed.
"""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

from monitor.config import Config
from monitor.places.outbox import Outbox, OutboxFailed
from monitor.places.wire import Time

log = logging.getLogger(__name__)

ROSTER = "roster"
Key = tuple[str, str]


def asker_of(key: Key, roster: Sequence[str]) -> str:
    """Which of these agents asks a probe."""
    return max(roster, key=lambda agent: _rank(agent, key))


def _rank(agent: str, key: Key) -> bytes:
    return blake2b("\0".join((agent, *key)).encode("utf-8", "replace"), digest_size=8).digest()


class Part:
    """What falls to an agent of the probes of its place: all of them, until the core says who else is there."""

    def __init__(self, agent: str, outbox: Outbox) -> None:
        self.roster: tuple[str, ...] = ()
        self._agent = agent
        self._outbox = outbox
        self._said_at: datetime | None = None

    async def recall(self) -> None:
        """Goes on with what was said before the last stop."""
        with suppress(OutboxFailed, ValueError, TypeError):
            known = await self._outbox.recall(ROSTER)
            self.roster = tuple(map(str, json.loads(known))) if known else ()

    async def heard(self, word: Time, *, asked: bool) -> bool:
        """The core says who is there; whether that is news. `asked`: it answers a heartbeat of ours that nobody had
        answered; else it counts only if it is newer than all before, or a copy of an old word would."""
        if not asked and (self._said_at is None or word.sent_at <= self._said_at):
            return False
        self._said_at = word.sent_at
        if not word.roster or word.roster == self.roster:
            return False
        self.roster = word.roster
        log.info("agents that share this place: %s", ", ".join(self.roster))
        try:
            await self._outbox.remember(ROSTER, json.dumps(self.roster).encode("utf-8", "replace"))
        except OutboxFailed as error:
            log.error("who shares this place is not kept for a start without the core: %s", error)
        return True

    def of(self, config: Config) -> Config:
        """The same with our part of the probes only. Takes a while for thousands of them: not for the event loop."""
        if not self.roster or self.roster == (self._agent,):
            return config
        modules = {
            id: replace(module, probes=tuple(one for one in module.probes if self._is_ours(one.key)))
            for id, module in config.platform.modules.items()
        }
        return replace(config, platform=replace(config.platform, modules=modules))

    def _is_ours(self, key: Key) -> bool:
        return asker_of(key, self.roster) == self._agent
