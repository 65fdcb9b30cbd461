"""Timeline: how a module's change of status opens, grows, joins, shrinks, resolves and reopens incidents.

`explain` says which failures belong together; here each such group becomes one incident, or grows the one it has. Two
incidents that prove to be one are joined: the older keeps its id, the younger ends and says where it went.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core import crowd as crowds
from monitor.core import overlay
from monitor.core.aftermath import outlive
from monitor.core.board import Board
from monitor.core.cause import cause_of, groups_of, is_fresh, same_guess
from monitor.core.crowd import crowd_of, is_crowd
from monitor.core.detector import Transition
from monitor.core.effect import Saved
from monitor.core.explain import Group
from monitor.core.incident import Cause, Change, Incident, Member, Members, Stage, Update, with_update
from monitor.core.module import Status
from monitor.core.platform_page import reported
from monitor.core.relapse import relapse_of
from monitor.core.standing import (
    last_failure,
    open_ones,
    opened,
    publish_due,
    relapsed,
    said,
    save,
    told,
    with_cause,
)

WORTH_SAVING = 0.1  # a change of confidence that is kept though it says nothing new
TROUBLE = (Status.DOWN, Status.DEGRADED)
CLEARED = timedelta(minutes=2)  # a member that recovered this recently still counts in the search for the cause


def advance(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    """What one change of a module's status does to the incidents."""
    board, noted = _noted(board, transition, now)
    match transition.after:
        case Status.DOWN | Status.DEGRADED:
            board, saved = _fails(board, transition, now)
        case Status.UP:
            board, saved = _answers(board, transition.module, transition.since, now, "resolved")
        case _:
            board, saved = _lost(board, transition, now)
    return board, noted + saved


