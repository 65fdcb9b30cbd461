"""Outcome: what became of everything that was said of an incident, as objects of the operators' JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.core import gathering, review
from monitor.core.observation import stamp
from monitor.core.outbox import Letter, State

TELLING = (gathering.WHY, review.WHY)  # letters that carry what they tell


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of an incident as it is stored: the `seq`-th one, and what was withheld, each with module and why."""

    incident: str
    seq: int
    event: str
    at: datetime
    withheld: tuple[tuple[str | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """The events of an incident and its letters, both in order."""

    happenings: tuple[Happening, ...] = ()
    letters: tuple[Letter, ...] = ()


def notices_object(course: Course) -> dict[str, Any]:
    """How many notices were planned and delivered, and which were withheld and why, each once."""
    withheld = dict.fromkeys(one for each in course.happenings for one in each.withheld)
    late = dict.fromkeys((None, one.last_error or "held") for one in course.letters if one.state is State.WITHHELD)
    return {
        "planned": len(course.letters),
        "delivered": sum(one.state in (State.DELIVERED, State.COLLAPSED) for one in course.letters),
        "withheld": [{"module": module, "why": why} for module, why in (*withheld, *late)],
    }


def events_object(course: Course) -> list[dict[str, Any]]:
    """Every event with its notices, the oldest first."""
    found: dict[int, list[Letter]] = {}
    for letter in course.letters:
        found.setdefault(letter.seq, []).append(letter)
    return [
        {
            "seq": one.seq,
            "event": one.event,
            "at": stamp(one.at),
            "notices": letters_object(found.get(one.seq, ())),
            "withheld": [{"module": module, "why": why} for module, why in one.withheld],
        }
        for one in course.happenings
    ]


def letters_object(letters: Iterable[Letter]) -> list[dict[str, Any]]:
    """Letters in order."""
    return [letter_object(one) for one in letters]


def letter_object(letter: Letter) -> dict[str, Any]:
    """One event on its way to one channel."""
    return {
        "event_id": letter.event_id,
        "incident": letter.incident,
        "seq": letter.seq,
        "channel": letter.channel,
        "event": letter.event,
        "why": why_of(letter),
        "at": stamp(letter.at),
        "state": letter.state.value,
        "attempts": letter.attempts,
        "next_at": stamp(letter.next_at),
        "last_error": letter.last_error,
        "external": letter.external,
        "settled_at": stamp(letter.settled_at),
        "tried_at": stamp(letter.tried_at),
    }


def why_of(letter: Letter) -> str:
    """Why it is sent, without what it tells."""
    return letter.why.partition(" ")[0] if letter.why.startswith(TELLING) else letter.why


def courses(happenings: Sequence[Happening], letters: Sequence[Letter]) -> dict[str, Course]:
    """By incident."""
    ids = dict.fromkeys([*(one.incident for one in happenings), *(one.incident for one in letters)])
    return {
        id: Course(
            tuple(one for one in happenings if one.incident == id),
            tuple(one for one in letters if one.incident == id),
        )
        for id in ids
    }
