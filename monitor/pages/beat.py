"""Beat: when what moves with every run is told anew. Once a minute at most, and by turns: a publication, a quarter of a
minute after the last one, then has some fifty modules to tell of, however many there are, and news waits for no more.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from zlib import crc32

MINUTE = timedelta(minutes=1)
TURN = 200  # modules that have their turn within a minute
SOON = 1000  # … of those that fail or have just changed
_START = datetime(2000, 1, 1, tzinfo=UTC)


def beat_of(modules: int) -> timedelta:
    """How often each of so many modules has its turn."""
    return MINUTE * max(1, ceil(modules / TURN))


def soon_of(modules: int) -> timedelta:
    """How often each of so many has its turn when it has just changed, and when it fails together with very many."""
    return MINUTE * max(1, ceil(modules / SOON))


def told_at(id: str, beat: timedelta, now: datetime) -> datetime:
    """When its last turn began. Without an id it is the beginning of the beat."""
    return now - (now - _START - _offset(id, beat)) % beat


def _offset(id: str, beat: timedelta) -> timedelta:
    return beat * (crc32(id.encode()) / 2**32)


class Turns:
    """The order in which modules have their turns."""

    def __init__(self, ids: Iterable[str], beat: timedelta) -> None:
        self._beat = beat
        order = sorted((_offset(id, beat), id) for id in ids)
        self._offsets, self._ids = [offset for offset, _ in order], [id for _, id in order]

    def between(self, before: datetime, now: datetime) -> list[str]:
        """Those of which a turn began after the one moment, and until the other."""
        if now - before >= self._beat:
            return self._ids
        first, last = (bisect_right(self._offsets, (at - _START) % self._beat) for at in (before, now))
        if (before - _START) // self._beat == (now - _START) // self._beat:
            return self._ids[first:last]
        return self._ids[first:] + self._ids[:last]
