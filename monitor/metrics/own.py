"""Own: how the monitor itself is doing. Few series, so prometheus_client keeps and writes them."""

import platform
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor import __version__
from monitor.core.selfcheck import SIGNS
from monitor.metrics.places import Places
from monitor.metrics.selfwatch import Peak

DETECTION = (5, 10, 15, 30, 45, 60, 90, 120, 300, 600)
DELAY = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
QUEUES = ("events", "store")
LEFT_OUT = ("busy", "overloaded")
DELIVERED = ("delivered", "failed", "dead")
RAN = ("worked", "failed")
# The common alert rules, and what is written for the blackbox exporter, ask for the second of each.
RELOADED = ("monitor_config_last_reload_successful", "blackbox_exporter_config_last_reload_successful")
RELOADED_AT = (
    "monitor_config_last_reload_success_timestamp_seconds",
    "blackbox_exporter_config_last_reload_success_timestamp_seconds",
)


class Own:
    """The registry with everything in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.places = Places()
        self.registry.register(self.places)
        self.detection = self._histogram(
            "monitor_incident_detection_seconds", "From the first failing run to the opened incident.", DETECTION
        )
        self.delay = self._histogram("monitor_schedule_delay_seconds", "How much later than planned runs began.", DELAY)
        self.lag = Peak()
        self._gauge(
            "monitor_event_loop_lag_seconds", "The longest the event loop was late in the last half minute."
        ).set_function(self.lag)
        self.own_lag = Peak()
        self._gauge(
            "monitor_event_loop_own_lag_seconds", "The same, without the time in which no processor was free for it."
        ).set_function(self.own_lag)
        self.lost = self._gauge(
            "monitor_event_loop_lost_ratio",
            "Share of the last seconds that the event loop could not use.",
        )
        self.behind = self._gauge("monitor_schedule_behind_seconds", "How late the run is that has waited the longest.")
        self.under_way = self._gauge("monitor_runs_under_way", "Runs of probes that are under way.")
        self.most_runs = self._gauge("monitor_runs_under_way_limit", "How many runs may be under way at the moment.")
        self.left_out = self._counter(
            "monitor_runs_left_out", "Points of their grid at which probes were not asked, by the reason.", ["reason"]
        )
        self.queue = self._gauge("monitor_queue_depth", "What waits to be worked on.", ["queue"])
        self.publish = self._gauge("monitor_publish_duration_seconds", "How long the last publication took.")
        self.published_at = self._gauge(
            "monitor_publish_last_success_timestamp_seconds", "When the last publication was in place; 0: never."
        )
        self.contradictions = self._gauge(
            "monitor_contradictions", "What in the last publication does not hold together, by kind.", ["kind"]
        )
        self.hooks = self._counter(
            "monitor_publish_hook_runs", "Runs of hooks after publications.", ["hook", "outcome"]
        )
        self.hooked_at = self._gauge(
            "monitor_publish_hook_last_success_timestamp_seconds", "When a hook last did its work.", ["hook"]
        )
        self.notices = self._counter(
            "monitor_notices", "Attempts to deliver notices, by how they came out.", ["channel", "outcome"]
        )
        self.outbox_pending = self._gauge("monitor_outbox_pending", "Notices that wait.", ["channel"])
        self.outbox_oldest = self._gauge(
            "monitor_outbox_oldest_seconds", "How long the oldest notice has waited; 0 when none does.", ["channel"]
        )
        self.store = self._gauge("monitor_store_write_seconds", "How long the last write to the store took.")
        self.stored_at = self._gauge(
            "monitor_store_last_success_timestamp_seconds", "When the store last took a write; 0: never."
        )
        self.writable = self._gauge("monitor_store_writable", "1 while the store takes writes, 0 while it refuses.")
        self.writable.set(1)
        self.shed = self._counter(
            "monitor_store_shed", "Observations that were never stored, as the store was away for too long."
        )
        self.sign_past = self._gauge(
            "monitor_sign_past_limit", "1 while a sign of our own health is past its limit.", ["sign"]
        )
        self.sign_limit = self._gauge("monitor_sign_limit", "Where a sign of our own health should end.", ["sign"])
        self._reloads = [self._gauge(name, "1 if the last load of the configuration worked.") for name in RELOADED]
        self._reloads_at = [self._gauge(name, "When the configuration was last loaded.") for name in RELOADED_AT]
        self.leader = self._gauge("monitor_leader", "1 while this monitor leads, 0 while it stands by.")
        self.standbys = self._gauge(
            "monitor_standbys", "How many monitors stand by, as far as the one that leads knows."
        )
        self.modules_unknown = self._counter("blackbox_module_unknown", "Requests for a module that is not there.")
        build = self._gauge("monitor_build_info", "1, with what is running.", ["version", "python"])
        build.labels(__version__, platform.python_version()).set(1)
        self._channels: tuple[str, ...] = ()
        for queue in QUEUES:
            self.queue.labels(queue)
        for sign in SIGNS:
            self.sign_past.labels(sign)
            self.sign_limit.labels(sign)
        for reason in LEFT_OUT:
            self.left_out.labels(reason)

    def _gauge(self, name: str, told: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry)

    def _counter(self, name: str, told: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, bounds: Sequence[float]) -> Histogram:
        return Histogram(name, told, buckets=bounds, registry=self.registry)

    def reloaded(self, ok: bool, now: float) -> None:
        """Notes how the last load of the configuration went, at a Unix time."""
        for gauge in self._reloads:
            gauge.set(float(ok))
        for gauge in self._reloads_at if ok else ():
            gauge.set(now)

    def name(self, channels: Iterable[str], hooks: Iterable[str]) -> None:
        """These channels and hooks are configured: each has its series from now on, all others have none."""
        channels, hooks = tuple(channels), tuple(hooks)
        for channel in channels:
            for gauge in (self.outbox_pending, self.outbox_oldest):
                gauge.labels(channel)
            for outcome in DELIVERED:
                self.notices.labels(channel, outcome)
        for hook in hooks:
            for outcome in RAN:
                self.hooks.labels(hook, outcome)
        self._channels = channels
        for metric in (self.outbox_pending, self.outbox_oldest, self.notices):
            _keep(metric, channels)
        for metric in (self.hooks, self.hooked_at):
            _keep(metric, hooks)

    def outbox(self, pending: Mapping[str, tuple[int, float]]) -> None:
        """So many letters wait on each channel, the oldest for so many seconds."""
        for channel, (count, seconds) in pending.items():
            self.outbox_pending.labels(channel).set(count)
            self.outbox_oldest.labels(channel).set(seconds)
        for metric in (self.outbox_pending, self.outbox_oldest):
            _keep(metric, {*self._channels, *pending})

    def page(self, openmetrics: bool) -> bytes:
        """Every family of the registry, without the mark at the end of an OpenMetrics page."""
        if openmetrics:
            whole: bytes = generate_openmetrics(self.registry)  # type: ignore[no-untyped-call]
            return whole.removesuffix(b"# EOF\n")
        page: bytes = generate_latest(_Plain(self.registry))
        return page


def _keep(metric: Counter | Gauge, first: Collection[str]) -> None:
    """Leaves only the series whose first label is one of these."""
    known = {tuple(sample.labels.values()) for family in metric.collect() for sample in family.samples}
    for values in known:
        if values[0] not in first:
            metric.remove(*values)


class _Plain(CollectorRegistry):
    """A registry as the text format tells it, which knows nothing of when a counter began."""

    def __init__(self, whole: CollectorRegistry) -> None:
        super().__init__()
        self._whole = whole

    def collect(self) -> Iterator[Metric]:
        for family in self._whole.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family
