"""Timeline: how a module's change of status opens, grows, shrinks, resolves and reopens incidents.

A module that fails joins the open incident it hangs together with in the graph; otherwise it gets its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from monitor.core.board import Board
from monitor.core.cause import NAMED_AT, code_seen, is_fresh, same_guess, suspect
from monitor.core.detector import Transition
from monitor.core.effect import Saved
from monitor.core.incident import Change, Incident, Member, Stage, Update, key_of, with_update
from monitor.core.module import Priority, Status
from monitor.core.rollup import RANK, impact_of

PRIORITIES = list(Priority)  # from most to least urgent


def advance(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    """What one change of a module's status does to the incidents."""
    match transition.after:
        case Status.DOWN | Status.DEGRADED:
            return _fails(board, transition, now)
        case Status.UP:
            return _answers(board, transition.module, transition.since, now, "resolved")
        case _:
            return _lost(board, transition, now)


def refresh(board: Board, module: str, now: datetime) -> tuple[Board, list[Saved]]:
    """Lets the cause of a young incident follow the evidence of the newest run of its root."""
    incident = board.incident_of(module) if board.status(module) is Status.DOWN else None
    if incident is None or incident.root != module or not is_fresh(incident.detected_at, now):
        return board, []
    cause = suspect(board, incident.members, incident.cause)
    if same_guess(cause, incident.cause):
        return board, []
    return _save(board, _said(_with_roles(board, incident), now, "cause_changed"), Change.CAUSE_CHANGED, now)


def drop(board: Board, module: str, now: datetime) -> tuple[Board, list[Saved]]:
    """Takes a module that left the configuration out of its incident, which ends when nothing is left in it."""
    return _answers(board, module, now, now, "unmonitored")


def renamed(incident: Incident, new: Mapping[str, str]) -> Incident:
    """The incident under the new ids of its modules; its key, and so its id, stays."""
    if not any(member.module in new for member in incident.members):
        return incident
    cause, members = incident.cause, incident.members
    cause = replace(
        cause,
        module=new.get(cause.module, cause.module) if cause.module else None,
        candidates=tuple(replace(one, module=new.get(one.module, one.module)) for one in cause.candidates),
        evidence=tuple(replace(one, module=new.get(one.module, one.module)) for one in cause.evidence),
    )
    members = tuple(replace(m, module=new.get(m.module, m.module)) for m in members)
    updates = tuple(
        replace(u, params={**u.params, "module": new[u.params["module"]]}) if u.params.get("module") in new else u
        for u in incident.updates
    )
    return replace(incident, cause=cause, members=members, updates=updates)


