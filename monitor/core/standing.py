"""Standing: what follows for an incident from its members and its cause, and how a change of it is told and kept."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime

from monitor.core.board import Board, Condition
from monitor.core.cause import cause_of
from monitor.core.effect import Saved
from monitor.core.explain import NAMED_AT, Group
from monitor.core.incident import Cause, Change, Incident, Member, Stage, Update, key_of, with_update
from monitor.core.lowering import PRIORITIES, limited, raised
from monitor.core.module import FAILING, Priority, Status
from monitor.core.platform_page import reported
from monitor.core.publishing import published
from monitor.core.rollup import RANK, ComponentStatus, component_status, impact_of
from monitor.core.track import Track


def open_ones(board: Board) -> list[Incident]:
    """The open incidents of modules that the monitor opened, the oldest first."""
    found = [one for one in board.incidents.values() if one.is_open and not one.is_regional and not one.by_hand]
    return sorted(found, key=lambda one: (one.detected_at, one.started_at, one.key))


def with_cause(board: Board, incident: Incident, cause: Cause) -> Incident:
    """The incident with a cause, and everything that follows from members and cause.

    A root that no probe ever saw failing stands among the members as well, with what is known of it.
    """
    members = [m for m in incident.members if m.seen or m.module == cause.module]
    if cause.module is not None and all(m.module != cause.module for m in members):
        known = board.status(cause.module)
        members.insert(0, Member(cause.module, "root", known, incident.started_at, seen=False))
    roles = ((m, "root" if m.module == cause.module else "affected") for m in members)
    members = [m if m.role == role else replace(m, role=role) for m, role in roles]
    failing = [m for m in members if m.until is None and m.seen]
    components = board.platform.components_of(m.module for m in members)
    touched = board.platform.components_of(m.module for m in failing)
    priority, lowered = limited(incident, _priority(board, incident, failing))
    impact = incident.impact
    if not incident.impact_said:
        every, statuses, planned = board.platform.components, _statuses(board), board.planned
        felt = [component_status(every[id], statuses, planned) for id in touched]
        impact = max(impact, impact_of(felt), key=RANK.index)
    return replace(
        incident,
        cause=cause,
        members=tuple(members),
        components=components,
        spared=_spared(board, components),
        impact=impact,
        priority=priority,
        lowered=lowered,
    )


def opened(board: Board, member: Member, group: Group, now: datetime) -> Incident:
    """A new incident of one member and what it seems to come from, not yet told."""
    incident = Incident(
        key=key_of(member.module, member.since),
        started_at=member.since,
        detected_at=now,
        published_at=None,
        stage=Stage.INVESTIGATING,
        impact="minor",
        priority=Priority.LOW,
        cause=cause_of(board, group, None, now),
        members=(member,),
    )
    return said(with_cause(board, incident, incident.cause), now, "opened", member.module)


def _spared(board: Board, touched: Iterable[str]) -> tuple[str, ...]:
    """Components that are known to work, in page order."""
    hit, platform = set(touched), board.platform
    statuses, planned = _statuses(board), board.planned
    others = (id for id in platform.modules if statuses.get(id) is not Status.UP or id in planned)
    doubtful = set(platform.components_of(others))  # all that any other is made of is well
    return tuple(
        id
        for id, one in platform.components.items()
        if id not in hit
        and (id not in doubtful or component_status(one, statuses, planned) is ComponentStatus.OPERATIONAL)
    )


def _statuses(board: Board) -> dict[str, Status]:
    return {id: one.status for id, one in board.modules.items()}


def _priority(board: Board, incident: Incident, failing: Iterable[Member]) -> Priority:
    """The most urgent one among the failing modules; what only works badly is never more than normal."""
    found = [Priority.LOW]
    for member in failing:
        module = board.platform.modules.get(member.module)
        if module is not None:
            own = PRIORITIES.index(module.priority)
            least = PRIORITIES.index(Priority.NORMAL) if told(incident, member) is not Status.DOWN else 0
            found.append(PRIORITIES[max(own, least)])
    return min(found, key=PRIORITIES.index)


def said(incident: Incident, now: datetime, kind: str, module: str | None = None) -> Incident:
    """The incident with one more entry of the monitor's own, at the stage its cause allows."""
    cause = incident.cause
    sure = cause.confidence >= NAMED_AT and (cause.module is not None or (cause.shared or {}).get("kind") != "unknown")
    subject = module or incident.root or next((m.module for m in incident.members if m.seen), None)
    params: dict[str, str | None] = {"module": subject, "code": _code_of(incident, subject)}
    if subject is not None and (member := incident.member(subject)) is not None:
        params["status"] = member.status.value
    return with_update(incident, Update(now, Stage.IDENTIFIED if sure else Stage.INVESTIGATING, kind, params))


