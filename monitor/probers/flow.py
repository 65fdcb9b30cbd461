"""The flow prober: ordered steps with one jar of cookies, values passed on, the first failure the end of it.

Each step is one exchange with facts of its own, conducted as that of an http probe. All of them share the time limit of
the flow. What places orders is undone at the end, whatever failed in between, in a time of its own. Nothing is retried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.core.clause import shown
from monitor.core.flow import GOOD, judge_step
from monitor.core.observation import PHASES, Observation, StepRun
from monitor.core.probe import Step
from monitor.core.target import SECRET_NAME, HttpTarget, StepTarget
from monitor.mask import EXCERPT, HIDDEN
from monitor.probers import http
from monitor.probers.conduct import conduct
from monitor.probers.failure import Stopped
from monitor.probers.reach import Reach
from monitor.probers.redirect import Cookies
from monitor.probers.run import Run
from monitor.probers.saved import Filling, fault, texts

CLEANUP = 10.0  # seconds for undoing, past the time limit of the flow
LEAST = 0.05  # seconds a step has, also when the others have used up the rest


async def look(run: Run, reach: Reach) -> None:
    """Runs the steps, and leaves their facts in the run: those of the step that decided are its own."""
    run.unlimited()  # each step gets what the others have left
    walk = Walk(run, reach)
    try:
        await walk.forward()
    finally:  # also when the monitor stops amid an order
        if walk.ordered:
            await walk.back()
        walk.hand_over()


class Walk:
    """One run of a flow while it happens."""

    def __init__(self, run: Run, reach: Reach) -> None:
        self.steps: tuple[Step, ...] = run.probe.steps
        self.ran: list[Run | None] = [None] * len(self.steps)
        self._run = run
        self._reach = reach
        self._cookies = Cookies()
        self._saved: dict[str, Any] = {}
        self._secrets: set[str] = set()

    @property
    def ordered(self) -> bool:
        """Whether a request that places an order went out, whatever became of it."""
        ran = (one for step, one in zip(self.steps, self.ran, strict=True) if step.orders and one is not None)
        return any("processing" in one.phases or one.phase in ("processing", "transfer") for one in ran)

    async def forward(self) -> None:
        """Every step up to the first that fails or must not run."""
        left = self._run.probe.timeout.total_seconds()
        for index, step in enumerate(self.steps):
            if step.withheld or (step.orders and self._run.fresh):
                self._run.note(f"stopped before step {index + 1} “{step.name}”")
                return
            if step.cleanup:
                return
            ran = await self._take(index, left)
            left -= ran.seconds
            if not _is_good(ran, step):
                return

    async def back(self) -> None:
        """Every step that undoes something, also when another one failed."""
        left = CLEANUP
        for index, step in enumerate(self.steps):
            if step.cleanup:
                left -= (await self._take(index, left)).seconds

    async def _take(self, index: int, seconds: float) -> Run:
        """One step within so many seconds; what it saves is there for the next."""
        step, outer = self.steps[index], self._run
        outer.note(f"step {index + 1} “{step.name}” ({step.module})")
        target, missing = _target(step), None
        names = (name for earlier in self.steps[:index] for name, _ in _target(earlier).save)
        asked: HttpTarget | None = None
        try:
            asked = Filling(names, self._saved).request(target)
        except KeyError as name:
            missing = name.args[0]
        probe = replace(outer.probe, module=step.module, expect=step.expect, ask=asked)
        ran = self.ran[index] = Run(probe, self._reach, trace=outer.trace, fresh=outer.fresh)
        ran.once = asked is not None and (asked.url, asked.headers) != (target.http.url, target.http.headers)
        if self._secrets:
            ran.mask = ran.mask.hiding(self._secrets)

        async def prober(run: Run, reach: Reach) -> None:
            if missing is not None:
                code = "step.cleanup" if step.cleanup else "self.config"
                raise Stopped(code, f"nothing is saved under `{missing}`")
            paths = [path for _, path in target.save]
            found: Mapping[str, Any] | None = None
            try:
                found = await http.ask(run, reach, self._cookies, paths)
            finally:  # also what was cut off may hold one
                self._hide(run, target, found if run.failure is None else None)
            if _is_good(run, step):
                self._save(run, target, found)

        await conduct(ran, self._reach, prober, max(seconds, LEAST))
        return ran

    def _save(self, run: Run, target: StepTarget, found: Mapping[str, Any]) -> None:
        """Takes what later steps need. A value that cannot be had fails the step: what comes after it would lie."""
        for name, path in target.save:
            value = found.get(path)
            if why := fault(value):
                run.fail("content.assertion", f"{why} under `{name}` ({path})")
                return
            self._saved[name] = value
            run.note(f"saved {name}: {HIDDEN if SECRET_NAME.search(name) else shown(value)}")

    def _hide(self, run: Run, target: StepTarget, found: Mapping[str, Any] | None) -> None:
        """What is saved under the name of a secret is one from here on, in the answer that gives it as well; `found` is
        None where it could not be read."""
        paths = [path for name, path in target.save if SECRET_NAME.search(name)]
        if not paths or run.http is None:
            return
        given = [found[path] for path in paths if found.get(path) is not None] if found is not None else []
        self._secrets.update(text for value in given if fault(value) is None for text in texts(value))
        mask = run.mask = run.mask.hiding(self._secrets)
        excerpt = mask(run.http.excerpt or "")
        if len(run.http.excerpt or "") >= EXCERPT:
            excerpt = excerpt[: -mask.longest or None]  # the cut may have halved one
        if any(map(fault, given)) or (found is None and run.http.status < 300):
            excerpt = HIDDEN  # it is not known what to look for
        headers = {name: mask(value) for name, value in run.http.headers.items()}
        run.http = replace(run.http, excerpt=excerpt, headers=headers)
        run.values = {path: mask.value(value) for path, value in run.values.items()}

    def hand_over(self) -> None:
        """The facts of all steps, and those of the deciding one as facts of the whole."""
        run = self._run
        seen = [None if one is None else one.observation() for one in self.ran]
        run.steps = tuple(StepRun(step.module, step.name, one) for step, one in zip(self.steps, seen, strict=True))
        told = [one for one in seen if one is not None]
        for phase in PHASES:
            spent = [one.phases[phase] for one in told if phase in one.phases]
            if spent:
                run.phases[phase] = sum(spent)
        decided = _deciding(self.steps, seen)
        if decided is not None:
            run.http, run.failure, run.address = decided.http, decided.failure, decided.address
            run.certificate, run.values = decided.certificate, dict(decided.values)


def _deciding(steps: Sequence[Step], seen: Sequence[Observation | None]) -> Observation | None:
    """The last step that was run on the way forward: the one that failed, if any did."""
    forward = [one for step, one in zip(steps, seen, strict=True) if one is not None and not step.cleanup]
    return forward[-1] if forward else None


def _is_good(run: Run, step: Step) -> bool:
    return judge_step(run.observation(), step).outcome in GOOD


def _target(step: Step) -> StepTarget:
    if not isinstance(step.ask, StepTarget):
        raise Stopped("self.config", "the step has no HTTP target")
    return step.ask
