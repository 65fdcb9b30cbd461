"""How incidents prove to be one, outlive their root, come back, and have roots that nobody sees."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core import cause
from monitor.core.effect import Saved
from monitor.core.incident import Incident
from monitor.core.module import Dependency, Module, Status, Strength
from monitor.core.observation import Http
from monitor.core.standing import with_cause
from tests.stories.beats import START, Story, module, observation, seconds, story


def needing(id: str, *needs: str) -> Module:
    """A module that cannot do without these."""
    return replace(module(id), depends_on=tuple(Dependency(one, Strength.HARD) for one in needs))


def by_first(told: Story) -> dict[str, Incident]:
    """The incidents as last saved, by the module they were opened for."""
    return {one.key.split(":")[1]: one for one in told.incidents}


def told_of(told: Story, incident: Incident) -> list[str]:
    """What happened to one incident, in order."""
    saved = [effect for effect in told.effects if isinstance(effect, Saved)]
    return [str(one.change) for one in saved if one.change and one.incident.id == incident.id]


def test_an_incident_begins_with_its_first_failing_run() -> None:
    """Prices break first and take longer to be sure of: the cart opens the incident, which began when they broke."""
    root = module("prices")
    root = replace(root, probes=tuple(replace(probe, confirm=timedelta(minutes=4)) for probe in root.probes))
    told = story(needing("cart", "prices"), root)
    told.play({"cart": "+++--------", "prices": "++---------"}, extra=False)
    (incident,) = told.incidents
    assert incident.key.split(":")[1] == "cart"
    assert [member.module for member in incident.members if member.seen] == ["prices", "cart"]
    assert incident.started_at == min(member.since for member in incident.members)


# -- two that prove to be one -----------------------------------------------------------------------------------------


def merged(after: str = "") -> Story:
    """Cart and checkout fail at the same time; a minute and a half later prices are seen to fail, which both need."""
    told = story(needing("cart", "prices"), needing("checkout", "prices"), module("prices"))
    return told.play(
        {
            "cart": "++----------" + after,
            "checkout": "++----------" + after,
            "prices": "+++++-------" + after,
        },
        extra=False,
    )


def test_two_incidents_that_prove_to_be_one_are_joined() -> None:
    """The older keeps its id and takes the members; the younger ends, says where it went, and has no failing member."""
    told = merged()
    older, younger = by_first(told)["cart"], by_first(told)["checkout"]
    assert (older.is_open, older.merged_into) == (True, None)
    assert {member.module for member in older.members} == {"cart", "checkout", "prices"}
    assert (older.cause.scope, older.cause.module) == ("module", "prices")
    assert [member.role for member in older.members if member.module == "prices"] == ["root"]
    assert (younger.is_open, younger.merged_into) == (False, older.id)
    assert all(member.until is not None for member in younger.members)
    assert told_of(told, younger) == ["opened", "resolved"]


def test_two_roots_of_one_that_suffers_stay_two_incidents() -> None:
    """While everything comes back the cart may be thought to suffer from the other one: that makes them one no more."""
    cart = replace(module("cart"), depends_on=(Dependency("stock", Strength.HARD), Dependency("prices")))
    told = story(cart, module("stock"), module("prices"))
    for beat, outcome in enumerate("++------++++++"):
        for second, id in enumerate(("cart", "stock", "prices")):
            told.feed(observation(id, START + timedelta(seconds=30 * beat + second), outcome))
            told.tick()
    incidents = by_first(told)
    assert sorted(incidents) == ["cart", "prices"]
    assert [one.cause.module for one in (incidents["cart"], incidents["prices"])] == ["stock", "prices"]
    assert all(one.merged_into is None and not one.is_open for one in incidents.values())


def test_what_is_joined_is_told_once() -> None:
    """Each member is added once and nothing is opened again."""
    told = merged()
    changes = told_of(told, by_first(told)["cart"])
    assert (changes[0], changes.count("member_added"), changes.count("opened")) == ("opened", 2, 1)
    assert "cause_changed" in changes
    assert "resolved" not in changes


def test_what_was_joined_is_over_when_the_last_of_it_is() -> None:
    """One end for all three."""
    told = merged(after="+" * 6)
    assert [one.is_open for one in told.incidents] == [False, False]
    assert told_of(told, by_first(told)["cart"])[-1] == "resolved"


@pytest.mark.parametrize("again", ["checkout", "cart", "prices"])
def test_what_was_joined_never_comes_back(again: str) -> None:
    """A relapse within ten minutes reopens the one that took it in, or opens another."""
    told = merged(after="+" * 6)
    younger = by_first(told)["checkout"]
    at = told.now + timedelta(seconds=1)
    for beat in range(6):
        told.feed(observation(again, at + timedelta(seconds=30 * beat), "-"))
    assert told_of(told, younger) == ["opened", "resolved"]
    assert told.incidents[0].is_open
    assert told_of(told, told.incidents[0])[-1] == "reopened"


def test_two_that_nothing_joins_stay_two() -> None:
    """They begin at the same moment, and end one by one."""
    told = story(module("cart"), module("catalog"))
    told.play({"cart": "++-----++++++", "catalog": "++-------++++"})
    assert told.changes == ["opened", "opened", "resolved", "resolved"]
    assert [one.merged_into for one in told.incidents] == [None, None]


def test_three_within_minutes_are_one() -> None:
    """Nothing joins them: scope `shared`, without a name, and the first of the incidents stays."""
    beats = {"cart": "++--------", "catalog": "++--------", "oms": "+++-------", "search": "++++++++++"}
    told = story(*map(module, beats))
    for beat in range(10):
        for number, (name, outcomes) in enumerate(beats.items()):
            at = START + timedelta(seconds=30 * beat)
            told.feed(observation(name, at, outcomes[beat], address=f"8.8.8.{number}:443"))
        told.tick()
    (incident,) = [one for one in told.incidents if one.is_open]
    assert (incident.cause.scope, incident.cause.module) == ("shared", None)
    assert incident.cause.shared is not None
    assert (incident.cause.shared["kind"], incident.cause.shared["value"]) == ("unknown", None)
    assert sorted(incident.cause.shared["modules"]) == ["cart", "catalog", "oms"]
    assert incident.id == told.incidents[0].id


# -- the aftermath ----------------------------------------------------------------------------------------------------


def aftermath(checkout: str, prices: str = "++------" + "+" * 14) -> Story:
    """Checkout fails with prices, and may go on after them."""
    told = story(needing("checkout", "prices"), module("prices"))
    return told.play({"checkout": checkout, "prices": prices}, extra=False)


def test_a_member_that_outlives_its_root_has_trouble_of_its_own() -> None:
    """Two minutes after the root recovered its incident is over; the other one says what it is the aftermath of."""
    told = aftermath("++" + "-" * 20)
    first, second = told.incidents
    assert not first.is_open
    assert (first.updates[-1].kind, first.updates[-1].params) == ("outlived", {"modules": ["checkout"]})
    assert second.is_open
    assert [member.module for member in second.members] == ["checkout"]
    assert second.cause.module == "checkout"
    assert second.cause.trigger is not None
    assert (second.cause.trigger["kind"], second.cause.trigger["module"]) == ("aftermath", "prices")
    assert told_of(told, second) == ["opened"]
    root = first.member("prices")
    assert root is not None
    assert root.until is not None
    assert second.detected_at >= root.until + timedelta(minutes=2)


def test_what_outlives_its_root_together_is_one_incident_of_what_it_comes_from() -> None:
    """Named by its own root, though another one of its modules failed first."""
    told = story(needing("cart", "checkout"), needing("checkout", "prices"), module("prices"))
    beats = {"cart": "++" + "-" * 20, "checkout": "+++" + "-" * 19, "prices": "++------" + "+" * 14}
    told.play(beats, extra=False)
    _, second = told.incidents
    assert ({one.module for one in second.members}, second.cause.module) == ({"cart", "checkout"}, "checkout")
    assert second.key.split(":")[1] == "checkout"


def test_a_slow_drain_is_the_same_incident() -> None:
    """What is well within two minutes of its root was part of it to the end."""
    told = aftermath("++" + "-" * 9 + "+" * 12)
    assert len(told.incidents) == 1
    assert told_of(told, told.incidents[0])[-1] == "resolved"


def test_a_relapse_of_the_root_is_no_aftermath() -> None:
    """It fails again while the others still do: the incident goes on."""
    told = aftermath("++" + "-" * 16, "++------" + "+++" + "-" * 7)
    assert [one.is_open for one in told.incidents] == [True]
    assert told.board.status("prices") is Status.DOWN


def test_an_aftermath_ends_like_any_other() -> None:
    """And comes back as itself."""
    told = aftermath("++" + "-" * 20 + "+" * 8 + "-" * 6, "++------" + "+" * 28)
    _, second = told.incidents
    assert told_of(told, second) == ["opened", "resolved", "reopened"]
    assert second.reopened == 1


# -- coming back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("well", "same"), [(6, True), (18, True), (40, False)], ids=["soon", "later", "too late"])
def test_a_relapse_within_ten_minutes_reopens(well: int, same: bool) -> None:
    """Its id, its key and its beginning stay; later it is another incident."""
    told = story(module("catalog"))
    told.play({"catalog": "++-----" + "+" * well + "-----"})
    assert (len(told.incidents) == 1) is same
    assert told.changes == ["opened", "resolved", "reopened" if same else "opened"]
    assert told.incidents[0].started_at == START + timedelta(seconds=60)
    assert told.incidents[-1].is_open
    assert told.incidents[0].reopened == same


def test_another_module_reopens_nothing() -> None:
    """However soon it fails after the first one was well."""
    told = story(module("catalog"), module("cart"))
    told.play({"catalog": "++-----" + "+" * 12, "cart": "+" * 14 + "-----"})
    assert told.changes == ["opened", "resolved", "opened"]


# -- a root that nobody sees ------------------------------------------------------------------------------------------


def named(checkout: str, orders: Module | None = None) -> Story:
    """Checkout answers with the code of orders, which no probe watches."""
    oms = orders or Module("oms", {"en": "Orders"}, signals=("CHK0089",))
    told = story(needing("checkout", "oms", "prices"), module("prices"), oms)
    body = json.dumps({"messages": [{"code": "CHK0089", "text": "x", "status": "error"}]})
    for beat, outcome in enumerate(checkout):
        at = START + timedelta(seconds=30 * beat)
        one = observation("checkout", at, outcome)
        if outcome == "-":
            one = replace(one, http=Http(500, {}, len(body), body))
        told.feed(one)
        told.feed(observation("prices", at, "+"))
        told.tick()
    return told


def test_a_root_without_probes_stands_among_the_members() -> None:
    """Role root, status unknown; its own status is untouched, and it is the one in the headline."""
    told = named("++------")
    (incident,) = told.incidents
    assert (incident.cause.scope, incident.cause.module, incident.root) == ("module", "oms", "oms")
    assert incident.cause.code == "upstream.signalled:oms"
    assert {m.module: (m.role, m.status, m.seen) for m in incident.members} == {
        "oms": ("root", Status.UNKNOWN, False),
        "checkout": ("affected", Status.DOWN, True),
    }
    assert told.board.status("oms") is Status.UNKNOWN
    assert ("oms", "down") not in [(name, after) for name, after, _ in told.transitions]
    assert any(one.code == "upstream.signalled:oms" for one in incident.cause.evidence)


def test_a_root_without_probes_ends_with_its_last_victim() -> None:
    """Nobody can see it recover: it is over when nothing suffers from it any more."""
    told = named("++------" + "+" * 6)
    (incident,) = told.incidents
    root, victim = incident.member("oms"), incident.member("checkout")
    assert not incident.is_open
    assert root is not None
    assert victim is not None
    assert root.until == victim.until
    assert seconds(root.until or START) == 240


def test_a_root_that_looks_well_is_named_by_answers_all_the_same() -> None:
    """Its own probes pass: it stands there as what they say it is."""
    orders = replace(module("oms"), signals=("CHK0089",))
    told = story(needing("checkout", "oms"), orders)
    body = json.dumps({"error": {"code": "CHK0089", "message": "x"}})
    for beat in range(8):
        at = START + timedelta(seconds=30 * beat)
        one = observation("checkout", at, "+")
        told.feed(replace(one, http=Http(500, {}, len(body), body)) if beat > 1 else one)
        told.feed(observation("oms", at, "+"))
    incident = told.incidents[-1]
    root = incident.member("oms")
    assert root is not None
    assert (root.role, root.seen, root.status) == ("root", False, Status.UP)
    assert told.board.status("oms") is Status.UP


def test_one_that_turns_out_not_to_be_the_root_leaves() -> None:
    """A module that no probe saw failing is a member only as long as it is the root."""
    told = named("++------")
    (incident,) = told.incidents
    other = with_cause(told.board, incident, replace(incident.cause, module="checkout"))
    assert [(member.module, member.role) for member in other.members] == [("checkout", "root")]
    again = with_cause(told.board, other, replace(incident.cause, module="oms"))
    assert [(member.module, member.role) for member in again.members] == [("oms", "root"), ("checkout", "affected")]


def test_a_former_member_that_fails_elsewhere_is_taken_along() -> None:
    """Merged into an incident in which it had recovered: it fails there now. No module is down in no incident."""
    told = story(needing("cart", "prices"), needing("checkout", "prices"), module("prices"))
    first = "++-----" + "+" * 6
    told.play({"cart": first + "-" * 14, "checkout": first + "x" * 14, "prices": first + "+++" + "-" * 11}, extra=False)
    assert told.board.status("checkout") is Status.DOWN
    failing = [m.module for one in told.incidents if one.is_open for m in one.members if m.until is None]
    assert sorted(failing) == ["cart", "checkout", "prices"]


@pytest.mark.parametrize(("of_the_well", "kind"), [("8.8.8.8:443", "unknown"), ("8.8.4.4:443", "address")])
def test_who_is_well_at_an_address_clears_it(of_the_well: str, kind: str) -> None:
    """Three fail at one address and five are well: there too, or somewhere else."""
    told = story(*map(module, "abcdefgh"))
    for beat in range(7):
        for turn, name in enumerate("abcdefgh"):
            fails = beat > 1 and name in "abc"
            address = of_the_well if name in "defgh" else "8.8.8.8:443"
            at = START + timedelta(seconds=30 * beat + turn)
            told.feed(observation(name, at, "-" if fails else "+", address=address))
            told.tick()
    (one,) = told.incidents
    assert (one.cause.scope, (one.cause.shared or {})["kind"]) == ("shared", kind)
    assert sorted(member.module for member in one.members) == ["a", "b", "c"]


def test_one_certificate_is_one_incident_from_the_first_second_on() -> None:
    """Two modules are seen to fail before the other six were asked again: their health is old, and clears nobody."""
    all_of_them = [module(name) for name in "abcdefgh"]
    probes = {m.id: replace(m.probes[0], instance=f"https://shop.example.com/{m.id}") for m in all_of_them}
    told = story(*(replace(m, probes=(probes[m.id],)) for m in all_of_them))
    for beat in range(4):
        for turn, name in enumerate("abcdefgh"):
            at = START + timedelta(seconds=30 * beat + 3 * turn)
            for again in (0, 0.4) if beat == 3 else (0,):
                told.feed(observation(name, at + timedelta(seconds=again), "x" if beat == 3 else "+"))
                told.tick()
    (one,) = told.incidents
    assert (one.cause.scope, (one.cause.shared or {})["kind"]) == ("shared", "certificate")
    assert len(one.members) == 8
    opened = [e for e in told.effects if isinstance(e, Saved) and e.change is not None and e.change.value == "opened"]
    assert len(opened) == 1


def test_what_outlives_its_root_waits_for_nobody_who_is_asked_seldom() -> None:
    """The cart, which is asked every ten minutes, goes along with search, which fails by itself by now, and is not
    blamed for it."""
    checkout = module("checkout", "root")
    cart = replace(checkout.probes[0], id="cart", interval=timedelta(minutes=10), extra_runs=False)
    checkout = replace(checkout, probes=(*checkout.probes, cart))
    told = story(module("search", "checkout", "root"), checkout, module("root"))
    for beat in range(20):
        at = START + timedelta(seconds=30 * beat)
        told.feed(observation("root", at, "-" if 2 <= beat < 8 else "+"))
        told.feed(observation("search", at, "+" if beat < 2 else "-"))
        told.feed(observation("checkout", at, "+"))
        if beat in (0, 3, 6):
            told.feed(observation("checkout", at, "-" if beat else "+", probe="cart"))
        told.tick()
    first, second = told.incidents
    assert (first.is_open, first.cause.module) == (False, "root")
    assert {member.module for member in second.members} == {"search", "checkout"}
    assert second.cause.module == "search"
    assert second.cause.trigger is not None
    assert second.cause.trigger["kind"] == "aftermath"


def test_nothing_is_named_while_what_it_needs_begins_to_fail() -> None:
    """The admin fails first, and with it once the identity that it needs: nobody is blamed until that is clear."""
    admin = replace(module("admin"), depends_on=(Dependency("identity", Strength.SOFT),))
    told, named = story(admin, module("identity")), []
    for beat in range(9):
        at = START + timedelta(seconds=30 * beat)
        told.feed(observation("admin", at, "+" if beat < 2 else "-"))
        told.feed(observation("identity", at, "+" if beat < 3 else "-"))
        told.tick()
        named += [one.cause.module for one in told.incidents]
    (incident,) = told.incidents
    assert list(dict.fromkeys(named)) == [None, "identity"]
    assert {member.module: member.role for member in incident.members} == {"admin": "affected", "identity": "root"}


@pytest.mark.parametrize(("need", "roots"), [("identity", ["admin", "identity"]), ("mail", ["admin"])])
def test_a_need_that_is_seen_to_fail_later_takes_over(need: str, roots: list[str]) -> None:
    """The admin is named, as what it needs answered well since; then the identity fails now and then, which explains
    both. It is not twenty times likelier, but needed; the mail, which nobody needs, takes nothing over."""
    told, named = story(needing("admin", "identity"), module("identity"), module("mail")), []
    for beat in range(20):
        at = START + timedelta(seconds=30 * beat)
        told.feed(observation("admin", at, "+" if beat < 2 else "-"))
        for other in ("identity", "mail"):
            told.feed(observation(other, at, "+" if other != need or beat < 4 or beat % 3 == 2 else "-"))
        told.tick()
        named += [one.cause.module for one in told.incidents if one.member("admin")]
    assert list(dict.fromkeys(filter(None, named))) == roots


# -- naming in haste --------------------------------------------------------------------------------------------------


def at_three(told: Story, beats: str, name: str, first: float) -> None:
    """Runs of a module at three places in turn, five seconds apart."""
    for index, outcome in enumerate(beats):
        at = START + timedelta(seconds=first + 5 * index)
        told.feed(observation(name, at, outcome, "xyz"[index % 3]))
        told.tick()


def test_of_very_many_that_nothing_explains_nobody_waits_for_two_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have something in common; while there were ever some that had just begun to fail, no cause was told."""
    monkeypatch.setattr(cause, "PLENTY", 5)
    began = dict.fromkeys("fg", 9) | dict.fromkeys("abcde", 3) | {f"well-{one}": 99 for one in range(5)}
    told = story(*map(module, began))
    for beat in range(10):
        for place, (name, since) in enumerate(began.items()):
            at, outcome = START + timedelta(seconds=10 * beat), "-" if beat >= since else "+"
            told.feed(observation(name, at, outcome, address=f"8.8.8.{place}:443"))
        told.tick()
    (incident,) = told.incidents
    assert incident.cause.shared is not None
    assert (incident.cause.scope, incident.cause.shared["kind"]) == ("shared", "unknown")
    assert told.changes[0] == "opened"


def test_what_is_just_being_asked_again_is_waited_for() -> None:
    """While two others have just begun to fail, the first to be settled is a candidate; it is named when they are well
    or when nothing new comes up."""
    places = tuple("xyz")
    names = ("a", "b", "c")
    told = story(*(module(name, places=places) for name in names), locations={one: one for one in places})
    for name in names:
        at_three(told, "+++", name, 0)
    at_three(told, "---", "a", 30)
    for name in "bc":
        told.feed(observation(name, START + timedelta(seconds=42), "-", "x"))
    at_three(told, "--", "a", 45)
    (incident,) = told.incidents
    assert (incident.cause.module, incident.cause.scope) == (None, "unknown")
    assert incident.cause.candidates[0].module == "a"
    assert incident.cause.confidence < 0.8
    told.now += timedelta(seconds=20)
    told.tick()
    assert told.incidents[0].cause.module == "a"
    assert told.changes == ["opened", "cause_changed"]
