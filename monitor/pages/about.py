"""About: how the figures are made, every formula with its numbers filled in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta

from monitor.core.probe import Probe, Role
from monitor.core.statement import WINDOWS
from monitor.core.weights import USUAL, Weights
from monitor.core.wording import N_
from monitor.pages.known import ComponentFacts
from monitor.pages.lens import Lens
from monitor.pages.view import Figure, Link


@dataclass(frozen=True, slots=True)
class Example:
    """A component with its formulas worked out over the last 90 days."""

    component: Link
    uptime: str
    coverage: str


@dataclass(frozen=True, slots=True)
class AboutView:
    """How figures are made, with those of every component. `example` is the component that lost most."""

    measured: str
    proof: str
    rules: tuple[str, ...]
    example: Example | None
    rows: tuple[tuple[Link, Figure], ...]
    zone: str


def about(lens: Lens) -> AboutView:
    """How figures are made."""
    facts = lens.facts
    counted = [one for one in facts.components.values() if one.uptime["90d"].ratio is not None]
    worst = max(counted, key=lambda one: one.uptime["90d"].lost_seconds, default=None)
    views = [lens.component(one) for one in facts.components.values()]
    return AboutView(
        measured=_measured(lens),
        proof=_proof(lens),
        rules=tuple(_rules(lens, facts.platform.weights)),
        example=None if worst is None else _example(lens, worst),
        rows=tuple((Link(one.name, one.href), one.uptime) for one in views),
        zone=facts.site.timezone,
    )


def _measured(lens: Lens) -> str:
    platform = lens.facts.platform
    asked = _asked(lens)
    if not asked:
        return ""
    modules, places = {one.module for one in asked}, {place for one in asked for place in one.locations}
    usual, _ = Counter(one.interval for one in asked).most_common(1)[0]
    return lens.word(
        N_("{modules} of {all} modules are measured, most of them every {interval}, from {places}."),
        modules=lens.number(len(modules)),
        all=lens.number(len(platform.modules)),
        interval=lens.length(usual),
        places=lens.counted("{count} place", "{count} places", len(places)),
    )


def _proof(lens: Lens) -> str:
    platform = lens.facts.platform
    several = len(set(platform.locations.values())) > 1
    usual = platform.tuning.span_quorum if several else platform.tuning.span_single
    least = min((usual if one.confirm is None else one.confirm for one in _asked(lens)), default=usual)
    return lens.word(
        N_(
            "Unless a check asks for more, failures have to span {span} before a module counts as down, and {calm} "
            "have to pass without one before it counts as up again."
        ),
        span=lens.length(least),
        calm=lens.length(platform.tuning.calm),
    )


def _rules(lens: Lens, weights: Weights) -> Iterable[str]:
    """What counts as lost, as the operator states it."""
    part = {name: lens.speech.percent(lens.language, share, 0) for name, share in asdict(weights).items()}
    some = N_("Of a time in which only some modules of a component are down, {part} is lost.")
    full = N_("A component counts as down while any of its modules is down, in full and without a discount.")
    yield lens.word(some if weights.partial < USUAL.partial else full, part=part["partial"])
    if weights.degraded:
        yield lens.word(N_("Of slow time, {part} is lost."), part=part["degraded"])
    else:
        yield lens.word(N_("Slow time counts as good time."))
    yield lens.word(N_("It is taken from the recorded changes of status to the second, never from a count of checks."))
    yield lens.word(N_("The figure of a group, or of everything, adds up the time of its components."))


def _asked(lens: Lens) -> list[Probe]:
    return [one for one in lens.facts.platform.probes.values() if one.off is None and one.role is Role.VERDICT]


def _example(lens: Lens, facts: ComponentFacts) -> Example:
    figure, view = facts.uptime["90d"], lens.component(facts)
    counted = WINDOWS["90d"].total_seconds() - figure.excluded_seconds
    known, whole = (lens.length(timedelta(seconds=seconds)) for seconds in (counted * figure.coverage, counted))
    lost = lens.length(timedelta(seconds=figure.lost_seconds))
    return Example(
        Link(view.name, view.href),
        f"1 − {lost} ÷ {known} = {view.uptime.ratio}",
        f"{known} ÷ {whole} = {view.uptime.coverage}",
    )
