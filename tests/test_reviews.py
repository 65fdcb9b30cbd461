"""Reviews: the report of a quarter leaves once for everybody who is promised one, whatever happens around its end."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config
from monitor.config.offering import clients_of, plans_of
from monitor.config.routes import calendar_of
from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.effect import Moved
from monitor.core.incident import Incident
from monitor.core.module import Component, Group, Module, Platform, Status
from monitor.core.outbox import Letter, Sending, State, delivered, is_past
from monitor.core.review import told_of
from monitor.core.site import Site
from monitor.notify.channel import Message
from monitor.notify.payload import Desk, message_of
from monitor.notify.review import of_review
from monitor.pages.translate import Speech
from monitor.reviews import Reviews
from monitor.store import Store, StoreFailed
from monitor.store.memory import MemoryStore
from tests.core.test_report import outage
from tests.store.past import saved

SPEECH = Speech.load(("pt-BR", "en", "es"), Path(__file__).parents[1] / "site")
CART = Module("cart", {"en": "Cart"}, objective=0.9999)
GROUP = Group("buy", {"en": "Buying"}, (Component("carts", {"en": "Carts"}, ("cart",)),), 0.9)
SHOP = Platform({"cart": CART}, (GROUP,))
BEGIN = datetime(2026, 3, 1, 3, tzinfo=UTC)
ENDS = datetime(2026, 10, 1, 3, tzinfo=UTC)  # of the third quarter, in São Paulo
HOUR = timedelta(hours=1)
OFFICE = {"timezone": "America/Sao_Paulo", "days": ["mon", "tue", "wed", "thu", "fri"], "holidays": []}
CALENDARS = {
    "office": {**OFFICE, "from": "09:00", "until": "18:00"},
    "late": {**OFFICE, "from": "14:00", "until": "18:00"},
}
PLANS = [
    {
        "id": "global",
        "name": {"pt-BR": "Global", "en": "Global", "es": "Global"},
        "quarterly_review": True,
        "hours": "office",
        "objective": 0.999,
        "response": {"urgent": HOUR},
    },
    {"id": "always", "name": {"en": "Always"}, "quarterly_review": True},
    {"id": "free", "name": {"en": "Free"}},
]
STORES: list[dict[str, Any]] = [
    {"id": "acme", "name": "Acme", "plan": "global", "channels": ["mail"], "key_account": {"channels": ["boss"]}},
    {"id": "beta", "name": "Beta", "plan": "global", "channels": ["mail", "pager"]},
    {"id": "poor", "name": "Poor", "plan": "free", "channels": ["mail"]},
    {"id": "lost", "name": "Lost", "channels": ["mail"]},
]


def config(stores: list[dict[str, Any]] = STORES, zone: str = "America/Sao_Paulo") -> Config:
    """Two plans that promise a review, and one that does not."""
    kinds = {"mail": "email", "boss": "webhook", "pager": "pagerduty"}
    sections = {
        "calendars": CALENDARS,
        "channels": {name: {"kind": kind} for name, kind in kinds.items()},
        "plans": PLANS,
        "stores": stores,
    }
    shop = replace(SHOP, clients=clients_of(sections))
    return Config(shop, Site(plans=plans_of(sections), timezone=zone), sections=sections)


class Time:
    """Both clocks go together, until somebody sets the one on the wall."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.ran = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ran

    def go(self, time: timedelta) -> None:
        self.at += time
        self.ran += time.total_seconds()


