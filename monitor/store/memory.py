"""MemoryStore: the same store in dictionaries, for tests and replays.

It keeps the rows a database would keep, so what it gives back has lost exactly what a database would lose.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, TypeVar, cast

from monitor.core.alias import renamed, renamed_silence, renamed_window, renamed_work
from monitor.core.board import Version
from monitor.core.codes import HARMLESS
from monitor.core.daily import Lines, Totals
from monitor.core.detector import Transition
from monitor.core.effect import Keep, Repeated, Storable
from monitor.core.entry import Entry, Sought, fits
from monitor.core.expectation import Outcome, Result
from monitor.core.history import History, Memory
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.search import Search, place_of
from monitor.core.series import Bin, Grid
from monitor.core.silence import Silence
from monitor.store.batch import Key, Run, batch_of
from monitor.store.bins import Counted, count_hours, count_runs
from monitor.store.memory_outbox import MemoryOutbox
from monitor.store.memory_subscribers import MemorySubscribers
from monitor.store.postal import digest_of, told_of
from monitor.store.rollup import Rollup, latency_of, latency_since
from monitor.store.rows import (
    FORGOTTEN,
    NOBODY,
    Row,
    call_of,
    condition_of,
    entry_of,
    gap_of,
    incident_of,
    incident_row,
    instant,
    maintenance_of,
    maintenance_row,
    micros,
    observation_of,
    observation_row,
    rollup_row,
    silence_of,
    silence_row,
    track_of,
    transition_of,
    transition_row,
    version_of,
    window_of,
    window_row,
)

K = TypeVar("K", bound=tuple[Any, ...])  # a key that begins with the module

_Run = tuple[str, int, str, str]  # module, at, probe, location
_Move = tuple[str, int, str, int]  # module, since, after, at


class MemoryStore:
    """See Store. Nothing can fail here but an effect that no store could keep."""

    def __init__(self) -> None:
        self._observations: dict[_Run, Row] = {}
        self._rollups: dict[tuple[Key, datetime], Rollup] = {}
        self._tracks: dict[Key, Row] = {}
        self._conditions: dict[tuple[str, str], Row] = {}
        self._transitions: dict[_Move, Row] = {}
        self._incidents: dict[str, Row] = {}
        self._versions: dict[tuple[str, str, int], Row] = {}
        self._calls: dict[tuple[str, str], Row] = {}
        self._gaps: dict[tuple[str, int], Row] = {}
        self._maintenances: dict[str, Row] = {}
        self._windows: dict[str, Row] = {}
        self._audit: dict[str, Row] = {}
        self._silences: dict[str, Row] = {}
        self._told: dict[str, Row] = {}
        self._digests: dict[str, Row] = {}
        self._marks: dict[Key, Row] = {}
        self.leases = None
        self.outbox = MemoryOutbox()
        self.subscribers = MemorySubscribers()

    async def commit(self, effects: Sequence[Storable]) -> None:
        """See Store."""
        batch = batch_of(effects)  # whatever is wrong with an effect shows here, before anything is kept
        for run in batch.runs:
            self._keep(run)
        for key, row in batch.tracks.items():
            if row["document"] is None:
                self._tracks.pop(key, None)
            else:
                self._tracks[key] = row
        self._conditions |= batch.conditions
        for row in batch.transitions:
            self._transitions.setdefault(_move(row), row)
        self._incidents |= batch.incidents
        self._versions |= batch.versions
        self._calls = {key: row for key, row in {**self._calls, **batch.calls}.items() if row["at"] is not None}
        self._gaps |= batch.gaps
        self._maintenances |= batch.maintenances
        self._silences |= batch.silences
        self._windows = {
            id: row for id, row in {**self._windows, **batch.windows}.items() if row["document"] is not None
        }
        for row in batch.audit:
            self._audit.setdefault(row["key"], row)
        self._told |= batch.told
        self._digests |= batch.digests
        self._marks |= batch.marks
        self.outbox.keep(batch.happenings, batch.letters)
        self.subscribers.note(batch.bulletins.values())

    def _keep(self, run: Run) -> None:
        key = _run(run.row)
        if key in self._observations:
            return
        self._observations[key] = run.row
        if run.counts:
            hour = (run.key, run.hour)
            self._rollups[hour] = self._rollups.get(hour, Rollup(*hour[0], hour[1])).add(
                run.result, run.duration, run.phases
            )

    async def recall(self, resolved_since: datetime) -> Memory:
        """See Store."""
        since = micros(resolved_since)
        unfinished = {id for id, row in self._told.items() if row["due_at"] is not None}
        kept = [
            row
            for row in self._incidents.values()
            if row["resolved_at"] is None or row["resolved_at"] >= since or row["id"] in unfinished
        ]
        blind = [row for row in self._gaps.values() if row["until"] is None]
        return Memory(
            probes={key: condition_of(row) for key, row in self._conditions.items() if key[1] != NOBODY},
            modules={key[0]: condition_of(row) for key, row in self._conditions.items() if key[1] == NOBODY},
            tracks={key: track_of(row) for key, row in self._tracks.items()},
            incidents=tuple(incident_of(row) for row in sorted(kept, key=_by_start)),
            gaps=tuple(gap_of(row) for row in sorted(blind, key=_by_since)),
            versions={key[:2]: version_of(row) for key, row in sorted(self._versions.items())},
            calls={key: call_of(row) for key, row in self._calls.items()},
            maintenances=self._maintenances_since(since),
            windows=tuple(window_of(row) for _, row in sorted(self._windows.items())),
            silences=self._silences_since(since),
            told={row["id"]: told_of(self._told[row["id"]]) for row in kept if row["id"] in self._told},
            digests={channel: digest_of(row) for channel, row in sorted(self._digests.items())},
            marks={key: row["through"] for key, row in self._marks.items()},
            seen_at=self._seen_at(),
        )

    def _maintenances_since(self, since: int) -> tuple[Maintenance, ...]:
        left = (row for row in self._maintenances.values() if row["over_at"] is None or row["over_at"] >= since)
        return tuple(maintenance_of(row) for row in sorted(left, key=lambda row: (row["planned_from"], row["id"])))

    def _silences_since(self, since: int) -> tuple[Silence, ...]:
        left = (row for row in self._silences.values() if row["ended_at"] is None or row["ended_at"] >= since)
        return tuple(silence_of(row) for row in sorted(left, key=lambda row: (row["begins"], row["id"])))

    def _seen_at(self) -> datetime | None:
        usable = {Outcome.PASSED, Outcome.SLOW}
        ends = [
            instant(row["at"]) + timedelta(seconds=row["duration"])
            for row in self._observations.values()
            if row["module"] != NOBODY
            and not row["discarded"]
            and (row["outcome"] in usable or (row["outcome"] == Outcome.FAILED and row["blame"] not in HARMLESS))
        ]
        return max(ends, default=None)

    async def history(
        self,
        since: datetime,
        now: datetime,
        incidents: int = 200,
        probes: Collection[tuple[str, str]] | None = None,
        latency: bool = True,
    ) -> History:
        """See Store."""
        start, end, hour = micros(since), micros(now), latency_since(now)
        newest = sorted(self._incidents.values(), key=_by_start, reverse=True)[:incidents]
        wanted = None if probes is None else set(probes)
        counted = [
            rollup
            for (key, at), rollup in self._rollups.items()
            if latency and hour <= at <= now and (wanted is None or key[:2] in wanted)
        ]
        blind = [
            row for row in self._gaps.values() if row["since"] < end and (row["until"] is None or row["until"] > start)
        ]
        return History(
            transitions=self._moves_since(start),
            incidents=tuple(incident_of(row) for row in newest),
            latency=latency_of(counted),
            gaps=tuple(gap_of(row) for row in sorted(blind, key=_by_since)),
            maintenances=self._maintenances_since(start),
            silences=self._silences_since(start),
        )

    async def archive(self, since: datetime) -> History:
        """See Store."""
        start = micros(since)
        kept = [row for row in self._incidents.values() if row["resolved_at"] is None or row["resolved_at"] > start]
        blind = [row for row in self._gaps.values() if row["until"] is None or row["until"] > start]
        return History(
            transitions=self._moves_since(start),
            incidents=tuple(incident_of(row) for row in sorted(kept, key=_by_start, reverse=True)),
            gaps=tuple(gap_of(row) for row in sorted(blind, key=_by_since)),
            maintenances=self._maintenances_since(start),
        )

    async def reckoned(self, since: datetime, until: datetime, lines: Lines) -> tuple[History, Totals | None]:
        """See Store. Nothing is summed up here."""
        return await self.archive(since), None

    async def close_days(self, platform: Platform, zone: tzinfo, now: datetime) -> int:
        """See Store."""
        return 0

    def _moves_since(self, start: int) -> dict[str, tuple[Transition, ...]]:
        by_module: defaultdict[str, list[Row]] = defaultdict(list)
        for row in sorted(self._transitions.values(), key=lambda row: (row["module"], row["at"])):
            by_module[row["module"]].append(row)
        found: dict[str, tuple[Transition, ...]] = {}
        for module, rows in by_module.items():
            before = [row for row in rows if row["since"] <= start]
            kept = [min(before, key=lambda row: (row["since"], row["at"])), before[-1]] if before else []
            found[module] = tuple(transition_of(row) for row in rows if row["since"] > start or row in kept)
        return found

    async def incident(self, id: str) -> Incident | None:
        """See Store."""
        row = self._incidents.get(id)
        return None if row is None else incident_of(row)

    async def incidents(self, search: Search) -> list[Incident]:
        """See Store."""
        found = (replace(incident_of(row), started_at=instant(row["started_at"])) for row in self._incidents.values())
        return sorted(filter(search.finds, found), key=place_of, reverse=True)[: search.limit + 1]

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]]:
        """See Store."""
        numbered = [(number, entry_of(row)) for number, row in enumerate(self._audit.values(), 1)]
        before = sought.before or len(numbered) + 1
        return [one for one in reversed(numbered) if one[0] < before and fits(one[1], sought)][: sought.limit + 1]

    async def entry(self, request: str) -> Entry | None:
        """See Store."""
        rows = [row for row in self._audit.values() if row["request"] == request and row["outcome"] == "done"]
        return entry_of(rows[-1]) if rows else None

    async def observations(
        self, module: str | None, probe: str | None = None, *, since: datetime, until: datetime, limit: int
    ) -> list[tuple[Observation, Result]]:
        """See Store."""
        start, end = micros(since), micros(until)
        found = [
            row
            for row in self._observations.values()
            if row["module"] == (module or NOBODY) and start <= row["at"] < end and probe in (None, row["probe"])
        ]
        newest = sorted(found, key=lambda row: (-row["at"], row["probe"], row["location"]))
        return [observation_of(row) for row in newest[:limit]]

    async def bins(
        self, module: str, probes: Collection[str], places: Collection[str], grid: Grid
    ) -> dict[tuple[str, str], dict[datetime, Bin]]:
        """See Store."""
        counted: Counted = {}
        runs, hours = list(self._observations.values()), [rollup_row(one) for one in self._rollups.values()]
        start, end, at = micros(grid.since), micros(grid.until), "at" if grid.from_runs else "hour"
        rows = [
            row
            for row in (runs if grid.from_runs else hours)
            if row["module"] == module and row["probe"] in probes and row["location"] in places
            if start <= row[at] < end and not row.get("discarded")
        ]
        (count_runs if grid.from_runs else count_hours)(counted, rows, grid)
        return counted

    async def versions(self, module: str, since: datetime) -> list[Version]:
        """See Store."""
        rows = sorted(self._versions.values(), key=lambda row: (row["since"], row["probe"]))
        return [
            version_of(row)
            for row in rows
            if row["module"] == module and row["since"] >= micros(since) and row["before"] is not None
        ]

    async def rename(self, aliases: Mapping[str, str]) -> None:
        """See Store."""
        for old, new in aliases.items():
            if old != new:
                self._rename(old, new)
        for id, row in self._incidents.items():
            self._incidents[id] = incident_row(renamed(incident_of(row), aliases))
        for id, row in self._maintenances.items():
            self._maintenances[id] = maintenance_row(renamed_work(maintenance_of(row), aliases))
        for id, row in self._silences.items():
            self._silences[id] = silence_row(renamed_silence(silence_of(row), aliases))
        for id, row in self._windows.items():
            self._windows[id] = window_row(Repeated(id, renamed_window(window_of(row), aliases)))

    def _rename(self, old: str, new: str) -> None:
        for (key, hour), rollup in list(self._rollups.items()):
            if key[0] == old:
                mine = self._rollups.get(((new, *key[1:]), hour))
                moved = replace(rollup, module=new)
                self._rollups[((new, *key[1:]), hour)] = moved if mine is None else mine.merge(rollup)
                del self._rollups[(key, hour)]
        self._observations = _renamed(self._observations, old, new)
        self._tracks = _renamed(self._tracks, old, new)
        self._conditions = _renamed(self._conditions, old, new)
        self._transitions = _renamed(self._transitions, old, new)
        self._versions = _renamed(self._versions, old, new)
        self._calls = _renamed(self._calls, old, new)

    async def sweep(self, now: datetime, keep_observations: timedelta, keep_rollups: timedelta) -> int:
        """See Store."""
        before = len(self._observations) + len(self._rollups)
        oldest = micros(now - keep_observations)
        self._observations = {key: row for key, row in self._observations.items() if row["at"] >= oldest}
        self._rollups = {key: rollup for key, rollup in self._rollups.items() if rollup.hour >= now - keep_rollups}
        told = micros(now - max(keep_observations, timedelta(days=7)))
        for happening in self.outbox.happenings.values():
            if happening["at"] < told:
                happening["document"] = None
        self._forget_told(micros(now - max(keep_rollups, timedelta(days=7))), told)
        self._marks = {key: row for key, row in self._marks.items() if row["at"] >= micros(now - FORGOTTEN)}
        return before - len(self._observations) - len(self._rollups)

    def _forget_told(self, over: int, own: int) -> None:
        """What was said of incidents that are over since then, and of what is no incident."""
        known, told = self._incidents, self._told
        old = {id for id, row in known.items() if row["resolved_at"] is not None and row["resolved_at"] < over}
        old -= {id for id, row in told.items() if row["due_at"] is not None}
        self._told = {id: row for id, row in told.items() if id not in old}
        self.outbox.forget(lambda id, at, settled: id in old or (id not in known and at < own and settled))

    async def check(self) -> list[str]:
        """See Store."""
        return []

    async def seed(
        self,
        transitions: Iterable[Transition],
        incidents: Iterable[Incident],
        rollups: Iterable[Rollup],
        runs: Iterable[Keep] = (),
    ) -> None:
        """See Store."""
        self._observations |= {_run(row): row for row in map(observation_row, runs)}
        for row in map(transition_row, transitions):
            self._transitions.setdefault(_move(row), row)
        self._incidents |= {incident.id: incident_row(incident) for incident in incidents}
        self._rollups |= {((one.module, one.probe, one.location), one.hour): one for one in rollups}

    async def close(self) -> None:
        """See Store. What is in it stays: a test may go on with it as after a restart."""


def _run(row: Row) -> _Run:
    return row["module"], row["at"], row["probe"], row["location"]


def _move(row: Row) -> _Move:
    return row["module"], row["since"], row["after"], row["at"]


def _by_start(row: Row) -> tuple[int, str]:
    return row["started_at"], row["id"]


def _by_since(row: Row) -> tuple[int, str]:
    return row["since"], row["location"]


def _renamed(rows: Mapping[K, Row], old: str, new: str) -> dict[K, Row]:
    """The rows under the new id; where both ids have one, that of the new id."""
    moved: dict[K, Row] = {}
    for key, row in rows.items():
        if key[0] == old:
            moved[cast(K, (new, *key[1:]))] = row | {"module": new}
    return moved | {key: row for key, row in rows.items() if key[0] != old}
