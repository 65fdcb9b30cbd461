"""Probers: hands that look. One async function per kind, in a table; it gathers facts and never judges.

`look` runs the prober of a probe's kind under the probe's time limit and always returns an observation: whatever
goes wrong, out there or in here, becomes its `failure`. Nothing is retried.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.core.expectation import Expect
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.probers import dns, flow, heartbeat, http, mqtt, prometheus, statuspage, tcp, tls
from monitor.probers.conduct import Prober, conduct
from monitor.probers.failure import Stopped
from monitor.probers.reach import Reach
from monitor.probers.run import Run

__all__ = ["PROBERS", "Prober", "Reach", "look"]

PROBERS: dict[str, Prober] = {
    "http": http.look,
    "flow": flow.look,
    "heartbeat": heartbeat.look,
    "mqtt": mqtt.look,
    "prometheus": prometheus.look,
    "freshness": http.look,  # a request like any other; whether its value stands still is judged, not probed
    "tcp": tcp.look,
    "tls": tls.look,
    "dns": dns.look,
    "statuspage": statuspage.look,
}


async def look(
    probe: Probe,
    reach: Reach,
    scheduled_at: datetime | None = None,
    trace: Callable[[str], None] | None = None,
    *,
    also: Sequence[Expect] = (),
    fresh: bool = False,
) -> Observation:
    """The facts of one run of a probe. Never raises, except when it is cancelled.

    `trace` is given one line per step, secrets masked. `also` are further expectations whose values are wanted (the
    `verdicts` of the probe). `fresh` asks past caches, takes another address of the target if it has several, and
    places no orders.
    """
    run = Run(probe, reach, scheduled_at, trace, also, fresh)
    await conduct(run, reach, PROBERS.get(probe.kind, _unsupported), probe.timeout.total_seconds())
    return run.observation()


async def _unsupported(run: Run, reach: Reach) -> None:
    raise Stopped("self.unsupported", f"probes of kind `{run.probe.kind}` cannot run in this version")
