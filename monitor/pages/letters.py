"""Letters: what leaves for people, as operators see it: every channel and how it fares, every notice and what became of
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.core.outbox import WAITING, Letter, State
from monitor.core.outcome import Course
from monitor.core.wording import N_
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.view import Mark, When

STATES: dict[State, tuple[str, str]] = {
    State.PENDING: ("none", N_("Waiting")),
    State.SENDING: ("none", N_("Being sent")),
    State.DELIVERED: ("ok", N_("Delivered")),
    State.DEAD: ("down", N_("Given up")),
    State.COLLAPSED: ("ok", N_("Told with a later one")),
    State.WITHHELD: ("none", N_("Withheld")),
}
EVENTS = {
    "opened": N_("Opened"),
    "worsened": N_("Worsened"),
    "eased": N_("Eased"),
    "cause_changed": N_("Cause changed"),
    "member_added": N_("Module joined"),
    "member_cleared": N_("Module works again"),
    "acknowledged": N_("Acknowledged"),
    "lowered": N_("Priority lowered"),
    "escalated": N_("Escalated"),
    "reminder": N_("Reminder"),
    "clock_warning": N_("Limit of a plan comes near"),
    "clock_breached": N_("Limit of a plan broken"),
    "resolved": N_("Resolved"),
    "reopened": N_("Opened again"),
    "test": N_("Test"),
    "summary": N_("Summary"),
}
BREAKER = {
    "closed": ("ok", N_("Delivers")),
    "half_open": ("slow", N_("Tried again now")),
    "open": ("down", N_("Does not deliver: tried once a minute")),
    "gone": ("down", N_("No longer configured")),
    None: ("down", N_("Cannot send in this version")),
}


@dataclass(frozen=True, slots=True)
class LetterView:
    """One notice on its way to one channel. `incident` is None for those that are about the monitor itself; `may` is
    what a person may do about it: `again`, `give-up` or nothing."""

    id: str
    incident: str | None
    channel: str
    event: str
    why: str
    at: When
    mark: Mark
    attempts: str
    error: str
    settled: When | None
    may: str


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel: how many notices wait, for how long the oldest has, why the last attempt failed; `note` is what
    becomes of the notices of one that is gone."""

    id: str
    kind: str
    mark: Mark
    waiting: str
    oldest: str
    error: str
    note: str
    delivered: When | None


@dataclass(frozen=True, slots=True)
class PostView:
    """The whole page. `channel` and `state` are what was asked for, `more` is where the next page is, empty
    at the end."""

    channels: tuple[ChannelView, ...]
    letters: tuple[LetterView, ...]
    states: tuple[tuple[str, str], ...]
    channel: str
    state: str
    more: str


@dataclass(frozen=True, slots=True)
class EventView:
    """One event of an incident, who was told of it, and what was withheld and why."""

    what: str
    at: When
    letters: tuple[LetterView, ...]
    withheld: tuple[str, ...]


def post_view(lens: Lens, about: Mapping[str, Any]) -> PostView:
    """What waits and what became of the rest."""
    return PostView(
        channels=tuple(_channel(lens, one) for one in about["channels"]),
        letters=tuple(_letter(lens, one) for one in about["letters"]),
        states=tuple((state.value, lens.word(word)) for state, (_, word) in STATES.items()),
        channel=about["channel"] or "",
        state=about["state"] or "",
        more=about["more"] or "",
    )


def course_view(lens: Lens, course: Course | None) -> tuple[EventView, ...]:
    """Everything that was said of an incident, the newest event first."""
    found: list[EventView] = []
    for one in reversed(course.happenings if course else ()):
        letters: Sequence[Letter] = [each for each in course.letters if each.seq == one.seq] if course else ()
        withheld = tuple(f"{module}: {why}" if module else why for module, why in one.withheld)
        found.append(
            EventView(
                lens.word(EVENTS.get(one.event, one.event)),
                exact(lens, one.at),
                tuple(_letter(lens, each) for each in letters),
                withheld,
            )
        )
    return tuple(found)


def _letter(lens: Lens, letter: Letter) -> LetterView:
    may = "again" if letter.state is State.DEAD else "give-up" if letter.state in WAITING else ""
    return LetterView(
        id=letter.event_id,
        incident=None if letter.incident.startswith("self:") else letter.incident,
        channel=letter.channel,
        event=lens.word(EVENTS.get(letter.event, letter.event)),
        why=letter.why.partition(" ")[0],
        at=exact(lens, letter.at),
        mark=lens.mark(STATES[letter.state]),
        attempts=lens.number(letter.attempts),
        error=letter.last_error or "",
        settled=None if letter.settled_at is None else exact(lens, letter.settled_at),
        may=may,
    )


def _channel(lens: Lens, one: Mapping[str, Any]) -> ChannelView:
    delivered = one["delivered"]
    seconds, gone = one["oldest_seconds"], one["breaker"] == "gone"
    return ChannelView(
        id=one["id"],
        kind=one["kind"] or "",
        mark=lens.mark(BREAKER[one["breaker"]]),
        waiting=lens.number(one["pending"]),
        oldest="" if seconds is None else lens.speech.duration(lens.language, seconds),
        error="" if gone else one["last_error"] or "",
        note=lens.word(N_("Its notices wait an hour for it to come back.")) if gone else "",
        delivered=None if delivered is None else exact(lens, delivered),
    )