class Office:
    """A monitor with its store, and what left it: after a restart, with another configuration, or two at once."""

    def __init__(self, at: datetime, store: Store | None = None, begun: Config | None = None) -> None:
        self.clock = Time(at)
        self.store = store or MemoryStore()
        self.board = Board(SHOP)
        self.restart(begun or config())

    def restart(self, begun: Config) -> None:
        self.reviews = Reviews(begun, self.store, self.clock, lambda: self.board, self._posted)

    async def _posted(self) -> None:
        pass

    async def lived(self, *incidents: Incident) -> "Office":
        """The cart was up but for these."""
        moves = [Transition("cart", Status.UNKNOWN, Status.UP, BEGIN, BEGIN)]
        for one in incidents:
            assert one.resolved_at is not None
            moves.append(Transition("cart", Status.UP, Status.DOWN, one.started_at, one.started_at))
            moves.append(Transition("cart", Status.DOWN, Status.UP, one.resolved_at, one.resolved_at))
        await self.store.commit([*(Moved(one) for one in moves), *(saved(one) for one in incidents)])
        return self

    async def passes(self, time: timedelta, beat: timedelta = timedelta(minutes=10)) -> None:
        for _ in range(time // beat):
            self.clock.go(beat)
            await self.reviews.look()

    async def letters(self) -> list[Letter]:
        """Of the third quarter; a monitor that is new also tells of the one before."""
        found = [one for one in await self.store.outbox.letters(limit=99) if one.incident.endswith(":2026-Q3")]
        return sorted(found, key=lambda one: one.key)


async def test_a_quarter_that_is_over_is_told_once_in_the_hours_of_the_plan() -> None:
    """On its first working hour: Thursday the first, at nine; to whom the store is looked after by, not to pagers."""
    office = await Office(ENDS - HOUR).lived(outage("cart", datetime(2026, 8, 3, 12, tzinfo=UTC), 90))
    await office.passes(timedelta(days=3))
    letters = await office.letters()
    assert [(one.incident, one.channel) for one in letters] == [
        ("self:review:global:2026-Q3", "boss"),
        ("self:review:global:2026-Q3", "mail"),
    ]
    assert {one.at for one in letters} == {ENDS + 9 * HOUR}
    told = [told_of(one) for one in letters]
    assert [one and one["stores"] for one in told] == [["Acme"], ["Acme", "Beta"]]
    assert all(one.event == "summary" and not one.page for one in letters)


async def test_a_plan_without_hours_tells_it_an_hour_after_its_end() -> None:
    """By then what began in its last minute is judged."""
    office = await Office(ENDS - HOUR, begun=config([{**STORES[0], "plan": "always"}])).lived()
    await office.passes(2 * HOUR - timedelta(minutes=10))
    assert await office.letters() == []
    await office.passes(timedelta(minutes=10))
    assert {one.at for one in await office.letters()} == {ENDS + HOUR}


async def test_a_monitor_that_was_away_tells_it_when_it_is_back_and_of_no_older_one() -> None:
    """Down for eight weeks over the end of the quarter."""
    office = await Office(ENDS + timedelta(days=49, hours=10)).lived()
    await office.reviews.look()
    assert {one.incident for one in await office.letters()} == {"self:review:global:2026-Q3"}


async def test_restarts_a_second_monitor_and_old_letters_that_go_double_nothing() -> None:
    """What was sent is known for longer than the letters are kept."""
    office = await Office(ENDS + 9 * HOUR).lived()
    other = Office(office.clock.at, office.store)
    await asyncio.gather(office.reviews.look(), other.reviews.look())
    first = await office.letters()
    assert len(first) == 2
    office.restart(config())
    await office.passes(HOUR)
    for one in await office.letters():
        assert await office.store.outbox.settle(delivered(one, office.clock.at, None), (), None)
    await office.store.sweep(office.clock.at + timedelta(days=60), timedelta(days=7), timedelta(days=7))
    assert await office.letters() == []
    office.clock.go(timedelta(days=14))
    gamma = {"id": "gamma", "name": "Gamma", "plan": "global", "channels": ["mail"]}
    office.restart(config([*STORES, gamma]))
    await office.reviews.look()
    (letter,) = await office.letters()
    assert (letter.channel, (told_of(letter) or {})["stores"]) == ("mail", ["Gamma"])


async def test_a_clock_that_was_set_ahead_is_not_believed_for_an_hour() -> None:
    """What leaves cannot be taken back; a clock that is right in the end has lost nothing."""
    office = await Office(ENDS - timedelta(days=10)).lived()
    await office.passes(HOUR)
    office.clock.at += timedelta(days=10, hours=11)
    await office.passes(timedelta(minutes=50))
    office.clock.at -= timedelta(days=10, hours=11)
    await office.passes(3 * HOUR)
    assert await office.letters() == []
    office.clock.at += timedelta(days=10, hours=10)
    await office.passes(timedelta(minutes=70))
    assert len(await office.letters()) == 2
    office.clock.at -= timedelta(days=30)
    await office.passes(timedelta(days=33), beat=HOUR)
    assert len(await office.letters()) == 2


async def test_of_a_time_of_which_nothing_is_known_nothing_is_told() -> None:
    """A monitor of last week has no quarter behind it; a history that is imported later has."""
    office = Office(ENDS + 10 * HOUR)
    await office.passes(2 * HOUR)
    assert await office.letters() == []
    await office.lived()
    await office.passes(HOUR)
    assert len(await office.letters()) == 2


async def test_a_store_that_refuses_only_delays_it() -> None:
    """It is tried again at the next look."""
    office = await Office(ENDS + 10 * HOUR).lived()
    outbox = office.store.outbox
    post_once = outbox.post_once

    async def refuses(letters: Mapping[str, Any], now: datetime) -> list[str]:
        raise StoreFailed("the disk is full")

    outbox.post_once = refuses  # type: ignore[method-assign]
    with pytest.raises(StoreFailed):
        await office.reviews.look()
    outbox.post_once = post_once  # type: ignore[method-assign]
    await office.reviews.look()
    assert len(await office.letters()) == 2


async def test_it_waits_for_the_hours_of_its_channel() -> None:
    """Of that alone."""
    late = calendar_of({"calendars": CALENDARS}, "late")
    assert late is not None
    office = await Office(ENDS + 9 * HOUR).lived()
    office.board = Board(replace(SHOP, hours={"mail": late}))
    await office.reviews.look()
    assert {one.channel: (one.tried_at, one.next_at) for one in await office.letters()} == {
        "boss": (None, None),
        "mail": (ENDS + 9 * HOUR, ENDS + 14 * HOUR),
    }


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("Europe/Madrid", datetime(2026, 9, 30, 22, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 1, 4, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2026, 9, 30, 15, tzinfo=UTC)),
    ],
)
async def test_a_quarter_ends_when_it_does_where_the_site_is(zone: str, ends: datetime) -> None:
    """And is told an hour later where the plan has no hours."""
    office = await Office(ends - HOUR, begun=config([{**STORES[0], "plan": "always"}], zone)).lived()
    await office.passes(3 * HOUR)
    assert {one.at for one in await office.letters()} == {ends + HOUR}


