"""News: what feeds and both public APIs draw from besides the figures: incidents, dates of change, own blindness."""

from datetime import datetime, timedelta

from monitor.core import statement
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.pages.picture import Picture

TELL_BLIND_AFTER = timedelta(minutes=15)


def incidents_of(picture: Picture) -> list[Incident]:
    """Every incident of a picture, the newest first."""
    return statement.incidents_of(picture.board, picture.history)


def updated_at(incident: Incident) -> datetime:
    """When something was last said of an incident."""
    return incident.told_at


def began_at(picture: Picture) -> datetime | None:
    """When the first thing became known; None while nothing is."""
    moves = [moved[0].since for moved in picture.history.transitions.values() if moved]
    return min([*moves, *(condition.since for condition in picture.board.modules.values())], default=None)


def changed_at(picture: Picture) -> datetime | None:
    """When what is published last changed, which is not when it was last written; None while nothing is known."""
    moments = [moved[-1].at for moved in picture.history.transitions.values() if moved]
    moments += [condition.since for condition in picture.board.modules.values()]
    moments += [updated_at(one) for one in incidents_of(picture)]
    moments += [gap.until or gap.since for gap in picture.history.gaps]
    since = long_blind_since(picture)
    if since is not None:
        moments.append(since + TELL_BLIND_AFTER)
    return max(moments, default=None)


def long_blind_since(picture: Picture) -> datetime | None:
    """Since when the monitor cannot see, once that has lasted long enough to be said aloud."""
    state, since, _ = picture.monitor()
    return since if state == "blind" and since is not None and picture.now - since >= TELL_BLIND_AFTER else None


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
