"""Concern: which rules are about an incident, and which stores have it."""

from monitor.core.incident import Incident
from monitor.core.match import Match
from monitor.core.module import Platform


def fits(match: Match, incident: Incident, platform: Platform) -> bool:
    """Whether a rule is about an incident, by its priority and by what it touches now."""
    components = set(incident.components)
    groups = {group.id for group in platform.groups if components & {one.id for one in group.components}}
    stores = concerned(incident, platform) if match.stores is not None else frozenset[str]()
    modules = {member.module for member in incident.members}
    return match.fits(incident.priority.value, groups, components, modules, stores)


def concerned(incident: Incident, platform: Platform) -> frozenset[str]:
    """The stores that an incident concerns: those of its modules, where all of these are there for some stores only;
    else every one."""
    failing = [member.module for member in incident.members if member.seen] or [m.module for m in incident.members]
    known = [platform.modules[id].stores if id in platform.modules else () for id in failing]
    if not known or not all(known):
        return platform.stores
    return platform.stores.intersection(*([{id for some in known for id in some}]))
