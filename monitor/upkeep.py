"""Upkeep: what is done every ten minutes so that a monitor runs for years: what windows plan is looked at anew, what is
too old goes, and days that are over are summed up.
"""

import asyncio
import logging
from collections.abc import Callable

from monitor.clock import Clock
from monitor.config import Config
from monitor.config.recurrence import plan_of
from monitor.core.board import Board
from monitor.core.effect import Planned
from monitor.figures import Figures
from monitor.memory import tidy
from monitor.store import TROUBLES, Store

log = logging.getLogger(__name__)

EVERY = 600.0  # seconds


class Upkeep:
    """`config` and `board` give those of now; `planned` takes what windows plan."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        figures: Figures,
        config: Callable[[], Config],
        board: Callable[[], Board],
        planned: Callable[[Planned], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._figures = figures
        self._config = config
        self._board = board
        self._planned = planned

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self._planned(await self.plan())
            settings = self._config().settings
            try:
                await self._store.sweep(self._clock.now(), settings.keep_observations, settings.keep_rollups)
                await self._figures.close()
            except TROUBLES as error:
                log.warning("what is too old stays for now, the store does not answer: %s", error)
            tidy()

    async def plan(self, config: Config | None = None) -> Planned:
        """What all standing windows plan for the time to come: those of the configuration, and of people."""
        return await planned_by(config or self._config(), self._board(), self._clock)


async def planned_by(config: Config, board: Board, clock: Clock) -> Planned:
    """The same for any configuration and board."""
    windows = (*config.windows, *board.agenda.windows.values())
    return Planned(await asyncio.to_thread(plan_of, windows, clock.now()))
