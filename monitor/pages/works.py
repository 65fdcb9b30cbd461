"""Works: which planned work a publication tells of, and in which order, for every file of it."""

from datetime import timedelta

from monitor.core.maintenance import Maintenance, WorkStage
from monitor.pages.picture import Picture

COMING = 20  # pieces of work to come that have pages; the calendar has all of them
SOON = timedelta(days=14)  # work this near is told on the home page
PAST = 50  # … and of work that is over
WITHDRAWN = timedelta(days=14)  # how near its planned beginning has to be for withdrawn work to be told of


def going_on(picture: Picture) -> list[Maintenance]:
    """Work under way, the first to begin first."""
    return [one for one in picture.works if one.is_going_on]


def coming(picture: Picture) -> list[Maintenance]:
    """Work to come, the next first."""
    return [one for one in picture.works if one.stage is WorkStage.SCHEDULED]


def soon(picture: Picture) -> list[Maintenance]:
    """Work to come that is near enough for the home page."""
    return [one for one in coming(picture) if one.planned_from - picture.now <= SOON]


def next_ones(picture: Picture) -> list[Maintenance]:
    """Of each window the work that comes next."""
    return list({one.window: one for one in reversed(coming(picture))}.values())[::-1]


def past(picture: Picture) -> list[Maintenance]:
    """Work that is over, the newest first, and what was withdrawn lately."""
    near = picture.now + WITHDRAWN
    return [one for one in reversed(picture.works) if one.is_over and (one.started_at or one.planned_from <= near)]


def with_pages(picture: Picture) -> list[Maintenance]:
    """All that has a page of its own: under way, to come, over."""
    return [*going_on(picture), *coming(picture)[:COMING], *past(picture)[:PAST]]


def told(picture: Picture) -> list[Maintenance]:
    """All that feeds tell: as a reader wants no entry for each repetition, only the next of each window."""
    return [*going_on(picture), *next_ones(picture)[:COMING], *past(picture)[:PAST]]
