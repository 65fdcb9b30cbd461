"""Lowering: a priority that a person lowers, with the reason, because what is stated does not fit the evidence.

It holds while the evidence says no worse than it did then; what is more urgent than that takes it away. What was
measured at that moment stands beside the reason, for whoever asks later.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from monitor.core.board import Board
from monitor.core.incident import Incident, Lowered, Update, with_update
from monitor.core.module import Priority, Status
from monitor.core.text import Text

PRIORITIES = list(Priority)  # from most to least urgent


def is_lower(one: Priority, other: Priority) -> bool:
    """Whether one is less urgent than the other."""
    return PRIORITIES.index(one) > PRIORITIES.index(other)


def limited(incident: Incident, measured: Priority) -> tuple[Priority, Lowered | None]:
    """The priority of an incident of which the evidence says so much now, and what is left of its lowering."""
    lowered = incident.lowered
    if lowered is None or not incident.is_open:
        return measured, lowered
    if is_lower(lowered.stated, measured):  # it got worse than it was known to be
        return measured, None
    return (measured if is_lower(measured, lowered.priority) else lowered.priority), lowered


def with_lowered(
    incident: Incident, to: Priority, reason: Text, statuses: Mapping[str, Status], now: datetime
) -> Incident:
    """The incident with a lower priority, and the entry that says so."""
    stated = incident.lowered.stated if incident.lowered is not None else incident.priority
    params = {"from": incident.priority.value, "to": to.value, "statuses": dict(statuses)}
    entry = Update(now, incident.stage, "lowered", params, author="person", body=reason)
    return replace(with_update(incident, entry), priority=to, lowered=Lowered(now, stated, to))


def raised(before: Incident | None, incident: Incident, now: datetime) -> Incident:
    """The incident with an entry that its priority is no longer lowered, where it was until now."""
    if before is None or before.lowered is None or incident.lowered is not None or not incident.is_open:
        return incident
    params = {"from": before.priority.value, "to": incident.priority.value}
    return with_update(incident, Update(now, incident.stage, "raised", params))


def fitting(board: Board, incident: Incident) -> Priority | None:
    """The priority that the evidence is for; None where too little is known to say."""
    seen = [one.module for one in incident.members if one.seen and one.until is None]
    statuses = [(id, board.status(id)) for id in seen]
    if not incident.members or any(status is Status.UNKNOWN for _, status in statuses):
        return None
    found = [Priority.LOW]
    for id, status in statuses:
        module = board.platform.modules.get(id)
        if module is not None and status is not Status.UP:
            least = Priority.URGENT if status is Status.DOWN else Priority.NORMAL
            found.append(module.priority if is_lower(module.priority, least) else least)
    return min(found, key=PRIORITIES.index)
