"""Events and notices come out of the step that makes them: whatever happens, in whatever order, restarted anywhere."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agenda import WorkAct
from monitor.core.effect import Happened, Lifted, Missed, Ordered, Saved, Silenced
from monitor.core.herald import counted, with_told, worked_on
from monitor.core.incident import Change, Stage
from monitor.core.intent import Notice, Withheld
from monitor.core.maintenance import Window
from monitor.core.module import Priority
from monitor.core.outbox import is_past, letters_of
from monitor.core.route import Route, Step
from monitor.core.silence import Scope
from monitor.core.standing import save
from monitor.core.told import Told, Turn
from monitor.core.word import Acknowledge, Open, Write
from tests.stories.beats import START, Story, module, observation, story

MINUTE = timedelta(minutes=1)
CHAIN = Route((Step(("pager",)), Step(("boss",), 10 * MINUTE, True)), priorities=frozenset({"urgent"}))
CHAT = Route((Step(("chat",)),))


def shop(*routes: Route) -> Story:
    """Checkout needs catalog; both are urgent."""
    urgent = Priority.URGENT
    modules = (module("checkout", "catalog", priority=urgent), module("catalog", priority=urgent))
    return story(*modules, routes=routes or (CHAIN, CHAT))


def said(told: Story, incident: str | None = None) -> list[tuple[str, str, float]]:
    """Why, to whom, and how many seconds after the start; of one incident, or of all."""
    return [
        (one.why, one.channel, (one.at - START).total_seconds())
        for effect in told.effects
        if isinstance(effect, Happened)
        for one in effect.said
        if isinstance(one, Notice) and incident in (None, one.incident)
    ]


def passing(told: Story, minutes: float, outcome: str = "-", restart_at: float | None = None) -> None:
    """So many minutes go by, both modules answering like this every half a minute."""
    end, ticked = told.now + timedelta(minutes=minutes), 0
    while told.now < end:
        ticked += 1
        told.now += timedelta(seconds=1)
        if restart_at is not None and ticked == restart_at:
            told.restart()
        told.tick()
        if ticked % 30 == 0:
            for name in ("checkout", "catalog"):
                told.feed(observation(name, told.now, outcome))


def test_an_outage_is_told_in_the_step_that_decides_it() -> None:
    """The event stands right behind the change, and its letters in it; members are told to nobody, with the reason."""
    told = shop().play({"catalog": "++" + "-" * 8, "checkout": "++++" + "-" * 6})
    saved = [n for n, one in enumerate(told.effects) if isinstance(one, Saved) and one.change is not None]
    assert all(isinstance(told.effects[n + 1], Happened) for n in saved)
    happened = [one for one in told.effects if isinstance(one, Happened)]
    assert [one.seq for one in happened] == list(range(1, len(happened) + 1))
    assert [(why, channel) for why, channel, _ in said(told)] == [("first", "pager"), ("first", "chat")]
    withheld = [one for each in happened for one in each.said if isinstance(one, Withheld)]
    assert {(one.why, one.module) for one in withheld} == {("explained_by:catalog", "checkout")}


def test_a_chain_goes_on_over_a_restart() -> None:
    """What was due meanwhile is told once, and nothing is told twice."""
    for down in (0.0, 3600.0):
        told = shop().play({"catalog": "++------", "checkout": "++++++++"})
        told.restart(pause=down)
        passing(told, 12, "-")
        whys = Counter((why, channel) for why, channel, _ in said(told))
        assert whys[("escalated", "boss")] == whys[("first", "pager")] == 1


def test_what_people_heard_of_without_a_store_is_not_counted_anew() -> None:
    """After a restart that knows only the first event: the next one has a number that nobody has heard yet."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    first = told.incidents[0].id
    last = told.board.told[first].seq
    told.board = counted(told.board, {first: last + 3, "nobody knows it": 2})
    assert counted(told.board, {first: last}) == told.board
    told.say(Acknowledge(first), by="Ana")
    happened = [one for one in told.effects if isinstance(one, Happened) and one.incident.id == first]
    assert [one.seq for one in happened][-2:] == [last, last + 4]
    passing(told, 20, "+")
    assert told.board.told[first].seq > last + 4