def _fails(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    module = transition.module
    incident = board.incident_of(module)
    if incident is not None:
        member = incident.member(module)
        assert member is not None
        return _goes_on(board, incident, member, transition, now)
    incident = _related(board, module)
    if incident is not None:
        return _joins(board, incident, Member(module, "affected", transition.after, transition.since), now)
    incident = _recent(board, module, now)
    if incident is not None:
        members = tuple(
            replace(m, status=transition.after, until=None) if m.module == module else m for m in incident.members
        )
        incident = replace(incident, members=members, resolved_at=None, reopened=incident.reopened + 1)
        incident = _said(_with_roles(board, incident), now, "reopened", module)
        return _save(board, incident, Change.REOPENED, now)
    return _save(board, _opened(board, transition, now), Change.OPENED, now)


def _opened(board: Board, transition: Transition, now: datetime) -> Incident:
    member = Member(transition.module, "root", transition.after, transition.since)
    cause = suspect(board, (member,), None)
    incident = Incident(
        key=key_of(transition.module, transition.since),
        started_at=transition.since,
        detected_at=now,
        published_at=now,
        stage=Stage.INVESTIGATING,
        impact="minor",
        priority=Priority.LOW,
        cause=cause,
        members=(member,),
    )
    return _said(_with_roles(board, incident), now, "opened")


def _joins(board: Board, incident: Incident, member: Member, now: datetime) -> tuple[Board, list[Saved]]:
    """One more module in the incident; readers are told as well when it is the root of it all."""
    root = incident.cause.module
    incident = _with_roles(board, replace(incident, members=(*incident.members, member)))
    board, saved = _save(board, _said(incident, now, "member_added", member.module), Change.MEMBER_ADDED, now)
    if incident.cause.module == root:
        return board, saved
    incident = _said(board.incidents[incident.id], now, "cause_changed")
    board, more = _save(board, incident, Change.CAUSE_CHANGED, now)
    return board, [*saved, *more]


def _goes_on(
    board: Board, incident: Incident, member: Member, transition: Transition, now: datetime
) -> tuple[Board, list[Saved]]:
    """A member changes between down, degraded, unknown, or fails again while others still do."""
    before = _told(incident, member) if member.until is None else Status.UP
    again = member.until is not None
    changed = replace(member, status=transition.after, until=None, since=transition.since if again else member.since)
    members = tuple(changed if m.module == member.module else m for m in incident.members)
    incident = _with_roles(board, replace(incident, members=members))
    if before is transition.after:
        return _save(board, incident, None, now)
    if again:
        return _save(board, _said(incident, now, "member_added", member.module), Change.MEMBER_ADDED, now)
    kind = Change.WORSENED if transition.after is Status.DOWN else Change.EASED
    return _save(board, _said(incident, now, kind.value, member.module), kind, now)


def _told(incident: Incident, member: Member) -> Status:
    """The status of a member that readers last heard of; that nothing was known of it meanwhile is no news."""
    for update in reversed(incident.updates if member.status is Status.UNKNOWN else ()):
        status = update.params.get("status")
        if update.params.get("module") == member.module and status not in (None, Status.UNKNOWN):
            return Status(status)
    return member.status


def _answers(board: Board, module: str, since: datetime, now: datetime, last: str) -> tuple[Board, list[Saved]]:
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    if incident is None or member is None or member.until is not None:
        return board, []
    back = replace(member, status=Status.UP if last == "resolved" else Status.UNKNOWN, until=since)
    members = tuple(back if m.module == module else m for m in incident.members)
    incident = replace(incident, members=members)
    if all(m.until is not None for m in members):
        update = Update(now, Stage.RESOLVED, last, {"module": module})
        incident = replace(with_update(incident, update), resolved_at=now)
        return _save(board, incident, Change.RESOLVED, now)
    stage = Stage.MONITORING if incident.cause.module == module else incident.stage
    kind = "member_cleared" if last == "resolved" else last
    incident = with_update(incident, Update(now, stage, kind, {"module": module}))
    return _save(board, incident, Change.MEMBER_CLEARED, now)


def _lost(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    """Nothing is known of a member any more: it stays in the incident, neither failing nor well."""
    incident = board.incident_of(transition.module)
    member = incident.member(transition.module) if incident else None
    if incident is None or member is None or member.until is not None:
        return board, []
    lost = replace(member, status=Status.UNKNOWN)
    members = tuple(lost if m is member else m for m in incident.members)
    return _save(board, replace(incident, members=members), None, now)


def _related(board: Board, module: str) -> Incident | None:
    """The oldest open incident with a failing member that this module needs, or that needs it."""
    needed = board.platform.needs(module)
    for incident in sorted(board.incidents.values(), key=lambda i: (i.started_at, i.key)):
        failing = [m.module for m in incident.members if m.until is None]
        if incident.is_open and any(name in needed or module in board.platform.needs(name) for name in failing):
            return incident
    return None


def _recent(board: Board, module: str, now: datetime) -> Incident | None:
    """The newest incident, resolved just now, that this is a relapse of: of its root, or of a member as it failed."""
    code = code_seen(board, module)
    recent = [
        incident
        for incident in board.incidents.values()
        if incident.resolved_at
        and now - incident.resolved_at <= board.platform.tuning.reopen
        and incident.member(module)
        and (incident.root == module or any(e.module == module and e.code == code for e in incident.cause.evidence))
    ]
    return max(recent, key=lambda incident: (incident.started_at, incident.key), default=None)


def _with_roles(board: Board, incident: Incident) -> Incident:
    """The incident with its cause judged anew, and everything that follows from members and cause."""
    cause = suspect(board, incident.members, incident.cause)
    roles = ((m, "root" if m.module == cause.module else "affected") for m in incident.members)
    members = tuple(m if m.role == role else replace(m, role=role) for m, role in roles)
    failing = [m for m in members if m.until is None]
    components = board.platform.components_of(m.module for m in members)
    touched = board.platform.components_of(m.module for m in failing)
    impact = max(incident.impact, impact_of([board.component(id) for id in touched]), key=RANK.index)
    return replace(
        incident,
        cause=cause,
        members=members,
        components=components,
        impact=impact,
        priority=_priority(board, incident, failing),
    )


def _priority(board: Board, incident: Incident, failing: Iterable[Member]) -> Priority:
    """The most urgent one among the failing modules; what only works badly is never more than normal."""
    found = [Priority.LOW]
    for member in failing:
        module = board.platform.modules.get(member.module)
        if module is not None:
            own = PRIORITIES.index(module.priority)
            least = PRIORITIES.index(Priority.NORMAL) if _told(incident, member) is not Status.DOWN else 0
            found.append(PRIORITIES[max(own, least)])
    return min(found, key=PRIORITIES.index)


def _said(incident: Incident, now: datetime, kind: str, module: str | None = None) -> Incident:
    """The incident with one more entry of the monitor's own, at the stage its cause allows."""
    stage = Stage.IDENTIFIED if incident.cause.confidence >= NAMED_AT else Stage.INVESTIGATING
    subject = incident.member(module or incident.root)
    params = {"module": module or incident.root, "code": incident.cause.code}
    if subject is not None:
        params["status"] = subject.status.value
    return with_update(incident, Update(now, stage, kind, params))


def _save(board: Board, incident: Incident, change: Change | None, now: datetime) -> tuple[Board, list[Saved]]:
    reopen = board.platform.tuning.reopen
    kept = {
        id: old for id, old in board.incidents.items() if old.resolved_at is None or now - old.resolved_at <= reopen
    }
    return replace(board, incidents={**kept, incident.id: incident}), [Saved(incident, change, now)]
