"""Board: one frozen picture of everything now. It is replaced whole; the desk owns it, everybody else reads it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.agenda import Agenda
from monitor.core.anew import replace
from monitor.core.digest import Digest
from monitor.core.incident import Incident
from monitor.core.module import FAILING, Platform, Status
from monitor.core.persistent import turned, with_value
from monitor.core.rollup import ComponentStatus, component_status
from monitor.core.silence import Silence
from monitor.core.told import Told
from monitor.core.track import Track, is_gone, is_restless

FEW = 16  # tracks that are replaced one after the other; more of them are copied with all others


@dataclass(frozen=True, slots=True)
class Condition:
    """A settled status and since when."""

    status: Status
    since: datetime


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place that looks. `canaries` holds, by target, when each last answered the present question and whether well.

    `asked_at` is the present question; `sees_at` the last question most canaries answered well; `dark_since` is set
    while most do not, `outvoted_since` while the other places see well what this one does not. `seeing_since` is when
    it was last cured of either. `reached` are modules that were asked while it was dark, with their hosts and whether
    they answered well; `mute`: they did, so the canaries say nothing until one answers again. `clocks` are those of
    hosts that answered: when asked, and seconds ahead of ours. `stale_since` is when its agent was last heard of, while
    nothing is heard of it; `returned_at` when it was heard of again.
    """

    asked_at: datetime | None = None
    sees_at: datetime | None = None
    dark_since: datetime | None = None
    outvoted_since: datetime | None = None
    seeing_since: datetime | None = None
    voted_at: datetime | None = None
    canaries: Mapping[str, tuple[datetime, bool]] = field(default_factory=dict)
    reached: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    mute: bool = False
    clocks: Mapping[str, tuple[datetime, float]] = field(default_factory=dict)
    stale_since: datetime | None = None
    returned_at: datetime | None = None

    @property
    def blind_since(self) -> datetime | None:
        """Since when the place sees nothing; None while it does."""
        return min(filter(None, (self.dark_since, self.outvoted_since)), default=None)


