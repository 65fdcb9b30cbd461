"""Probers: hands that look. One async function per kind, in a table; it gathers facts and never judges.

`look` runs the prober of a probe's kind under the probe's time limit and always returns an observation: whatever
goes wrong, out there or in here, becomes its `failure`. Nothing is retried.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from monitor.core.expectation import Expect
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.probers import dns, heartbeat, http, mqtt, prometheus, statuspage, tcp, tls
from monitor.probers.failure import Stopped, of_exchange, of_timeout
from monitor.probers.reach import Reach
from monitor.probers.run import Run

__all__ = ["PROBERS", "Prober", "Reach", "look"]

log = logging.getLogger(__name__)

Prober = Callable[[Run, Reach], Awaitable[None]]

STALL_SHARE = 0.25  # of its limit that a run may lose to ourselves before it says nothing of the target

PROBERS: dict[str, Prober] = {
    "http": http.look,
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
    `verdicts` of the probe). `fresh` asks past caches and takes another address of the target if it has several.
    """
    run = Run(probe, reach, scheduled_at, trace, also, fresh)
    try:
        await _ask(run, reach)
    except Stopped as stopped:
        run.fail(stopped.code, stopped.detail)
    except Exception as error:
        known = of_exchange(error, run.phase)
        if known is not None:
            run.fail(known.code, known.detail)
        else:
            run.fail("self.bug", type(error).__name__)
            _report(probe, reach, error)
    run.finish()
    stalled = reach.stalled(run.began, run.ended)
    if stalled > STALL_SHARE * probe.timeout.total_seconds():
        run.failure = None
        run.fail("self.stall", f"our own event loop stood still for {stalled:.1f} s meanwhile")
    return run.observation()


async def _ask(run: Run, reach: Reach) -> None:
    prober = PROBERS.get(run.probe.kind)
    if prober is None:
        raise Stopped("self.unsupported", f"probes of kind `{run.probe.kind}` cannot run in this version")
    expired = False
    try:
        async with run.limited() as limit:
            try:
                await prober(run, reach)
            finally:
                expired = limit.expired()
    except TimeoutError as error:
        if not expired:
            raise
        seconds = run.probe.timeout.total_seconds()
        raise run.late or of_timeout(run.phase, seconds, run.first_byte_at is not None) from error


def _report(probe: Probe, reach: Reach, error: Exception) -> None:
    """Tells the log about a bug of ours, once for each probe and kind of error."""
    told = (probe.module, probe.id, type(error).__name__)
    if told not in reach.reported:
        reach.reported.add(told)
        log.error("probe %s/%s: a bug of ours: %s", *told, exc_info=error)
