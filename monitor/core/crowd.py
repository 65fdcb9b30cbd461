"""Crowd: an incident of very many modules. What one of them does is told with what all others do in the same second.

To weigh everything anew, to word it, to store the incident and to tell of it takes as long as the incident is large:
for each of ten thousand modules that fail within seconds that would keep judging busy for minutes. So a module that
belongs to a crowd by what is known already is counted in without weighing, and each tick tells of all at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.effect import Saved
from monitor.core.explain import NAMED_AT, TOGETHER
from monitor.core.findings import exhibit_of
from monitor.core.incident import Change, Incident, Member, Members, Stage, Update, with_update
from monitor.core.module import Status
from monitor.core.shared import uses
from monitor.core.standing import open_ones, said, save, with_cause

CROWD = 50  # members from which on one more changes nothing about what is known of the cause
RUSH = 16  # … and from which on it does not before the next tick, where one was weighed less than a second ago
CHANGES = {
    "member_added": Change.MEMBER_ADDED,
    "worsened": Change.WORSENED,
    "eased": Change.EASED,
    "member_cleared": Change.MEMBER_CLEARED,
    "unmonitored": Change.MEMBER_CLEARED,
}
CLEARED = ("member_cleared", "unmonitored")


def is_crowd(incident: Incident) -> bool:
    """Whether an incident is so large that its members are told of together."""
    return len(incident.members) >= CROWD


def _is_rush(incident: Incident, now: datetime) -> bool:
    """Whether an incident is on its way to become one: several fail within the same second."""
    last = incident.updates[-1:]
    weighed = any(one.kind == "member_added" and now - one.at < timedelta(seconds=1) for one in last)
    return weighed and len(incident.members) >= RUSH


def crowd_of(board: Board, module: str, since: datetime, now: datetime) -> Incident | None:
    """The open crowd that a module which began to fail at a moment belongs to by what is known already."""
    crowds = (one for one in open_ones(board) if is_crowd(one) or _is_rush(one, now))
    return next((one for one in crowds if _belongs(board, one, module, since, now)), None)


def _belongs(board: Board, crowd: Incident, module: str, since: datetime, now: datetime) -> bool:
    """Whether a crowd's cause explains one more failure: its root that still fails, what it shares, or the candidates;
    unless an incident of what the module needs explains it better."""
    cause, graph = crowd.cause, board.platform.graph
    if cause.module is not None:
        root = crowd.member(cause.module)
        fails = root is not None and root.until is None and cause.confidence >= NAMED_AT
        began = root.since if root is not None and root.seen else crowd.started_at
        return fails and abs(since - began) <= TOGETHER and module in graph.reached(cause.module)
    if abs(since - crowd.started_at) > TOGETHER:
        return False
    if any(board.incident_of(need) not in (None, crowd) for need, _ in graph.needs.get(module, ())):
        return False
    if cause.shared is None:
        return any(module in graph.reached(one.module) for one in cause.candidates)
    kind, value = cause.shared["kind"], cause.shared["value"]
    return kind == "unknown" or uses(exhibit_of(board, module, now), kind, value)


def noted(board: Board, crowd: Incident, member: Member, kind: str | None) -> Board:
    """The board with one more member of a crowd, or one as it is now. What it did is told with the next tick; nothing
    is to be told of it where there is no `kind`."""
    members = Members.of(crowd.members).put(member)
    changed = replace(crowd, members=members, started_at=min(crowd.started_at, member.since))
    before = board.unsaid.get(crowd.id, ())
    unsaid = {**board.unsaid, crowd.id: (*before, (kind, member.module))}
    return replace(board, incidents={**board.incidents, crowd.id: changed}, unsaid=unsaid)


def spoken(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """Tells what the members of crowds did since the last tick: one entry and one event for each kind of it."""
    saved: list[Saved] = []
    for id, deeds in board.unsaid.items():
        crowd = board.incidents.get(id)
        if crowd is None or not crowd.is_open:
            continue
        crowd = with_cause(board, crowd, crowd.cause)
        kinds = dict.fromkeys(kind for kind, _ in deeds if kind is not None)
        told = 0
        for kind in kinds:
            modules = _as_told(crowd, kind, (module for one, module in deeds if one == kind))
            for some in modules:
                crowd = _worded(crowd, kind, some, now)
                board, more = save(board, crowd, CHANGES[kind], now)
                saved += more
                crowd, told = board.incidents[id], told + 1
        if not told:
            board, more = save(board, crowd, None, now)
            saved += more
    return (replace(board, unsaid={}) if board.unsaid else board), saved


def _as_told(crowd: Incident, kind: str, modules: Iterable[str]) -> list[list[str]]:
    """The modules that are in the state told of still, those that are alike together."""
    members = {member.module: member for member in crowd.members}
    alike: dict[Status, list[str]] = {}
    for id in dict.fromkeys(modules):
        member = members.get(id)
        if member is not None and (member.until is not None) is (kind in CLEARED):
            alike.setdefault(member.status, []).append(id)
    return list(alike.values())


def _worded(crowd: Incident, kind: str, modules: list[str], now: datetime) -> Incident:
    several = {"modules": modules} if len(modules) > 1 else {}
    if kind in CLEARED:
        stage = Stage.MONITORING if crowd.cause.module in modules else crowd.stage
        return with_update(crowd, Update(now, stage, kind, {"module": modules[0], **several}))
    crowd = said(crowd, now, kind, modules[0])
    *before, last = crowd.updates
    return replace(crowd, updates=(*before, replace(last, params={**last.params, **several})))
