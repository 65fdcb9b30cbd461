"""Suggestion: which plan fits a shop, and what must be asked to know that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.plan import Cut, Plan, Range

MEASURES = ("orders_per_day", "average_ticket", "growth_percent")  # what a shop is asked about, in this order


@dataclass(frozen=True, slots=True)
class Tier:
    """A stretch of numbers between two cuts, None: without end."""

    low: Cut | None
    high: Cut | None

    def holds(self, number: float) -> bool:
        """Whether a number lies in it."""
        point = (number, False)
        return (self.low is None or point >= self.low) and (self.high is None or point < self.high)

    @property
    def example(self) -> float:
        """A number that lies in it."""
        if self.low is None:
            return 0.0 if self.high is None else self.high[0] - (0 if self.high[1] else 1)
        number, after = self.low
        if not after:
            return number
        return number + 1 if self.high is None else (number + self.high[0]) / 2


@dataclass(frozen=True, slots=True)
class Question:
    """One of MEASURES to be asked, and for each answer the next question, the id of a plan, or None: no plan fits."""

    measure: str
    answers: tuple[tuple[Tier, "Question | str | None"], ...]


def suggested(plans: Sequence[Plan], shop: Mapping[str, float]) -> str | None:
    """The last plan whose every range holds; where none does, the first that states no rule. A measure that is not
    known lies in no range."""
    fits = [one.id for one in plans if one.suggested_when is not None and _fits(one.suggested_when, shop)]
    return fits[-1] if fits else next((one.id for one in plans if one.suggested_when is None), None)


def asked(plans: Sequence[Plan]) -> Question | str | None:
    """As few questions as it takes to come to what `suggested` says; the answer where nothing need be asked."""
    if all(one.suggested_when is None for one in plans):
        return None
    return _asked(plans, MEASURES, {})


def _asked(plans: Sequence[Plan], measures: Sequence[str], shop: Mapping[str, float]) -> Question | str | None:
    if not measures:
        return suggested(plans, shop)
    measure, *later = measures
    answers: list[tuple[Tier, Question | str | None]] = []
    for tier in _tiers(plans, measure):
        then = _asked(plans, later, {**shop, measure: tier.example})
        if answers and answers[-1][1] == then:
            tier = Tier(answers.pop()[0].low, tier.high)
        answers.append((tier, then))
    return answers[0][1] if len(answers) == 1 else Question(measure, tuple(answers))


def _tiers(plans: Sequence[Plan], measure: str) -> list[Tier]:
    cuts = sorted({cut for one in plans for cut in (one.suggested_when or {}).get(measure, Range()).cuts()})
    return [Tier(low, high) for low, high in zip([None, *cuts], [*cuts, None], strict=True)]


def _fits(rule: Mapping[str, Range], shop: Mapping[str, float]) -> bool:
    return all(_in(one, shop.get(measure)) for measure, one in rule.items())


def _in(one: Range, number: float | None) -> bool:
    return one == Range() if number is None else one.holds(number)