async def written(language: str, *incidents: Incident) -> Message:
    """The mail as it leaves."""
    office = await Office(ENDS + 9 * HOUR).lived(*incidents)
    await office.reviews.look()
    letter = next(one for one in await office.letters() if one.channel == "mail")
    desk = Desk(Site(name="Shop", url="https://status.example"), SHOP, SPEECH, "https://ops.example")
    return message_of(Sending(letter, letter.event), None, language, desk, office.clock.at)


async def test_it_says_the_figures_of_the_report_and_where_that_stands() -> None:
    """By hand: 2,208 hours, of which two hours and a quarter were lost in two incidents; one answered too late."""
    august, september = (datetime(2026, month, 3, 12, tzinfo=UTC) for month in (8, 9))
    message = await written("en", outage("cart", august, 120, answer=90), outage("cart", september, 15, answer=5))
    first, *others = message.body.split("\n\n")
    whole, services, trouble, links = (one.replace("\u00a0", " ") for one in others)
    assert first.replace("\u00a0", " ") == message.subject
    assert message.subject == "[REPORT] Global, Quarter 3 of 2026: available 99.898 %, incidents: 2"
    assert whole.splitlines() == [
        "For Acme and Beta.",
        "The platform was available for 99.898 % of the time of which something is known, 100 % of all of it.",
        "In the quarter before it was 100 %.",
        "By VTEX's ten-minute rule it was 99.898 %.",
        "Objective 99.9 %: missed, 101 % of the error budget spent.",
        "Incidents: 2; the longest took 2 h to recover from.",
        "Median: 1 min to detect, 1 h 7 min to recover.",
    ]
    assert services == "First answer, urgent, within 1 h: kept in 1 of 2 incidents; longest wait 1 h 30 min."
    assert trouble.splitlines() == [
        "Objectives that were missed:",
        "Cart: available 99.898 %, objective 99.99 %",
        "Several incidents came from: Cart (2).",
    ]
    assert "The whole report: https://status.example/en/reports/2026-Q3/" in links
    assert message.payload["review"]["down_seconds"] == 135 * 60
    assert (message.payload["why"], message.payload["dedup_key"]) == ("review", "self:review:global:2026-Q3")


