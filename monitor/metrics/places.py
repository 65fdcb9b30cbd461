"""Places: how agents elsewhere are doing, read at each scrape from what was last heard of them."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitor.core.presence import Attendance

LABELS = ("location",)
Value = Callable[[Attendance], float | None]

GAUGES: tuple[tuple[str, str, Value], ...] = (
    ("heard", "1 while a place with agents is heard of.", lambda one: float(not one.stale)),
    ("agents", "Agents of a place that are heard of.", lambda one: one.agents),
    (
        "last_heartbeat_timestamp_seconds",
        "When a place was last heard of.",
        lambda one: one.heard_at.timestamp() if one.heard_at else None,
    ),
    ("waiting", "Results that wait at a place.", lambda one: one.waiting),
    ("oldest_seconds", "How long the oldest result that waits at a place has waited.", lambda one: one.oldest),
    ("lost", "Results that a place gave up for lack of room.", lambda one: one.lost),
    ("skew_seconds", "Seconds by which the clock of a place is ahead of ours.", lambda one: one.skew),
    ("outdated", "1 while a place does not have the newest configuration.", lambda one: float(one.outdated)),
)
COUNTERS: tuple[tuple[str, str, Value], ...] = (
    ("batches", "Batches that were taken from a place.", lambda one: one.batches),
    ("results", "Results that were taken from a place.", lambda one: one.results),
    ("repeated", "Results that a place sent again.", lambda one: one.repeated),
)


class Places(Collector):
    """`places` is how they are now; one without agents has no series."""

    def __init__(self) -> None:
        self.places: Sequence[Attendance] = ()

    def collect(self) -> Iterable[Metric]:
        """Every family, also while there is no place."""
        places = self.places
        for kind, table in ((GaugeMetricFamily, GAUGES), (CounterMetricFamily, COUNTERS)):
            for name, told, value in table:
                family = kind(f"monitor_place_{name}", told, labels=LABELS)
                for one in places:
                    if (figure := value(one)) is not None:
                        family.add_metric((one.location,), figure)
                yield family
        told = "Messages of a place that were not believed, by the reason."
        refused = CounterMetricFamily("monitor_place_refused", told, labels=(*LABELS, "reason"))
        for one in places:
            for reason, count in sorted(one.refused.items()):
                refused.add_metric((one.location, reason), count)
        yield refused
