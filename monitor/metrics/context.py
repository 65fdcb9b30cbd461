"""Context: what rules and dashboards join other metrics with. Groups, priorities, objectives, and who is part of an
incident; each a label of its own series, so that the labels of everything else stay few.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from monitor.core.board import Board
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.metrics.exposition import Family, block, labels, line
from monitor.metrics.whole import incidents_of

MODULE = Family("monitor_module_info", "gauge", "1 for each group that shows a module, with the module's priority.")
OBJECTIVE = Family("monitor_module_objective_ratio", "gauge", "The wanted good time divided by counted time.")
STARTED = Family("monitor_incident_started_timestamp_seconds", "gauge", "When an incident going on began.")
MEMBER = Family("monitor_incident_module_info", "gauge", "1 for each module in an incident going on, with its role.")
CONTEXT = (MODULE, OBJECTIVE, STARTED, MEMBER)


def context_block(board: Board, wanted: Iterable[str], openmetrics: bool) -> str:
    """All four families, of the wanted modules."""
    platform, ids = board.platform, list(wanted)
    modules = [platform.modules[id] for id in ids if id in platform.modules]
    groups, incidents = groups_of(platform), incidents_of(board, ids)
    texts = {
        MODULE: (_module_lines(one.id, one.priority.value, groups.get(one.id, ("",))) for one in modules),
        OBJECTIVE: (_line(OBJECTIVE, one.objective, module=one.id) for one in modules if one.objective is not None),
        STARTED: (
            _line(STARTED, one.started_at.timestamp(), incident=one.id, priority=one.priority.value)
            for one in incidents
        ),
        MEMBER: (text for one in incidents for text in _members(one)),
    }
    return "".join(block(family, openmetrics, lines) for family, lines in texts.items())


def groups_of(platform: Platform) -> dict[str, tuple[str, ...]]:
    """The ids of the groups that show a module, in order of the page; none for one that no component names."""
    found: dict[str, dict[str, None]] = {}
    for group in platform.groups:
        for component in group.components:
            for module in component.modules:
                found.setdefault(module, {})[group.id] = None
    return {module: tuple(groups) for module, groups in found.items()}


@lru_cache(maxsize=65536)
def _module_lines(module: str, priority: str, groups: tuple[str, ...]) -> str:
    return "".join(_line(MODULE, 1.0, group=one, module=module, priority=priority) for one in groups)


def _members(incident: Incident) -> Iterator[str]:
    for one in incident.members:
        if one.until is None:
            yield _line(MEMBER, 1.0, incident=incident.id, module=one.module, role=one.role)


def _line(family: Family, value: float, **pairs: str) -> str:
    return line(family.name, labels(pairs.items()), value)