def _noted(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    """Incidents that people opened hold their modules as they are measured; nothing else follows for them."""
    saved: list[Saved] = []
    for incident in [one for one in board.incidents.values() if one.by_hand and one.is_open]:
        if (member := incident.member(transition.module)) is not None:
            seen = replace(member, status=transition.after)
            members = tuple(seen if m is member else m for m in incident.members)
            board, more = save(board, replace(incident, members=members), None, now)
            saved += more
    return board, saved


def caught_up(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """What a kill left behind: members of crowds whose status was stored, and that were not counted in yet."""
    saved: list[Saved] = []
    if not any(is_crowd(one) for one in open_ones(board)):
        return board, saved
    for module, condition in list(board.modules.items()):
        incident = board.incident_of(module)
        if condition.status is Status.UP and incident is not None:
            board, more = _answers(board, module, condition.since, now, "resolved")
            saved += more
        elif condition.status in TROUBLE and incident is None and module not in board.held:
            begun = Transition(module, Status.UP, condition.status, now, condition.since)
            board, more = _fails(board, begun, now)
            saved += more
    return board, saved


def review(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """What time and new evidence do: drafts become public, young incidents follow the evidence, members outlive their
    root, and the platform reports one of them."""
    board, saved = crowds.spoken(board, now)
    board, more = publish_due(board, now)
    saved += more
    for incident in open_ones(board):
        board, more = outlive(board, incident, now)
        saved += more
    board, more = _came_back(board, now)
    saved += more
    young = [one for one in open_ones(board) if _is_due(one, now) and not _is_passing(one)]
    if young:
        groups = groups_of(board, now, _failing(board, now), min(one.started_at for one in young))
        for incident in young:
            current = board.incidents[incident.id]
            group = _group_of(groups, current)
            if current.is_open and group is not None:
                board, more = _follow(board, current, group, now)
                saved += more
    for incident in open_ones(board):
        if reported(board, incident, now) is not incident:
            board, more = save(board, incident, None, now)
            saved += more
    return board, saved


def drop(board: Board, module: str, now: datetime) -> tuple[Board, list[Saved]]:
    """Takes a module that left the configuration out of its incident, which ends when nothing is left in it."""
    return _answers(board, module, now, now, "unmonitored")


def _is_due(incident: Incident, now: datetime) -> bool:
    """Whether the cause is looked at anew: each second while it may change, of a crowd every fifth."""
    age = int((now - incident.detected_at).total_seconds())
    return is_fresh(incident.detected_at, now) and (age % 5 == 0 or not is_crowd(incident))


def _failing(board: Board, now: datetime) -> dict[str, datetime]:
    """Modules of open incidents that fail, or did until a moment ago, and since when."""
    return {
        member.module: member.since
        for incident in open_ones(board)
        for member in incident.members
        if member.seen and (member.until is None or now - member.until <= CLEARED)
    }


def _group_of(groups: Iterable[Group], incident: Incident) -> Group | None:
    failing = {member.module for member in incident.members if member.seen and member.until is None}
    return next((group for group in groups if failing.intersection(group.modules)), None)


def _is_passing(incident: Incident) -> bool:
    """Whether an incident is on its way out: who recovers last tells nothing of what broke first."""
    seen = [member for member in incident.members if member.seen]
    return _root_is_well(incident) or 3 * sum(member.until is not None for member in seen) > len(seen)


def _root_is_well(incident: Incident) -> bool:
    member = incident.member(incident.cause.module) if incident.cause.module else None
    return member is not None and member.seen and member.until is not None


# -- failing ----------------------------------------------------------------------------------------------------------


def _fails(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    module = transition.module
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    failing = member is not None and member.seen and member.until is None
    if not failing and overlay.is_excused(board, module, transition.since):
        return replace(board, held={module: transition.since, **board.held}), []
    board = overlay.let_go(board, module)
    if incident is not None and member is not None:
        return _goes_on(board, incident, member, transition, now)
    member = Member(module, "affected", transition.after, transition.since)
    crowd = crowd_of(board, module, transition.since, now)
    if crowd is not None:
        return crowds.noted(board, crowd, member, "member_added"), []
    groups = groups_of(board, now, _failing(board, now), transition.since, [module])
    group = next(group for group in groups if module in group.modules)
    touched = [one for one in open_ones(board) if any(m.module in group.modules for m in one.members if m.seen)]
    if touched:
        board, saved = _joins(board, touched[0], member, group, now)
        board, more = _merged(board, touched[0].id, group, now)
        return board, saved + more
    incident = relapse_of(board, module, group.root, now)
    if incident is None and group.root is not None:
        incident = relapse_of(board, group.root, group.root, now)
    if incident is not None and _is_older(board, module, incident):
        return board, []
    if incident is not None:
        return _reopens(board, incident, member, group, now)
    return save(board, opened(board, member, group, now), Change.OPENED, now)


def _is_older(board: Board, module: str, incident: Incident) -> bool:
    """Whether all that is held against a module was known when a person ended its incident."""
    ended = incident.resolved_at
    return incident.is_closed_by_person and ended is not None and last_failure(board, module) <= ended


def _came_back(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """Modules that went on failing after a person had ended their incident: what is new since then brings it back."""
    saved: list[Saved] = []
    closed = [one for one in board.incidents.values() if one.is_closed_by_person and not one.by_hand]
    for module in sorted({member.module for incident in closed for member in incident.members}):
        condition = board.modules.get(module)
        if condition is None or condition.status not in TROUBLE or board.incident_of(module) is not None:
            continue
        transition = Transition(module, Status.UP, condition.status, now, condition.since)
        board, more = _fails(board, transition, now)
        saved += more
    return board, saved


def _reopens(
    board: Board, incident: Incident, member: Member, group: Group, now: datetime
) -> tuple[Board, list[Saved]]:
    known = incident.member(member.module)
    if known is None:
        members = (*incident.members, member)
    else:
        back = replace(member, role=known.role)
        members = tuple(back if m is known else m for m in incident.members)
    incident = replace(relapsed(board, incident), members=members)
    incident = with_cause(board, incident, cause_of(board, group, incident.cause, now))
    return save(board, said(incident, now, "reopened", member.module), Change.REOPENED, now)


def _joins(board: Board, incident: Incident, member: Member, group: Group, now: datetime) -> tuple[Board, list[Saved]]:
    """One more module in the incident; readers are told as well when the cause looks different with it."""
    board, saved = _counted_in(board, incident, member, now)
    incident = board.incidents[incident.id]
    if _is_passing(incident):
        return board, saved
    board, more = _follow(board, incident, group, now)
    return board, [*saved, *more]


def _counted_in(board: Board, incident: Incident, member: Member, now: datetime) -> tuple[Board, list[Saved]]:
    incident = replace(incident, members=(*incident.members, member), started_at=min(incident.started_at, member.since))
    incident = with_cause(board, incident, incident.cause)
    return save(board, said(incident, now, "member_added", member.module), Change.MEMBER_ADDED, now)


def _follow(board: Board, incident: Incident, group: Group, now: datetime) -> tuple[Board, list[Saved]]:
    """The incident with the cause that the group has now; readers are told when that says something else."""
    board, saved = _merged(board, incident.id, group, now)
    incident = board.incidents[incident.id]
    if not incident.is_open:
        return board, saved
    cause, before = cause_of(board, group, incident.cause, now), incident.cause
    settled = any(m.status is Status.DOWN for m in incident.members if m.until is None)
    changed = with_cause(board, incident, cause)
    if _names_another(cause, before) or (settled and not same_guess(cause, before)):
        board, more = save(board, said(changed, now, "cause_changed"), Change.CAUSE_CHANGED, now)
        return board, saved + more
    surer = abs(cause.confidence - before.confidence) >= WORTH_SAVING
    if surer or len(cause.evidence) > len(before.evidence) or not cause.sharing <= before.sharing:
        board, more = save(board, changed, None, now)
        return board, saved + more
    return board, saved


def _merged(board: Board, id: str, group: Group, now: datetime) -> tuple[Board, list[Saved]]:
    """Joins every open incident of the group with the oldest of them."""
    touched = [one for one in open_ones(board) if any(m.module in group.modules for m in one.members if m.seen)]
    if len(touched) < 2:
        return board, []
    saved: list[Saved] = []
    older, *others = touched
    for younger in others:
        base = board.incidents[older.id]
        if younger.published_at is not None and base.published_at is None:
            base = replace(base, published_at=now)  # readers are sent there
            board = replace(board, incidents={**board.incidents, base.id: base})
        for member in younger.members:
            known = base.member(member.module)
            if member.seen and (
                known is None or (member.until is None and (known.until is not None or not known.seen))
            ):
                board, more = _taken_over(board, base, known, replace(member, role="affected"), now)
                saved += more
                base = board.incidents[older.id]
        members = tuple(replace(m, until=m.until or now) for m in younger.members)
        ended = replace(younger, members=members, resolved_at=now, merged_into=older.id)
        ended = with_update(ended, Update(now, Stage.RESOLVED, "merged", {"into": older.id}))
        board, more = save(board, ended, Change.RESOLVED, now)
        saved += more
    base = board.incidents[older.id]
    cause = cause_of(board, group, base.cause, now)
    changed = with_cause(board, base, cause)
    board, more = save(board, said(changed, now, "cause_changed"), Change.CAUSE_CHANGED, now)
    return board, saved + more


def _taken_over(
    board: Board, incident: Incident, known: Member | None, member: Member, now: datetime
) -> tuple[Board, list[Saved]]:
    """A member of an incident that proved to be a part of this one."""
    if is_crowd(incident):
        return crowds.noted(board, incident, member, "member_added"), []
    others = tuple(m for m in incident.members if m is not known)
    incident = replace(incident, members=(*others, member), started_at=min(incident.started_at, member.since))
    return save(board, said(incident, now, "member_added", member.module), Change.MEMBER_ADDED, now)


def _goes_on(
    board: Board, incident: Incident, member: Member, transition: Transition, now: datetime
) -> tuple[Board, list[Saved]]:
    """A member changes between down, degraded, unknown, or fails again while others still do."""
    before = told(incident, member) if member.until is None and member.seen else Status.UP
    again = member.until is not None or not member.seen
    since = transition.since if again else member.since
    changed = replace(member, status=transition.after, until=None, since=since, seen=True)
    worse = Change.WORSENED if transition.after is Status.DOWN else Change.EASED
    change = None if before is transition.after else Change.MEMBER_ADDED if again else worse
    if is_crowd(incident) and incident.cause.module != member.module:
        return crowds.noted(board, incident, changed, change and change.value), []
    members = tuple(changed if m.module == member.module else m for m in incident.members)
    incident = replace(incident, members=members, started_at=min(incident.started_at, since))
    board = replace(board, incidents={**board.incidents, incident.id: incident})
    relapse = member.until is not None  # tells nothing of what broke first
    still = relapse or _is_passing(incident)
    failing = {} if still else _failing(board, now)
    groups = [] if still else groups_of(board, now, failing, since, [member.module])
    group = _group_of(groups, incident)
    cause = incident.cause if group is None else cause_of(board, group, incident.cause, now)
    news = _names_another(cause, incident.cause)
    incident = with_cause(board, incident, cause)
    if change is not None:
        incident = said(incident, now, change.value, member.module)
    board, saved = save(board, incident, change, now)
    if news:
        incident = said(board.incidents[incident.id], now, "cause_changed")
        board, more = save(board, incident, Change.CAUSE_CHANGED, now)
        saved += more
    if group is not None:
        board, more = _merged(board, incident.id, group, now)
        saved += more
    return board, saved


def _names_another(one: Cause, other: Cause) -> bool:
    """Whether a cause names another module or thing; a code that follows the newest failures is no news of its own."""
    shared = ((one.shared or {}).get("kind"), (other.shared or {}).get("kind"))
    return (one.scope, one.module, shared[0]) != (other.scope, other.module, shared[1])


# -- answering again --------------------------------------------------------------------------------------------------


def _answers(board: Board, module: str, since: datetime, now: datetime, last: str) -> tuple[Board, list[Saved]]:
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    if incident is None or member is None or member.until is not None or not member.seen:
        return board, []
    back = replace(member, status=Status.UP if last == "resolved" else Status.UNKNOWN, until=max(since, member.since))
    members = Members.of(incident.members).put(back)
    incident = replace(incident, members=members)
    if all(m.until is not None for m in members if m.seen):
        return _ends(board, incident, Update(now, Stage.RESOLVED, last, {"module": module}), now)
    kind = "member_cleared" if last == "resolved" else last
    if is_crowd(incident) and incident.cause.module != module:
        return crowds.noted(board, incident, back, kind), []
    stage = Stage.MONITORING if incident.cause.module == module else incident.stage
    incident = with_update(incident, Update(now, stage, kind, {"module": module}))
    return save(board, incident, Change.MEMBER_CLEARED, now)


def _ends(board: Board, incident: Incident, update: Update, now: datetime) -> tuple[Board, list[Saved]]:
    """Nothing fails any more; a root that nobody ever saw ends with the last of its victims."""
    end = max((m.until for m in incident.members if m.seen and m.until), default=now)
    members = tuple(m if m.until else replace(m, until=max(end, m.since)) for m in incident.members)
    incident = replace(with_update(incident, update), members=members, resolved_at=now)
    return save(board, incident, Change.RESOLVED, now)


def _lost(board: Board, transition: Transition, now: datetime) -> tuple[Board, list[Saved]]:
    """Nothing is known of a member any more: it stays in the incident, neither failing nor well."""
    incident = board.incident_of(transition.module)
    member = incident.member(transition.module) if incident else None
    if incident is None or member is None or member.until is not None:
        return board, []
    lost = replace(member, status=Status.UNKNOWN)
    if is_crowd(incident):
        return crowds.noted(board, incident, lost, None), []
    members = tuple(lost if m is member else m for m in incident.members)
    return save(board, replace(incident, members=members), None, now)
