"""What people say about incidents, and what follows."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.effect import Answered, Saved
from monitor.core.incident import Incident, Stage, incident_from_json, incident_to_json
from monitor.core.module import Component, Group, Module, Status
from monitor.core.word import Acknowledge, Correct, Edit, Open, Publish, Word, Write
from tests.core.places import look, regional, seen_from, world
from tests.stories.beats import START, Story, module, observation, story

GROUPS = (
    Group(
        "shop",
        {"en": "Shop"},
        (
            Component("pages", {"en": "Pages"}, ("catalog",)),
            Component("paying", {"en": "Paying"}, ("checkout", "prices")),
        ),
    ),
)
LANGUAGES = ("pt-BR", "en")


def shop(*modules: Module) -> Story:
    """Catalog, checkout and prices, which depend on nothing, on a site in two languages."""
    every = modules or (module("catalog"), module("checkout"), module("prices"))
    return story(*every, groups=GROUPS, languages=LANGUAGES)


def failing(beats: int = 6) -> tuple[Story, Incident]:
    """Catalog fails; everything else works."""
    told = shop().play({"catalog": "++" + "-" * beats, "checkout": "+" * (beats + 2), "prices": "+" * (beats + 2)})
    (incident,) = told.incidents
    return told, incident


def over() -> tuple[Story, Incident]:
    """Catalog failed and works again."""
    told = shop().play({"catalog": "++----++++++"})
    (incident,) = told.incidents
    assert not incident.is_open
    return told, incident


def said(text: str) -> dict[str, str]:
    return {"en": text}


def reason(answer: Answered) -> tuple[str, str]:
    """Why a word was not followed."""
    assert answer.refusal is not None
    assert not answer.changed
    return answer.refusal.kind, answer.refusal.reason


# -- updates ----------------------------------------------------------------------------------------------------------


def test_an_update_stands_in_the_timeline_at_the_stage_it_sets() -> None:
    """Under `person`; who it was is kept beside it."""
    told, one = failing()
    answer = told.say(Write(one.id, {"en": " We look.\r\nSoon more. ", "pt-BR": "Olhamos."}, Stage.MONITORING), "Ana")
    assert answer == Answered(one.id)
    after = told.incidents[0]
    assert after.stage is Stage.MONITORING
    last = after.updates[-1]
    assert (last.author, last.body, last.at) == (
        "person",
        {"en": "We look.\nSoon more.", "pt-BR": "Olhamos."},
        told.now,
    )
    assert [(act.what, act.by) for act in after.acts] == [("updated", "Ana")]


def test_an_update_without_a_stage_keeps_the_present_one() -> None:
    told, one = failing()
    told.say(Write(one.id, said("We look.")))
    assert told.incidents[0].stage is one.stage


def test_the_same_request_twice_is_followed_once() -> None:
    """Whatever it says the second time, and after a restart."""
    told, one = failing()
    assert told.say(Write(one.id, said("We look.")), request="r1").changed
    assert told.say(Write(one.id, said("We look again.")), request="r1") == Answered(one.id, changed=False)
    told.restart()
    assert not told.say(Write(one.id, said("We look.")), request="r1").changed
    assert len(told.incidents[0].updates) == len(one.updates) + 1


def test_the_same_text_twice_is_one_update_until_time_has_passed() -> None:
    """A command that is repeated changes nothing; who says the same later means it."""
    told, one = failing()
    assert told.say(Write(one.id, said("We look.")), request="r1").changed
    assert not told.say(Write(one.id, said("We look.")), request="r2").changed
    assert told.say(Write(one.id, said("We look."), Stage.MONITORING), request="r3").changed
    told.now += timedelta(minutes=11)
    assert told.say(Write(one.id, said("We look."), Stage.MONITORING), request="r4").changed
    assert len(told.incidents[0].updates) == len(one.updates) + 3


def test_the_same_text_twice_is_one_update_though_the_monitor_said_something_in_between() -> None:
    """That one more module fails, for instance."""
    told = shop(module("catalog"), module("checkout", "catalog")).play({"catalog": "++------", "checkout": "++++++++"})
    (one,) = told.incidents
    assert told.say(Write(one.id, said("We look."))).changed
    for _ in range(4):
        told.now += timedelta(seconds=30)
        for name in ("catalog", "checkout"):
            told.feed(observation(name, told.now, "-"))
    assert (told.changes[-1], told.incidents[0].updates[-1].author) == ("member_added", "monitor")
    assert not told.say(Write(one.id, said("We look."))).changed


@pytest.mark.parametrize(
    ("word", "kind", "words"),
    [
        (Write("zzzz", said("x")), "unknown", "no incident zzzz"),
        (Write("", said("\x00 \n ")), "wrong", "empty"),
        (Write("", {}), "wrong", "empty"),
        (Write("", {"fr": "x"}), "wrong", "speaks pt-BR, en"),
        (Write("", said("x" * 10_001)), "wrong", "longer than 10,000"),
        (Write("", said("x"), Stage.POSTMORTEM), "conflict", "not over yet"),
        (Write("", said("x"), Stage.RESOLVED), "conflict", "still failing: catalog"),
        (Write("", said("x"), confirm="chekout"), "wrong", "no module `chekout`"),
        (Correct("", 9, said("x")), "unknown", "no update 9"),
        (Correct("", 0, said("x")), "unknown", "no update 0"),
        (Correct("", 1, said("")), "wrong", "empty"),
        (Edit("", impact="huge"), "wrong", "minor, major, critical"),
        (Edit("", title=said("x" * 201)), "wrong", "longer than 200"),
        (Edit("", summary={"fr": "x"}), "wrong", "does not speak `fr`"),
        (Open(said("T"), said("x"), ("nothing",)), "wrong", "no module `nothing`"),
        (Open(said("T"), said("x"), components=("nothing",)), "wrong", "no component `nothing`"),
        (Open(said("T"), said("x")), "wrong", "what it is about"),
        (Open(said(""), said("x"), ("catalog",)), "wrong", "title is empty"),
        (Open(said("T"), said(""), ("catalog",)), "wrong", "message is empty"),
        (Open(said("T"), said("x"), ("catalog",), impact="none"), "wrong", "no impact"),
        (Open(said("T"), said("x"), ("catalog",), stage=Stage.RESOLVED), "wrong", "begins as one of"),
        (Open(said("T"), said("x"), ("catalog",), started_at=START + timedelta(days=1)), "wrong", "future"),
        (Open(said("T"), said("x"), ("catalog",), started_at=START - timedelta(days=999)), "wrong", "last year"),
    ],
)
def test_what_is_not_followed_comes_back_with_its_reason(word: Word, kind: str, words: str) -> None:
    """And nothing at all has changed."""
    told, one = failing()
    if getattr(word, "incident", None) == "":
        word = replace(word, incident=one.id)  # type: ignore[arg-type]
    board = told.board
    refused = reason(told.say(word))
    assert refused[0] == kind
    assert words in refused[1]
    assert told.board is board


# -- ending -----------------------------------------------------------------------------------------------------------


def lost() -> tuple[Story, Incident]:
    """Catalog fails, and then nothing is known of it any more."""
    told, one = failing()
    told.now += timedelta(minutes=5)
    told.tick()
    assert told.board.status("catalog") is Status.UNKNOWN
    return told, one


def test_a_person_may_end_what_cannot_be_seen_any_more() -> None:
    """With a text or without; said again it changes nothing."""
    told, one = lost()
    assert told.say(Write(one.id, {}, Stage.RESOLVED), "Ana").changed
    after = told.incidents[0]
    assert (after.stage, after.resolved_at, after.is_open) == (Stage.RESOLVED, told.now, False)
    assert (after.updates[-1].author, after.members[0].until) == ("person", told.now)
    assert told.changes[-1] == "resolved"
    told.now += timedelta(seconds=5)
    assert not told.say(Write(one.id, {}, Stage.RESOLVED)).changed


def test_what_was_known_when_a_person_ended_it_does_not_bring_it_back() -> None:
    """Runs that began before and are told later change statuses only; a failure from later on reopens it."""
    told, one = lost()
    begun = told.now - timedelta(seconds=8)
    told.say(Write(one.id, {}, Stage.RESOLVED))
    for second in range(4):
        told.feed(observation("catalog", begun + timedelta(seconds=second), "x"))
        told.tick()
    assert told.board.status("catalog") is Status.DOWN
    assert not told.incidents[0].is_open
    assert told.changes == ["opened", "resolved"]
    for beat in range(1, 4):
        told.feed(observation("catalog", told.now + timedelta(seconds=30 * beat), "-"))
        told.tick()
    assert told.incidents[0].is_open
    assert told.changes == ["opened", "resolved", "reopened"]


def test_a_restart_after_a_person_ended_it_says_nothing_new() -> None:
    """What was stored of the failures is older than the end."""
    told, one = lost()
    told.say(Write(one.id, {}, Stage.RESOLVED))
    told.restart(pause=5)
    for _ in range(5):
        told.now += timedelta(seconds=1)
        told.tick()
    assert told.changes == ["opened", "resolved"]


def test_a_postmortem_is_written_once_it_is_over_and_revised_in_its_place() -> None:
    """Its time stays; days later as well, when the board has long forgotten the incident."""
    told, one = over()
    told.now += timedelta(days=3)
    told.say(Open(said("Other"), said("Something else."), ("prices",)))
    assert one.id not in told.board.incidents
    told.say(Write(one.id, said("A disk was full."), Stage.POSTMORTEM))
    written = told.now
    told.now += timedelta(hours=1)
    assert told.say(Write(one.id, said("Two disks were full."), Stage.POSTMORTEM)).changed
    after = told.incidents[0]
    assert (after.stage, after.resolved_at) == (Stage.POSTMORTEM, one.resolved_at)
    last = after.updates[-1]
    assert (last.body, last.at, last.updated_at) == (said("Two disks were full."), written, told.now)
    assert [act.what for act in after.acts] == ["postmortem", "corrected"]
    assert after.acts[-1].detail == {"update": len(after.updates), "was": said("A disk was full.")}
    assert reason(told.say(Write(one.id, said("More.")))) == (
        "conflict",
        f"it is over and has its postmortem: correct that, which is update {len(after.updates)}",
    )


def test_after_the_end_a_word_may_be_added_but_no_work_goes_on() -> None:
    told, one = over()
    assert told.say(Write(one.id, said("It was the disk."))).changed
    assert told.incidents[0].updates[-1].stage is Stage.RESOLVED
    assert reason(told.say(Write(one.id, said("x"), Stage.IDENTIFIED)))[0] == "conflict"
    assert reason(told.say(Acknowledge(one.id)))[0] == "conflict"


def test_an_acknowledgement_is_kept_and_said_twice_it_is_one() -> None:
    told, one = failing()
    told.say(Acknowledge(one.id), "Ana")
    assert told.incidents[0].acknowledged_at == told.now
    assert len(told.incidents[0].updates) == len(one.updates)
    assert told.changes[-1] == "acknowledged"
    told.now += timedelta(seconds=5)
    assert not told.say(Acknowledge(one.id), "Bea").changed


# -- wording ----------------------------------------------------------------------------------------------------------


def test_a_corrected_text_keeps_its_time_and_says_when_it_was_corrected() -> None:
    """What stood there is kept, the other languages stay, and a text of the monitor's becomes a person's."""
    told, one = failing()
    told.say(Write(one.id, {"en": "We lok.", "pt-BR": "Olhamos."}))
    written, number = told.now, len(one.updates) + 1
    told.now += timedelta(minutes=1)
    told.say(Correct(one.id, number, said("We look.")), "Ana")
    last = told.incidents[0].updates[-1]
    assert (last.body, last.at, last.updated_at) == ({"en": "We look.", "pt-BR": "Olhamos."}, written, told.now)
    assert told.incidents[0].acts[-1].detail["was"] == {"en": "We lok.", "pt-BR": "Olhamos."}
    assert told.incidents[0].told_at == told.now
    assert not told.say(Correct(one.id, number, said("We look."))).changed
    told.say(Correct(one.id, 1, said("Catalog fails.")))
    first = told.incidents[0].updates[0]
    assert (first.author, first.kind, first.body) == ("person", "opened", said("Catalog fails."))


def test_title_summary_and_impact_are_a_persons_until_they_are_given_back() -> None:
    """A person's impact holds while more components fail; given back, it is measured again."""
    told, one = failing(beats=4)
    told.say(Edit(one.id, title=said("  Our\n catalog "), summary=said("A disk."), impact="minor"))
    after = told.incidents[0]
    assert (after.title, after.summary, after.impact) == (said("Our catalog"), said("A disk."), "minor")
    for beat in range(1, 5):
        told.feed(observation("catalog", told.now + timedelta(seconds=20), "-"))
        told.feed(observation("checkout", told.now + timedelta(seconds=20 * beat), "-"))
        told.tick()
    assert told.board.incidents[one.id].impact == "minor"
    assert not told.say(Edit(one.id, impact="minor")).changed
    told.say(Edit(one.id, title={}, summary={}, impact=""))
    back = told.board.incidents[one.id]
    assert (back.title, back.summary, back.impact_said) == (None, None, False)


