"""What has an objective."""

from dataclasses import replace

from monitor.core.module import Component, Group
from monitor.core.objective import objectives
from monitor.core.plan import Plan
from tests.stories.beats import module, platform


def test_everything_that_has_an_objective_stands_from_the_whole_to_the_parts() -> None:
    """A plan's is about the whole platform; what has none is left out, and nothing is not what has none."""
    part = (Component("cart", {"en": "Cart"}, ("checkout",)),)
    shop = platform(
        replace(module("checkout"), objective=0.995),
        module("catalog"),
        replace(module("search"), objective=0.0),
        plans=(Plan("community", {"en": "Community"}), Plan("global", {"en": "Global"}, objective=0.999)),
        groups=(Group("buying", {"en": "Buying"}, part, objective=0.99), Group("looking", {"en": "Looking"}, ())),
    )
    assert [(one.kind, one.id, one.ratio, one.subject.kind, one.subject.id) for one in objectives(shop)] == [
        ("plan", "global", 0.999, "platform", ""),
        ("group", "buying", 0.99, "group", "buying"),
        ("module", "checkout", 0.995, "module", "checkout"),
        ("module", "search", 0.0, "module", "search"),
    ]
