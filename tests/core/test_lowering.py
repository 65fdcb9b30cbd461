"""A priority that a person lowers, with the reason: who hears of it, what clocks say, and when it holds no longer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.board import Condition
from monitor.core.chain import eased_off
from monitor.core.effect import Answered
from monitor.core.incident import Lowered, Stage
from monitor.core.lowering import PRIORITIES, fitting, is_lower, limited, raised
from monitor.core.module import Priority, Status
from monitor.core.route import Route, Step
from monitor.core.service import clocks, services
from monitor.core.told import Told, Turn
from monitor.core.word import Lower, Open, Write
from monitor.core.wording import update_body
from tests.depth import examples
from tests.store.past import incident
from tests.stories.long_weekend import MINUTE, Weekend, platform, there

FRIDAY = there(10, 30, 17, 50)
REASON = {"en": "Nobody buys on this path."}
PLANS = platform().plans
priorities = st.sampled_from(PRIORITIES)


def lowered(weekend: Weekend, to: str = "normal", **more: str) -> Answered:
    """The answer to the word."""
    return weekend.story.say(Lower(weekend.id, to, {**REASON, **more}), by="Bo")


def test_it_is_recorded_explained_and_announced() -> None:
    """Whoever heard of it hears why, a channel that is closed for what is not urgent once it opens; the telephone
    and the key account are not called any more, and no clock of that priority runs on."""
    weekend = Weekend(FRIDAY)
    weekend.until(there(10, 30, 18, 0))
    assert lowered(weekend).refusal is None
    weekend.until(there(11, 3, 10, 0))
    one = weekend.incident
    assert (one.priority, one.lowered and one.lowered.stated) == (Priority.NORMAL, Priority.URGENT)
    assert weekend.told() == [
        "Fri 17:50 first pager chat acme-team bolt-team cora-team dune-team echo-team",
        "Fri 18:00 lowered pager acme-team bolt-team cora-team dune-team echo-team",
        "Tue 09:00 lowered chat",
    ]
    (act,) = (act for act in one.acts if act.what == "lowered")
    assert (act.by, act.detail) == ("Bo", {"from": "urgent", "to": "normal", "evidence": "urgent"})
    (entry,) = (entry for entry in one.updates if entry.kind == "lowered")
    said = " ".join(sentence.message for sentence in update_body(entry, one, platform()))
    assert said == "Priority lowered from {before} to {after}: {reason} Measured at that moment: {modules}."
    assert (entry.author, entry.body, entry.params["statuses"]) == ("person", REASON, {"checkout": Status.DOWN})


def test_what_other_rules_have_still_to_come_goes_on() -> None:
    """A channel of theirs that waits for its hours, and their steps; nothing of rules for what is more urgent."""
    at = datetime(2026, 10, 30, tzinfo=UTC)
    every = Route((Step(("pager", "chat")), Step(("phone",), 10 * MINUTE)))
    urgent = Route((Step(("ana",), 10 * MINUTE),), priorities=frozenset({"urgent"}))
    turns = [("waiting", "chat"), ("escalated", "phone"), ("escalated", "ana"), ("reminder", "ana"), ("clock", "ana")]
    told = Told(turns=tuple(Turn(at, kind, (channel,)) for kind, channel in turns))
    one = replace(incident("checkout", at), priority=Priority.NORMAL)
    left = eased_off(told, one, (every, urgent), platform())
    assert [(turn.kind, *turn.channels) for turn in left.turns] == [turns[0], turns[1], turns[4]]


def test_it_is_an_answer_and_hides_no_broken_promise() -> None:
    """The first answer is asked for at the priority that was stated, and so is the wait for a word until then."""
    for minute, kept in ((10, True), (70, False)):
        weekend = Weekend(FRIDAY)
        weekend.until(FRIDAY + minute * MINUTE)
        lowered(weekend)
        weekend.until(FRIDAY + 90 * MINUTE)
        now = weekend.at(FRIDAY + 90 * MINUTE)
        (response,) = (one for one in clocks(PLANS, weekend.incident) if one.plan == "global")
        assert (response.priority, response.kept) == (Priority.URGENT, kept)
        told = {(one.plan, one.kind, one.priority): one for one in services(PLANS, [weekend.incident], now)}
        first, word = (told["global", kind, Priority.URGENT] for kind in ("response", "update"))
        assert (first.asked, first.kept, first.broken) == (1, int(kept), int(not kept))
        assert (word.asked, word.kept, word.worst_seconds) == (1, 1, pytest.approx(minute * 60, abs=1))


def test_it_is_only_ever_lowered_and_never_without_a_reason() -> None:
    """Nor once it is over; the same again a moment later is the same."""
    weekend = Weekend(FRIDAY)
    assert str(lowered(weekend, "urgent").refusal) != "None"
    nothing = weekend.story.say(Lower(weekend.id, "low", {"en": " "}), by="Bo").refusal
    assert nothing is not None
    assert nothing.kind == "wrong"
    strange = lowered(weekend, "lowest").refusal
    assert strange is not None
    assert "is no priority" in strange.reason
    assert lowered(weekend, "high").changed
    assert not lowered(weekend, "high").changed
    assert lowered(weekend, "low").changed
    assert weekend.incident.lowered is not None
    assert weekend.incident.lowered.stated is Priority.URGENT
    weekend.outcome = "+"
    weekend.until(there(10, 31, 12))
    over = lowered(weekend, "low").refusal
    assert over is not None
    assert over.kind == "conflict"


def test_what_a_person_opened_is_held_against_what_is_measured() -> None:
    """Stated to be critical while all of it works; nothing is said where nothing is known, or no module is named."""
    weekend = Weekend(FRIDAY)
    weekend.outcome = "+"
    weekend.until(there(10, 31, 12))
    story = weekend.story
    said = story.say(Open({"en": "Slow"}, {"en": "A shop says so."}, modules=("checkout",), impact="critical"), by="Bo")
    one = story.board.incidents[said.id]
    assert (one.priority, fitting(story.board, one)) == (Priority.URGENT, Priority.LOW)
    for status, fits in ((Status.DOWN, Priority.URGENT), (Status.DEGRADED, Priority.NORMAL), (Status.UNKNOWN, None)):
        board = replace(story.board, modules={"checkout": Condition(status, story.now)})
        assert fitting(board, one) is fits
    vague = replace(one, members=())
    assert fitting(story.board, vague) is None
    story.say(Lower(said.id, "low", REASON), by="Bo")
    assert story.board.incidents[said.id].acts[-1].detail["evidence"] == "low"
    story.say(Write(said.id, {"en": "It was nothing."}, Stage.RESOLVED), by="Bo")
    assert story.board.incidents[said.id].priority is Priority.LOW


AT = datetime(2026, 10, 30, tzinfo=UTC)
OPEN = replace(incident("checkout", AT), resolved_at=None)


def test_that_it_got_worse_is_an_entry_of_its_own() -> None:
    """From what it was lowered to, to what it is now; not where it is over, or was never lowered."""
    low = replace(OPEN, priority=Priority.LOW, lowered=Lowered(AT, Priority.NORMAL, Priority.LOW))
    worse = replace(low, priority=Priority.URGENT, lowered=None)
    entry = raised(low, worse, AT).updates[-1]
    assert (entry.kind, entry.at, entry.params) == ("raised", AT, {"from": "low", "to": "urgent"})
    said = [(one.message, sorted(one.places)) for one in update_body(entry, worse, platform())]
    assert said == [("It got worse than it was: the priority is {after}, and no longer {before}.", ["after", "before"])]
    over = replace(worse, resolved_at=AT)
    assert raised(low, over, AT) == over
    assert raised(None, worse, AT) == raised(worse, worse, AT) == worse


@pytest.mark.property
@settings(max_examples=examples(200))
@given(priorities, priorities, st.lists(priorities, max_size=6))
def test_it_holds_while_the_evidence_is_no_worse_than_it_was(
    stated: Priority, to: Priority, measured: list[Priority]
) -> None:
    """And is never more urgent than what is measured; once it got worse it is gone for good."""
    one, gone = replace(OPEN, priority=to, lowered=Lowered(AT, stated, to)), False
    for each in measured:
        priority, left = limited(one, each)
        gone = gone or is_lower(stated, each)
        assert (left is None) is gone
        assert priority is (each if gone else max(each, to, key=PRIORITIES.index))
        one = replace(one, priority=priority, lowered=left)
