"""Tally: which runs are new, and the hours they belong to, kept in memory by the single writer.

A run later than every stored one of its key is new without asking the database, and so is the rollup of an hour that
began after all of them; the present hour's is written as absolute values without being read. All of it holds only while
memory and database agree, so whoever fails to commit calls `forget` and the next commit asks again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from monitor.store.batch import Key, Run
from monitor.store.rollup import HOUR, Rollup
from monitor.store.rows import micros

HourKey = tuple[Key, datetime]


class Tally:
    """What the writer remembers between commits."""

    def __init__(self) -> None:
        self._newest: dict[Key, int] = {}
        self._hours: dict[HourKey, Rollup] = {}
        self._latest: datetime | None = None

    def doubtful(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that may be stored already."""
        return [run for run in runs if run.key not in self._newest or run.at <= self._newest[run.key]]

    def missing(self, runs: Iterable[Run]) -> list[HourKey]:
        """The hours of these runs that are to be read from the database first."""
        wanted = (run for run in runs if run.counts and (run.key, run.hour) not in self._hours)
        return list(dict.fromkeys((run.key, run.hour) for run in wanted if self._may_be_stored(run)))

    def _may_be_stored(self, run: Run) -> bool:
        """Whether there may be a rollup of its hour: not when every run of its key is older than that."""
        newest = self._newest.get(run.key)
        return newest is None or newest >= micros(run.hour)

    def count(self, runs: Iterable[Run], stored: Mapping[HourKey, Rollup]) -> dict[HourKey, Rollup]:
        """The rollups these runs change, as they will be."""
        changed: dict[HourKey, Rollup] = {}
        for run in runs:
            if run.counts:
                hour = (run.key, run.hour)
                before = changed.get(hour) or self._hours.get(hour) or stored.get(hour) or Rollup(*run.key, run.hour)
                changed[hour] = before.add(run.result, run.duration, run.phases)
        return changed

    def accept(self, runs: Iterable[Run], changed: Mapping[HourKey, Rollup]) -> None:
        """They are committed."""
        for run in runs:
            self._newest[run.key] = max(run.at, self._newest.get(run.key, run.at))
        self._hours.update(changed)
        latest = max((hour for _, hour in changed), default=None)
        if latest is not None and latest != self._latest:  # a new hour: those long over are not needed any more
            self._latest = latest
            self._hours = {key: rollup for key, rollup in self._hours.items() if rollup.hour >= latest - HOUR}

    def forget(self) -> None:
        """Nothing is sure any more."""
        self._newest.clear()
        self._hours.clear()


def unseen(runs: Sequence[Run], stored: Iterable[tuple[Key, int]]) -> list[Run]:
    """Each run once, without those that are stored."""
    seen = set(stored)
    found: list[Run] = []
    for run in runs:
        if (run.key, run.at) not in seen:
            seen.add((run.key, run.at))
            found.append(run)
    return found
