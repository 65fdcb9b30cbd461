"""Tally: which runs are new, and the hours they belong to, kept in memory by the single writer.

A run later than every stored one of its key is new without asking the database, and the present hour's rollup is
written as absolute values without being read. Both hold only while memory and database agree, so whoever fails to
commit calls `forget` and the next commit asks again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from monitor.store.batch import Key, Run
from monitor.store.rollup import HOUR, Rollup

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
        return list(
            dict.fromkeys(hour for run in runs if run.counts and (hour := (run.key, run.hour)) not in self._hours)
        )

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
