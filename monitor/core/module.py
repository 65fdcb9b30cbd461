"""Module: a part of the platform a customer would recognise, what it depends on, and the graph they form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from monitor.core.probe import Probe
from monitor.core.target import SideVerdict
from monitor.core.tuning import Tuning

Text = Mapping[str, str]  # one text per language tag


def in_language(text: Text, language: str, default: str = "en") -> str:
    """The text in a language, else in its base language, else in the default, else in any."""
    for tag in (language, language.partition("-")[0], default):
        if tag in text:
            return text[tag]
    return next(iter(text.values()), "")


class Status(StrEnum):
    """The settled condition of a probe or a module. Maintenance is an overlay, not a status."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Priority(StrEnum):
    """What an outage of a module means to the people on call."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Strength(StrEnum):
    """How surely a failure of the dependency shows in the one that depends on it."""

    HARD = "hard"
    MEDIUM = "medium"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge of the graph: the module named here is needed."""

    module: str
    strength: Strength = Strength.MEDIUM


@dataclass(frozen=True, slots=True)
class Module:
    """One module as configured. `objective` is the wanted ratio of good time over 30 days, or None."""

    id: str
    name: Text
    description: Text = field(default_factory=dict)
    depends_on: tuple[Dependency, ...] = ()
    priority: Priority = Priority.NORMAL
    objective: float | None = None
    runbook: str | None = None
    gateway: bool = False
    signals: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    verdicts: Mapping[str, tuple[SideVerdict, ...]] = field(default_factory=dict)  # by probe id


@dataclass(frozen=True, slots=True)
class Component:
    """A public symptom on the status page, made of modules."""

    id: str
    name: Text
    modules: tuple[str, ...]
    description: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Components that stand together on the page."""

    id: str
    name: Text
    components: tuple[Component, ...]


@dataclass(frozen=True)
class Platform:
    """What is watched: modules with their probes, and the public view of them. Replaced whole by a reload."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    locations: Mapping[str, str] = field(default_factory=lambda: {"here": "default"})  # id → failure domain
    canaries: int = 0  # how many are asked before a failure out on the internet is believed
    tuning: Tuning = field(default_factory=Tuning)

    @cached_property
    def probes(self) -> Mapping[tuple[str, str], Probe]:
        """Every probe by (module id, probe id), those that are off included."""
        return {probe.key: probe for module in self.modules.values() for probe in module.probes}

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """Every component by id, in page order."""
        return {component.id: component for group in self.groups for component in group.components}

    @cached_property
    def _needs(self) -> Mapping[str, frozenset[str]]:
        return {id: frozenset(reach(id, self.modules)) for id in self.modules}

    def needs(self, module: str) -> frozenset[str]:
        """Every module that this one depends on, directly or not; itself too when it stands on a cycle."""
        return self._needs.get(module, frozenset())

    def measured(self, module: str) -> bool:
        """Whether any probe that is asked decides this module's status."""
        return any(probe.off is None and probe.role == "verdict" for probe in self.modules[module].probes)

    def components_of(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Ids of the components that any of these modules is part of, in page order."""
        wanted = set(modules)
        return tuple(id for id, component in self.components.items() if wanted & set(component.modules))


def reach(start: str, modules: Mapping[str, Module]) -> set[str]:
    """What can be reached from a module along `depends_on`; the start only when it lies on a cycle."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        module: Any = modules.get(todo.pop())
        for edge in module.depends_on if module else ():
            if edge.module not in seen:
                seen.add(edge.module)
                todo.append(edge.module)
    return seen
