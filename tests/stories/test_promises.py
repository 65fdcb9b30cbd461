"""What people on call are promised, over anything that can happen in any order: outages, restarts, clocks that are set,
words of people, silences, planned work, reloads."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.effect import Effect, Happened, Lifted, Missed, Saved, Silenced, Summed
from monitor.core.incident import Incident
from monitor.core.intent import Notice
from monitor.core.maintenance import Window
from monitor.core.module import Priority
from monitor.core.outbox import is_past, letters_of
from monitor.core.route import Route, Step
from monitor.core.silence import Scope, silenced
from monitor.core.word import Acknowledge
from tests.stories.beats import Story, module, observation, story
from tests.stories.test_digests import Every

MINUTE = timedelta(minutes=1)
CHAIN = Route((Step(("pager",)), Step(("boss",), 10 * MINUTE, True)), priorities=frozenset({"urgent"}))
CHAT = Route((Step(("chat",)),), repeat=7 * MINUTE)
MAIL = Route((Step(("mail",)),), digest=Every(20 * MINUTE))
NAMES = ("catalog", "checkout", "search")
MOVES = (
    *("root down", "all down", "other down", "well", "well", "flap"),
    *("restart", "late restart", "day ahead", "day back", "acknowledge", "silence", "lift", "work", "reload"),
)


class Life:
    """A shop to which things happen. `outcomes` is how each module answers now."""

    def __init__(self) -> None:
        urgent, high = Priority.URGENT, Priority.HIGH
        modules = (
            module("catalog", priority=urgent),
            module("checkout", "catalog", priority=urgent),
            module("search", priority=high),
        )
        self.told: Story = story(*modules, routes=(CHAIN, CHAT, MAIL))
        self.outcomes = dict.fromkeys(NAMES, "+")
        self.seen = 0
        self.counted = 0

    def live(self, move: str) -> None:
        told, now = self.told, self.told.now
        if "down" in move:
            struck = {"root down": NAMES[:1], "all down": NAMES[:2], "other down": NAMES[2:]}[move]
            self.outcomes |= dict.fromkeys(struck, "-")
        match move:
            case "well":
                self.outcomes = dict.fromkeys(NAMES, "+")
            case "flap":
                for outcome in "-+-+":
                    self.outcomes["catalog"] = outcome
                    self.pass_by(3)
            case "restart" | "late restart":
                told.restart(pause=5 if move == "restart" else 1500)
            case "day ahead" | "day back":
                by = timedelta(days=1 if move == "day ahead" else -1)
                told.now += by
                told.asked = [(at + by, ask) for at, ask in told.asked]
                told._take(Missed("here", told.now, told.now, "self.clock", by))
            case "acknowledge":
                for one in self.open():
                    told.say(Acknowledge(one.id), by="Ana")
            case "silence":
                for one in self.open():
                    told.order(Silenced(Scope(incident=one.id), "known", now + 9 * MINUTE, by="Ana"))
            case "lift":
                for id, one in list(told.board.silences.items()):
                    if one.ended_at is None:
                        told.order(Lifted(id))
            case "work":
                self.counted += 1
                plan = Window(f"w{self.counted}", {"en": "W"}, now, now + 8 * MINUTE, "UTC", now.isoformat(), None)
                told.plan((plan, [plan.begins]))
            case "reload":
                repeat = 6 * MINUTE if told.board.platform.routes[1].repeat == CHAT.repeat else CHAT.repeat
                routes = (CHAIN, replace(CHAT, repeat=repeat), MAIL)
                told.reconfigure(replace(told.board.platform, routes=routes))
        self.check()

    def said(self) -> dict[str, list[tuple[str, str]]]:
        """Why and to whom, of each incident in order."""
        found: dict[str, list[tuple[str, str]]] = {}
        for event in happened(self.told.effects):
            each = ((one.why, one.channel) for one in event.said if isinstance(one, Notice))
            found.setdefault(event.incident.id, []).extend(each)
        return found

    def open(self) -> list[Incident]:
        return [one for one in self.told.board.incidents.values() if one.is_open]

    def pass_by(self, minutes: int) -> None:
        """So much time, looked at every ten seconds."""
        for beat in range(minutes * 6):
            self.told.now += timedelta(seconds=10)
            if beat % 3 == 0:
                for name, outcome in self.outcomes.items():
                    self.told.feed(observation(name, self.told.now, outcome))
            self.told.tick()
            self.check()

    def check(self) -> None:
        """What must hold of what was just said: nobody hears of what is silenced or worked on, but of ends; what is
        said is of today; and a module fails in one incident only."""
        told, fresh = self.told, self.told.effects[self.seen :]
        self.seen = len(told.effects)
        for happened in (one for one in fresh if isinstance(one, Happened)):
            letters = letters_of(happened)
            assert all(not is_past(one, told.now) for one in letters)
            if not letters or happened.event == "resolved":
                continue
            one = happened.incident
            assert silenced(told.board.silences.values(), one, told.board.platform, told.now) is None
            failing = [m.module for m in one.members if m.until is None and m.seen]
            assert not failing or not all(told.board.agenda.concerning(id) for id in failing)
        failing = [m.module for one in self.open() for m in one.members if m.until is None and m.seen]
        assert len(failing) == len(set(failing)), "a module is told of in two incidents"


def happened(effects: list[Effect]) -> Iterator[Happened]:
    return (one for one in effects if isinstance(one, Happened))


MINUTES = st.integers(0, 12)
LIVES = st.lists(st.tuples(st.sampled_from(MOVES), MINUTES), min_size=2, max_size=8)


@settings(max_examples=8, deadline=None)
@given(LIVES)
def test_whatever_happens_the_promises_hold(moves: list[tuple[str, int]]) -> None:
    """See `keep`."""
    keep(moves)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=400, deadline=None)
@given(LIVES)
def test_however_many_lives_the_promises_hold(moves: list[tuple[str, int]]) -> None:
    """See `keep`."""
    keep(moves)


def keep(moves: list[tuple[str, int]]) -> None:
    """Events of an incident are numbered without gaps. Each channel hears that something begins and that it ends, in
    turn, and in the end that all is over; a step comes once, and never earlier than it was to. Each incident stands
    in a digest, and in a last one with its end."""
    life = Life()
    life.pass_by(2)
    for move, minutes in moves:
        life.live(move)
        life.pass_by(minutes)
    life.live("well")
    life.pass_by(45)
    numbers, going_on = defaultdict[str, list[int]](list), dict[tuple[str, str], bool]()
    for event in happened(life.told.effects):
        numbers[event.incident.id].append(event.seq)
        for one in (each for each in event.said if isinstance(each, Notice)):
            key = (one.incident, one.channel)
            assert one.opens is not going_on.get(key, False), "a beginning or an end is told twice"
            going_on[key] = one.why != "resolved"
            if one.why == "escalated":
                assert event.at - event.incident.detected_at >= 10 * MINUTE - timedelta(seconds=1)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in numbers.values())
    assert not any(going_on.values()), "somebody waits for an end"
    assert all(not one.turns and not one.channels for one in life.told.board.told.values())
    last = {line.incident: line for one in life.told.effects if isinstance(one, Summed) for line in one.lines}
    saved = {one.incident.id: one.incident for one in life.told.effects if isinstance(one, Saved)}
    assert last.keys() == {id for id, one in saved.items()}
    assert all(line.ended_at is not None for line in last.values())


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([one for one in MOVES if "restart" not in one]), st.integers(0, 12)), max_size=6
    ),
    st.sets(st.integers(1, 60), min_size=1, max_size=4),
)
def test_a_restart_at_any_moment_changes_nothing_that_is_said(moves: list[tuple[str, int]], when: set[int]) -> None:
    """The same, to the same channels, in the same order."""

    def lived(restarts: set[int]) -> dict[str, list[tuple[str, str]]]:
        life, minutes = Life(), 0
        for move, length in [("well", 2), *moves, ("well", 45)]:
            life.live(move)
            for _ in range(length):
                life.pass_by(1)
                minutes += 1
                if minutes in restarts:
                    life.told.restart()
        return life.said()

    assert lived(when) == lived(set())
