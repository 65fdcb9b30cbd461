"""Figures of a report: by day and by thing, in one language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from monitor.core.availability import Subject
from monitor.core.report import Report, Row, Spending
from monitor.core.statement import cut_off
from monitor.core.wording import N_
from monitor.pages.lens import Lens
from monitor.pages.report_plots import Plot, Strip, losses, strips
from monitor.pages.view import Link, Mark

KINDS = {"group": N_("Groups"), "component": N_("Components"), "module": N_("Modules")}
DIGITS = 3  # of percentages; pages tell two of them


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A thing with its figures, called by its id once it has left the configuration; `mark` says whether its objective
    was kept, None without one."""

    name: Link
    ratio: str
    before: str
    change: str
    down: str
    degraded: str
    excluded: str
    coverage: str
    by_rule: str
    interruptions: str
    objective: str
    left: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class FigureTable:
    """Things of one kind; `columns` are those that hold anything, of degraded, excluded and objective."""

    name: str
    rows: tuple[FigureRow, ...]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class FiguresView:
    """What a report tells in figures, by day and by thing: the most of it, and the least likely to change."""

    id: str
    plot: Plot | None
    strips: tuple[Strip, ...]
    tables: tuple[FigureTable, ...]


def figures_view(lens: Lens, one: Report) -> FiguresView:
    """The figures of a report in one language."""
    return FiguresView(one.whole.name, losses(lens, one), strips(lens, one), tuple(_tables(lens, one)))


def _tables(lens: Lens, one: Report) -> Iterable[FigureTable]:
    for kind, name in KINDS.items():
        rows = [row for row in one.rows_of(kind) if _is_known(row)]
        bad = ("degraded", "excluded")
        told = {which for which in bad if any(getattr(row.uptime, f"{which}_seconds") for row in rows)}
        if any(row.budget is not None for row in rows):
            told.add("objective")
        if rows:
            yield FigureTable(lens.word(name), tuple(_row(lens, row) for row in rows), frozenset(told))


def _is_known(row: Row) -> bool:
    """Whether there is anything to tell of it: what is never measured is not."""
    return row.subject.kind != "module" or row.uptime.ratio is not None or row.before.ratio is not None


def _row(lens: Lens, row: Row) -> FigureRow:
    one, budget = row.uptime, row.budget
    return FigureRow(
        name=_name(lens, row.subject),
        ratio=percent(lens, one.ratio),
        before=percent(lens, row.before.ratio),
        change=_signed(lens, change(row)),
        down=length(lens, one.down_seconds or None),
        degraded=length(lens, one.degraded_seconds or None),
        excluded=length(lens, one.excluded_seconds or None),
        coverage=percent(lens, one.coverage, 1),
        by_rule=percent(lens, row.interrupted.ratio),
        interruptions=lens.number(row.interrupted.count),
        objective="" if budget is None else objective(lens, budget),
        left="" if budget is None else _left(lens, budget),
        mark=None if budget is None else kept(lens, budget),
    )


def _name(lens: Lens, subject: Subject) -> Link:
    platform = lens.facts.platform
    if subject.kind == "module":
        return lens.module_link(subject.id)
    if subject.kind == "component":
        component = platform.components.get(subject.id)
        return (
            Link(subject.id, "") if component is None else Link(lens.text(component.name), f"components/{subject.id}/")
        )
    return Link(next((lens.text(one.name) for one in platform.groups if one.id == subject.id), subject.id), "")


def objective(lens: Lens, budget: Spending) -> str:
    """With as many digits as it was written."""
    return lens.speech.percent(lens.language, budget.objective, len(f"{budget.objective * 100:g}".partition(".")[2]))


def _left(lens: Lens, budget: Spending) -> str:
    left = budget.allowed_seconds - budget.lost_seconds
    return f"{'−' if left < 0 else ''}{length(lens, abs(left))}"


def kept(lens: Lens, budget: Spending) -> Mark:
    """Whether an objective was kept."""
    if budget.kept is None:
        return lens.mark(("none", N_("Not known")))
    return lens.mark(("ok", N_("Kept")) if budget.kept else ("down", N_("Missed")))


def percent(lens: Lens, share: float | None, decimals: int = DIGITS) -> str:
    """A share of 1 as a percentage; a dash where nothing is known."""
    return "–" if share is None else lens.speech.percent(lens.language, share, decimals)


def points(lens: Lens, share: float) -> str:
    """Percentage points."""
    return lens.speech.decimal(lens.language, share * 100, DIGITS)


def change(row: Row) -> float | None:
    """By how much the figure is better than the one before, as both stand on the page; None: not comparable."""
    if row.change is None or row.uptime.ratio is None or row.before.ratio is None:
        return None
    now, before = (cut_off(one, DIGITS + 2) for one in (row.uptime.ratio, row.before.ratio))
    return round(now - before, DIGITS + 2)


def _signed(lens: Lens, change: float | None) -> str:
    if change is None:
        return "–"
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{points(lens, abs(change))}"


def length(lens: Lens, seconds: float | None) -> str:
    """How long something took; a dash where it never came."""
    return "–" if seconds is None else lens.length(timedelta(seconds=round(seconds)))