def test_an_impact_that_is_given_back_is_the_measured_one_again() -> None:
    """Also a lower one; of what a person opened there is no other."""
    told, one = failing()
    measured = one.impact
    told.say(Edit(one.id, impact="critical" if measured != "critical" else "minor"))
    assert told.incidents[0].impact != measured
    told.say(Edit(one.id, impact=""))
    assert (told.incidents[0].impact, told.incidents[0].impact_said) == (measured, False)
    own = opened(told, impact="major")
    assert not told.say(Edit(own.id, impact="")).changed


def test_a_cause_may_be_confirmed_with_words_that_were_said_before() -> None:
    told, one = failing()
    told.say(Write(one.id, said("We look.")))
    assert told.say(Write(one.id, said("We look."), confirm=True)).changed
    assert told.incidents[0].cause.state == "confirmed"
    assert not told.say(Write(one.id, said("We look."), confirm=True)).changed


def test_only_a_person_confirms_a_cause_and_then_it_stays() -> None:
    """Whatever the evidence says later; a person may also name the module."""
    told, one = failing(beats=3)
    assert one.cause.state == "suspected"
    told.say(Write(one.id, said("It is the prices."), confirm="prices"))
    cause = told.incidents[0].cause
    assert (cause.scope, cause.module, cause.state, cause.confidence) == ("module", "prices", "confirmed", 1.0)
    assert [m.role for m in told.incidents[0].members if m.module == "prices"] == ["root"]
    for _ in range(8):
        told.feed(observation("catalog", told.now + timedelta(seconds=30), "-"))
        told.tick()
    assert told.incidents[0].cause.module == "prices"
    assert told.incidents[0].cause.state == "confirmed"
    assert "cause_changed" not in told.changes


