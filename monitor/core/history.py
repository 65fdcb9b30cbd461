"""History: what was, as the store remembers it; what a publication and a restart are made from besides the board."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import log10

from monitor.core import heartbeat, herald
from monitor.core.agenda import Agenda
from monitor.core.board import Board, Call, Condition, Vantage, Version, with_gone
from monitor.core.detector import Transition
from monitor.core.digest import Digest
from monitor.core.effect import Gap
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance, Window
from monitor.core.module import FAILING, Platform, Status
from monitor.core.silence import Silence
from monitor.core.told import Told
from monitor.core.track import Track, is_restless

BUCKETS_PER_DECADE = 20  # steps of 12 %: as fine as a latency figure needs to be
SMALLEST_MS = 0.1


def bucket_of(milliseconds: float) -> int:
    """The index of the logarithmic bucket that holds a duration; -1 … 5 decades above 0.1 ms."""
    return max(0, min(int(log10(max(milliseconds, SMALLEST_MS) / SMALLEST_MS) * BUCKETS_PER_DECADE), 160))


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """The duration in ms below which a share of the runs lies, to within a bucket; None without runs."""
    total = sum(buckets.values())
    if not total:
        return None
    seen = 0
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= share * total:
            break
    return float(SMALLEST_MS * 10 ** ((index + 0.5) / BUCKETS_PER_DECADE))


@dataclass(frozen=True, slots=True)
class Latency:
    """Durations of passed runs of a module's verdict probes over the last 24 h, in ms.

    `points` pairs the start of each hour with its median, the oldest first; hours without runs are absent.
    """

    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    points: tuple[tuple[datetime, float], ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What a page shows besides the board. `transitions` by module, the oldest first and complete since the first one;
    `incidents` newest first. `maintenances` and `silences` are those that were not over when the time
    shown begins."""

    transitions: Mapping[str, tuple[Transition, ...]] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    latency: Mapping[str, Latency] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    maintenances: tuple[Maintenance, ...] = ()
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What a restart goes on from. `incidents`: those open, and those resolved since the given moment; `calls`: when
    each heartbeat was last called; `maintenances`: planned work that is not over, or was not
    then; `windows`: those that people planned to repeat; `silences`: those that are not over, or were not then; `told`:
    who heard what of these incidents, by id; `digests`: what channels are to hear in one message.

    `marks`: how far what an agent brought is stored, by location, agent and epoch of its outbox.
    `seen_at` is when the last usable run ended: what was known then and is not heard of soon is unknown since then.
    """

    probes: Mapping[tuple[str, str], Condition] = field(default_factory=dict)
    modules: Mapping[str, Condition] = field(default_factory=dict)
    tracks: Mapping[tuple[str, str, str], Track] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    gaps: tuple[Gap, ...] = ()
    versions: Mapping[tuple[str, str], Version] = field(default_factory=dict)
    calls: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    maintenances: tuple[Maintenance, ...] = ()
    windows: tuple[Window, ...] = ()
    silences: tuple[Silence, ...] = ()
    told: Mapping[str, Told] = field(default_factory=dict)
    digests: Mapping[str, Digest] = field(default_factory=dict)
    marks: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    seen_at: datetime | None = None


def board_from(platform: Platform, memory: Memory) -> Board:
    """The board a restart goes on with: what is remembered of whatever is still configured."""
    asked = {key for key, probe in platform.judged.items() if probe.off is None}
    away = {gap.location: _vantage(gap) for gap in memory.gaps if gap.until is None}
    tracks = {key: track for key, track in _heard(platform, memory).items() if key[:2] in asked}
    agenda = Agenda({one.id: one for one in memory.maintenances}, {one.id: one for one in memory.windows})
    board = Board(
        platform=platform,
        tracks=tracks,
        restless=frozenset(key for key, track in tracks.items() if is_restless(track)),
        gone=with_gone({}, tracks),
        probes={key: condition for key, condition in memory.probes.items() if key in asked},
        modules=dict(memory.modules),
        incidents={incident.id: incident for incident in memory.incidents},
        versions={key: version for key, version in memory.versions.items() if key in platform.probes},
        calls=heartbeat.of_platform(platform, {key: Call(at, at) for key, at in memory.calls.items()}),
        vantages=away,
        agenda=agenda,
        silences={one.id: one for one in memory.silences},
        digests=dict(memory.digests),
        told={id: told for id, told in memory.told.items() if any(one.id == id for one in memory.incidents)},
    )
    return herald.with_told(replace(board, held=_held(board)))


def _vantage(gap: Gap) -> Vantage:
    """A place that could not see, or that nothing was heard of, when the monitor ended."""
    return Vantage(stale_since=gap.since) if gap.code == "self.unheard" else Vantage(dark_since=gap.since)


def _held(board: Board) -> dict[str, datetime]:
    """The failures that planned work excused when the monitor ended: those that no open incident speaks of."""
    spoken = {m.module for i in board.incidents.values() if i.is_open for m in i.members if m.until is None and m.seen}
    return {
        id: condition.since
        for id, condition in board.modules.items()
        if condition.status in FAILING and id not in spoken and board.agenda.concerning(id)
    }


def _heard(platform: Platform, memory: Memory) -> dict[tuple[str, str, str], Track]:
    """The tracks, those that are not told when they were last heard as of the last usable run of any."""
    tracks = dict(memory.tracks)
    if memory.seen_at is None:
        return tracks
    for key, condition in memory.probes.items():
        for location in platform.judged[key].locations if key in platform.judged else ():
            track = tracks.get((*key, location), Track())
            if condition.status is not Status.UNKNOWN and track.usable_at is None:
                tracks[(*key, location)] = replace(track, usable_at=memory.seen_at)
    return tracks
