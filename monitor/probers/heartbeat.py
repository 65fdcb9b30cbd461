"""The heartbeat prober: when did the module last call us?

Nobody is asked. The running monitor hears the calls and remembers them; a run writes down what is known, and judging
compares it with the time a call may take.
"""

from monitor.core.heartbeat import CALLED_AT, LISTENING_SINCE
from monitor.core.observation import stamp
from monitor.probers.failure import Stopped
from monitor.probers.reach import Reach
from monitor.probers.run import Run


async def look(run: Run, reach: Reach) -> None:
    """Writes down the last call, None before the first one."""
    if reach.called is None:
        raise Stopped("self.unsupported", "calls are heard by the running monitor only, and here it cannot be asked")
    call = reach.called(run.probe.key)
    run.values[CALLED_AT] = None if call is None else stamp(call.at)
    if call is not None:
        run.values[LISTENING_SINCE] = stamp(call.since)
        run.note(f"called {(run.at - call.at).total_seconds():.0f} s ago, heard since {stamp(call.since)}")
    else:
        run.note("no call was heard yet")
