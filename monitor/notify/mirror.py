"""Mirror: the state of everything as retained messages show it, by topic: each module, each open incident."""

import json
from typing import Any

from monitor.core.board import Board
from monitor.core.observation import stamp
from monitor.core.statement import Speaker, incident_object


def states_of(board: Board, speech: Speaker) -> dict[str, bytes]:
    """Topic → JSON. An incident that is over is not among them, so that its topic is cleared."""
    found: dict[str, bytes] = {}
    open_ones = sorted((one for one in board.incidents.values() if one.is_open), key=lambda one: one.by_hand)
    hit: dict[str, str] = {}
    for one in open_ones:
        for member in one.members:
            hit.setdefault(member.module, one.id)
        found[f"incidents/{one.id}"] = _json(incident_object(one, board.platform, speech, public=False))
    maintained = board.maintained
    for id, module in board.platform.modules.items():
        condition = board.modules.get(id)
        found[f"modules/{id}"] = _json(
            {
                "id": id,
                "name": dict(module.name),
                "status": board.status(id).value,
                "since": None if condition is None else stamp(condition.since),
                "maintenance": id in maintained,
                "incident": hit.get(id),
            }
        )
    return found


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