def test_an_acknowledgement_stops_the_chain_until_it_expires() -> None:
    """Half an hour later the next one is told after all."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    (incident,) = told.incidents
    told.say(Acknowledge(incident.id), by="Ana")
    passing(told, 20, "-")
    assert not any(why == "escalated" for why, _, _ in said(told))
    passing(told, 12, "-")
    assert sum(why == "escalated" for why, _, _ in said(told)) == 1


def test_a_clock_that_was_set_neither_hastens_nor_repeats_a_step() -> None:
    """A day ahead or back: it comes when ten minutes have gone by."""
    for days in (1, -1):
        told = shop().play({"catalog": "++------", "checkout": "++++++++"})
        jump = timedelta(days=days)
        told.now += jump
        told._take(Missed("here", told.now, told.now, "self.clock", jump))
        first = told.incidents[0].id
        passing(told, 5, "-")
        assert not any(why in ("escalated", "reminder") for why, _, _ in said(told))
        passing(told, 7, "-")
        assert sum(why == "escalated" for why, _, _ in said(told, first)) == 1


def test_planned_work_holds_what_would_be_said_and_loses_nothing() -> None:
    """It begins while an incident is open: the chain waits for its end."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    begins = told.now
    window = Window("w", {"en": "Works"}, begins, begins + 30 * MINUTE, "UTC", begins.isoformat(), None, {}, ())
    told.plan((window, [begins]))
    passing(told, 20, "-")
    assert not any(why == "escalated" for why, _, _ in said(told))
    passing(told, 12, "-")
    assert sum(why == "escalated" for why, _, _ in said(told)) == 1


def test_work_that_is_over_earlier_holds_nothing_back_any_more() -> None:
    """Its module still fails: the step that was due is told at once, and not at the planned end."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    begins = told.now
    window = Window("w", {"en": "Works"}, begins, begins + 240 * MINUTE, "UTC", begins.isoformat(), None, {}, ())
    told.plan((window, [begins]))
    passing(told, 12, "-")
    assert not any(why == "escalated" for why, _, _ in said(told))
    (work,) = told.board.agenda.works.values()
    told.order(Ordered(work.id, WorkAct.COMPLETE))
    passing(told, 1, "-")
    assert sum(why == "escalated" for why, _, _ in said(told)) == 1


def test_a_silence_that_is_lifted_holds_nothing_back_after_a_restart_either() -> None:
    """The step that it held back is told at once, and not at the end that it was to have."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    silence = told.order(Silenced(Scope(), "known", told.now + 240 * MINUTE, by="Ana", everything=True))
    passing(told, 12, "-")
    assert not any(why == "escalated" for why, _, _ in said(told))
    told.order(Lifted(silence.id))
    told.restart()
    passing(told, 1, "-")
    assert sum(why == "escalated" for why, _, _ in said(told)) == 1


def test_of_several_works_the_first_to_end_holds_back() -> None:
    """Whether the other one holds back any longer is seen then."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    works = [
        Window(id, {"en": "Works"}, told.now, told.now + minutes * MINUTE) for id, minutes in (("a", 60), ("b", 30))
    ]
    told.plan(*((work, [told.now]) for work in works))
    (incident,) = told.board.incidents.values()
    quiet = worked_on(told.board, incident)
    assert quiet is not None
    assert quiet.until == told.now + 30 * MINUTE


def test_what_nobody_waits_for_any_more_delays_nothing() -> None:
    """Turns of an incident that is forgotten are dropped; a step that is due after them comes in the same second."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    forgotten = Told(1, ("pager",), turns=(Turn(told.now, "escalated"), Turn(told.now, "reminder")))
    told.board = with_told(replace(told.board, told={**told.board.told, "forgotten": forgotten}))
    told.now += 12 * MINUTE
    told.tick()
    assert [why for why, _, _ in said(told)].count("escalated") == 1
    assert told.board.told.get("forgotten", Told()).turns == ()


def test_a_step_that_comes_a_day_late_is_a_letter_of_today() -> None:
    """Nobody is told that nobody wants to hear of it any more."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    told.now += timedelta(hours=25)
    told.tick()
    late = [one for one in told.effects if isinstance(one, Happened) and one.event == "escalated"]
    (letter,) = letters_of(late[0])
    assert letter.at == told.now
    assert not is_past(letter, told.now)


def test_what_has_an_end_to_be_told_stays_known() -> None:
    """However long ago it was over; another incident that is saved does not push it out."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    over = replace(told.incidents[0], resolved_at=told.now, stage=Stage.RESOLVED)
    waiting = Told(1, ("pager",), turns=(Turn(told.now + 10 * MINUTE, "resolved"),))
    board = replace(told.board, incidents={over.id: over}, told={over.id: waiting})
    other = replace(over, key="inc:other:x", resolved_at=None)
    later = told.now + timedelta(hours=1)
    assert over.id in save(board, other, None, later)[0].incidents
    assert over.id not in save(replace(board, told={}), other, None, later)[0].incidents


def test_what_a_person_opens_is_told_like_anything_else() -> None:
    """And that it is over, to whoever heard."""
    told = shop()
    told.tick()
    opened = told.say(Open({"en": "Slow"}, {"en": "We look"}, ("checkout",), impact="critical"))
    told.say(Write(opened.id, {"en": "Over"}, Stage.RESOLVED))
    assert [(why, channel) for why, channel, _ in said(told)] == [
        ("first", "pager"),
        ("first", "chat"),
        ("resolved", "pager"),
        ("resolved", "chat"),
    ]


