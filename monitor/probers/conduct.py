"""Conduct: one exchange from its beginning to its end, whatever happens meanwhile.

A prober asks; here is the time limit over it, and the table of what went wrong becomes the failure of the run.
"""

import logging
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from monitor.core.probe import Probe
from monitor.internet import is_public
from monitor.probers.address import split
from monitor.probers.failure import Stopped, of_exchange, of_timeout
from monitor.probers.reach import Reach
from monitor.probers.run import Run

log = logging.getLogger(__name__)

Prober = Callable[[Run, Reach], Awaitable[None]]

STALL_SHARE = 0.25  # of its limit that a run may lose to ourselves before it says nothing of the target


async def conduct(run: Run, reach: Reach, prober: Prober, seconds: float) -> None:
    """The run with everything that the prober saw within so many seconds, finished. Raises only when cancelled."""
    try:
        await _limited(run, reach, prober, seconds)
    except Stopped as stopped:
        run.fail(stopped.code, stopped.detail)
    except Exception as error:
        known = of_exchange(error, run.phase)
        if known is not None:
            run.fail(known.code, known.detail)
        else:
            run.fail("self.bug", type(error).__name__)
            _report(run.probe, reach, error)
    run.finish()
    _mind_ipv6(run, reach)
    stalled = reach.stalled(run.began, run.ended)
    slow_after = run.probe.expect.slow_after
    slowed = slow_after is not None and run.seconds - stalled <= slow_after.total_seconds() < run.seconds
    if stalled > STALL_SHARE * run.probe.timeout.total_seconds() or (slowed and run.failure is None):
        run.failure = None
        run.fail("self.stall", f"our own event loop stood still for {stalled:.1f} s meanwhile")


def _mind_ipv6(run: Run, reach: Reach) -> None:
    """A place from which nothing was ever reached over IPv6 cannot tell that a target is at fault for it."""
    if run.address is None or not run.address.startswith("[") or not is_public(ip_address(split(run.address)[0])):
        return
    code = run.failure.code if run.failure is not None else ""
    if not code or code.startswith(("tls.", "http.", "content.")):
        reach.has_ipv6 = True
    elif not reach.has_ipv6 and code in ("tcp.timeout", "tcp.unreachable"):
        run.failure = None
        run.fail("self.connectivity", f"{run.address}: nothing was ever reached over IPv6 from here ({code})")


async def _limited(run: Run, reach: Reach, prober: Prober, seconds: float) -> None:
    limit = run.limit(seconds)
    try:
        async with limit:
            try:
                await prober(run, reach)
            finally:
                run.unlimited()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise run.late or of_timeout(run.phase, round(seconds, 2), run.first_byte_at is not None) from error


def _report(probe: Probe, reach: Reach, error: Exception) -> None:
    """Tells the log about a bug of ours, once for each probe and kind of error."""
    told = (probe.module, probe.id, type(error).__name__)
    if told not in reach.reported:
        reach.reported.add(told)
        about = {"module": probe.module, "probe": probe.id, "location": reach.location}
        log.error("probe %s/%s: a bug of ours: %s", *told, exc_info=error, extra={"about": about})
