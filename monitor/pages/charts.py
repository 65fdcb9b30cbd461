"""Charts: what the plots of a module's page say in words and tables; the drawing is the script's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from monitor.core.budget import BURNS, LONGEST, Budget, budget, by_bin
from monitor.core.observation import PHASES
from monitor.core.overlay import spans_of, works_of
from monitor.core.plotted import Choice, Happening, Series, happenings
from monitor.core.series import WINDOWS, Bin, Column
from monitor.core.uptime import Uptime, uptime
from monitor.core.wording import N_
from monitor.pages.lastrun import NAMES
from monitor.pages.lens import Lens
from monitor.pages.view import Mark, When
from monitor.pages.watch import Watch

KINDS: dict[str, tuple[str, str]] = {
    "incident": ("down", N_("Incident")),
    "maintenance": ("work", N_("Planned work")),
    "version": ("none", N_("Version change")),
}
WORDS: dict[str, str] = {
    "time": N_("Time"),
    "p50": N_("Median"),
    "p95": N_("95th percentile"),
    "p99": N_("99th percentile"),
    "passed": N_("Passed"),
    "slow": N_("Slow"),
    "failed": N_("Failed"),
    "availability": N_("Availability"),
    **NAMES,
}
LEFT = N_("{left} are left: {spent} of {allowed} are spent.")
OVERSPENT = N_("Overspent by {left}: {spent} of {allowed} are spent.")


@dataclass(frozen=True, slots=True)
class Turn:
    """A link that shows something else of the same module; `here`: it is what is shown."""

    name: str
    href: str
    here: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Figures: the heads of the columns, and a row for each bin, its time first."""

    heads: tuple[str, ...]
    rows: tuple[tuple[When, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class BudgetView:
    """The error budget. `share` is what is left of it, from 0 to 1; empty texts are not known."""

    objective: str
    told: str
    share: float | None
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HappeningView:
    """Something that is marked on the axis of time."""

    mark: Mark
    since: When
    until: When | None
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class ChartsView:
    """What stands around the plots. `told` says of each what it shows; `query` asks the API for the same. `timed`: it
    has probes whose runs are timed, besides flows and calls."""

    windows: tuple[Turn, ...]
    probes: tuple[Turn, ...]
    places: tuple[Turn, ...]
    timed: bool
    query: str
    zone: str
    words: Mapping[str, str]
    span: str
    told: Mapping[str, str]
    budget: BudgetView | None
    happened: tuple[HappeningView, ...]
    figures: Table
    available: Table
    by_place: Table


def charts_view(lens: Lens, watch: Watch, series: Series) -> ChartsView:
    """What the plots say, in one language."""
    asked, grid, now = series.chosen, series.grid, series.grid.until
    module = watch.board.platform.modules[asked.module]
    works, weights = works_of(watch.board, watch.history), watch.board.platform.weights
    cut = spans_of(module.id, watch.history, works, now - LONGEST, now, weights)
    whole = uptime(cut, now - asked.window.length, now)
    names = {word: lens.word(message) for word, message in WORDS.items()}
    places = {place: lens.place(place) for place in series.by_place}
    happened = happenings(module.id, watch.board, watch.history, series.versions, grid)
    return ChartsView(
        windows=tuple(_windows(lens, asked)),
        probes=tuple(_choices(lens, asked, "probe", asked.probes, {})),
        places=tuple(_choices(lens, asked, "location", asked.places, places)),
        timed=bool(asked.probes),
        query=_query(asked),
        zone=lens.facts.site.timezone,
        words={**names, **{f"at:{place}": name for place, name in places.items()}},
        span=lens.word(
            N_("{span}, a figure for each {step}"), span=lens.span(grid.since, now), step=lens.length(grid.step)
        ),
        told={
            "latency": _latency_told(lens, series.all),
            "phases": _phases_told(lens, series.all.whole),
            "runs": _runs_told(lens, series.all.whole),
            "availability": _availability_told(lens, whole),
            "places": " ".join(_places_told(lens, series)),
        },
        budget=None if module.objective is None else _budget(lens, budget(cut, now, module.objective)),
        happened=tuple(_happened(lens, one) for one in reversed(happened)),
        figures=_figures(lens, series, names),
        available=_available(lens, by_bin(cut, grid), grid.times),
        by_place=_by_place(lens, series, places),
    )


# -- what else may be shown -------------------------------------------------------------------------------------------


def _query(asked: Choice, **instead: str | None) -> str:
    told = {"window": asked.window.name, "probe": asked.probe, "location": asked.location, **instead}
    return urlencode({name: value for name, value in told.items() if value is not None})


def _windows(lens: Lens, asked: Choice) -> Iterable[Turn]:
    for name, window in WINDOWS.items():
        yield Turn(f"{name[:-1]}\u00a0{name[-1]}", f"?{_query(asked, window=name)}#plots", window is asked.window)


def _choices(lens: Lens, asked: Choice, key: str, ids: tuple[str, ...], names: Mapping[str, str]) -> Iterable[Turn]:
    """Everything, then one after the other; nothing where there is nothing to choose."""
    now = asked.probe if key == "probe" else asked.location
    if len(ids) < 2 and now is None:
        return
    every = lens.word(N_("those that decide")) if key == "probe" else lens.word(N_("everywhere"))
    other = {"location": None} if key == "probe" else {}  # another probe may be asked from other places
    yield Turn(every, f"?{_query(asked, **{**other, key: None})}#plots", now is None)
    for id in ids:
        yield Turn(names.get(id, id), f"?{_query(asked, **{**other, key: id})}#plots", now == id)


# -- in words ---------------------------------------------------------------------------------------------------------


def _latency_told(lens: Lens, column: Column) -> str:
    medians = [value for value in column.percentile_ms(0.5) if value is not None]
    if not medians:
        return lens.word(N_("No run was answered in this time."))
    whole = column.whole
    return lens.word(
        N_("Median {p50}, between {low} and {high}, at last {last}; 95th percentile {p95}, 99th {p99}."),
        p50=lens.milliseconds(whole.percentile_ms(0.5)),
        low=lens.milliseconds(min(medians)),
        high=lens.milliseconds(max(medians)),
        last=lens.milliseconds(medians[-1]),
        p95=lens.milliseconds(whole.percentile_ms(0.95)),
        p99=lens.milliseconds(whole.percentile_ms(0.99)),
    )


def _phases_told(lens: Lens, whole: Bin) -> str:
    took = {name: value for name in PHASES if (value := whole.phase_ms(name)) is not None}
    if not took:
        return lens.word(N_("How long the phases took is not known of this time."))
    most = max(took, key=lambda name: took[name])
    return lens.word(
        N_("{total} on average, most of it {phase}: {time}."),
        total=lens.milliseconds(sum(took.values())),
        phase=lens.word(NAMES[most]),
        time=lens.milliseconds(took[most]),
    )


def _runs_told(lens: Lens, whole: Bin) -> str:
    if not whole.runs:
        return lens.word(N_("No run in this time."))
    runs = lens.counted("{count} run", "{count} runs", whole.runs)
    failed, slow = lens.number(whole.failed), lens.number(whole.slow)
    return lens.word(N_("{runs}, of which {failed} failed and {slow} were slow."), runs=runs, failed=failed, slow=slow)


def _availability_told(lens: Lens, whole: Uptime) -> str:
    figure = lens.figure(whole)
    if figure.ratio is None:
        return lens.word(N_("Nothing is known of this time."))
    return lens.word(
        N_("Available {ratio} of the time, down for {down}; the status was known for {coverage} of it."),
        ratio=figure.ratio,
        down=lens.length(_seconds(whole.down_seconds)),
        coverage=figure.coverage,
    )


def _places_told(lens: Lens, series: Series) -> Iterable[str]:
    for place, column in series.by_place.items():
        whole = column.whole
        p50, p95 = lens.milliseconds(whole.percentile_ms(0.5)), lens.milliseconds(whole.percentile_ms(0.95))
        yield lens.word(N_("{place}: median {p50}, 95th percentile {p95}."), place=lens.place(place), p50=p50, p95=p95)


def _budget(lens: Lens, one: Budget) -> BudgetView:
    """The figures of a budget; a burn of 1 spends all of it in 30 days."""
    spent, allowed = lens.length(_seconds(one.spent_seconds)), lens.length(_seconds(one.allowed_seconds))
    over = one.left_seconds < 0
    left = lens.length(_seconds(abs(one.left_seconds)))
    told = OVERSPENT if over else LEFT
    return BudgetView(
        objective=lens.speech.percent(lens.language, one.objective, len(f"{one.objective * 100:g}".partition(".")[2])),
        told=lens.word(told, left=left, spent=spent, allowed=allowed),
        share=None if one.left_ratio is None else max(0.0, min(1.0, one.left_ratio)),
        figures=(
            *(
                (
                    lens.word(N_("Burn over {time}"), time=lens.length(length)),
                    "–" if burn is None else f"{lens.number(burn)}×",
                )
                for (name, burn), length in zip(one.burn.items(), BURNS.values(), strict=True)
            ),
            (lens.word(N_("Spent at this pace")), _spent_at(lens, one)),
        ),
    )


def _spent_at(lens: Lens, one: Budget) -> str:
    """When nothing will be left."""
    if one.exhausted_at is None:
        return lens.word(N_("not within 30 days"))
    return lens.word(N_("already")) if one.left_seconds <= 0 else lens.when(one.exhausted_at).text


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=round(value))


def _happened(lens: Lens, one: Happening) -> HappeningView:
    return HappeningView(
        mark=lens.mark(KINDS[one.kind]),
        since=lens.clock(one.since),
        until=None if one.until is None else lens.clock(one.until),
        title=lens.say(one.title),
        href=f"healthcheck/incidents/{one.id}" if one.kind == "incident" else "",
    )


# -- in figures -------------------------------------------------------------------------------------------------------


def _figures(lens: Lens, series: Series, names: Mapping[str, str]) -> Table:
    columns = [
        *(_ms(lens, series.all.percentile_ms(share)) for share in (0.5, 0.95, 0.99)),
        *(_ms(lens, series.all.phase_ms(name)) for name in PHASES),
        *(_counted(lens, series.all, which) for which in ("runs", "slow", "failed")),
    ]
    heads = (*(names[name] for name in ("p50", "p95", "p99", *PHASES)), lens.word(N_("Runs")), names["slow"])
    return _table(lens, (*heads, names["failed"]), series.grid.times, columns)


def _available(lens: Lens, bins: list[Uptime], times: list[datetime]) -> Table:
    figures = [lens.figure(one) for one in bins]
    columns = [
        [one.ratio or "–" for one in figures],
        [one.down for one in figures],
        [one.degraded for one in figures],
        [one.coverage for one in figures],
    ]
    heads = (N_("Availability"), N_("Down"), N_("Degraded"), N_("Known"))
    return _table(lens, tuple(lens.word(head) for head in heads), times, columns)


def _by_place(lens: Lens, series: Series, places: Mapping[str, str]) -> Table:
    columns, heads = [], []
    for place, column in series.by_place.items():
        for head, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            heads.append(f"{places[place]} {head}")
            columns.append(_ms(lens, column.percentile_ms(share)))
    return _table(lens, tuple(heads), series.grid.times, columns)


def _table(lens: Lens, heads: tuple[str, ...], times: list[datetime], columns: list[list[str]]) -> Table:
    rows = list(zip(*columns, strict=True)) if columns else [() for _ in times]
    return Table(heads, tuple((lens.clock(at), row) for at, row in zip(times, rows, strict=True)))


def _ms(lens: Lens, values: list[float | None]) -> list[str]:
    return [lens.milliseconds(value) for value in values]


def _counted(lens: Lens, column: Column, which: str) -> list[str]:
    return ["–" if one is None else lens.number(getattr(one, which)) for one in column.bins]