MOVES = st.lists(st.sampled_from("udraw"), min_size=3, max_size=14)


@settings(max_examples=12, deadline=None)
@given(MOVES)
def test_whatever_happens_everybody_who_heard_hears_of_the_end(moves: list[str]) -> None:
    """Random outages, restarts, acknowledgements and minutes in which nobody looked. Numbers of events have no gaps; no
    channel is told twice that something began, nor that something ended which it never heard of; and in the end
    everything is over for everybody."""
    told = shop(CHAIN, replace(CHAT, repeat=5 * MINUTE))
    passing(told, 1, "+")
    outcome = "+"
    for move in moves:
        match move:
            case "u" | "d":
                outcome = "+" if move == "u" else "-"
            case "r":
                told.restart(pause=7)
            case "a":
                for one in told.board.incidents.values():
                    if one.is_open:
                        told.say(Acknowledge(one.id))
            case "w":
                told.now += 10 * MINUTE
        passing(told, 1.6, outcome)
    passing(told, 5, "+")
    told.now += 15 * MINUTE
    passing(told, 1, "+")
    numbers, open_at = defaultdict[str, list[int]](list), dict[tuple[str, str], bool]()
    for effect in told.effects:
        if not isinstance(effect, Happened):
            continue
        numbers[effect.incident.id].append(effect.seq)
        for one in effect.said:
            if isinstance(one, Notice):
                key = (one.incident, one.channel)
                assert one.opens is not open_at.get(key, False)
                open_at[key] = one.why != "resolved"
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in numbers.values())
    assert not any(open_at.values())
    assert all(not one.turns and not one.channels for one in told.board.told.values())


def test_nothing_is_planned_while_nothing_changes() -> None:
    """Runs and ticks of a healthy shop say nothing and keep the same record of who was told."""
    told = shop()
    passing(told, 2, "+")
    before = told.board.told
    passing(told, 2, "+")
    assert told.board.told is before
    assert not any(isinstance(one, Happened) for one in told.effects)
    assert Change.OPENED not in [one.change for one in told.effects if isinstance(one, Saved)]


def test_two_routes_remind_a_channel_once() -> None:
    """At the same moment; each with its own repeat otherwise."""
    both = (replace(CHAT, repeat=5 * MINUTE), replace(CHAT, repeat=5 * MINUTE, priorities=frozenset({"urgent"})))
    told = shop(*both).play({"catalog": "++------", "checkout": "++++++++"})
    passing(told, 6, "-")
    assert [why for why, _, _ in said(told)].count("reminder") == 1


def test_what_came_back_is_nobodys_yet() -> None:
    """Whoever had it had it until it was over: a relapse is told to the next step after its ten minutes, and a word
    said anew, however soon after the first one, is followed and told."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    (incident,) = told.incidents
    told.say(Acknowledge(incident.id), by="Ana")
    passing(told, 4, "+")
    passing(told, 3, "-")
    assert "reopened" in told.changes
    assert told.incidents[0].acknowledged_at is None
    assert told.say(Acknowledge(incident.id), by="Bea").changed
    assert Counter(why for why, channel, _ in said(told) if channel == "pager")["acknowledged"] == 2
    told.restart(pause=1)
    passing(told, 15, "-")
    assert not any(why == "escalated" for why, _, _ in said(told))
    passing(told, 20, "-")
    assert [why for why, channel, _ in said(told) if channel == "boss"][:1] == ["escalated"]


def test_without_a_word_after_the_relapse_the_chain_goes_on() -> None:
    """What was said before it does not count."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    told.say(Acknowledge(told.incidents[0].id), by="Ana")
    passing(told, 4, "+")
    passing(told, 14, "-")
    assert ("escalated", "boss") in [(why, channel) for why, channel, _ in said(told)]


def test_whoever_has_what_comes_and_goes_has_it_until_its_end_is_told() -> None:
    """Nobody heard that it was over, so what somebody said of it holds."""
    told = shop().play({"catalog": "++------", "checkout": "++++++++"})
    for _ in range(2):
        passing(told, 4, "+")
        passing(told, 3, "-")
    mine = told.say(Acknowledge(told.incidents[0].id), by="Ana")
    assert mine.changed
    passing(told, 4, "+")
    passing(told, 3, "-")
    assert told.incidents[0].acknowledged_at is not None
    assert told.incidents[0].reopened >= 3
    before = len(said(told))
    passing(told, 14, "-")
    assert [one for one in said(told)[before:] if one[1] == "boss"] == []
