"""Belonging: the incident that a failing module belongs to by what is known already, without weighing anything anew."""

from datetime import datetime

from monitor.core.board import Board
from monitor.core.cause import code_seen
from monitor.core.explain import NAMED_AT, TOGETHER
from monitor.core.incident import Incident
from monitor.core.standing import open_ones

CROWD = 50  # members from which on one more changes nothing about a root that is named


def crowd_of(board: Board, module: str, since: datetime) -> Incident | None:
    """The open incident that is large, of a root that is named and still fails, and that this module needs.

    To weigh everything anew takes as long as the failure is large: for each of thousands of modules that fail within
    seconds that would keep judging busy for minutes.
    """
    for incident in open_ones(board):
        cause = incident.cause
        if cause.module is None or cause.confidence < NAMED_AT or len(incident.members) < CROWD:
            continue
        root = incident.member(cause.module)
        if root is None or not root.seen or root.until is not None or abs(since - root.since) > TOGETHER:
            continue
        if module in board.platform.graph.dependants(cause.module):
            return incident
    return None


def relapse_of(board: Board, module: str, root: str | None, now: datetime) -> Incident | None:
    """The newest incident, resolved just now, that this is a relapse of: of its root, or of a member as it failed."""
    code = code_seen(board, module)
    recent = [
        incident
        for incident in board.incidents.values()
        if incident.resolved_at
        and incident.merged_into is None
        and not incident.is_regional
        and not incident.by_hand
        and now - incident.resolved_at <= board.platform.tuning.reopen
        and incident.member(module)
        and (
            incident.root in (module, root)
            or any(e.module == module and e.code == code for e in incident.cause.evidence)
        )
    ]
    return max(recent, key=lambda incident: (incident.started_at, incident.key), default=None)