@pytest.mark.parametrize(
    ("objective", "line"),
    [
        (None, None),
        ({"objective": 0.999, "allowed_seconds": 100, "lost_seconds": 50, "kept": None}, None),
        (
            {"objective": 0.999, "allowed_seconds": 100, "lost_seconds": 50, "kept": True},
            "Objective 99.9 %: kept, 50 % of the error budget spent.",
        ),
        (
            {"objective": 0.995, "allowed_seconds": 100, "lost_seconds": 150, "kept": False},
            "Objective 99.5 %: missed, 150 % of the error budget spent.",
        ),
        ({"objective": 1.0, "allowed_seconds": 0, "lost_seconds": 0, "kept": True}, "Objective 100 %: kept."),
        ({"objective": 1.0, "allowed_seconds": 0, "lost_seconds": 5, "kept": False}, "Objective 100 %: missed."),
    ],
)
def test_it_says_how_the_objective_was_kept(objective: dict[str, Any] | None, line: str | None) -> None:
    """Nothing of a plan without one, nor of a time of which nothing is known; no share of a budget that is none."""
    found = [one for one in said_of(objective=objective) if one.startswith("Objective")]
    assert found == ([] if line is None else [line])


def test_what_missed_its_objective_is_named_as_it_is_called_now() -> None:
    """By its id once it has left the configuration."""
    named = (("group", "buy"), ("group", "gone"), ("module", "cart"), ("module", "left"))
    missed = [{"kind": kind, "id": id, "ratio": 0.5, "objective": 0.9} for kind, id in named]
    lines = said_of(missed=missed)
    begin = lines.index("Objectives that were missed:") + 1
    assert [one.partition(":")[0] for one in lines[begin : begin + 4]] == ["Buying", "gone", "Cart", "left"]


def said_of(**told: Any) -> list[str]:
    """The lines of a review that tells this and else nothing special."""
    calm = {
        **{"name": {"en": "Global"}, "period": {"name": "2026-Q3"}, "stores": ["Acme"], "ratio": 1.0, "coverage": 1.0},
        **{"ratio_before": None, "ten_minute_ratio": None, "objective": None, "incidents": 0, "longest_seconds": None},
        **{"detect_seconds": None, "recover_seconds": None, "services": [], "missed": [], "repeated": []},
    }
    words = of_review({**calm, **told}, SHOP, Site(name="Shop", languages=("en",)), SPEECH)
    return [line for part in words.below for line in part["en"].replace("\u00a0", " ").splitlines()]


async def test_it_speaks_the_language_of_its_channel() -> None:
    """And leads to the page in it."""
    august = outage("cart", datetime(2026, 8, 3, 12, tzinfo=UTC), 120)
    portuguese, spanish = await written("pt-BR", august), await written("es", august)
    assert portuguese.subject.startswith("[RELATÓRIO] Global, 3º trimestre de 2026: disponibilidade 99,909")
    assert "https://status.example/reports/2026-Q3/" in portuguese.body
    assert spanish.subject.startswith("[INFORME] Global, 3.º trimestre de 2026: disponibilidad 99,909")
    assert "https://status.example/es/reports/2026-Q3/" in spanish.body


async def test_it_waits_two_weeks_for_a_server_that_is_away() -> None:
    """Nobody wants to hear of an incident after three days; of a quarter they do."""
    letter = Letter("self:review:global:2026-Q3", 1, "mail", "summary", "review {}", ENDS, attempts=3)
    assert not is_past(letter, ENDS + timedelta(days=13))
    assert is_past(letter, ENDS + timedelta(days=15))
    assert letter.state is State.PENDING
