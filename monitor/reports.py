"""Reports: the public ones, of every month and quarter. They are looked at again when an hour begins, so that pages
keep their bytes in between; of a period that is over nothing is made again unless its facts were changed."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.availability import Availability
from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.overlay import works_of
from monitor.core.period import Period, all_of, before, so_far
from monitor.core.report import Report, report
from monitor.core.site import Site
from monitor.store import TROUBLES, Store

log = logging.getLogger(__name__)

KEPT = timedelta(days=2 * 366)  # that reports reach back


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a report of a period that is over stands on; `moves` counts the changes of status dated before its end."""

    platform: Platform
    zone: str
    moves: int
    incidents: tuple[Incident, ...]

    def holds(self, other: "_Ground") -> bool:
        """Whether a report may stand as it is."""
        return self.platform is other.platform and (self.zone, self.moves, self.incidents) == (
            other.zone,
            other.moves,
            other.incidents,
        )


class Reports:
    """The reports; `made` are those that were made last. While the store does not answer they stand."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.made: tuple[Report, ...] = ()
        self._kept: dict[str, tuple[_Ground, Report]] = {}
        self._at: tuple[datetime, Platform, str] | None = None

    async def of(self, site: Site, board: Board, history: History, now: datetime) -> tuple[Report, ...]:
        """Every report up to the present hour, the newest first; none before the first whole hour of anything known.
        `history` says since when something is."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        at = (hour, board.platform, site.timezone)
        if self._at is not None and self._at[0] == hour and self._at[1] is board.platform and self._at[2] == at[2]:
            return self.made
        began = min((moves[0].since for moves in history.transitions.values() if moves), default=None)
        if began is None or began >= hour:
            return self.made
        zone = ZoneInfo(site.timezone)
        periods = all_of(max(began, hour - KEPT), hour - timedelta(microseconds=1), zone)
        try:
            archive = await self._store.archive(min(before(one, zone).since for one in periods))
        except TROUBLES as error:
            log.warning("reports stand as they are, the store does not answer: %s", error)
            return self.made
        self.made = await asyncio.to_thread(self._make, board, archive, periods, hour, zone)
        self._at = at
        return self.made

    def _make(
        self, board: Board, history: History, periods: list[Period], hour: datetime, zone: ZoneInfo
    ) -> tuple[Report, ...]:
        since = min(before(one, zone).since for one in periods)
        past = Availability(board.platform, history, tuple(works_of(board, history)), since)
        kept: dict[str, tuple[_Ground, Report]] = {}
        made = []
        for whole in periods:
            earlier = before(whole, zone)
            ground = _ground(board.platform, history, earlier.since, whole.until, zone.key)
            last = self._kept.get(whole.name)
            if last is not None and last[1].is_over and last[0].holds(ground):
                found = last[1]
            else:
                found = report(past, whole, *so_far(whole, earlier, hour), zone, public=True)
            kept[whole.name] = (ground, found)
            made.append(found)
        self._kept = kept
        return tuple(made)


def _ground(platform: Platform, history: History, since: datetime, until: datetime, zone: str) -> _Ground:
    return _Ground(
        platform,
        zone,
        sum(move.since < until for moves in history.transitions.values() for move in moves),
        tuple(one for one in history.incidents if one.started_at < until and (one.resolved_at or until) > since),
    )
