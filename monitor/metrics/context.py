"""Context: what rules and dashboards join other metrics with. Groups, priorities, objectives, and who is part of an
incident; each a label of its own series, so that the labels of everything else stay few.
"""

from collections.abc import Iterator, Mapping, Sequence

from monitor.core.board import Board
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.metrics.exposition import Family, block, encoded, labels, line
from monitor.metrics.whole import incidents_of

MODULE = Family("monitor_module_info", "gauge", "1 for each group that shows a module, with the module's priority.")
OBJECTIVE = Family("monitor_module_objective_ratio", "gauge", "The wanted good time divided by counted time.")
STARTED = Family("monitor_incident_started_timestamp_seconds", "gauge", "When an incident going on began.")
MEMBER = Family("monitor_incident_module_info", "gauge", "1 for each module in an incident going on, with its role.")
CONTEXT = (MODULE, OBJECTIVE, STARTED, MEMBER)


def modules_written(platform: Platform) -> dict[str, tuple[bytes, bytes]]:
    """By module: the lines of what the configuration says of it, which only a reload changes."""
    groups, found = groups_of(platform), {}
    for id, one in platform.modules.items():
        shown = (_line(MODULE, 1.0, group=g, module=id, priority=one.priority.value) for g in groups.get(id, ("",)))
        wanted = b"" if one.objective is None else _line(OBJECTIVE, one.objective, module=id)
        found[id] = b"".join(shown), wanted
    return found


def context_block(
    board: Board, wanted: Sequence[str], written: Mapping[str, tuple[bytes, bytes]], openmetrics: bool
) -> bytes:
    """All four families, of the wanted modules; `written` is what `modules_written` gave."""
    incidents = incidents_of(board, wanted)
    modules = [written[id] for id in wanted if id in written]  # a reload may come in between
    texts = {
        MODULE: (shown for shown, _ in modules),
        OBJECTIVE: (objective for _, objective in modules),
        STARTED: (
            _line(STARTED, one.started_at.timestamp(), incident=one.id, priority=one.priority.value)
            for one in incidents
        ),
        MEMBER: (text for one in incidents for text in _members(one)),
    }
    return b"".join(block(family, openmetrics, lines) for family, lines in texts.items())


def groups_of(platform: Platform) -> dict[str, tuple[str, ...]]:
    """The ids of the groups that show a module, in order of the page; none for one that no component names."""
    found: dict[str, dict[str, None]] = {}
    for group in platform.groups:
        for component in group.components:
            for module in component.modules:
                found.setdefault(module, {})[group.id] = None
    return {module: tuple(groups) for module, groups in found.items()}


def _members(incident: Incident) -> Iterator[bytes]:
    for one in incident.members:
        if one.until is None:
            yield _line(MEMBER, 1.0, incident=incident.id, module=one.module, role=one.role)


def _line(family: Family, value: float, **pairs: str) -> bytes:
    return encoded(line(family.name, labels(pairs.items()), value))
