"""Healthcheck: every module as one box, the failing ones first, and which of them is the cause of the others."""

from collections import Counter
from dataclasses import dataclass

from monitor.core.module import FAILING, Status
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.cells import cell
from monitor.pages.facts import Facts
from monitor.pages.filters import ORDER, Filters, filters, groups_of, seen
from monitor.pages.known import ModuleFacts
from monitor.pages.lens import Lens
from monitor.pages.map import MapView, map_view
from monitor.pages.planned import under_way
from monitor.pages.shelves import Shelf, shelves
from monitor.pages.view import Link, Mark, SparkView, VersionView, When


@dataclass(frozen=True, slots=True)
class NeedView:
    """A module that another one depends on, with the shape of its status."""

    id: str
    name: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A module's box. `role` is its part in the open `incident`: `root`, `affected` or none; `blames` words it.

    `cached`: only caches answer for it, which proves the edge in front of it. `now` and `p50` are what an answer takes
    now and usually. `groups` and `seen` are what filters go by.
    """

    id: str
    href: str
    name: str
    description: str
    status: Status
    measured: bool
    mark: Mark
    since: When | None
    cached: bool
    role: str
    blames: str
    incident: Link | None
    locations: tuple[tuple[str, Mark], ...]
    now: str
    p50: str
    p95: str
    spark: SparkView | None
    version: VersionView | None
    needs: tuple[NeedView, ...]
    groups: str
    seen: str

    @property
    def failing(self) -> bool:
        """Whether its box stands before the map."""
        return self.status in FAILING or self.role == "root"


@dataclass(frozen=True, slots=True)
class HealthcheckView:
    """The dashboard: how many modules are in which state, then their boxes, those that fail before the map."""

    counts: tuple[tuple[int, Mark], ...]
    modules: tuple[ModuleView, ...]
    shelves: tuple[Shelf[ModuleView], ...]
    map: MapView | None
    filters: Filters


def healthcheck(lens: Lens) -> HealthcheckView:
    """The dashboard in one language."""
    found = [_module_view(lens, id) for id in _ranked(lens.facts)]
    found.sort(key=lambda one: not one.failing)
    counts = tuple((count, lens.mark(words.MODULE[status])) for status, count in _counts(lens.facts).items())
    shelved = shelves(found, lens.facts.platform)
    return HealthcheckView(counts, tuple(found), shelved, _map(lens), filters(lens))


@cell
def _ranked(facts: Facts) -> tuple[str, ...]:
    """The modules in the order of the page, but for those that fail."""
    return tuple(one.module.id for one in sorted(facts.modules.values(), key=_rank))


@cell
def _counts(facts: Facts) -> dict[Status, int]:
    """How many modules are in which state, the worst first."""
    every = Counter(facts.status_of(id) for id in facts.modules)
    return {status: every[status] for status in ORDER if every[status]}


@cell
def _map(lens: Lens) -> MapView | None:
    facts = lens.facts
    return map_view(lens, facts.status_of, facts.failing(), facts.open_incidents)


def module_view(lens: Lens, facts: ModuleFacts) -> ModuleView:
    """A module's box."""
    return _module_view(lens, facts.module.id)


@cell
def _module_view(lens: Lens, id: str) -> ModuleView:
    facts = lens.facts.modules[id]
    module, struck = facts.module, facts.struck
    role, blames, link = "", "", None
    if struck is not None:
        link = Link(lens.word(N_("Open incident")), f"incidents/{struck.incident}/")
        if struck.root is None:
            role, blames = "affected", lens.word(N_("In an incident whose cause is not certain"))
        elif struck.role == "root":
            role, blames = "root", lens.word(words.ROOT)
        else:
            role, blames = "affected", lens.word(words.AFFECTED, module=lens.module_name(struck.root))
    elif works := under_way(lens, [module.id]):
        blames, link = lens.word(N_("Planned work is under way")), Link(works[0].title, works[0].href)
    return ModuleView(
        id=module.id,
        href=f"modules/{module.id}/",
        name=lens.text(module.name),
        description=lens.text(module.description),
        status=facts.status,
        measured=lens.facts.platform.measured(module.id),
        mark=lens.mark(words.MODULE[facts.status]),
        since=lens.clock(facts.condition.since) if facts.condition else None,
        cached=facts.cached,
        role=role,
        blames=blames,
        incident=link,
        locations=tuple((lens.place(id), lens.mark(words.MODULE[status])) for id, status in facts.locations.items()),
        now=lens.milliseconds(facts.now_ms),
        p50=lens.milliseconds(facts.latency.p50_ms),
        p95=lens.milliseconds(facts.latency.p95_ms),
        spark=_spark(lens, facts),
        version=_version(lens, facts),
        needs=tuple(_needs(lens, facts)),
        groups=groups_of(lens, id),
        seen=seen(facts.locations),
    )


def _version(lens: Lens, facts: ModuleFacts) -> VersionView | None:
    version = facts.version
    return None if version is None else VersionView(version.name, lens.clock(version.since), version.before or "")


def _spark(lens: Lens, facts: ModuleFacts) -> SparkView | None:
    if facts.spark is None:
        return None
    low, high = lens.milliseconds(facts.spark.low), lens.milliseconds(facts.spark.high)
    return SparkView(facts.spark, lens.word(N_("Median latency in the last 24 h: {low} to {high}"), low=low, high=high))


def _needs(lens: Lens, facts: ModuleFacts) -> list[NeedView]:
    known = lens.facts.platform.modules
    return [
        NeedView(edge.module, lens.module_name(edge.module), lens.mark(words.MODULE[lens.facts.status_of(edge.module)]))
        for edge in facts.module.depends_on
        if edge.module in known
    ]


def _rank(facts: ModuleFacts) -> tuple[int, int, bool]:
    """The worst first; within a status the open incidents in page order, the cause before what it drags along."""
    struck = facts.struck
    weight = {"critical": 0, "major": 1, "minor": 2}.get(struck.impact, 3) if struck else 4
    return ORDER.index(facts.status), weight, struck is None or struck.role != "root"