# -- by hand ----------------------------------------------------------------------------------------------------------


def opened(told: Story, **more: object) -> Incident:
    """An incident about checkout, opened by hand."""
    answer = told.say(replace(Open(said("Slow"), said("It is slow."), ("checkout",)), **more), "Ana")  # type: ignore[arg-type]
    assert answer.changed
    return next(one for one in told.incidents if one.id == answer.id)


def test_an_incident_opened_by_hand_lives_beside_those_of_the_monitor() -> None:
    """It joins none, takes nobody in, is not ended by good runs, and holds its modules as they are measured."""
    told = shop().play({"catalog": "++", "checkout": "++", "prices": "++"})
    own = opened(told, components=("pages",), impact="major", started_at=START)
    assert (own.by_hand, own.components, own.impact, own.started_at) == (True, ("pages", "paying"), "major", START)
    assert (own.cause.code, own.cause.module, own.members[0].status) == ("", None, Status.UP)
    begin = told.now
    for beat in range(6):
        told.feed(observation("checkout", begin + timedelta(seconds=30 * beat), "-"))
        told.tick()
    others = [one for one in told.incidents if not one.by_hand]
    assert [(one.root, [m.module for m in one.members]) for one in others] == [("checkout", ["checkout"])]
    assert told.board.incidents[own.id].members[0].status is Status.DOWN
    assert "checkout" in reason(told.say(Write(own.id, {}, Stage.RESOLVED)))[1]
    for beat in range(6, 14):
        told.feed(observation("checkout", begin + timedelta(seconds=30 * beat), "+"))
        told.tick()
    assert [one.is_open for one in told.incidents] == [True, False]
    assert told.say(Write(own.id, said("Fast again."), Stage.RESOLVED)).changed
    assert not told.board.incidents[own.id].is_open


