"""News: what feeds and both public APIs draw from besides the figures: incidents, dates of change, own blindness."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from monitor.core import statement
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.wording import N_, Sentence
from monitor.pages import words
from monitor.pages.picture import Picture

TELL_BLIND_AFTER = timedelta(minutes=15)


def incidents_of(picture: Picture) -> list[Incident]:
    """Every incident of a picture, the newest first."""
    return statement.incidents_of(picture.board, picture.history)


def announced(picture: Picture) -> list[Incident]:
    """The same in the order in which they were published, the newest first, as feeds and Statuspage v2 list them."""
    return by_publication(incidents_of(picture))


def by_publication(incidents: Iterable[Incident]) -> list[Incident]:
    """Incidents in the order in which they were published, the newest first."""
    return sorted(incidents, key=lambda one: (one.published_at, one.started_at, one.id), reverse=True)


def updated_at(incident: Incident) -> datetime:
    """When something was last said of an incident."""
    return incident.told_at


def began_at(picture: Picture) -> datetime | None:
    """When the first thing became known; None while nothing is."""
    moves = [moved[0].since for moved in picture.history.transitions.values() if moved]
    return min([*moves, *(condition.since for condition in picture.board.modules.values())], default=None)


def newest(incidents: Sequence[Incident], most: int) -> list[Incident]:
    """The newest so many, and any older one that still goes on: a long trouble is not pushed out by short ones."""
    return [one for place, one in enumerate(incidents) if place < most or one.is_open]


def blindness_told(picture: Picture) -> list[datetime]:
    """When the one-line verdict began, and ceased, to say that nothing is seen."""
    since = long_blind_since(picture)
    moments = [] if since is None else [since + TELL_BLIND_AFTER]
    gaps = picture.history.gaps
    for end in {gap.until for gap in gaps if gap.until is not None}:
        dark = [gap for gap in gaps if gap.since < end and (gap.until is None or gap.until >= end)]
        nowhere_seen = {gap.location for gap in dark} >= set(picture.board.platform.locations)
        if nowhere_seen and end - min(gap.since for gap in dark) >= TELL_BLIND_AFTER:
            moments.append(end)
    return moments


def long_blind_since(picture: Picture) -> datetime | None:
    """Since when the monitor cannot see, once that has lasted long enough to be said aloud."""
    state, since, _ = picture.monitor()
    return since if state == "blind" and since is not None and picture.now - since >= TELL_BLIND_AFTER else None


def headline(picture: Picture) -> tuple[str, Sentence]:
    """The mark and the sentence of the whole, where nothing else stands beside it: on badges and cards.

    While the monitor is blind it is the last it knew, and what was good then is not green: nobody can vouch for it.
    """
    indicator, phrase = picture.overall()
    mark = words.OVERALL[indicator]
    if picture.monitor()[0] != "blind":
        return mark, Sentence(phrase)
    return "none" if mark == "ok" else mark, Sentence(N_("Last known: {status}"), {"status": Sentence(phrase)})


def confirmed(picture: Picture) -> dict[str, Status]:
    """The status of every module that has one. While the monitor is blind the last one it was sure of stands."""
    statuses = {id: condition.status for id, condition in picture.board.modules.items()}
    if picture.monitor()[0] == "blind":
        for id, moves in picture.history.transitions.items():
            if id in picture.board.platform.modules and statuses.get(id, Status.UNKNOWN) is Status.UNKNOWN:
                known = [move.after for move in moves if move.after is not Status.UNKNOWN]
                if known:
                    statuses[id] = known[-1]
    return statuses
