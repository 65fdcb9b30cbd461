"""Context: what other metrics are joined with is there, and stays out of everybody else's labels."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.module import Component, Group, Module, Platform, Priority, Status
from monitor.core.plan import Plan
from monitor.metrics import Metrics
from monitor.metrics.context import groups_of
from tests.fakes import FakeClock
from tests.metrics.test_collector import EMPTY, SHOP, of
from tests.pages import pictures
from tests.pages.pictures import NOW

CART = Module("cart", {"en": "Cart"}, priority=Priority.URGENT, objective=0.999)
DARK = Module("dark", {"en": "Dark"})
SHOWN = Platform(
    {"cart": CART, "dark": DARK},
    groups=(
        Group("buying", {}, (Component("a", {}, ("cart",)), Component("b", {}, ("cart",)))),
        Group("selling", {}, (Component("c", {}, ("cart",)),)),
    ),
)


def test_a_module_has_a_series_for_each_group_that_shows_it() -> None:
    """Twice in one group is once; without any it is still there, so that a join loses nobody."""
    assert groups_of(SHOWN) == {"cart": ("buying", "selling")}
    page = Metrics(SHOWN).page(Board(SHOWN), EMPTY)
    assert of(page, "monitor_module_info", module="cart", priority="urgent") == [1, 1]
    assert of(page, "monitor_module_info", module="cart", group="selling") == [1]
    assert of(page, "monitor_module_info", module="dark", group="", priority="normal") == [1]


def test_only_what_has_an_objective_has_a_ratio_to_reach() -> None:
    """A budget of nothing cannot burn."""
    page = Metrics(SHOWN).page(Board(SHOWN), EMPTY)
    assert of(page, "monitor_module_objective_ratio", module="cart") == [0.999]
    assert of(page, "monitor_module_objective_ratio", module="dark") == []


def test_an_incident_tells_since_when_and_who_is_part_of_it() -> None:
    """A module that answers again is no part of it any more."""
    fresh = pictures.incident("promotions", NOW - timedelta(minutes=12), "http.503", ["checkout", "subscriptions"])
    root, *affected = fresh.members
    shown = pictures.picture([replace(fresh, members=(root, affected[0], replace(affected[1], until=NOW)))])
    page = Metrics(shown.board.platform, FakeClock(NOW)).page(shown.board, shown.history)
    began = of(page, "monitor_incident_started_timestamp_seconds", incident=fresh.id, priority=fresh.priority.value)
    assert began == [(NOW - timedelta(minutes=12)).timestamp()]
    assert of(page, "monitor_incident_module_info", incident=fresh.id, module="promotions", role="root") == [1]
    assert of(page, "monitor_incident_module_info", incident=fresh.id, module="checkout", role="affected") == [1]
    assert of(page, "monitor_incident_module_info", module="subscriptions") == []


def test_a_page_of_other_modules_leaves_the_incident_out() -> None:
    """Several such pages never hold the same sample."""
    shown = pictures.troubled()
    metrics = Metrics(shown.board.platform, FakeClock(NOW))
    assert of(metrics.page(shown.board, shown.history, modules="promotions"), "monitor_incident_module_info")
    assert not of(metrics.page(shown.board, shown.history, modules="checkout"), "monitor_incident_module_info")


def test_a_store_that_refuses_shows_until_it_takes_writes_again() -> None:
    """How long a write took says nothing of one that was refused."""
    metrics = Metrics(SHOP)
    seen = []
    for happens in (lambda: None, metrics.refused, lambda: metrics.stored(0.01)):
        happens()
        seen += of(metrics.page(Board(SHOP), EMPTY), "monitor_store_writable")
    assert seen == [1, 0, 1]


def test_groups_and_plans_have_budgets_of_their_own() -> None:
    """An hour lost in two components: two of the 1,440 hours of the group, and of the three of the whole two."""
    shop = replace(
        SHOWN,
        groups=(replace(SHOWN.groups[0], objective=0.99), SHOWN.groups[1]),
        plans=(Plan("gold", {}, objective=0.999),),
    )
    moves = [Transition("cart", Status.UNKNOWN, Status.UP, *(NOW - timedelta(days=40),) * 2)]
    moves.append(Transition("cart", Status.UP, Status.DOWN, *(NOW - timedelta(hours=2),) * 2))
    moves.append(Transition("cart", Status.DOWN, Status.UP, *(NOW - timedelta(hours=1),) * 2))
    metrics = Metrics(shop, FakeClock(NOW))
    page = metrics.page(Board(shop), History({"cart": tuple(moves)}))
    assert of(page, "monitor_objective_ratio", kind="group", id="buying") == [0.99]
    assert of(page, "monitor_objective_ratio", kind="group", id="selling") == []
    assert of(page, "monitor_objective_budget_left_ratio", kind="group", id="buying") == [round(1 - 2 / 14.4, 6)]
    assert of(page, "monitor_objective_budget_left_ratio", kind="plan", id="gold") == [round(1 - 3 / 2.16, 6)]
    assert of(page, "monitor_objective_burn_rate", kind="group", id="buying", window="6h") == [round(100 / 6, 6)]
    assert of(page, "monitor_objective_burn_rate", kind="plan", id="gold", window="1h") == [0]
    assert not of(metrics.page(Board(shop), EMPTY, modules="cart"), "monitor_objective_ratio")
