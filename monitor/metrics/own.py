"""Own: how the monitor itself is doing. Few series, so prometheus_client keeps and writes them."""

import platform
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor import __version__
from monitor.metrics.selfwatch import Peak

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began is told by the process's start time

DETECTION = (5, 10, 15, 30, 45, 60, 90, 120, 300, 600)
DELAY = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RELOADED = (
    "monitor_config_last_reload_successful",
    "blackbox_exporter_config_last_reload_successful",  # the common alert rules ask for this one
)


class Own:
    """The registry with everything in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.detection = self._histogram(
            "monitor_incident_detection_seconds", "From the first failing run to the opened incident.", DETECTION
        )
        self.delay = self._histogram("monitor_schedule_delay_seconds", "How much later than planned runs began.", DELAY)
        self.lag = Peak()
        self._gauge(
            "monitor_event_loop_lag_seconds", "The longest the event loop was late in the last half minute."
        ).set_function(self.lag)
        self.queue = self._gauge("monitor_queue_depth", "What waits to be worked on.", ["queue"])
        self.publish = self._gauge("monitor_publish_duration_seconds", "How long the last publication took.")
        self.published_at = self._gauge(
            "monitor_publish_last_success_timestamp_seconds", "When the last publication was in place; 0: never."
        )
        self.contradictions = self._gauge(
            "monitor_contradictions", "What in the last publication does not hold together, by kind.", ["kind"]
        )
        self.hooks = Counter(
            "monitor_publish_hook_runs",
            "Runs of hooks after publications.",
            ["hook", "outcome"],
            registry=self.registry,
        )
        self.hooked_at = self._gauge(
            "monitor_publish_hook_last_success_timestamp_seconds", "When a hook last did its work.", ["hook"]
        )
        self.notices = Counter(
            "monitor_notices",
            "Attempts to deliver notices, by how they came out.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.outbox_pending = self._gauge("monitor_outbox_pending", "Notices that wait.", ["channel"])
        self.outbox_oldest = self._gauge(
            "monitor_outbox_oldest_seconds", "How long the oldest notice has waited; 0 when none does.", ["channel"]
        )
        self.store = self._gauge("monitor_store_write_seconds", "How long the last write to the store took.")
        self.writable = self._gauge("monitor_store_writable", "1 while the store takes writes, 0 while it refuses.")
        self.writable.set(1)
        self._reloads = [self._gauge(name, "1 if the last load of the configuration worked.") for name in RELOADED]
        self.reloaded(True)
        build = self._gauge("monitor_build_info", "1, with what is running.", ["version", "python"])
        build.labels(__version__, platform.python_version()).set(1)

    def _gauge(self, name: str, told: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, bounds: Sequence[float]) -> Histogram:
        return Histogram(name, told, buckets=bounds, registry=self.registry)

    def reloaded(self, ok: bool) -> None:
        """Notes how the last load of the configuration went."""
        for gauge in self._reloads:
            gauge.set(float(ok))

    def page(self, openmetrics: bool) -> str:
        """Every family of the registry, without the mark at the end of an OpenMetrics page."""
        generate = generate_openmetrics if openmetrics else generate_latest
        page: bytes = generate(self.registry)
        return page.decode().removesuffix("# EOF\n")