def test_a_relapse_never_reopens_what_was_opened_by_hand() -> None:
    told = shop().play({"checkout": "++"})
    own = opened(told)
    told.say(Write(own.id, {}, Stage.RESOLVED))
    for _ in range(5):
        told.feed(observation("checkout", told.now + timedelta(seconds=30), "-"))
        told.tick()
    assert not next(one for one in told.incidents if one.id == own.id).is_open
    assert [one.is_open for one in told.incidents if not one.by_hand] == [True]


def test_opened_twice_by_the_same_request_or_in_the_same_words_it_is_one() -> None:
    told = shop().play({"checkout": "++"})
    word = Open(said("Slow"), said("It is slow."), ("checkout",))
    first = told.say(word, request="r1")
    told.now += timedelta(seconds=3)
    assert told.say(replace(word, body=said("Other.")), request="r1") == Answered(first.id, changed=False)
    assert told.say(word, request="r2") == Answered(first.id, changed=False)
    assert told.say(replace(word, title=said("Slower"))).id != first.id
    assert len(told.incidents) == 2


def test_several_opened_in_the_same_moment_have_ids_of_their_own() -> None:
    told = shop()
    ids = {told.say(Open(said(f"Slow {n}"), said("x"), ("checkout",))).id for n in range(5)}
    assert len(ids) == 5


