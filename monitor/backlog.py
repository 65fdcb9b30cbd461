"""Backlog: what each step of the desk wants stored, in order, until it is.

It is bounded: past so many steps the oldest raw observations go, counted, and with them what a later step remembers
anew of the same probe. What was decided stays, however long the store is away.
"""

from collections import deque
from dataclasses import dataclass

from monitor.core.effect import Keep, Remember, Storable

STEPS = 20_000  # that wait with all they want stored
AT_ONCE = 500  # most steps in one transaction …
MANY_AT_ONCE = 2000  # … and while the store takes them more slowly than they come


@dataclass(frozen=True, slots=True)
class Step:
    """What one step wants stored, and the how many-th it is. `whole`: whoever brought it is to be told that all of it
    is stored, so nothing of it is given up."""

    number: int
    effects: list[Storable]
    whole: bool = False


class Backlog:
    """The steps that wait. `decided` is the number of the newest, `shed` how many observations were given up."""

    def __init__(self) -> None:
        self.decided = 0
        self.shed = 0
        self._under_way: list[Step] = []
        self._bare: deque[Step] = deque()  # the oldest, without their observations
        self._steps: deque[Step] = deque()
        self._newest: dict[tuple[str, str, str], int] = {}  # the step that remembers a probe at a place last

    def __len__(self) -> int:
        return len(self._under_way) + len(self._bare) + len(self._steps)

    def add(self, effects: list[Storable], whole: bool = False) -> None:
        """One more step wants this stored."""
        self.decided += 1
        self._steps.append(Step(self.decided, effects, whole))
        for effect in effects:
            if isinstance(effect, Remember):
                self._newest[_key(effect)] = self.decided
        self._thin()

    def portion(self) -> list[Storable]:
        """What is to be stored next, in one transaction. It is `stored` or given `back` afterwards."""
        if not self._under_way:
            for _ in range(max(AT_ONCE, min(len(self) // 4, MANY_AT_ONCE))):
                waiting = self._bare or self._steps
                if not waiting:
                    break
                self._under_way.append(waiting.popleft())
        return [effect for step in self._under_way for effect in step.effects]

    @property
    def under_way(self) -> int:
        """How many steps that portion holds."""
        return len(self._under_way)

    def stored(self) -> None:
        """That portion is stored."""
        self._under_way = []

    def back(self) -> None:
        """Nothing of that portion is stored, or nobody knows."""
        while self._under_way:
            step = self._under_way.pop()
            if self._bare:  # later ones were thinned meanwhile
                self._bare.extendleft(self._thinned(step))
            else:
                self._steps.appendleft(step)
        self._thin()

    def waits_for(self, number: int) -> bool:
        """Whether this step, or one before it, is not stored yet."""
        first = next((some[0] for some in (self._under_way, self._bare, self._steps) if some), None)
        return first is not None and first.number <= number

    def _thin(self) -> None:
        while len(self._steps) > STEPS:
            self._bare.extend(self._thinned(self._steps.popleft()))

    def _thinned(self, step: Step) -> list[Step]:
        """A step without its observations, which are counted; none when nothing is left that matters."""
        if step.whole:
            return [step]
        rest: list[Storable] = [effect for effect in step.effects if not isinstance(effect, Keep)]
        self.shed += len(step.effects) - len(rest)
        if all(isinstance(effect, Remember) for effect in rest):
            rest = [one for one in rest if isinstance(one, Remember) and self._newest[_key(one)] == step.number]
        return [Step(step.number, rest)] if rest else []


def _key(effect: Remember) -> tuple[str, str, str]:
    return effect.module, effect.probe, effect.location
