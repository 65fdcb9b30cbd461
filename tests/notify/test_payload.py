"""What a channel is given to send: a headline, the cause in plain words, and where to look and what to do."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.digest import Line
from monitor.core.effect import Summed
from monitor.core.gathering import letter_of
from monitor.core.incident import Incident
from monitor.core.module import Component, Group
from monitor.core.outbox import Letter, Sending
from monitor.core.plan import Client, Plan
from monitor.core.short import fitted, length_of
from monitor.core.site import Site
from monitor.notify.channel import Message
from monitor.notify.payload import Desk, message_of
from monitor.pages.translate import Speech
from tests.store.past import after, incident
from tests.stories.beats import module, platform

SPEECH = Speech.load(("en", "pt-BR"), Path(__file__).parents[2] / "site")
OPEN = incident("checkout")


def link(incident: str, channel: str, at: datetime) -> str:
    return f"https://ops.example/acknowledge/{incident}-{channel}-{at:%H%M%S}"


SITE = Site(name="Shop", url="https://status.example", languages=("en", "pt-BR"))
DESK = Desk(SITE, platform(module("checkout")), SPEECH, "https://ops.example", link)


def written(one: Incident, event: str) -> Message:
    sending = Sending(Letter(one.id, 1, "pager", event, "first", after(2)), event)
    return message_of(sending, one, "en", DESK, after(60))


def test_a_text_says_nothing_twice() -> None:
    """The subject is its first line; what was seen and the cause stand in parts of their own; addresses come last, each
    with what it is for."""
    message = written(OPEN, "opened")
    first, seen, cause, addresses = message.body.split("\n\n")
    assert " ".join(first.split()) == message.subject
    assert len(set(seen.splitlines())) == len(seen.splitlines())
    assert cause.count("Checkout:") <= 1
    assert len(set(cause.splitlines())) == len(cause.splitlines())
    assert addresses.splitlines()[-1] == f"I have it: {link(OPEN.id, 'pager', after(60))}"


def test_customers_read_no_evidence_and_no_operators_addresses() -> None:
    """What a public comment of a ticket says."""
    message = written(OPEN, "opened")
    assert message.public.split("\n\n") == [message.body.split("\n\n")[index] for index in (0, 2)]


def test_a_short_text_goes_with_every_notice() -> None:
    """In every language, without what telephones cannot show."""
    short = written(OPEN, "opened").payload["text_short"]
    assert short.keys() == {"en", "pt-BR"}
    assert short["en"].startswith("URGENT: Checkout ")
    assert all(length_of(text) <= 160 and text == fitted(text) for text in short.values())


def test_a_digest_tells_each_incident_on_a_line() -> None:
    """From what went with its letter; nothing of it is asked of a store."""
    over = Line("abc", {"en": "Catalog"}, "http.503", "low", after(0), after(120), 2)
    letter = letter_of(Summed("mail", after(3600), (over, Line("def", "search", "http.500", "normal", after(60)))))
    message = message_of(Sending(letter, "summary"), None, "en", DESK, after(3600))
    first, lines, _ = message.body.split("\n\n")
    assert first == "[SUMMARY] Incidents: 2 – Catalog and search"
    assert [line.partition(",")[0] for line in lines.splitlines()] == [
        "Catalog: overload or service switched off (status 503)",
        "search: errors (status 500)",
    ]
    assert "relapses: 2" in lines
    assert lines.endswith("still going on")
    assert (message.payload["why"], message.payload["incident"]) == ("digest", None)
    assert [one["incident"] for one in message.payload["digest"]] == ["abc", "def"]


def test_who_is_told_gets_a_link_to_say_mine_while_there_is_something_to_say_it_of() -> None:
    """Made for this channel and for when it leaves."""
    over = replace(OPEN, resolved_at=after(50))
    assert written(OPEN, "reminder").payload["links"]["acknowledge"] == link(OPEN.id, "pager", after(60))
    assert written(over, "resolved").payload["links"]["acknowledge"] is None
    assert "acknowledge" not in written(over, "resolved").body


def test_components_are_told_as_far_as_the_incident_goes() -> None:
    """By those of its modules that fail; with its end they all work."""
    cart = Component("cart", {"en": "Cart"}, ("checkout", "catalog"))
    whole = replace(platform(module("checkout"), module("catalog")), groups=(Group("shop", {"en": "Shop"}, (cart,)),))
    desk = Desk(Site(name="Shop", languages=("en",)), whole, SPEECH)

    def told(one: Incident) -> list[tuple[str, str, str]]:
        sending = Sending(Letter(one.id, 1, "pager", "opened", "first", after(2)), "opened")
        found = message_of(sending, replace(one, components=("cart", "gone")), "en", desk, after(60)).components
        return [(one.id, one.name, one.status) for one in found]

    assert told(OPEN) == [("cart", "Cart", "partial_outage")]
    assert told(replace(OPEN, resolved_at=after(50))) == [("cart", "Cart", "operational")]


@pytest.mark.parametrize(
    ("here", "named"),
    [
        ("xyz", []),
        ("xz", ["Store X, plan A", "Store Z"]),
    ],
)
def test_a_channel_that_looks_after_no_store_is_told_which_ones_where_not_all_are_concerned(
    here: str, named: list[str]
) -> None:
    """Each with its plan, where it has one."""
    clients = tuple(Client(id, id.upper(), plan) for id, plan in (("x", "a"), ("y", "a"), ("z", "")))
    shop = replace(module("checkout"), stores=tuple(here))
    theirs = platform(shop, plans=(Plan("a", {"en": "A"}),), clients=clients, stores=frozenset("xyz"))
    sending = Sending(Letter(OPEN.id, 1, "pager", "opened", "first", after(2)), "opened")
    message = message_of(sending, OPEN, "en", replace(DESK, platform=theirs), after(60))
    assert [one for one in message.body.splitlines() if one.startswith("Store ")] == named
    assert [one["id"] for one in message.payload["stores"]] == [one[6].lower() for one in named]


def test_the_clock_of_a_plan_is_told_for_stores_of_that_plan_alone() -> None:
    """Also on a channel that looks after others as well, such as an account of tickets."""
    plans = (Plan("a", {"en": "A"}), Plan("b", {"en": "B"}))
    clients = tuple(Client(id, id, plan, team=("tickets",)) for id, plan in (("x", "a"), ("y", "b"), ("z", "a")))
    limit = {OPEN.priority.value: timedelta(hours=1)}
    plans, one = (replace(plans[0], response=limit), plans[1]), replace(OPEN, acts=(), acknowledged_at=None, updates=())
    for why, told in (("first", ["x", "y", "z"]), ("clock:a:response:50", ["x", "z"])):
        letter = Letter(one.id, 2, "tickets", "x", why, after(50 * 60))
        theirs = replace(DESK.platform, plans=plans, clients=clients, stores=frozenset("xyz"))
        desk = replace(DESK, platform=theirs)
        message = message_of(Sending(letter, "clock_warning"), one, "en", desk, after(50 * 60))
        assert (message.payload["clock"] is not None) is (why != "first")
        assert [store["id"] for store in message.payload["stores"]] == told
        assert [store.id for store in message.stores] == told


def test_a_notice_about_a_clock_says_which_limit_and_for_whom() -> None:
    """First the clock, then the incident; below it the store and the person it turns to, whom no customer reads."""
    plan = Plan("global", {"en": "Global", "pt-BR": "Global"}, response={"urgent": timedelta(hours=1)})
    acme = Client("acme", "Acme", "global", team=("pager",), contact="Ana")
    one = replace(OPEN, acts=(), acknowledged_at=None, updates=())
    theirs = replace(DESK.platform, plans=(plan,), clients=(acme,), stores=frozenset({"acme"}))
    desk = replace(DESK, platform=theirs)
    for percent, event, said in (
        (80, "clock_warning", "[Global] First answer due Nov 23, 2026, 10:00"),
        (100, "clock_breached", "[Global] The first answer was due Nov 23, 2026, 10:00"),
    ):
        letter = Letter(one.id, 2, "pager", event, f"clock:global:response:{percent}", after(50 * 60))
        message = message_of(Sending(letter, event), one, "en", desk, after(50 * 60))
        assert message.subject.startswith(said), message.subject
        assert "Checkout" in message.body.split("\n\n")[1] or "Checkout" in message.body
        assert "Store Acme, plan Global, key account Ana" in message.body
        assert "Ana" not in message.public
        clock = message.payload["clock"]
        assert (clock["plan"], clock["promise"], clock["percent"]) == ("global", "response", percent)
        assert (clock["breached"], clock["limit_seconds"]) == (percent == 100, 3600)
        assert message.payload["stores"] == [{"id": "acme", "name": "Acme", "plan": "global", "key_account": "Ana"}]
        assert length_of(message.payload["text_short"]["en"]) <= 160
