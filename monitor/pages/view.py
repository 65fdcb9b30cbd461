"""View: what a page shows, in one language, as plain values; templates only place them.

A view is a pure function of the picture, so two equal views are the same page. Links are paths below the root of the
language. Nothing here may hold an address, an excerpt, a header, the detail of evidence or the id of a probe.
"""

from dataclasses import dataclass

from monitor.pages.bars import Bars, Spot
from monitor.pages.sparkline import Sparkline


@dataclass(frozen=True, slots=True)
class When:
    """A moment as people read it, and as machines do."""

    text: str
    iso: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A status: the shape it is drawn with and the word that says it."""

    kind: str  # ok slow part down work none
    word: str


@dataclass(frozen=True, slots=True)
class Link:
    """A name and where it leads."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Uptime in words; `ratio` is None when nothing was counted."""

    ratio: str | None
    coverage: str
    down: str
    degraded: str


@dataclass(frozen=True, slots=True)
class ComponentView:
    """A component's line on the home page."""

    id: str
    href: str
    name: str
    description: str
    status: str  # of Statuspage v2, or "unknown"
    mark: Mark
    bars: Bars
    told: str  # the bars in words
    spots: tuple[Spot, ...]
    uptime: Figure


@dataclass(frozen=True, slots=True)
class GroupView:
    """Components that stand together; `kind` is the worst mark among them."""

    id: str
    name: str
    kind: str
    components: tuple[ComponentView, ...]


@dataclass(frozen=True, slots=True)
class UpdateView:
    """One entry of an incident's timeline. `edited` is when its text was last corrected."""

    stage: str
    at: When
    body: str
    edited: When | None = None

    @property
    def paragraphs(self) -> tuple[tuple[str, ...], ...]:
        """The text as the lines of its paragraphs, which blank lines part."""
        parts = ("\n".join(line.strip() for line in self.body.splitlines())).split("\n\n")
        return tuple(tuple(part.strip("\n").split("\n")) for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class MemberView:
    """A module of an incident: its part in it, since when it failed, and the span of that in words."""

    link: Link
    role: str
    mark: Mark
    since: When
    span: str


@dataclass(frozen=True, slots=True)
class SightingView:
    """A fact behind the cause, in public words."""

    at: When
    module: str
    location: str
    seen: str
    code: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident. `ago` is only told while it goes on, `lasted` only once it is over."""

    id: str
    href: str
    title: str
    mark: Mark  # impact
    stage: str
    why: str
    code: str
    confidence: str  # in the reason; empty when none is known
    since: When
    until: When | None
    span: str
    ago: str
    lasted: str
    affected: str
    unaffected: str
    updates: tuple[UpdateView, ...]  # newest first, without the postmortem
    postmortem: UpdateView | None
    members: tuple[MemberView, ...]
    sightings: tuple[SightingView, ...]
    report: Link  # what the platform's own page says, and where; without a text while that is not known
    todo: str  # what to do about its code, and where that and more is to be read
    more: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """A past incident in one line."""

    href: str
    title: str
    mark: Mark
    span: str
    lasted: str


@dataclass(frozen=True, slots=True)
class VersionView:
    """What answers for a module, since when, and what it was before; empty before the first change."""

    name: str
    since: When
    before: str


@dataclass(frozen=True, slots=True)
class SparkView:
    """The course of the latency and its words."""

    drawing: Sparkline
    told: str
