"""Picture: everything one publication is made from. One picture, one publication, so no two files can disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.maintenance import Maintenance
from monitor.core.module import Status
from monitor.core.overlay import spans_of, works_of
from monitor.core.publishing import public, withheld
from monitor.core.rollup import ComponentStatus, active_impacts, component_status, top_level
from monitor.core.selfcheck import self_check
from monitor.core.site import Site
from monitor.core.statement import WINDOWS, incidents_of, seen_from
from monitor.core.uptime import Span, Uptime, merge, uptime

DAYS = 90


@dataclass(frozen=True)
class Picture:
    """What readers may know; a draft never gets into one. `data_until` is the end of the newest observation, None
    before the first one; `withheld` are the modules that fail now and whose incident is a draft."""

    site: Site
    board: Board
    history: History
    now: datetime
    data_until: datetime | None = None
    withheld: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Leaves out what is not public, whoever takes the picture."""
        board, history = public(self.board, self.history)
        object.__setattr__(self, "withheld", self.withheld | withheld(self.board))
        object.__setattr__(self, "board", board)
        object.__setattr__(self, "history", history)

    @cached_property
    def works(self) -> list[Maintenance]:
        """Planned work that is to come, under way, or was over within the time shown; the first planned first."""
        return works_of(self.board, self.history)

    @cached_property
    def _cuts(self) -> dict[str, list[Span]]:
        return {}  # every file of a publication asks for the same ones

    def spans_of(self, module: str) -> list[Span]:
        """A module's status over the last 90 days and a bit, so that whole days fit in, with planned work cut out."""
        if module not in self._cuts:
            start = self.now - timedelta(days=DAYS + 1)
            self._cuts[module] = spans_of(module, self.history, self.works, start, self.now)
        return self._cuts[module]

    def spans_of_component(self, component: str) -> list[Span]:
        """The same for a component: the worst known status of its modules at each moment."""
        return merge([self.spans_of(module) for module in self.board.platform.components[component].modules])

    def locations_of(self, module: str) -> dict[str, Status]:
        """What each place saw last of a module, the worst of the probes that decide; unknown where no run tells."""
        return seen_from(self.board, module)

    def uptime(self, cut: list[Span], window: str) -> Uptime:
        """The figure for `24h`, `7d`, `30d` or `90d`."""
        return uptime(cut, self.now - WINDOWS[window], self.now)

    def components(self) -> Mapping[str, ComponentStatus | None]:
        """What a visitor feels, by component in page order; None where nothing is known."""
        statuses = {module: condition.status for module, condition in self.board.modules.items()}
        planned = self.board.planned
        return {id: component_status(one, statuses, planned) for id, one in self.board.platform.components.items()}

    def overall(self) -> tuple[str, str]:
        """(indicator, description); `unknown` while nothing is known at all."""
        known = [status for status in self.components().values() if status is not None]
        impacts = active_impacts(incidents_of(self.board, self.history))
        return top_level(known, impacts) if known or impacts else ("unknown", "Status Unknown")

    def monitor(self) -> tuple[str, datetime | None, str | None]:
        """How well the monitor itself sees: `ok`, `degraded` or `blind`, since when, and by what code."""
        gap = next((gap for gap in self.history.gaps if gap.until is None), None)
        return self_check(self.board, gap.code if gap else None)