@dataclass(frozen=True, slots=True)
class Version:
    """What application and version answers a probe, since when, and what it was before; None before the first change.

    `since` is the first answer of this version.
    """

    name: str
    since: datetime
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """When a module last called one of its heartbeats, and since when somebody has listened without a break."""

    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Regional:
    """Trouble that only one failure domain sees: where, of which probes, since when, and when it was last seen."""

    locations: tuple[str, ...]
    probes: frozenset[tuple[str, str]]
    since: datetime
    seen_at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Post:
    """An incident as the platform's own page tells it. `about` holds the plain names of what it names.

    `ongoing`: the page does not call it over. Instants are None where the page does not tell them.
    """

    name: str
    url: str
    about: frozenset[str]
    impact: str | None
    ongoing: bool
    started_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlatformPage:
    """The newest of the platform's own page that could be read: how it was at a moment.

    `only` holds the plain names that the probe looks for; None when it reads the whole page.
    """

    at: datetime
    posts: tuple[Post, ...]
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens for extra runs, refilled by 60 a minute and a tenth of the scheduled load."""

    tokens: float = 60.0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that is known now. The mappings are never changed in place.

    `tracks` by (module, probe, location), `probes` by (module, probe), `modules` by id. `incidents` by id: those open,
    and those resolved so recently that they may reopen. `restless` are the tracks that hold anything against a probe,
    `gone` by module those (probe, location) whose address was lately not there any more;
    `versions`, `calls` and `pages` by (module, probe); `regional` by failure domain. `agenda` is planned work, `held`
    the modules whose failure it excuses and since when they fail; `silences`, by id, those that are not long over.
    `ailing` is what of our own does not work, by its code, with since when. `unsaid` is what members of crowds did
    since the last tick, as a kind of update and a module, by incident. `told` is who heard what of which incident, by
    its id, `digests` what channels are to hear in one message, `turn_at` when the next of all these hears more.
    `began_at` is the first event since the start, `stale_at` the earliest moment at which any probe can have been
    silent for too long.
    """

    platform: Platform
    tracks: Mapping[tuple[str, str, str], Track] = field(default_factory=dict)
    probes: Mapping[tuple[str, str], Condition] = field(default_factory=dict)
    modules: Mapping[str, Condition] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    vantages: Mapping[str, Vantage] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], Version] = field(default_factory=dict)
    calls: Mapping[tuple[str, str], Call] = field(default_factory=dict)
    restless: Set[tuple[str, str, str]] = frozenset()
    gone: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    regional: Mapping[str, Regional] = field(default_factory=dict)
    pages: Mapping[tuple[str, str], PlatformPage] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    held: Mapping[str, datetime] = field(default_factory=dict)
    silences: Mapping[str, Silence] = field(default_factory=dict)
    ailing: Mapping[str, datetime] = field(default_factory=dict)
    unsaid: Mapping[str, tuple[tuple[str | None, str], ...]] = field(default_factory=dict)
    told: Mapping[str, Told] = field(default_factory=dict)
    digests: Mapping[str, Digest] = field(default_factory=dict)
    turn_at: datetime | None = None
    began_at: datetime | None = None
    stale_at: datetime | None = None
    budget: Budget = field(default_factory=Budget)

    def status(self, module: str) -> Status:
        """The status of a module; unknown until something is."""
        condition = self.modules.get(module)
        return Status.UNKNOWN if condition is None else condition.status

    def tracks_of(self, module: str, probe: str) -> dict[str, Track]:
        """The tracks of one probe by location."""
        locations = self.platform.judged[(module, probe)].locations
        return {place: t for place in locations if (t := self.tracks.get((module, probe, place)))}

    def domain_of(self, location: str) -> str:
        """The failure domain of a place; one that is not configured is its own."""
        return self.platform.locations.get(location, location)

    def is_excluded(self, key: tuple[str, str], location: str) -> bool:
        """Whether a place has no say about a probe, because only its domain sees trouble there."""
        regional = self.regional.get(self.domain_of(location))
        return regional is not None and key in regional.probes

    def incident_of(self, module: str) -> Incident | None:
        """The open incident of the monitor's own that a module is a member of; of several, the one in which it has not
        answered yet."""
        own = (one for one in self.incidents.values() if one.is_open and not one.by_hand)
        found = [(one, member) for one in own if (member := one.member(module))]
        return min(found, key=lambda pair: pair[1].until is not None, default=(None, None))[0]

    def with_track(self, key: tuple[str, str, str], track: Track) -> "Board":
        """The board with one track in place of the old one."""
        tracks = with_value(self.tracks, key, track)
        restless, gone = self.restless, self.gone
        if is_restless(track) is not (key in restless):
            restless = turned(restless, key)
        if is_gone(track) is not (key[1:] in gone.get(key[0], ())):
            gone = with_gone(gone, {key: track})
        return replace(self, tracks=tracks, restless=restless, gone=gone)

    def with_tracks(self, changed: Mapping[tuple[str, str, str], Track]) -> "Board":
        """The board with these tracks in place of the old ones."""
        if len(changed) <= FEW:
            board = self
            for key, track in changed.items():
                board = board.with_track(key, track)
            return board
        restless = {key for key, track in changed.items() if is_restless(track)}
        kept = frozenset(self.restless) - changed.keys()
        tracks, gone = {**self.tracks, **changed}, with_gone(self.gone, changed)
        return replace(self, tracks=tracks, restless=kept | restless, gone=gone)

    def with_probe(self, key: tuple[str, str], condition: Condition) -> "Board":
        """The board with another condition of one probe."""
        return replace(self, probes=with_value(self.probes, key, condition))

    def with_module(self, id: str, condition: Condition) -> "Board":
        """The board with another condition of one module."""
        return replace(self, modules=with_value(self.modules, id, condition))

    def version(self, module: str) -> Version | None:
        """The application that answers for a module and its version, by the first of its probes that was told."""
        keys = (probe.key for probe in self.platform.modules[module].probes)
        return next((self.versions[key] for key in keys if key in self.versions), None)

    def version_of(self, module: str) -> str | None:
        """What that version is called."""
        version = self.version(module)
        return None if version is None else version.name

    def component(self, id: str) -> ComponentStatus | None:
        """What a visitor feels of a component; None when nothing is known."""
        component = self.platform.components[id]
        return component_status(component, {module: self.status(module) for module in component.modules}, self.planned)

    @property
    def maintained(self) -> frozenset[str]:
        """The modules that planned work is under way on."""
        going_on = self.agenda.going_on
        if not going_on:
            return frozenset()
        return frozenset(id for id in self.platform.modules if any(one.concerns(id) for one in going_on))

    @property
    def planned(self) -> frozenset[str]:
        """The same, without those that fail in a way the work does not excuse: these are shown as they are."""
        return frozenset(id for id in self.maintained if id in self.held or self.status(id) not in FAILING)


def with_gone(
    gone: Mapping[str, frozenset[tuple[str, str]]], changed: Mapping[tuple[str, str, str], Track]
) -> Mapping[str, frozenset[tuple[str, str]]]:
    """What is gone once these tracks are what they are now."""
    after = dict(gone)
    for (module, probe, place), track in changed.items():
        which = after.pop(module, frozenset()) - {(probe, place)}
        if is_gone(track):
            which |= {(probe, place)}
        if which:
            after[module] = which
    return after
