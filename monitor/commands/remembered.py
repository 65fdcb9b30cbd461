"""Remembered: the past as the store has it, ready to be reckoned with; read-only, also while a monitor runs on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.config import Config
from monitor.core.availability import Availability
from monitor.core.board import Board
from monitor.core.history import History, Memory, board_from
from monitor.core.overlay import works_of
from monitor.core.uptime import END
from monitor.data import database_url
from monitor.store import open_store

LEAST_SILENCE = timedelta(minutes=2)  # without a run, after which nobody can be watching any more


class Remembered:
    """What was read. `now` is when."""

    def __init__(self, config: Config, memory: Memory, history: History, now: datetime) -> None:
        self.config = config
        self.now = now
        self.board: Board = board_from(config.platform, memory)
        self.history = history
        self.seen_at = memory.seen_at

    def availability(self, since: datetime) -> Availability:
        """The figures of all that was, from a moment in what was read."""
        works = tuple(works_of(self.board, self.history))
        return Availability(self.config.platform, self.history, works, since, self._known_until())

    def _known_until(self) -> datetime:
        """Until when what was known last holds: for ever while a monitor runs, else till its last usable run, as it
        will say itself when it starts again."""
        if self.seen_at is None:
            return END
        decided = (move.at for moves in self.history.transitions.values() for move in moves)
        seen = max([self.seen_at, *decided])
        asked = [one for one in self.config.platform.probes.values() if one.off is None]
        fresh = min((self.config.platform.tuning.fresh_for(one) for one in asked), default=LEAST_SILENCE)
        return seen if self.now - seen > max(LEAST_SILENCE, fresh) else END


async def remembered(config: Config, data: Path, since: datetime) -> Remembered:
    """Reads the past from a moment on. Raises StoreFailed or StoreUnusable."""
    now = datetime.now(UTC)
    store = await open_store(database_url(config, data), readonly=True)
    try:
        memory = await store.recall(now - config.platform.tuning.reopen)
        history = await store.archive(since)
    finally:
        await store.close()
    former = {alias: one.id for one in config.platform.modules.values() for alias in one.aliases}
    moves = dict(history.transitions)
    for old, new in former.items():  # until a monitor starts with the new name the store has the old one
        if old in moves and old not in config.platform.modules:
            moves[new] = (*moves.pop(old), *moves.get(new, ()))
    return Remembered(config, memory, replace(history, transitions=moves), now)
