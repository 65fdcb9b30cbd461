"""Flow: what one run of ordered steps says, module by module.

The first step that fails decides: its module is to blame, with the step's own code. A module all of whose steps ran and
passed is well. Of a module with steps that were not run nothing is known, nor of one whose step was cut off because an
earlier one had used up the time of all. So at most one module is blamed by a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.core.codes import Blame, code_of
from monitor.core.expectation import Expect, Outcome, Result, judge, precondition
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Step
from monitor.core.signal import error_codes, is_setup

GOOD = (Outcome.PASSED, Outcome.SLOW)
OUT_OF_TIME = frozenset(
    {"dns.timeout", "tcp.timeout", "tls.timeout", "http.ttfb_timeout", "http.header_drip", "http.transfer_timeout"}
)
ALL_OF_IT = 0.95  # share of the time limit that steps must have taken before it can have struck


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run says to one probe: the one that was asked, or one that reads its answers. `seen` are the facts."""

    probe: Probe
    seen: Observation
    result: Result


@dataclass(frozen=True, slots=True)
class Told:
    """One step with its place in the flow, from 1; `seen` and `result` are None when it was not run."""

    number: int
    step: Step
    seen: Observation | None = None
    result: Result | None = None
    starved: bool = False  # the time was up, and it was not the step that took it

    @property
    def good(self) -> bool:
        """Whether it ran, and all that was expected holds."""
        return self.result is not None and self.result.outcome in GOOD

    def titled(self, reason: str, module: bool = False) -> str:
        """The reason with the step in front: step 3 “Category tree” (catalog): status 503, expected 200–299."""
        return f"step {self.number} “{self.step.name}”{f' ({self.step.module})' * module}: {reason}"

    def named(self, module: bool = False) -> Result:
        """The result of the step, its reasons with the step in front."""
        assert self.result is not None
        first = self.result.reasons[0] if self.result.reasons else self.result.code or self.result.outcome.value
        return replace(self.result, reasons=(self.titled(first, module), *self.result.reasons[1:]))


def judge_run(observation: Observation, probe: Probe) -> Result:
    """What one run says as a whole: of a flow, what its first failing step says, with the step and its module named."""
    return _whole(observation, probe, _told(observation, probe)) if probe.steps else judge(observation, probe.expect)


def judge_step(seen: Observation, step: Step) -> Result:
    """What the facts of one step say. Words of set-up and test data are no outage, also under a status that blames us
    or a wall: they say best what is wrong."""
    result = judge(seen, step.expect)
    answered = seen.http is not None and (seen.failure is None or seen.failure.code.startswith("content."))
    if not answered or result.outcome is not Outcome.FAILED or result.code == "step.precondition":
        return result
    codes = error_codes(seen)
    return precondition(codes, *result.reasons) if is_setup(codes) else result


def read(observation: Observation, probe: Probe, sides: Sequence[Probe]) -> list[Reading]:
    """What one run of a flow says to the flow's own module, first, and to every other module it has steps for."""
    told = _told(observation, probe)
    own = _own(observation, probe, told)
    return [own, *(_of(observation, side, told) for side in sides)]


def modules_of(probe: Probe) -> tuple[str, ...]:
    """The other modules that a flow judges, in the order of its steps."""
    steps = (step for step in probe.steps if not step.withheld and not step.cleanup)
    return tuple(dict.fromkeys(step.module for step in steps if step.module != probe.module))


def _told(observation: Observation, probe: Probe) -> list[Told]:
    """Every step that may run, judged; none behind the first that failed. Facts of a step by another name are none."""
    ran = observation.steps or ()
    told: list[Told] = []
    failed = False
    for index, step in enumerate(probe.steps):
        if step.withheld:
            continue
        seen = ran[index].seen if index < len(ran) and ran[index].name == step.name else None
        if seen is None or (failed and not step.cleanup):
            told.append(Told(index + 1, step))
            continue
        if not step.cleanup and (left := _left_by(told, seen, probe)):
            one = Told(index + 1, step, seen, Result(Outcome.UNKNOWN, reasons=(left,)), starved=True)
        else:
            one = Told(index + 1, step, seen, judge_step(seen, step))
        told.append(one)
        failed = failed or not one.good
    return told


def _left_by(told: Sequence[Told], seen: Observation, probe: Probe) -> str | None:
    """How little time the steps before it left to one in which the limit of all struck; None where it took the longest
    of them itself, or failed in another way."""
    if seen.failure is None or seen.failure.code not in OUT_OF_TIME:
        return None
    before = [one.seen.duration for one in told if one.seen is not None]
    limit = probe.timeout.total_seconds()
    if max(before, default=0.0) <= seen.duration or sum(before) + seen.duration < ALL_OF_IT * limit:
        return None
    return f"the steps before left {seen.duration:.2f} s of {limit:g} s"


