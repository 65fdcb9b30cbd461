"""Which support plan fits a shop: by the rules, and by the questions that are made of them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.plan import Plan, Range
from monitor.core.suggestion import MEASURES, Question, asked, suggested
from tests.depth import examples

FREE = Plan("community", {"en": "Community"})
MIDDLE = Plan("enterprise", {"en": "Enterprise"}, suggested_when={"orders_per_day": Range(at_least=100)})
LARGE = Plan(
    "global",
    {"en": "Global"},
    suggested_when={
        "orders_per_day": Range(at_least=500),
        "average_ticket": Range(more_than=200),
        "growth_percent": Range(),
    },
)

bounds = st.none() | st.integers(-3, 6)
ranges = st.builds(Range, bounds, bounds, bounds, bounds)
rules = st.none() | st.dictionaries(st.sampled_from(MEASURES), ranges, max_size=3)
some_plans = st.lists(rules, max_size=4).map(
    lambda every: [Plan(f"p{number}", {}, suggested_when=rule) for number, rule in enumerate(every)]
)
numbers = st.integers(-8, 14).map(lambda half: half / 2)
shops = st.fixed_dictionaries(dict.fromkeys(MEASURES, numbers))


@pytest.mark.parametrize(
    ("shop", "plan"),
    [
        ({}, "community"),
        ({"orders_per_day": 99.5}, "community"),
        ({"orders_per_day": 100}, "enterprise"),
        ({"orders_per_day": 500}, "enterprise"),
        ({"orders_per_day": 500, "average_ticket": 200}, "enterprise"),
        ({"orders_per_day": 500, "average_ticket": 200.01}, "global"),
        ({"average_ticket": 1000, "growth_percent": 50}, "community"),
    ],
)
def test_the_last_plan_whose_rule_holds_is_suggested(shop: dict[str, float], plan: str) -> None:
    """Where none does it is the first that states no rule; a measure that is not known lies in no range."""
    assert suggested([FREE, MIDDLE, LARGE], shop) == plan


def test_nothing_is_suggested_that_no_rule_allows() -> None:
    """A plan with a rule is not for whom the rule does not hold."""
    assert suggested([MIDDLE, LARGE], {"orders_per_day": 5}) is None
    assert suggested([], {}) is None


def test_no_more_is_asked_than_it_takes() -> None:
    """Growth makes no difference here, and what an order is worth makes one for large shops only."""
    question = asked([FREE, MIDDLE, LARGE])
    assert isinstance(question, Question)
    assert question.measure == "orders_per_day"
    (_, small), (_, middle), (_, large) = question.answers
    assert (small, middle) == ("community", "enterprise")
    assert isinstance(large, Question)
    assert large.measure == "average_ticket"
    assert [then for _, then in large.answers] == ["enterprise", "global"]


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        (Range(at_least=5), 5, 4.99),
        (Range(at_most=5), 5, 5.01),
        (Range(more_than=5), 5.01, 5),
        (Range(less_than=5), 4.99, 5),
    ],
)
def test_whether_a_bound_belongs_to_its_range(bounds: Range, inside: float, outside: float) -> None:
    """At least and at most it does, more and less than it does not."""
    assert (bounds.holds(inside), bounds.holds(outside)) == (True, False)


@settings(max_examples=examples(400))
@given(some_plans, shops)
@example([FREE, MIDDLE, LARGE], {"orders_per_day": 100, "average_ticket": 200, "growth_percent": 0})
@example([FREE, MIDDLE, LARGE], {"orders_per_day": 500, "average_ticket": 201, "growth_percent": 0})
def test_the_questions_lead_to_what_the_rules_say(plans: list[Plan], shop: dict[str, float]) -> None:
    """Whatever the answers are: exactly one tier fits each, and no two neighbours lead to the same."""
    if all(one.suggested_when is None for one in plans):
        assert asked(plans) is None
        return
    found = asked(plans)
    while isinstance(found, Question):
        number = shop[found.measure]
        fitting = [then for tier, then in found.answers if tier.holds(number)]
        assert len(fitting) == 1
        assert all(one[1] != other[1] for one, other in zip(found.answers, found.answers[1:], strict=False))
        found = fitting[0]
    assert found == suggested(plans, shop)
