"""What became of everything that was said of an incident, as operators read it."""

from dataclasses import replace
from typing import Any

import pytest

from monitor.core.observation import stamp
from monitor.core.outbox import Letter, State
from monitor.core.outcome import Course, Happening, courses, events_object, letter_object, notices_object
from tests.store.past import NOON, after

FIRST = Letter("i1", 1, "pager", "opened", "first", NOON, state=State.DELIVERED)
HELD = Letter("i1", 2, "chat", "reminder", "repeat", after(60), state=State.WITHHELD)
COURSE = Course(
    (
        Happening("i1", 1, "opened", NOON, (("catalog", "explained"), ("catalog", "explained"), (None, "hours"))),
        Happening("i1", 2, "reminder", after(60)),
        Happening("i1", 3, "resolved", after(90)),
    ),
    (FIRST, replace(FIRST, channel="chat", state=State.COLLAPSED), HELD),
)


def test_notices_are_counted_and_what_was_withheld_has_its_reason_once() -> None:
    """What was withheld late has the reason that its letter ended with."""
    assert notices_object(COURSE) == {
        "planned": 3,
        "delivered": 2,
        "withheld": [
            {"module": "catalog", "why": "explained"},
            {"module": None, "why": "hours"},
            {"module": None, "why": "held"},
        ],
    }
    silenced = Course(letters=(replace(HELD, last_error="silence"), replace(HELD, seq=3, last_error="silence")))
    assert notices_object(silenced)["withheld"] == [{"module": None, "why": "silence"}]


def test_every_event_stands_with_its_notices() -> None:
    """In order, also one that nobody was told of."""
    told = events_object(COURSE)
    assert [(one["seq"], one["event"], one["at"]) for one in told] == [
        (1, "opened", stamp(NOON)),
        (2, "reminder", stamp(after(60))),
        (3, "resolved", stamp(after(90))),
    ]
    assert [[each["channel"] for each in one["notices"]] for one in told] == [["pager", "chat"], ["chat"], []]
    assert [len(one["withheld"]) for one in told] == [3, 0, 0]


@pytest.mark.parametrize(
    ("why", "said"),
    [("first", "first"), ("clock:gold:response:50", "clock:gold:response:50"), ("review {}", "review"),
     ('digest [{"title": "a b"}]', "digest")],
)  # fmt: skip
def test_why_a_notice_is_sent_is_said_without_what_it_tells(why: str, said: str) -> None:
    """Some carry all of their words."""
    assert letter_object(replace(FIRST, why=why))["why"] == said


def test_a_notice_is_told_whole() -> None:
    """Every moment of it, and what the service at its end calls it."""
    moments: dict[str, Any] = {name: after(n) for n, name in enumerate(("next_at", "settled_at", "tried_at"), 1)}
    one = replace(FIRST, attempts=2, last_error="503", external="PD1", **moments)
    assert letter_object(one) == {
        **{"event_id": "i1-1", "incident": "i1", "seq": 1, "channel": "pager", "event": "opened", "why": "first"},
        **{"at": stamp(NOON), "state": "delivered", "attempts": 2, "last_error": "503", "external": "PD1"},
        **{name: stamp(at) for name, at in moments.items()},
    }


def test_each_incident_has_its_own_course() -> None:
    """From events alone as well, and from letters alone."""
    other, third = Happening("i2", 1, "opened", NOON), replace(FIRST, incident="i3")
    found = courses([*COURSE.happenings, other], [*COURSE.letters, third])
    assert found == {"i1": COURSE, "i2": Course((other,)), "i3": Course(letters=(third,))}
