"""Search: which incidents a reader wants, page by page. A page goes on after the last one of the page before it, by the
order that incidents stand in, so whatever is opened meanwhile moves nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.incident import Incident

Place = tuple[datetime, str]  # start and id: where an incident stands among all; the newest stands first
KINDS = ("open", "resolved", "draft", "investigating", "identified", "monitoring", "postmortem")  # of `status`


@dataclass(frozen=True, slots=True)
class Search:
    """Those that agree with everything that is given: of a status of KINDS, with a module among their members, going
    on between `since` and `until`; that stand behind `after`."""

    status: str | None = None
    module: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None
    limit: int = 100

    def finds(self, one: Incident) -> bool:
        """Whether an incident is one of those, on this page or a later one."""
        return (
            _is(one, self.status)
            and (self.module is None or one.member(self.module) is not None)
            and (self.since is None or one.resolved_at is None or one.resolved_at > self.since)
            and (self.until is None or one.started_at < self.until)
            and (self.after is None or place_of(one) < self.after)
        )


def place_of(one: Incident) -> Place:
    """Where an incident stands."""
    return one.started_at, one.id


def page_of(
    search: Search, known: Iterable[Incident], stored: Sequence[Incident]
) -> tuple[list[Incident], Place | None]:
    """The page, and what the next one goes on after; None at the end.

    `stored` are the first `limit` + 1 that the store finds; `known`, those of the board, are newer than what is stored.
    """
    more = len(stored) > search.limit
    reached = place_of(stored[search.limit - 1]) if more else None
    newest = {one.id: one for one in stored[: search.limit]}
    newest |= {one.id: one for one in known if reached is None or place_of(one) >= reached}
    found = sorted(filter(search.finds, newest.values()), key=place_of, reverse=True)
    if len(found) > search.limit:
        return found[: search.limit], place_of(found[search.limit - 1])
    return found, reached


def _is(one: Incident, status: str | None) -> bool:
    match status:
        case None:
            return True
        case "draft":
            return one.published_at is None
        case "open" | "resolved":
            return one.is_open is (status == "open")
        case _:
            return one.stage.value == status
