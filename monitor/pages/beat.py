"""Beat: when what moves with every run is told anew. Once a minute at most, and by turns: a publication, a quarter of a
minute after the last one, then has some fifty modules to tell of, however many there are, and news waits for no more.
"""

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
    offset = beat * (crc32(id.encode()) / 2**32)
    return now - (now - _START - offset) % beat
