"""Whom an incident concerns: rules about it, and stores."""

from dataclasses import replace

import pytest

from monitor.core.concern import concerned, fits
from monitor.core.incident import Member
from monitor.core.match import Match
from monitor.core.module import Component, Group, Status
from tests.store.past import NOON, incident
from tests.stories.beats import module, platform

SHOP = platform(
    replace(module("checkout"), stores=("acme", "bolt")),
    replace(module("search"), stores=("bolt", "cora")),
    module("catalog"),
    stores=frozenset({"acme", "bolt", "cora", "dune"}),
    groups=(
        Group("buying", {"en": "Buying"}, (Component("cart", {"en": "Cart"}, ("checkout",)),)),
        Group("looking", {"en": "Looking"}, (Component("pages", {"en": "Pages"}, ("catalog",)),)),
    ),
)
ONE = replace(incident("checkout"), components=("cart",))


@pytest.mark.parametrize(
    ("match", "meant"),
    [
        (Match(), True),
        (Match(groups=frozenset({"buying"})), True),
        (Match(groups=frozenset({"looking"})), False),
        (Match(groups=frozenset({"buying", "looking"}), priorities=frozenset({"low"})), False),
        (Match(components=frozenset({"cart"}), modules=frozenset({"checkout"})), True),
        (Match(components=frozenset({"pages"})), False),
        (Match(stores=frozenset({"bolt"})), True),
        (Match(stores=frozenset({"cora"})), False),
    ],
)
def test_a_rule_is_about_what_an_incident_touches(match: Match, meant: bool) -> None:
    """Some of each kind that it names."""
    assert fits(match, ONE, SHOP) is meant


@pytest.mark.parametrize(
    ("seen", "unseen", "stores"),
    [
        ("checkout", "", "acme bolt"),
        ("checkout search", "", "acme bolt cora"),
        ("checkout catalog", "", "acme bolt cora dune"),
        ("checkout", "catalog", "acme bolt"),
        ("", "search", "bolt cora"),
        ("gone", "", "acme bolt cora dune"),
    ],
    ids=["of some", "of two", "one is for all", "a root nobody sees", "nobody sees any", "not known any more"],
)
def test_stores_are_concerned_by_what_fails_for_them(seen: str, unseen: str, stores: str) -> None:
    """Every store by a module that is there for all. What nobody sees failing counts where nothing else does."""
    members = [Member(id, "affected", Status.DOWN, NOON) for id in seen.split()]
    members += [Member(id, "root", Status.UNKNOWN, NOON, seen=False) for id in unseen.split()]
    assert concerned(replace(ONE, members=tuple(members)), SHOP) == set(stores.split())
