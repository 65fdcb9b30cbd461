"""Module: a part of the platform a customer would recognise, what it depends on, and the graph they form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from monitor.core import graph
from monitor.core.flow import modules_of
from monitor.core.graph import Graph, graph_of
from monitor.core.hours import Hours
from monitor.core.match import PublishRule
from monitor.core.plan import Client, Plan
from monitor.core.probe import Probe, Role, hosts_of
from monitor.core.route import Route
from monitor.core.target import SideVerdict
from monitor.core.text import Text
from monitor.core.tuning import Tuning
from monitor.core.weights import USUAL, Weights


class Status(StrEnum):
    """The settled condition of a probe or a module. Maintenance is an overlay, not a status."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


FAILING = (Status.DOWN, Status.DEGRADED)


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

    @property
    def chance(self) -> float:
        """The same as a number."""
        return {"hard": graph.HARD, "medium": graph.MEDIUM, "soft": graph.SOFT}[self.value]


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
    stores: tuple[str, ...] = ()  # that it is there for; none: for every one


@dataclass(frozen=True, slots=True)
class Component:
    """A public symptom on the status page, made of modules."""

    id: str
    name: Text
    modules: tuple[str, ...]
    description: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Components that stand together on the page. `objective` is the wanted ratio over 30 days, or None."""

    id: str
    name: Text
    components: tuple[Component, ...]
    objective: float | None = None


@dataclass(frozen=True)
class Platform:
    """What is watched: modules with their probes, and the public view of them. Replaced whole by a reload."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    locations: Mapping[str, str] = field(default_factory=lambda: {"here": "default"})  # id → failure domain
    canaries: int = 0  # how many are asked before a failure out on the internet is believed
    tuning: Tuning = field(default_factory=Tuning)
    publishing: tuple[PublishRule, ...] = ()
    languages: tuple[str, ...] = ()  # in which people may write; none: in any
    routes: tuple[Route, ...] = ()  # who is told of incidents
    hours: Mapping[str, Hours] = field(default_factory=dict)  # of channels that do not take everything at any time
    calendars: Mapping[str, Hours] = field(default_factory=dict)
    stores: frozenset[str] = frozenset()  # that are supported, by id
    weights: Weights = USUAL  # of partial outages in uptime
    plans: tuple[Plan, ...] = ()  # what is promised to stores
    clients: tuple[Client, ...] = ()  # the same stores, and whom each of them is looked after by

    @cached_property
    def probes(self) -> Mapping[tuple[str, str], Probe]:
        """Every probe by (module id, probe id), those that are off included."""
        return {probe.key: probe for module in self.modules.values() for probe in module.probes}

    @cached_property
    def fresh_for(self) -> timedelta:
        """How long a run of the most frequent probe speaks of the present; 0 where nothing is asked."""
        asked = (probe for probe in self.probes.values() if probe.off is None)
        return min((self.tuning.fresh_for(probe) for probe in asked), default=timedelta(0))

    @cached_property
    def sides(self) -> Mapping[tuple[str, str], tuple[Probe, ...]]:
        """By the probe that is asked: what its answers say of other modules, each as a probe of that module.

        Such a probe is never asked itself: its kind is `verdict`, its id `MODULE/PROBE` of the one that is, whose key
        stands in `ask`. Those of a flow are the other modules that its steps blame.
        """
        return {
            (id, asked.id): tuple(
                replace(
                    asked,
                    module=side.module,
                    id=f"{id}/{asked.id}",
                    kind="verdict",
                    expect=side.expect,
                    ask=asked.key,
                    steps=(),
                )
                for side in (*module.verdicts.get(asked.id, ()), *map(SideVerdict, modules_of(asked)))
                if side.module in self.modules
            )
            for id, module in self.modules.items()
            for asked in module.probes
            if asked.id in module.verdicts or asked.steps
        }

    @cached_property
    def judged(self) -> Mapping[tuple[str, str], Probe]:
        """Every probe with results of its own: those that are asked, and those that read the answers of others."""
        return {**self.probes, **{side.key: side for sides in self.sides.values() for side in sides}}

    @cached_property
    def _deciding(self) -> Mapping[str, tuple[Probe, ...]]:
        found: dict[str, list[Probe]] = {id: [] for id in self.modules}
        for (module, _), probe in self.judged.items():
            if probe.off is None and probe.role is Role.VERDICT:
                found[module].append(probe)
        return {id: tuple(probes) for id, probes in found.items()}

    @cached_property
    def decisive(self) -> frozenset[tuple[str, str]]:
        """The probes that decide a module's status, by their keys."""
        return frozenset(probe.key for probes in self._deciding.values() for probe in probes)

    def deciding(self, module: str) -> tuple[Probe, ...]:
        """The probes that decide a module's status; none for a module that is never measured or left."""
        return self._deciding.get(module, ())

    @cached_property
    def signals(self) -> Mapping[str, str]:
        """The module that each error code names."""
        return {code: id for id, module in self.modules.items() for code in module.signals}

    def named_by(self, code: str) -> str | None:
        """The module that an error code names; a code with a detail (`ORD021.3`) is also known by what precedes it."""
        return self.signals.get(code) or self.signals.get(code.partition(".")[0])

    @cached_property
    def findings(self) -> dict[str, Any]:
        """What findings.py worked out of each module's newest tracks."""
        return {}

    @cached_property
    def graph(self) -> Graph:
        """Who needs whom, ready for the search of a cause."""
        hosts: dict[str, set[str]] = {}
        for id, probes in self._deciding.items():
            for probe in probes:
                for host in hosts_of(probe) if probe.kind != "verdict" else ():
                    hosts.setdefault(host, set()).add(id)
        measured = [id for id, probes in self._deciding.items() if probes]
        modules = self.modules
        return graph_of(
            {id: {edge.module: edge.strength.chance for edge in one.depends_on} for id, one in modules.items()},
            measured=measured,
            gateways=[id for id, one in modules.items() if one.gateway],
            signalled=[id for id, one in modules.items() if one.signals],
            hosts={host: frozenset(ids) for host, ids in hosts.items()},
        )

    @cached_property
    def pages(self) -> tuple[Probe, ...]:
        """The probes that read status pages of others and are not off."""
        return tuple(probe for probe in self.probes.values() if probe.kind == "statuspage" and probe.off is None)

    @cached_property
    def load(self) -> float:
        """Scheduled runs a second, all places together."""
        asked = (probe for probe in self.probes.values() if probe.off is None)
        return sum(len(probe.locations) / probe.interval.total_seconds() for probe in asked)

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """Every component by id, in page order."""
        return {component.id: component for group in self.groups for component in group.components}

    def measured(self, module: str) -> bool:
        """Whether any probe that is asked decides this module's status."""
        return bool(self.deciding(module))

    def components_of(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Ids of the components that any of these modules is part of, in page order."""
        found = {index for module in modules for index in self._parts.get(module, ())}
        return tuple(self._component_ids[index] for index in sorted(found))

    @cached_property
    def _component_ids(self) -> tuple[str, ...]:
        return tuple(self.components)

    @cached_property
    def _parts(self) -> Mapping[str, tuple[int, ...]]:
        """Where in page order the components of each module stand."""
        found: dict[str, list[int]] = {}
        for index, component in enumerate(self.components.values()):
            for module in component.modules:
                found.setdefault(module, []).append(index)
        return {module: tuple(places) for module, places in found.items()}

    def groups_of(self, module: str) -> tuple[str, ...]:
        """Ids of the groups with a component that a module is part of, in page order."""
        return self._groups.get(module, ())

    @cached_property
    def _groups(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for group in self.groups:
            for component in group.components:
                for module in component.modules:
                    found.setdefault(module, {})[group.id] = None
        return {module: tuple(ids) for module, ids in found.items()}
