"""Silences: what they keep back, what they never do, and who may want one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.effect import Answered, Hushed, Lifted, Refusal, Silenced
from monitor.core.match import Match
from monitor.core.module import Component, Group
from monitor.core.silence import LONGEST, Scope, Silence, silenced
from monitor.core.silencing import KEPT
from tests.stories.beats import START, Story, module, platform, story

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GROUPS = (
    Group("buying", {"en": "Buying"}, (Component("cart", {"en": "Cart"}, ("checkout",)),)),
    Group("looking", {"en": "Looking"}, (Component("browsing", {"en": "Browsing"}, ("catalog",)),)),
)
DOWN = "++" + "-" * 6
TOLD = story(module("checkout", "catalog"), module("catalog"), groups=GROUPS).play({"checkout": DOWN, "catalog": DOWN})
PLATFORM = TOLD.board.platform
(INCIDENT,) = TOLD.incidents


def scope(**given: str) -> Scope:
    """What is meant, by kind; several ids with blanks between them."""
    incident = given.pop("incident", None)
    named = {kind: frozenset(ids.split()) for kind, ids in given.items()}
    codes = named.pop("codes", None)
    return Scope(Match(**named), incident, codes)


def quiet(meant: Scope, until: datetime = START + HOUR, **more: object) -> Silence:
    """A silence from the start on."""
    return replace(Silence("s1", meant, "Ana", "deploy", START, until, START), **more)  # type: ignore[arg-type]


def wanted(meant: Scope, until: datetime | None = None, **more: object) -> Silenced:
    """The word of a person for the next hour, while the story stands where it does."""
    return replace(Silenced(meant, "deploy", until or TOLD.now + HOUR, by="Ana"), **more)  # type: ignore[arg-type]


def quieted(event: Silenced, told: Story = TOLD) -> tuple[Story, Answered]:
    """The story after a word, and what became of it."""
    after = Story(told.board, told.now)
    return after, after.order(event)


# -- which incidents are meant ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "hidden"),
    [
        pytest.param(scope(), True, id="everything"),
        pytest.param(scope(modules="catalog"), True, id="what it comes from"),
        pytest.param(scope(modules="checkout"), False, id="what it drags along"),
        pytest.param(scope(components="cart browsing"), True, id="all that it touches"),
        pytest.param(scope(components="cart"), False, id="a part of what it touches"),
        pytest.param(scope(groups="buying looking"), True, id="every group"),
        pytest.param(scope(groups="buying"), False, id="one group of two"),
        pytest.param(scope(priorities="high"), True, id="its priority"),
        pytest.param(scope(priorities="low normal"), False, id="another priority"),
        pytest.param(scope(codes="http.503"), True, id="its code"),
        pytest.param(scope(codes="http"), True, id="the family of its code"),
        pytest.param(scope(codes="http.50"), False, id="half a code"),
        pytest.param(scope(incident=INCIDENT.id), True, id="itself"),
        pytest.param(scope(incident="another"), False, id="another incident"),
        pytest.param(scope(modules="catalog", codes="tls"), False, id="all that is given must fit"),
    ],
)
def test_a_silence_speaks_for_what_it_names(meant: Scope, hidden: bool) -> None:
    """And for nothing that it does not."""
    assert (silenced([quiet(meant)], INCIDENT, PLATFORM, START) is not None) is hidden


def test_while_the_cause_is_not_certain_every_module_counts() -> None:
    """Whatever fails besides may be the cause, so it is told of."""
    open_question = replace(INCIDENT, cause=replace(INCIDENT.cause, module=None))
    assert not scope(modules="catalog").covers(open_question, PLATFORM)
    assert scope(modules="catalog checkout").covers(open_question, PLATFORM)
    assert not scope(modules="catalog").covers(replace(open_question, members=()), PLATFORM)


names = st.sampled_from(["catalog", "checkout", "search", "pricing"])


@given(named=st.frozensets(names, min_size=1), cause=st.none() | names, members=st.lists(names, unique=True))
def test_a_silence_never_hides_another_module_s_incident(
    named: frozenset[str], cause: str | None, members: list[str]
) -> None:
    """Whatever it comes from, or may come from, is named in the silence that hides it."""
    member = INCIDENT.members[0]
    one = replace(
        INCIDENT,
        cause=replace(INCIDENT.cause, module=cause),
        members=tuple(replace(member, module=id) for id in members),
    )
    if silenced([quiet(Scope(Match(modules=named)))], one, PLATFORM, START):
        assert {cause} <= named if cause else members and set(members) <= named


@given(
    begins=st.integers(-10 * 86400, 100 * 86400), lasts=st.integers(-86400, 20 * 86400), look=st.integers(0, 30 * 86400)
)
def test_nothing_is_silent_beyond_seven_days(begins: int, lasts: int, look: int) -> None:
    """Whatever is asked for, and however late the clock is looked at."""
    start = TOLD.now + timedelta(seconds=begins)
    after, answer = quieted(wanted(scope(), start + timedelta(seconds=lasts), begins=start, everything=True))
    if answer.refusal is None:
        one = after.board.silences[answer.id]
        at = one.begins + timedelta(seconds=look)
        assert one.begins >= TOLD.now
        assert not (silenced([one], INCIDENT, PLATFORM, at) and look >= LONGEST.total_seconds())


@pytest.mark.parametrize(("hours", "state"), [(-1, "coming"), (0, "active"), (1, "active"), (2, "over"), (3, "over")])
def test_a_silence_is_to_come_then_active_then_over(hours: int, state: str) -> None:
    """Active from its beginning on, over from its end on; one that somebody lifted is over whatever time it is."""
    one, at = quiet(scope(), START + 2 * HOUR), START + hours * HOUR
    assert one.state(at) == state
    assert replace(one, ended_at=START).state(at) == "over"
    assert (silenced([one], INCIDENT, PLATFORM, at) is one) is (state == "active")


# -- who may want one -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (wanted(scope(modules="catalog"), by=None), "say who silences it"),
        (wanted(scope(modules="catalog"), reason=" \x00 "), "the reason is empty"),
        (wanted(scope(modules="catalog"), TOLD.now - MINUTE), "its end lies in the past"),
        (wanted(scope(modules="catalog"), begins=TOLD.now + 2 * HOUR), "its end must be later"),
        (wanted(scope(modules="catalog"), TOLD.now + LONGEST + MINUTE), "it would last longer than 7 days"),
        (wanted(scope(modules="catalgo")), "there is no module `catalgo`; did you mean `catalog`?"),
        (wanted(scope(components="browsin")), "there is no component `browsin`; did you mean `browsing`?"),
        (wanted(scope(groups="zzz")), "there is no group `zzz`"),
        (wanted(scope(priorities="urgnt")), "there is no priority `urgnt`; did you mean `urgent`?"),
        (wanted(scope(codes="http.5")), "there is no code of a cause `http.5`"),
        (wanted(scope(incident="nope")), "there is no open incident nope"),
        (wanted(scope()), "say what is silenced"),
        (wanted(scope(modules="catalog"), everything=True), "either everything is silenced"),
    ],
)
def test_what_is_not_followed_comes_with_its_reason(event: Silenced, said: str) -> None:
    """And nothing is silenced."""
    after, answer = quieted(event)
    assert answer.refusal is not None
    assert answer.refusal.kind == ("unknown" if event.scope.incident else "wrong")
    assert answer.refusal.reason.startswith(said)
    assert after.board.silences == {}


def test_a_silence_is_added_once_lifted_once_and_ends_by_itself() -> None:
    """Each change is stored, with who it was; the same word once more is no news."""
    after, first = quieted(wanted(scope(modules="catalog"), request="k"))
    assert (first.refusal, first.changed) == (None, True)
    assert (after.board.silences[first.id].author, after.board.silences[first.id].reason) == ("Ana", "deploy")
    assert after.order(wanted(scope(modules="checkout"), request="k")) == Answered(first.id, changed=False)
    other = after.order(wanted(scope(codes="http")))
    assert after.order(wanted(scope(codes="http"))) == Answered(other.id, changed=False)
    assert after.order(Lifted(other.id, "Bo")).changed
    assert not after.order(Lifted(other.id, "Cy")).changed
    assert after.order(wanted(scope(codes="http"))).id not in (other.id, first.id)
    lifted = after.board.silences[other.id]
    assert (lifted.lifted_by, lifted.ended_at, lifted.is_lifted) == ("Bo", after.now, True)
    after.now += HOUR
    after.tick()
    changes = [effect.change for effect in after.effects if isinstance(effect, Hushed)]
    assert changes == ["added", "added", "lifted", "added", "ended", "ended"]
    after.now += KEPT
    after.tick()
    after.order(Lifted(first.id, known=lifted))
    assert after.order(Lifted("zzz")).refusal == Refusal("unknown", "there is no silence zzz")


def test_it_outlives_a_restart_and_a_renamed_module() -> None:
    """Under the new id; its own stays."""
    after, answer = quieted(wanted(scope(modules="catalog")))
    after.restart(pause=60)
    assert after.board.silences[answer.id].scope == scope(modules="catalog")
    after.reconfigure(platform(module("checkout"), replace(module("produce"), aliases=("catalog",))))
    assert after.board.silences[answer.id].scope == scope(modules="produce")
    assert isinstance(after.effects[-1], Hushed) or any(isinstance(one, Hushed) for one in after.effects[-20:])


def test_an_incident_that_is_over_cannot_be_silenced() -> None:
    """There is nothing to say of it any more."""
    told = Story(replace(TOLD.board, incidents={INCIDENT.id: replace(INCIDENT, resolved_at=TOLD.now)}), TOLD.now)
    _, answer = quieted(wanted(scope(incident=INCIDENT.id)), told)
    assert answer.refusal is not None
    assert answer.refusal.kind == "conflict"
