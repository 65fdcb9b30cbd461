"""Dashboard: the board as operators see it: every module with what it is judged by, the failing ones first, every open
incident, drafts included, and how the monitor itself is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from monitor.core.effect import Keep
from monitor.core.expectation import Outcome
from monitor.core.history import Latency
from monitor.core.incident import Incident
from monitor.core.module import FAILING, Module, Status
from monitor.core.plotted import Series
from monitor.core.selfcheck import self_check
from monitor.core.statement import only_cached, seen_from
from monitor.core.wording import N_
from monitor.pages import sparkline, words
from monitor.pages.charts import ChartsView, charts_view
from monitor.pages.dossier import IncidentDigest, digest
from monitor.pages.facts import newest_of
from monitor.pages.filters import ORDER, Filters, filters, groups_of, seen
from monitor.pages.lastrun import RunView, exact, run_view
from monitor.pages.lens import Lens
from monitor.pages.map import MapView, map_view
from monitor.pages.places import PlaceView, place_view
from monitor.pages.planned import under_way
from monitor.pages.schedule import next_work
from monitor.pages.shelves import Shelf, shelves
from monitor.pages.signs import SignView, sign_view
from monitor.pages.view import Link, Mark, SparkView, VersionView, When
from monitor.pages.watch import Lead, Watch

LATE = 0.25  # seconds of loop lag from which answers look slower than they are

SELF: dict[str, tuple[str, str]] = {
    "ok": ("ok", N_("The monitor sees everything it should.")),
    "degraded": ("slow", N_("The monitor does not see everything.")),
    "blind": ("down", N_("The monitor sees nothing: what is shown is the last that was known.")),
}


@dataclass(frozen=True, slots=True)
class BoxView:
    """A module. `why` is the judgement of the worst of its newest runs: where, by which probe, code and reasons; `runs`
    are those with trouble, or all of them on its own page."""

    id: str
    name: str
    description: str
    status: Status
    mark: Mark
    since: When | None
    measured: bool
    cached: bool
    role: str
    blames: str
    incident: Link | None
    planned: str  # the title of the work that is under way on it
    coming: Link | None  # the work that comes next on it, on its own page
    why: tuple[str, str, str, str] | None
    locations: tuple[tuple[str, Mark], ...]
    now: str
    p50: str
    p95: str
    p99: str
    spark: SparkView | None
    version: VersionView | None
    needs: tuple[tuple[str, str, Mark], ...]
    runs: tuple[RunView, ...]
    runbook: str
    groups: str  # and what each place sees: what filters go by
    seen: str
    charts: ChartsView | None = None

    @property
    def failing(self) -> bool:
        """Whether its box stands before the map."""
        return self.status in FAILING or self.role == "root"


@dataclass(frozen=True, slots=True)
class HealthView:
    """How the monitor itself is: one sentence, and what stands behind it."""

    mark: Mark
    code: str
    since: When | None
    lines: tuple[tuple[Mark, str, str], ...]  # mark, what, in which words
    signs: tuple[SignView, ...]
    places: tuple[PlaceView, ...]
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BoardView:
    """The whole page."""

    at: When
    counts: tuple[tuple[int, Mark], ...]
    incidents: tuple[IncidentDigest, ...]
    drafts: int
    modules: tuple[BoxView, ...]
    shelves: tuple[Shelf[BoxView], ...]
    map: MapView | None
    filters: Filters
    health: HealthView


def board_view(lens: Lens, watch: Watch) -> BoardView:
    """The dashboard in one language."""
    board = watch.board
    every = sorted(board.platform.modules.values(), key=lambda one: _rank(watch, one))
    statuses = [board.status(one.id) for one in every]
    counts = [(statuses.count(status), lens.mark(words.MODULE[status])) for status in ORDER]
    probes = _probes_by_module(watch)
    boxes = [_box(lens, watch, one, probes.get(one.id, []), whole=False) for one in every]
    failing = [one.id for one in every if board.status(one.id) in FAILING]
    return BoardView(
        at=exact(lens, watch.now),
        counts=tuple(pair for pair in counts if pair[0]),
        incidents=tuple(digest(lens, one) for one in watch.open_incidents),
        drafts=sum(one.published_at is None for one in watch.open_incidents),
        modules=tuple(sorted(boxes, key=lambda one: not one.failing)),
        shelves=shelves(boxes, board.platform),
        map=map_view(lens, board.status, failing, watch.open_incidents),
        filters=filters(lens),
        health=health_view(lens, watch),
    )


def box_view(lens: Lens, watch: Watch, id: str, series: Series | None = None) -> BoxView | None:
    """A module with all its newest runs, and its plots where there is something to draw them from; None where nothing
    goes by that name."""
    module = watch.board.platform.modules.get(id)
    if module is None:
        return None
    box = _box(lens, watch, module, _probes_by_module(watch).get(id, []), whole=True)
    if series is None or not box.measured:
        return box
    return replace(box, charts=charts_view(lens, watch, series))


def _probes_by_module(watch: Watch) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for key in watch.board.platform.judged:
        found.setdefault(key[0], []).append(key)
    return found


def _box(lens: Lens, watch: Watch, module: Module, probes: list[tuple[str, str]], *, whole: bool) -> BoxView:
    board, id = watch.board, module.id
    condition, status = board.modules.get(id), board.status(id)
    latency = watch.history.latency.get(id, Latency())
    role, blames, link = _part(lens, watch.incident_by_module.get(id), id)
    runs = list(_runs(lens, watch, probes)) if whole or status is not Status.UP else []
    known = {need.module: board.status(need.module) for need in module.depends_on}
    places = seen_from(board, id)
    return BoxView(
        id=id,
        name=lens.text(module.name),
        description=lens.text(module.description),
        status=status,
        mark=lens.mark(words.MODULE[status]),
        since=exact(lens, condition.since) if condition else None,
        measured=board.platform.measured(id),
        cached=only_cached(board, id),
        role=role,
        blames=blames,
        incident=link,
        planned="; ".join(one.title for one in under_way(lens, [id])),
        coming=next_work(lens, id) if whole else None,
        why=_why(runs, status),
        locations=tuple((lens.place(one), lens.mark(words.MODULE[status])) for one, status in places.items()),
        now=lens.milliseconds(newest_of(latency, watch.now)),
        p50=lens.milliseconds(latency.p50_ms),
        p95=lens.milliseconds(latency.p95_ms),
        p99=lens.milliseconds(latency.p99_ms),
        spark=_spark(lens, latency),
        version=_version(lens, watch, module),
        needs=tuple((need, lens.module_name(need), lens.mark(words.MODULE[one])) for need, one in known.items()),
        runs=tuple(runs if whole else (one for one in runs if one.failed)),
        runbook=_followed(module.runbook or "") if whole else "",
        groups=groups_of(lens, id),
        seen=seen(places),
    )


def _followed(address: str) -> str:
    """An address that a browser may follow; empty for any other."""
    return address if address.startswith(("https://", "http://")) else ""


def _part(lens: Lens, incident: Incident | None, module: str) -> tuple[str, str, Link | None]:
    """What part a module has in its open incident: role, in words, and where to read on."""
    if incident is None:
        return "", "", None
    link = Link(incident.id, f"healthcheck/incidents/{incident.id}")
    member = incident.member(module)
    if incident.cause.module is None:
        return "affected", lens.word(N_("In an incident whose cause is not certain")), link
    if member is not None and member.role == "root":
        return "root", lens.word(words.ROOT), link
    cause = lens.module_name(incident.cause.module)
    return "affected", lens.word(words.AFFECTED, module=cause), link


def _runs(lens: Lens, watch: Watch, probes: Iterable[tuple[str, str]]) -> Iterable[RunView]:
    for key in probes:
        probe = watch.board.platform.judged[key]
        for place in probe.locations:
            keep: Keep | None = watch.runs.get((*key, place))
            yield run_view(lens, probe, place, watch.board.tracks.get((*key, place)), keep, watch.now)


def _why(runs: list[RunView], status: Status) -> tuple[str, str, str, str] | None:
    """The worst newest run of what decides; nothing while all is well."""
    order = ("down", "slow", "none")
    bad = [one for one in runs if one.failed and not one.evidence]
    if status is Status.UP or not bad:
        return None
    worst = min(bad, key=lambda one: order.index(one.mark.kind))
    return worst.place, worst.probe, worst.code, "; ".join(worst.reasons)


def _spark(lens: Lens, latency: Latency) -> SparkView | None:
    drawing = sparkline.draw(latency.points)
    if drawing is None:
        return None
    low, high = lens.milliseconds(drawing.low), lens.milliseconds(drawing.high)
    return SparkView(drawing, lens.word(N_("Median latency in the last 24 h: {low} to {high}"), low=low, high=high))


def _version(lens: Lens, watch: Watch, module: Module) -> VersionView | None:
    version = watch.board.version(module.id)
    return None if version is None else VersionView(version.name, exact(lens, version.since), version.before or "")


def _rank(watch: Watch, module: Module) -> tuple[bool, int, int, bool]:
    """The worst first, within a status by the open incident, the cause before what it drags along; what is never
    measured last, unless an incident names it."""
    incident = watch.incident_by_module.get(module.id)
    member = incident.member(module.id) if incident else None
    weight = {"critical": 0, "major": 1, "minor": 2}.get(incident.impact, 3) if incident else 4
    status = watch.board.status(module.id)
    silent = incident is None and not watch.board.platform.measured(module.id)
    return silent, ORDER.index(status), weight, member is None or member.role != "root"


# -- ourselves --------------------------------------------------------------------------------------------------------


def lead_figures(lens: Lens, lead: Lead | None) -> Iterator[tuple[str, str]]:
    """Who leads, of several monitors on one store."""
    if lead is not None:
        yield lens.word(N_("This monitor")), lens.word(N_("Leads") if lead.ours else N_("Stands by"))
        if lead.ours:
            yield lens.word(N_("Monitors that stand by")), lens.number(lead.others)
        else:
            yield lens.word(N_("Leader")), lead.leader or "–"


def health_view(lens: Lens, watch: Watch) -> HealthView:
    """How the monitor itself is."""
    board, health = watch.board, watch.health
    state, since, code = self_check(board)
    lines = [
        (lens.mark(("down", N_("Blind"))), lens.place(place), exact(lens, vantage.blind_since).text)
        for place, vantage in board.vantages.items()
        if vantage.blind_since is not None
    ]
    wrong = lens.mark(("down", N_("Trouble")))
    for what, trouble in (
        (N_("The store refuses writes; judging goes on from memory"), health.store),
        (N_("The site cannot be published"), health.publication),
        (N_("The configuration file has a mistake; the one before stays in force"), health.configuration),
        (N_("The outbox is not written down; notices leave from memory"), health.outbox),
    ):
        if trouble is not None:
            lines.append((wrong, lens.word(what), trouble))
    lead = health.lead
    if lead is not None and lead.trouble is not None:
        lines.append((wrong, lens.word(N_("Who leads cannot be asked")), lead.trouble))
    lines += [
        (wrong, lens.word(N_("Channel {channel} does not deliver"), channel=name), why) for name, why in health.silent
    ]
    doubt = lens.word(N_("What is published contradicts itself"))
    lines += [(lens.mark(("slow", N_("Contradiction"))), doubt, one) for one in health.contradictions]
    if health.lag is not None and health.lag >= LATE:
        lag = lens.milliseconds(round(health.lag * 1000, 1))
        late = lens.word(N_("This process is late, so answers look slower than they are"))
        lines.append((lens.mark(("slow", N_("Late"))), late, lag))
    lost = sum(
        keep.result.outcome is Outcome.UNKNOWN and keep.result.blame is not None and keep.result.blame.value == "self"
        for keep in list(watch.runs.values())
    )
    unwell = lines or any(one.is_past for one in health.signs)
    kind, sentence = SELF["degraded" if unwell and state == "ok" else state]
    return HealthView(
        mark=lens.mark((kind, sentence)),
        code=code or "",
        since=None if since is None else exact(lens, since),
        lines=tuple(lines),
        signs=tuple(sign_view(lens, one) for one in health.signs),
        places=tuple(place_view(lens, one) for one in health.places),
        figures=(
            *lead_figures(lens, lead),
            (lens.word(N_("Notices waiting")), lens.number(health.letters)),
            (lens.word(N_("Newest runs lost to our own trouble")), lens.number(lost)),
            (lens.word(N_("Newest result")), "–" if watch.data_until is None else exact(lens, watch.data_until).text),
        ),
    )
