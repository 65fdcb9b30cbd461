"""Relapse: the incident that is back."""

from datetime import datetime

from monitor.core.board import Board
from monitor.core.findings import code_seen
from monitor.core.incident import Incident


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
