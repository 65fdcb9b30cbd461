"""Publishing: when an incident appears in public. Until then it is a draft: judged, noted and shown to operators.

The rules of the configuration say when, the first that fits wins, and without one it is at once. A draft that ends
before its time stays one until a person publishes it; what is public is never taken back.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.concern import fits
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.module import Platform


def wait(incident: Incident, platform: Platform) -> timedelta | None:
    """How long after its opening an incident becomes public; None: not before a person says so."""
    for rule in platform.publishing:
        if fits(rule.match, incident, platform):
            return rule.after
    return timedelta(0)


def published(incident: Incident, platform: Platform, now: datetime) -> Incident:
    """The incident, public from now on if its time has come; itself otherwise. What a person opened waits for them."""
    if incident.published_at is not None or incident.by_hand or not incident.is_open:
        return incident
    after = wait(incident, platform)
    if after is None or now < incident.detected_at + after:
        return incident
    return replace(incident, published_at=now)


def public(board: Board, history: History) -> tuple[Board, History]:
    """What readers may know: everything but drafts, and the same objects where there are none."""
    if all(one.published_at is not None for one in (*board.incidents.values(), *history.incidents)):
        return board, history
    return (
        replace(board, incidents={id: one for id, one in board.incidents.items() if one.published_at is not None}),
        replace(history, incidents=tuple(one for one in history.incidents if one.published_at is not None)),
    )


def withheld(board: Board) -> frozenset[str]:
    """The modules that fail now, and whose incident is not public yet."""
    drafts = (one for one in board.incidents.values() if one.is_open and one.published_at is None and not one.by_hand)
    return frozenset(m.module for one in drafts for m in one.members if m.until is None and m.seen)
