"""What a configuration would change, told before it does."""

from dataclasses import replace
from datetime import datetime

import pytest

from monitor.core.board import Condition
from monitor.core.changeover import Change, changeover
from monitor.core.history import Memory
from monitor.core.module import Module, Status
from tests.store.past import incident
from tests.stories.beats import START, module, platform

UP = Condition(Status.UP, START)
CHECKOUT = module("checkout")
ASK = CHECKOUT.probes[0].id


def remembered(*modules: str) -> Memory:
    """These are known, each by its one probe."""
    return Memory(probes={(id, ASK): UP for id in modules}, modules=dict.fromkeys(modules, UP))


def changes(memory: Memory, *modules: Module) -> list[Change]:
    return [one for one in changeover(platform(*modules), memory, {"shipping": START}) if one.kind != "kept"]


def test_what_stays_as_it_is_is_kept() -> None:
    """So is a module without probes: nobody remembers what nobody measures."""
    silent = replace(module("portal"), probes=())
    found = changeover(platform(CHECKOUT, silent), remembered("checkout"), {})
    assert found == [Change("kept", "checkout"), Change("kept", "portal")]


def test_what_nobody_has_heard_of_is_added() -> None:
    """Its probes are not told one by one."""
    assert changes(remembered("checkout", "shipping"), CHECKOUT, module("shipping"), module("catalog")) == [
        Change("added", "catalog")
    ]


def test_an_alias_renames_what_has_a_history() -> None:
    """Its open incident goes with it, its probes stay its probes."""
    struck = replace(remembered("checkout", "shipping"), incidents=(incident("shipping"),))
    logistics = replace(module("logistics"), aliases=("shipping",))
    assert changes(struck, CHECKOUT, logistics) == [
        Change("renamed", "logistics", "shipping", START, incident("shipping").id)
    ]


@pytest.mark.parametrize(
    ("members", "staying", "ends"),
    [
        ({"shipping": None}, [CHECKOUT], True),
        ({"shipping": None, "checkout": None}, [CHECKOUT], False),
        ({"shipping": None, "checkout": START}, [CHECKOUT], True),
        ({"shipping": None, "cart": None}, [CHECKOUT, replace(module("basket"), aliases=("cart",))], False),
        ({"shipping": None, "checkout": None}, [replace(CHECKOUT, probes=())], True),
    ],
    ids=["alone", "another fails", "another has recovered", "another is renamed", "another is not measured any more"],
)
def test_an_incident_ends_with_the_last_that_fails(
    members: dict[str, datetime | None], staying: list[Module], ends: bool
) -> None:
    """It goes on without the module that leaves only where something else of it still fails."""
    one = incident("shipping")
    struck = tuple(replace(one.members[0], module=id, until=until) for id, until in members.items())
    memory = replace(remembered("checkout", "shipping", "cart"), incidents=(replace(one, members=struck),))

    found = [change for change in changes(memory, *staying) if change.id == "shipping"]

    assert found == [Change("removed", "shipping", None, START, one.id, ends=ends)]


@pytest.mark.parametrize(
    ("known", "configured", "told"),
    [
        (("logistics", "shipping"), ("logistics",), [Change("removed", "shipping", None, START)]),
        (("shipping",), ("logistics", "shipping"), [Change("added", "logistics")]),
        (("logistics",), ("logistics",), [Change("removed", "shipping", None, START)]),
    ],
    ids=["the new id has a history", "the old id is configured", "known by its history alone"],
)
def test_an_alias_takes_nobodys_history(
    known: tuple[str, ...], configured: tuple[str, ...], told: list[Change]
) -> None:
    """Only what nobody else has."""
    modules = [replace(module(id), aliases=("shipping",) if id == "logistics" else ()) for id in configured]
    assert changes(remembered(*known), *modules) == told


def test_probes_come_go_and_are_switched_off() -> None:
    """Those that only give evidence have no status of their own, so nothing is said of them."""
    probe = CHECKOUT.probes[0]
    off, new = replace(probe, off="VTEX_APP_KEY is not set"), replace(probe, id="more")
    memory = Memory(probes={("checkout", ASK): UP, ("checkout", "old"): UP}, modules={"checkout": UP, "shipping": UP})
    assert changes(memory, replace(CHECKOUT, probes=(off, new)), module("shipping")) == [
        Change("added", "checkout/more"),
        Change("removed", "checkout/old"),
        Change("removed", f"checkout/{ASK}", off="VTEX_APP_KEY is not set"),
    ]
