"""Affected: what each update of an incident did to the components, as a chain without gaps.

An incident keeps how its members are now and what its updates said, not how each component stood in between. This
file walks the timeline again: a module fails with the update that names it, or, where none does, with the first
update after it began to fail. A module outside the incident counts as well, because another incident speaks for it.
"""

from collections.abc import Mapping

from monitor.core.codes import SLOW_CODES
from monitor.core.incident import Incident, Member, Stage, Update
from monitor.core.module import Platform, Status
from monitor.core.rollup import ComponentStatus, component_status

Touched = dict[str, tuple[ComponentStatus, ComponentStatus]]  # component → (before, after), in page order

JOINS = {"opened", "member_added", "reopened", "worsened", "eased"}
LEAVES = {"member_cleared", "unmonitored"}


def chain(incident: Incident, platform: Platform, known: Mapping[str, Status]) -> list[Touched]:
    """For every update, the components touched until then with their status before and after it.

    `known` holds the modules that have a status: those without one decide nothing. In order of time each `before`
    is the `after` of the update before it, and the first one is operational. What a person opened changes no status.
    """
    if incident.by_hand:
        return [{} for _ in incident.updates]
    named = {id for update in incident.updates if update.kind in JOINS for id in _subjects(update, incident)}
    silent = [member for member in incident.members if member.module not in named]
    parts = platform.components_of([*named, *(member.module for member in incident.members)])
    beside = {id for part in parts for id in platform.components[part].modules}
    statuses = {id: Status.UP for id in beside if known.get(id, Status.UNKNOWN) is not Status.UNKNOWN}
    statuses |= {member.module: Status.UP for member in incident.members}
    before: dict[str, ComponentStatus] = {}
    failing: set[str] = set()
    links: list[Touched] = []
    for update in incident.updates:
        for member in silent:
            _follow(member, update, incident, statuses, failing)
        _apply(update, incident, statuses, failing)
        touched: Touched = {}
        for id in platform.components_of(failing):
            after = component_status(platform.components[id], statuses) or ComponentStatus.OPERATIONAL
            touched[id] = (before.get(id, ComponentStatus.OPERATIONAL), after)
            before[id] = after
        links.append(touched)
    return links


def _subjects(update: Update, incident: Incident) -> list[str]:
    """The modules an update is about: most are about one."""
    return update.params.get("modules") or [str(update.params.get("module", incident.root))]


def _apply(update: Update, incident: Incident, statuses: dict[str, Status], failing: set[str]) -> None:
    """Puts what an update says into `statuses`; `failing` collects every module that ever failed."""
    if update.stage in (Stage.RESOLVED, Stage.POSTMORTEM):
        statuses.update((member.module, Status.UP) for member in incident.members)
    elif update.kind in JOINS:
        members = {member.module: member for member in incident.members}
        for module in _subjects(update, incident):
            if module in members:
                statuses[module] = _told(update, incident, members[module])
                failing.add(module)
    elif update.kind in LEAVES:
        statuses.update(dict.fromkeys(_subjects(update, incident), Status.UP))


def _told(update: Update, incident: Incident, member: Member) -> Status:
    said = update.params.get("status")
    if said in (Status.DOWN, Status.DEGRADED):
        return Status(said)
    if update.kind == "eased":
        return Status.DEGRADED
    return _guess(member, incident)


def _follow(member: Member, update: Update, incident: Incident, statuses: dict[str, Status], failing: set[str]) -> None:
    """A member that no update names is failing from its own first moment to its last."""
    if member.since <= update.at and (member.until is None or update.at < member.until):
        statuses[member.module] = _guess(member, incident)
        failing.add(member.module)
    elif member.module in failing:
        statuses[member.module] = Status.UP


def _guess(member: Member, incident: Incident) -> Status:
    """How badly a member fails: as it is now, else as the incident's code has it."""
    if member.status in (Status.DOWN, Status.DEGRADED):
        return member.status
    return Status.DEGRADED if incident.cause.code in SLOW_CODES else Status.DOWN
