"""Collector: everything `/metrics` says, from memory alone.

The loop notes what happens; a scrape writes out what is new since the last one and joins it with the rest, in a worker
thread, and neither waits for the other. What leaves the configuration takes its series with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from threading import Lock

from monitor.clock import Clock, SystemClock
from monitor.core.board import Board
from monitor.core.expectation import Result
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.presence import Attendance
from monitor.core.probe import Probe
from monitor.core.selfcheck import Sign
from monitor.metrics import whole
from monitor.metrics.context import context_block, modules_written
from monitor.metrics.exposition import Family, block
from monitor.metrics.facts import FAMILIES
from monitor.metrics.own import Own
from monitor.metrics.promised import Promised
from monitor.metrics.series import OWN, Row, Run, Series

SUCCESS, *_ = FAMILIES
COLUMNS = (*OWN, *FAMILIES)
END = b"# EOF\n"


class Metrics:
    """The last observation per module, probe and place, our own counters, and the page made of them."""

    def __init__(self, platform: Platform, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._began_at = self._clock.now()
        self._own = Own()
        self._series: dict[tuple[str, str], Series] = {}
        self._modules: tuple[str, ...] = ()
        self._ratios = whole.Ratios()
        self._promised = Promised()
        self._counted: set[str] = set()
        self._writing = Lock()
        self._shed = 0
        self.reloaded(True)
        self.reconfigured(platform)

    # --- what happens

    def reconfigured(self, platform: Platform, channels: Iterable[str] = (), hooks: Iterable[str] = ()) -> None:
        """Another configuration is in force: counters of what is still there go on, what left is gone."""
        series, now = {}, self._clock.now().timestamp()
        for key, probe in platform.probes.items():
            if probe.off is not None:
                continue
            known = self._series.get(key)
            if known is None:
                series[key] = Series(probe, now)
            else:
                series[key] = known if known.probe == probe else known.reconfigured(probe, now)
        self._series = series
        self._modules = tuple(platform.modules)
        self._ratios.keep(self._modules)
        self._own.name(channels, hooks)
        self._written = modules_written(platform)

    def observed(self, probe: Probe, observation: Observation, result: Result, incident: str | None = None) -> None:
        """A run was judged, and its module is in this incident. One of a probe that has left the configuration since
        is nobody's."""
        series = self._series.get(probe.key)
        if series is not None:
            series.observed(Run(observation, result, incident))

    def last(self, key: tuple[str, str], place: str) -> tuple[Observation, Result] | None:
        """The last run of a probe at a place, since the start."""
        run = self._series[key].last(place) if key in self._series else None
        return None if run is None else (run.seen, run.result)

    def delayed(self, seconds: float) -> None:
        """A run began this much later than planned."""
        self._own.delay.observe(max(0.0, seconds))

    def attended(self, places: Sequence[Attendance]) -> None:
        """How places with agents are."""
        self._own.places.places = places

    def published(self, seconds: float, at: datetime) -> None:
        """A publication is in place."""
        self._own.publish.set(seconds)
        self._own.published_at.set(at.timestamp())

    def contradicted(self, kinds: Mapping[str, int]) -> None:
        """So much in the last publication does not hold together."""
        for kind, count in kinds.items():
            self._own.contradictions.labels(kind).set(count)

    def hook(self, hook: str, well: bool) -> None:
        """A hook was run after a publication."""
        self._own.hooks.labels(hook, "worked" if well else "failed").inc()
        if well:
            self._own.hooked_at.labels(hook).set(self._clock.now().timestamp())

    def noticed(self, channel: str, outcome: str) -> None:
        """An attempt to deliver a notice came out like this."""
        self._own.notices.labels(channel, outcome).inc()

    def outbox(self, pending: Mapping[str, tuple[int, float]]) -> None:
        """So many letters wait on each channel, the oldest for so many seconds."""
        self._own.outbox(pending)

    def stored(self, seconds: float) -> None:
        """A write to the store is done."""
        self._own.store.set(seconds)
        self._own.stored_at.set(self._clock.now().timestamp())
        self._own.writable.set(1)

    def refused(self) -> None:
        """The store does not take what is to be written."""
        self._own.writable.set(0)

    def reloaded(self, ok: bool) -> None:
        """The configuration was loaded anew, or could not be."""
        self._own.reloaded(ok, self._clock.now().timestamp())

    def led(self, leads: bool, others: int) -> None:
        """Whether we lead, and how many others stand by."""
        self._own.leader.set(float(leads))
        self._own.standbys.set(others)

    def module_unknown(self) -> None:
        """Somebody asked `/probe` for a module that is not there."""
        self._own.modules_unknown.inc()

    def loop_lag(self, seconds: float, queued: float = 0.0) -> None:
        """The event loop was this late, for so much of that as no processor was free for it."""
        self._own.lag.add(seconds)
        self._own.own_lag.add(seconds - queued)

    def late(self) -> float:
        """How many seconds late the event loop was at most in the last half minute."""
        return self._own.lag()

    def left_out(self, reason: str, points: int) -> None:
        """A probe was not asked at so many points of its grid, as it was `busy` or we are `overloaded`."""
        self._own.left_out.labels(reason).inc(points)

    def watched(self, signs: Iterable[Sign], lost: float, behind: float, under_way: int, most: int) -> None:
        """How we are ourselves: the signs of it, the share of time that is lost, and how the rounds fare."""
        for sign in signs:
            self._own.sign_past.labels(sign.name).set(float(sign.is_past))
            self._own.sign_limit.labels(sign.name).set(sign.limit)
        self._own.lost.set(lost)
        self._own.behind.set(behind)
        self._own.under_way.set(under_way)
        self._own.most_runs.set(most)

    def queue(self, name: str, depth: int) -> None:
        """So much waits in a queue."""
        self._own.queue.labels(name).set(depth)

    def backlog(self, depth: int, shed: int) -> None:
        """So many steps wait for the store, and so many observations were given up for it since the start."""
        self.queue("store", depth)
        self._own.shed.inc(shed - self._shed)
        self._shed = shed

    # --- what is told

    def page(
        self,
        board: Board,
        history: History,
        openmetrics: bool = False,
        view: str | None = None,
        modules: str | None = None,
    ) -> bytes:
        """The whole page. `view` is `judged` (None) or `locations`; `modules` a pattern such as `check*`.

        A page of some modules holds what belongs to them and nothing else, so several make up one without a sample
        being there twice; the view by place holds the `probe_*` family alone.
        """
        series = [one for one in self._series.values() if modules is None or fnmatchcase(one.probe.module, modules)]
        wanted = [id for id in self._modules if modules is None or fnmatchcase(id, modules)]
        with self._writing:  # what one scrape wrote out, the next one finds
            if view == "locations":
                parts = _columns(FAMILIES, openmetrics, [row for one in series for row in one.by_place()])
            else:
                parts = self._judged(board, history, series, wanted, openmetrics)
                if modules is None:
                    self._count_detections(board, history)
                    promised = self._promised.blocks(board, history, self._clock.now(), openmetrics)
                    parts = [self._own.page(openmetrics), whole.general_blocks(board, openmetrics), promised, *parts]
        return b"".join([*parts, END] if openmetrics else parts)

    def _judged(
        self, board: Board, history: History, series: list[Series], modules: list[str], openmetrics: bool
    ) -> list[bytes]:
        settled = {key: condition.status for key, condition in board.probes.items()}
        rows = [one.row(openmetrics) for one in series]
        success = [one.success(settled.get(one.probe.key)) for one in series]
        return [
            whole.status_block(board, modules, openmetrics),
            whole.maintenance_block(board, modules, openmetrics),
            block(whole.RATIO, openmetrics, self._ratios.lines(board, history, modules, self._clock.now())),
            whole.info_block(board, modules, openmetrics),
            context_block(board, modules, self._written, openmetrics),
            block(SUCCESS, openmetrics, success),
            *_columns(COLUMNS, openmetrics, rows),
        ]

    def _count_detections(self, board: Board, history: History) -> None:
        """Counts each incident once, and none from before this process began."""
        for one in (*history.incidents, *board.incidents.values()):
            ours = one.detected_at >= self._began_at and not one.by_hand
            if ours and one.id not in self._counted:
                self._counted.add(one.id)
                took = one.detected_at - one.started_at
                self._own.detection.observe(took.total_seconds(), {"incident": one.id})


def _columns(families: Sequence[Family], openmetrics: bool, rows: Sequence[Row]) -> list[bytes]:
    """The samples of all rows, family by family."""
    return [
        block(family, openmetrics, column) for family, column in zip(families, zip(*rows, strict=True), strict=False)
    ]
