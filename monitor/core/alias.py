"""Aliases: an incident, planned work or a silence after one of its modules got a new id."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance, Window
from monitor.core.module import Platform
from monitor.core.silence import Silence


def aliases_of(platform: Platform) -> dict[str, str]:
    """New module ids by the old ones they go by as well."""
    return {alias: id for id, module in platform.modules.items() for alias in module.aliases}


def renamed(incident: Incident, aliases: Mapping[str, str]) -> Incident:
    """The incident with every module id that has an alias replaced. Its key stays, and so does every link to it."""

    def new(module: str) -> str:
        return aliases.get(module, module)

    cause = incident.cause
    return replace(
        incident,
        cause=replace(
            cause,
            module=None if cause.module is None else new(cause.module),
            candidates=tuple(replace(one, module=new(one.module)) for one in cause.candidates),
            evidence=tuple(replace(one, module=new(one.module)) for one in cause.evidence),
            shared=_within(cause.shared, aliases),
            trigger=_within(cause.trigger, aliases),
            platform_reports=_within(cause.platform_reports, aliases),
        ),
        members=tuple(replace(member, module=new(member.module)) for member in incident.members),
        updates=tuple(replace(one, params=_within(one.params, aliases)) for one in incident.updates),
    )


def renamed_work(work: Maintenance, aliases: Mapping[str, str]) -> Maintenance:
    """Planned work with every module id that has an alias replaced."""
    return replace(
        work,
        modules=tuple(aliases.get(id, id) for id in work.modules),
        counted=tuple(replace(one, module=aliases.get(one.module, one.module)) for one in work.counted),
    )


def renamed_window(window: Window, aliases: Mapping[str, str]) -> Window:
    """The same for a window that repeats."""
    return replace(window, modules=tuple(aliases.get(id, id) for id in window.modules))


def renamed_silence(silence: Silence, aliases: Mapping[str, str]) -> Silence:
    """A silence with every module id that has an alias replaced."""
    match = silence.scope.match
    if match.modules is None:
        return silence
    match = replace(match, modules=frozenset(aliases.get(id, id) for id in match.modules))
    return replace(silence, scope=replace(silence.scope, match=match))


def _within(value: Any, aliases: Mapping[str, str]) -> Any:
    """Free-form facts: ids stand under `module` and `modules`."""
    if isinstance(value, list | tuple):
        return [_within(one, aliases) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _ids(one, aliases) if name in ("module", "modules") else _within(one, aliases)
        for name, one in value.items()
    }


def _ids(value: Any, aliases: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return aliases.get(value, value)
    return [_ids(one, aliases) for one in value] if isinstance(value, list | tuple) else _within(value, aliases)
