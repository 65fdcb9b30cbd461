"""Changeover: what a configuration would add, remove and rename, and what becomes of each history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from monitor.core.history import Memory
from monitor.core.module import Platform
from monitor.core.probe import Role

Kind = Literal["added", "removed", "renamed", "kept"]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a module, or of a probe written MODULE/PROBE. `was` is its id so far where that is another,
    `since` the beginning of its history, `incident` the open incident it is part of, `ends` whether that one ends as
    nothing else that fails in it stays, `off` why a probe is not asked."""

    kind: Kind
    id: str
    was: str | None = None
    since: datetime | None = None
    incident: str | None = None
    off: str | None = None
    ends: bool = False


def changeover(platform: Platform, memory: Memory, since: Mapping[str, datetime]) -> list[Change]:
    """Every module that is known or configured, then every probe that is not kept. `since`: when the history of each
    module begins.

    A module is renamed by an alias that has a history where the new id has none and is not configured itself any more.
    """
    known = {*since, *memory.modules, *(id for id, _ in memory.probes)}
    hit = {member.module: one.id for one in memory.incidents if one.is_open for member in one.members}
    renamed = {
        id: alias
        for id, module in platform.modules.items()
        for alias in module.aliases
        if alias in known and id not in known and alias not in platform.modules
    }
    kept = known | {id for id in platform.modules if not platform.measured(id)}  # nobody remembers what nobody measures
    modules = [_module(id, renamed.get(id), id in kept, since, hit) for id in platform.modules]
    gone = sorted(known - platform.modules.keys() - set(renamed.values()))
    staying = {name for id in filter(platform.measured, platform.modules) for name in (id, renamed.get(id))}
    lasting = {
        one.id
        for one in memory.incidents
        if one.is_open and any(member.until is None and member.module in staying for member in one.members)
    }
    for id in gone:
        ends = id in hit and hit[id] not in lasting
        modules.append(Change("removed", id, None, since.get(id), hit.get(id), ends=ends))
    return [*modules, *_probes(platform, memory, renamed)]


def _module(id: str, was: str | None, is_known: bool, since: Mapping[str, datetime], hit: Mapping[str, str]) -> Change:
    kind: Kind = "renamed" if was is not None else "kept" if is_known else "added"
    return Change(kind, id, was, since.get(was or id), hit.get(was or id))


def _probes(platform: Platform, memory: Memory, renamed: Mapping[str, str]) -> Iterable[Change]:
    """Probes of modules that stay. Those that only give evidence, and those that are off, have no status of their own,
    so nothing tells whether they were there before."""
    new = {was: id for id, was in renamed.items()}
    known = {(new.get(module, module), probe) for module, probe in memory.probes}
    modules = {module for module, _ in known}
    for key, probe in platform.judged.items():
        if key not in known and key[0] in modules and probe.off is None and probe.role is Role.VERDICT:
            yield Change("added", "/".join(key))
    for key in sorted(known - platform.judged.keys()):
        if key[0] in platform.modules:
            yield Change("removed", "/".join(key))
    for key in sorted(known & platform.judged.keys()):
        if (why := platform.judged[key].off) is not None:
            yield Change("removed", "/".join(key), off=why)