def _forward(told: Sequence[Told]) -> list[Told]:
    return [one for one in told if not one.step.cleanup]


def _failing(told: Sequence[Told]) -> Told | None:
    bad = (one for one in _forward(told) if one.result is not None and not one.good)
    return next((one for one in bad if not one.starved), None)


def _unfinished(told: Sequence[Told]) -> Result | None:
    """Slow as a whole, so much that it did not come to its end; or what that left undone."""
    starved = next((one for one in told if one.starved), None)
    if starved is None:
        return None
    blame = code_of("step.slow").blame
    late = replace(starved.named(module=True), outcome=Outcome.SLOW, code="step.slow", blame=blame)
    return _undone(told) or late


def _whole(observation: Observation, probe: Probe, told: Sequence[Told]) -> Result:
    if own := _of_ourselves(observation):
        return own
    if failing := _failing(told):
        return failing.named(module=True)
    if unfinished := _unfinished(told):
        return unfinished
    steps = _forward(told)
    missing = next((one for one in steps if one.result is None), None)
    if missing is not None and not missing.step.orders:
        return Result(Outcome.UNKNOWN, reasons=(missing.titled("not run", module=True),))
    if undone := _undone(told):
        return undone
    if missing is None and (slow := _slow(probe, steps)):
        return slow
    lagging = next((one for one in steps if one.result is not None and one.result.outcome is Outcome.SLOW), None)
    if lagging is not None:
        return lagging.named(module=True)
    order = next((step for step in probe.steps if step.orders and (step.withheld or missing is not None)), None)
    return Result(Outcome.PASSED, reasons=(f"stopped before “{order.name}”",) if order else ())


def _own(observation: Observation, probe: Probe, told: Sequence[Told]) -> Reading:
    """What a run says to the module of the flow: its own steps, how long all of them took, and what was left undone."""
    reading = _of(observation, probe, told)
    steps = _forward(told)
    if unfinished := _unfinished(told):
        return replace(reading, result=unfinished)
    if reading.result.outcome not in GOOD:
        return reading
    if undone := _undone(told):
        return replace(reading, result=undone)
    if all(one.good for one in steps) and (slow := _slow(probe, steps)):
        return replace(reading, result=slow)
    return reading


def _of(observation: Observation, probe: Probe, told: Sequence[Told]) -> Reading:
    """What a run says to a module: the step of it that failed, else that all of its steps passed, else nothing.

    A flow none of whose steps is its own module's is well when all of them are.
    """
    nothing = replace(observation, address=None, failure=None, http=None, certificate=None, values={})
    if own := _of_ourselves(observation):
        return Reading(probe, nothing, own if probe.steps else Result(Outcome.UNKNOWN))
    failing, steps = _failing(told), _forward(told)
    if failing is not None and failing.step.module == probe.module:
        assert failing.seen is not None
        return Reading(probe, failing.seen, failing.named())
    mine = [one for one in steps if one.step.module == probe.module] or steps
    late = next((one for one in mine if not one.good), None)
    if late is not None or not mine:
        if failing:
            reasons: tuple[str, ...] = (failing.titled("failed first", module=True),)
        elif late:
            reasons = late.named().reasons if late.result else (late.titled("not run"),)
        else:
            reasons = ()
        return Reading(probe, nothing, Result(Outcome.UNKNOWN, reasons=reasons))
    lagging = [one for one in mine if one.result is not None and one.result.outcome is Outcome.SLOW]
    answered = [one for one in mine if one.result is not None and not one.result.edge_only]
    chosen = (lagging or answered or mine)[-1]
    assert chosen.seen is not None
    assert chosen.result is not None
    return Reading(probe, chosen.seen, chosen.named() if lagging else chosen.result)


def _of_ourselves(observation: Observation) -> Result | None:
    """A run that failed by trouble of our own says nothing of anybody."""
    failure = observation.failure
    if failure is None or not failure.code.startswith("self."):
        return None
    return judge(observation, Expect())


def _undone(told: Sequence[Told]) -> Result | None:
    """What could not be undone. It hides no failure: whoever asks has looked for one already."""
    left = next((one for one in told if one.step.cleanup and one.result is not None and not one.good), None)
    if left is None:
        return None
    return replace(left.named(), outcome=Outcome.FAILED, code="step.cleanup", blame=Blame.CONFIGURATION)


def _slow(probe: Probe, steps: Sequence[Told]) -> Result | None:
    """Slow as a whole: how long all steps took together."""
    limit = probe.expect.slow_after
    taken = sum(one.seen.duration for one in steps if one.seen is not None)
    if limit is None or taken <= limit.total_seconds():
        return None
    reason = f"the steps took {taken * 1000:.0f} ms, slow after {limit.total_seconds() * 1000:.0f} ms"
    return Result(Outcome.SLOW, "step.slow", code_of("step.slow").blame, (reason,))
