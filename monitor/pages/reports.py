"""Reports: the list of all that are public, and each with the ways to its neighbours."""

from dataclasses import dataclass

from monitor.core.availability import PLATFORM
from monitor.core.report import Report
from monitor.pages.cells import cell
from monitor.pages.lens import Lens
from monitor.pages.report import IncidentRow, ReportView, incident_row, label, report_view, until
from monitor.pages.report_figures import FiguresView, figures_view, percent
from monitor.pages.view import Link


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report in the list of all."""

    link: Link
    until: str
    ratio: str
    coverage: str
    incidents: str


@dataclass(frozen=True, slots=True)
class ReportsView:
    """Every report, the newest first, quarters before their months."""

    rows: tuple[ReportLine, ...]


def reports_page(lens: Lens) -> ReportsView:
    """The list of all."""
    return ReportsView(tuple(_line(lens, one) for one in lens.facts.reports.values()))


def _line(lens: Lens, one: Report) -> ReportLine:
    whole = one.row(PLATFORM).uptime
    return ReportLine(
        link=_to(lens, one),
        until=until(lens, one),
        ratio=percent(lens, whole.ratio),
        coverage=percent(lens, whole.coverage, 1),
        incidents=lens.number(len(one.began)),
    )


def report_page(lens: Lens, one: Report) -> ReportView:
    """A report with the ways to its neighbours."""
    every = lens.facts.reports
    same = [name for name in every if ("Q" in name) == one.whole.is_quarter]
    index = same.index(one.whole.name)
    earlier = _to(lens, every[same[index + 1]]) if index + 1 < len(same) else None
    later = _to(lens, every[same[index - 1]]) if index else None
    name = one.whole.name
    return report_view(
        lens, one, earlier, later, _measured(lens, name), lambda each: _row(lens, name, each.incident.id)
    )


@cell
def _measured(lens: Lens, name: str) -> FiguresView:
    """They stay when a title or a link to an incident changes."""
    return figures_view(lens, lens.facts.report(name))


@cell
def _row(lens: Lens, name: str, incident: str) -> IncidentRow:
    """An incident of a report stays when another one loses its page."""
    one = lens.facts.report(name)
    return incident_row(lens, next(each for each in (*one.began, *one.carried) if each.incident.id == incident))


def report_folder(name: str) -> str:
    """Where the report of a period stands."""
    return f"reports/{name}/"


def _to(lens: Lens, one: Report) -> Link:
    return Link(label(lens, one.whole), report_folder(one.whole.name))
