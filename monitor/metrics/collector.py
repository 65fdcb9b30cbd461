"""Collector: everything `/metrics` says, from memory alone.

The loop hands in what happens; a scrape joins what is already written, in a worker thread, and neither waits for the
other. A probe or module that leaves the configuration takes its series with it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from threading import Lock

from monitor.clock import Clock, SystemClock
from monitor.core.board import Board
from monitor.core.expectation import Result
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.metrics import whole
from monitor.metrics.context import context_block, modules_written
from monitor.metrics.exposition import block
from monitor.metrics.facts import FAMILIES
from monitor.metrics.own import Own
from monitor.metrics.series import OWN, Series

SUCCESS, *OTHERS = FAMILIES


class Metrics:
    """The last observation per module, probe and place, our own counters, and the page made of them."""

    def __init__(self, platform: Platform, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._began_at = self._clock.now()
        self._own = Own()
        self._series: dict[tuple[str, str], Series] = {}
        self._modules: tuple[str, ...] = ()
        self._ratios: tuple[object, dict[str, str]] = (None, {})
        self._counted: set[str] = set()
        self._lock = Lock()
        self.reconfigured(platform)

    # --- what happens

    def reconfigured(self, platform: Platform) -> None:
        """Another configuration is in force: counters of what is still asked go on."""
        series = {}
        for key, probe in platform.probes.items():
            if probe.off is not None:
                continue
            known = self._series.get(key)
            if known is None:
                series[key] = Series(probe)
                continue
            if known.probe != probe:
                known.reconfigured(probe)
            series[key] = known
        self._series = series
        self._modules = tuple(platform.modules)
        self._written = modules_written(platform)
        self._ratios = (None, {})

    def observed(self, probe: Probe, observation: Observation, result: Result) -> None:
        """A run was judged. One of a probe that has left the configuration since is nobody's."""
        series = self._series.get(probe.key)
        if series is not None:
            series.observed(observation, result)

    def delayed(self, seconds: float) -> None:
        """A run began this much later than planned."""
        self._own.delay.observe(max(0.0, seconds))

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
        self._own.outbox_pending.clear()
        self._own.outbox_oldest.clear()
        for channel, (count, seconds) in pending.items():
            self._own.outbox_pending.labels(channel).set(count)
            self._own.outbox_oldest.labels(channel).set(seconds)

    def stored(self, seconds: float) -> None:
        """A write to the store is done."""
        self._own.store.set(seconds)
        self._own.writable.set(1)

    def refused(self) -> None:
        """The store does not take what is to be written."""
        self._own.writable.set(0)

    def reloaded(self, ok: bool) -> None:
        """The configuration was loaded anew, or could not be."""
        self._own.reloaded(ok)

    def loop_lag(self, seconds: float) -> None:
        """The event loop was this late."""
        self._own.lag.add(seconds)

    def late(self) -> float:
        """How many seconds late the event loop was at most in the last half minute."""
        return self._own.lag()

    def queue(self, name: str, depth: int) -> None:
        """So much waits in a queue."""
        self._own.queue.labels(name).set(depth)

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
        if view == "locations":
            text = _by_place(series, openmetrics)
        else:
            text = self._judged(board, history, series, wanted, openmetrics)
            if modules is None:
                self._count_detections(board, history)
                text = self._own.page(openmetrics) + whole.general_blocks(board, openmetrics) + text
        return (text + ("# EOF\n" if openmetrics else "")).encode("utf-8", "replace")

    def _judged(
        self, board: Board, history: History, series: list[Series], modules: list[str], openmetrics: bool
    ) -> str:
        lines = [(one, one.lines) for one in series]  # one version of each, whatever is handed in meanwhile
        parts = [
            whole.status_block(board, modules, openmetrics),
            whole.maintenance_block(board, modules, openmetrics),
            block(whole.RATIO, openmetrics, self._ratio_lines(board, history, modules)),
            whole.info_block(board, modules, openmetrics),
            context_block(board, modules, self._written, openmetrics),
        ]
        parts += [block(family, openmetrics, [text[family.name] for _, text in lines]) for family in OWN]
        settled = {key: condition.status for key, condition in board.probes.items()}
        parts.append(block(SUCCESS, openmetrics, [one.success(settled.get(one.probe.key)) for one, _ in lines]))
        parts += [block(family, openmetrics, [text.get(family.name, "") for _, text in lines]) for family in OTHERS]
        return "".join(parts)

    def _ratio_lines(self, board: Board, history: History, modules: Iterable[str]) -> Iterable[str]:
        """Worked out once per history, which is replaced with every publication."""
        known, lines = self._ratios
        if known is not history:
            lines = whole.ratios(board, history, self._modules, self._clock.now())
            self._ratios = (history, lines)
        return (lines.get(id, "") for id in modules)

    def _count_detections(self, board: Board, history: History) -> None:
        """Counts each incident once, and none from before this process began."""
        with self._lock:
            for incident in (*history.incidents, *board.incidents.values()):
                ours = incident.detected_at >= self._began_at and not incident.by_hand
                if ours and incident.id not in self._counted:
                    self._counted.add(incident.id)
                    self._own.detection.observe((incident.detected_at - incident.started_at).total_seconds())


def _by_place(series: list[Series], openmetrics: bool) -> str:
    lines = [written for one in series for written in one.by_place()]
    return "".join(block(family, openmetrics, (text.get(family.name, "") for text in lines)) for family in FAMILIES)