def test_a_draft_opened_by_hand_waits_for_its_person() -> None:
    told = shop().play({"checkout": "++"})
    own = opened(told, draft=True)
    assert own.published_at is None
    told.now += timedelta(days=2)
    told.tick()
    assert told.board.incidents[own.id].published_at is None
    told.say(Publish(own.id))
    assert told.board.incidents[own.id].published_at == told.now
    assert not told.say(Publish(own.id)).changed


# -- whatever people say ----------------------------------------------------------------------------------------------


def chatter(told: Story, one: Incident) -> list[Word]:
    return [
        Acknowledge(one.id),
        Write(one.id, said("We look."), Stage.MONITORING),
        Write(one.id, said("Over?"), Stage.RESOLVED),
        Edit(one.id, said("Title"), said("Summary"), "critical", True),
        Open(said("By hand"), said("x"), ("catalog", "prices"), ("pages",), "critical"),
        Correct(one.id, 1, said("Corrected.")),
        Publish(one.id),
        Write(one.id, said("Learned."), Stage.POSTMORTEM),
    ]


def test_statuses_are_measured_as_if_nobody_had_spoken() -> None:
    """The same transitions at the same moments, and everything comes back from its stored form."""
    beats = {"catalog": "++------++++++---++++", "checkout": "+++++----~~~~+++++++-", "prices": "+" * 21}
    loud = shop()
    for beat in range(21):
        for name, outcomes in beats.items():
            loud.feed(observation(name, START + timedelta(seconds=30 * beat), outcomes[beat]))
        loud.tick()
        for one in loud.incidents:
            for word in chatter(loud, one)[beat % 8 :: 3]:
                loud.say(word, request=f"{beat}")
    quiet = shop()
    for beat in range(21):
        for name, outcomes in beats.items():
            quiet.feed(observation(name, START + timedelta(seconds=30 * beat), outcomes[beat]))
        quiet.tick()
    assert loud.transitions == quiet.transitions
    spoken = [e for e in loud.effects if isinstance(e, Saved) and e.incident.acts]
    assert len(spoken) > 20
    for effect in spoken:
        stored = incident_from_json(json.loads(json.dumps(incident_to_json(effect.incident))))
        assert incident_to_json(stored) == incident_to_json(effect.incident)


def test_trouble_of_a_place_ends_by_a_persons_word_only_once_it_is_over() -> None:
    """While it is seen it is refused by the name of the place."""
    told = world(*seen_from("a", "b", "c"))
    look(told, {"x": "++------", "y": "+" * 8, "z": "+" * 8})
    (one,) = regional(told)
    assert one.is_open
    assert reason(told.say(Write(one.id, {}, Stage.RESOLVED)))[1].startswith("still failing: x;")
    look(told, {"x": "+++", "y": "+++", "z": "+++"}, start=240)
    assert regional(told)[0].is_open, "it ends by itself after two minutes"
    assert told.say(Write(one.id, {}, Stage.RESOLVED)).changed
    look(told, {"x": "+" * 8, "y": "+" * 8, "z": "+" * 8}, start=330)
    assert told.changes == ["opened", "resolved"]