def _code_of(incident: Incident, module: str | None) -> str:
    """The code that an entry about a module speaks of: that of its newest sighting where another one is named as the
    root, else that of the cause."""
    cause = incident.cause
    own = () if cause.module is None else [one for one in cause.evidence if one.module == module != cause.module]
    return max(own, key=lambda one: one.at).code if own else cause.code


def save(board: Board, incident: Incident, change: Change | None, now: datetime) -> tuple[Board, list[Saved]]:
    """The board with the incident as it is now, with what the platform reports of it, public when that is due, and the
    effect that keeps it."""
    incident = raised(board.incidents.get(incident.id), incident, now)
    incident = published(reported(board, incident, now), board.platform, now)
    reopen = board.platform.tuning.reopen
    kept = {
        id: old
        for id, old in board.incidents.items()
        if old.resolved_at is None or now - old.resolved_at <= reopen or is_awaited(board, id)
    }
    return replace(board, incidents={**kept, incident.id: incident}), [Saved(incident, change, now)]


def is_awaited(board: Board, id: str) -> bool:
    """Whether something of it is still to be told."""
    told = board.told.get(id)
    return told is not None and any(one.kind == "resolved" for one in told.turns)


def relapsed(board: Board, incident: Incident) -> Incident:
    """The incident, open once more. Whoever had it had it until it was over: that it is back is nobody's yet, unless
    nobody was told of the end."""
    mine = incident.acknowledged_at if is_awaited(board, incident.id) else None
    return replace(incident, resolved_at=None, reopened=incident.reopened + 1, acknowledged_at=mine)


def publish_due(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """Drafts whose time has come are public from now on."""
    saved: list[Saved] = []
    for incident in list(board.incidents.values()):
        if published(incident, board.platform, now) is not incident:
            board, more = save(board, incident, None, now)
            saved += more
    return board, saved


def told(incident: Incident, member: Member) -> Status:
    """The status of a member that readers last heard of; that nothing was known of it meanwhile is no news."""
    for update in reversed(incident.updates if member.status is Status.UNKNOWN else ()):
        status = update.params.get("status")
        if update.params.get("module") == member.module and status not in (None, Status.UNKNOWN):
            return Status(status)
    return member.status


def is_unasked(board: Board, module: str, since: datetime) -> bool:
    """Whether what keeps a module from being well has not been asked since."""
    failing = [p.key for p in board.platform.deciding(module) if (c := board.probes.get(p.key)) and c.status in FAILING]
    return all(
        track.last_at is None or track.last_at <= since for key in failing for track in board.tracks_of(*key).values()
    )


def silent_about(board: Board, modules: AbstractSet[str], now: datetime) -> Board:
    """The board as it were if nothing were known of these modules."""
    unknown = dict.fromkeys(modules, Condition(Status.UNKNOWN, now))
    gone = {key: Track() for key in board.tracks if key[0] in modules}
    return replace(board.with_tracks(gone), modules={**board.modules, **unknown})


def last_failure(board: Board, module: str) -> datetime:
    """When the last failed or slow run of a module began; long ago when none is known."""
    found = [
        at
        for probe in board.platform.deciding(module)
        for track in board.tracks_of(*probe.key).values()
        for at in (track.last_bad_at, track.last_slow_at)
        if at is not None
    ]
    return max(found, default=datetime.min.replace(tzinfo=UTC))
