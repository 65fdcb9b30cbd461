"""What silences do to notices: held back, never dropped; what began for somebody ends for them."""

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.incident import Change
from monitor.core.notice import Notice, Route, Said, Step, Told, Withheld, escalate, plan, resume
from monitor.core.silence import Silence, why_not
from tests.core.test_silence import HOUR, INCIDENT, MINUTE, PLATFORM, quiet, scope
from tests.stories.beats import START

ROUTE = Route((Step(("pager",)), Step(("chat",), 10 * MINUTE)))
QUIET = quiet(scope(modules="catalog"), START + 30 * MINUTE)


def hears(
    change: Change, at: datetime, told: Told, silences: tuple[Silence, ...] = (QUIET,)
) -> tuple[Told, list[Said]]:
    """A change of the incident, while these are silent."""
    return plan(told, INCIDENT, change, at, (ROUTE,), PLATFORM, why_not(silences, INCIDENT, PLATFORM, at))


def test_what_is_silenced_is_withheld_and_told_when_the_silence_ends() -> None:
    """Held, not dropped: who should have heard does so then, and the steps begin at that moment."""
    told, said = hears(Change.OPENED, START + MINUTE, Told())
    assert said == [Withheld(START + MINUTE, "silenced:s1", INCIDENT.id)]
    told, said = hears(Change.WORSENED, START + 2 * MINUTE, told)
    assert said == [Withheld(START + 2 * MINUTE, "silenced:s1", INCIDENT.id)]
    end = START + 30 * MINUTE
    assert why_not([QUIET], INCIDENT, PLATFORM, end) is None
    told, said = resume(told, INCIDENT, end, (ROUTE,), PLATFORM)
    assert said == [Notice(end, "silence_ended", INCIDENT.id, "pager")]
    assert resume(told, INCIDENT, end + MINUTE, (ROUTE,), PLATFORM) == (told, [])
    assert escalate(told, end + 10 * MINUTE)[1] == [Notice(end + 10 * MINUTE, "escalated", INCIDENT.id, "chat")]


def test_what_ended_in_silence_is_never_told() -> None:
    """Nobody heard that it began, so nobody hears that it is over."""
    told, _ = hears(Change.OPENED, START, Told())
    told, said = hears(Change.RESOLVED, START + MINUTE, told)
    assert (told, said) == (Told(), [])


def test_a_step_that_comes_due_in_silence_is_told_once_at_its_end() -> None:
    """Withheld once, however often the clock ticks."""
    told, said = hears(Change.OPENED, START, Told(), ())
    assert [one.why for one in said] == ["first"]
    silent = {INCIDENT.id: "silenced:s1"}
    told, said = escalate(told, START + 10 * MINUTE, silent)
    assert said == [Withheld(START + 10 * MINUTE, "silenced:s1", INCIDENT.id)]
    told, said = escalate(told, START + 11 * MINUTE, silent)
    assert said == []
    told, said = resume(told, INCIDENT, START + 30 * MINUTE, (ROUTE,), PLATFORM)
    assert said == []
    told, said = escalate(told, START + 30 * MINUTE)
    assert said == [Notice(START + 30 * MINUTE, "escalated", INCIDENT.id, "chat")]
    assert escalate(told, START + 40 * MINUTE)[1] == []


def test_what_turns_out_to_come_from_elsewhere_is_told_at_once() -> None:
    """The silence speaks for its module only."""
    told, _ = hears(Change.OPENED, START, Told())
    other = replace(INCIDENT, cause=replace(INCIDENT.cause, module="checkout"))
    assert why_not([QUIET], other, PLATFORM, START) is None
    _, said = plan(told, other, Change.CAUSE_CHANGED, START, (ROUTE,), PLATFORM)
    assert [(one.why, isinstance(one, Notice)) for one in said] == [("cause_changed", True)]


happenings = st.lists(
    st.tuples(
        st.sampled_from(
            ["opened", "worsened", "cause_changed", "member_added", "resolved", "reopened", "silence", "lift"]
        ),
        st.integers(1, 15),
    ),
    max_size=25,
)


@given(happenings)
def test_resolved_follows_opened_whatever_is_silenced_meanwhile(happened: list[tuple[str, int]]) -> None:
    """On every channel as often; while it is silent nobody hears anything but ends; nothing is lost after it."""
    told, now, open_, silences = Told(), START, False, tuple[Silence, ...]()
    heard: dict[str, int] = {"pager": 0, "chat": 0}

    def take(result: tuple[Told, list[Said]], silent: bool) -> Told:
        for one in result[1]:
            if isinstance(one, Notice):
                assert not silent or one.why == "resolved"
                heard[one.channel] += {"resolved": -1}.get(one.why, 1)
                assert heard[one.channel] in (0, 1)
        return result[0]

    for what, minutes in happened:
        for _ in range(minutes):
            now += MINUTE
            why = why_not(silences, INCIDENT, PLATFORM, now)
            if why is None and open_:
                told = take(resume(told, INCIDENT, now, (ROUTE,), PLATFORM), silent=False)
            told = take(escalate(told, now, {INCIDENT.id: why} if why else {}), why is not None)
        if what == "silence":
            silences = (
                *silences,
                quiet(scope(modules="catalog"), now + 12 * MINUTE, begins=now, id=str(len(silences))),
            )
        elif what == "lift":
            silences = ()
        elif open_ is (what not in ("opened", "reopened")):
            open_ = what != "resolved"
            why = why_not(silences, INCIDENT, PLATFORM, now)
            told = take(plan(told, INCIDENT, Change(what), now, (ROUTE,), PLATFORM, why), why is not None)
    if open_:
        told = take(resume(told, INCIDENT, now + HOUR, (ROUTE,), PLATFORM), silent=False)
        assert heard["pager"] == 1
        told = take(plan(told, INCIDENT, Change.RESOLVED, now + HOUR, (ROUTE,), PLATFORM), silent=False)
    assert (heard, told) == ({"pager": 0, "chat": 0}, Told())
