"""Plots: reads what somebody wants to see plotted, and keeps it for a moment.

A page, its script and everybody else who looks at the same module ask for the same, again and again.
"""

from collections.abc import Callable
from datetime import timedelta

from monitor.clock import Clock
from monitor.core.effect import Refusal
from monitor.core.plotted import Choice, Series
from monitor.core.series import Column, by_place, grid_of, together
from monitor.store import Store, StoreFailed, StoreUnusable

KEPT = 64  # series
FRESH, STALE = 5.0, 300.0  # seconds that a series is kept: a twentieth of a bin, between these


class Plots:
    """`runs_kept` gives for how long the store keeps single runs."""

    def __init__(self, store: Store, clock: Clock, runs_kept: Callable[[], timedelta]) -> None:
        self._store = store
        self._clock = clock
        self._runs_kept = runs_kept
        self._kept: dict[Choice, tuple[float, Series]] = {}

    async def series(self, chosen: Choice) -> Series | Refusal:
        """What the runs that are asked for looked like; a refusal while the store does not answer."""
        asked_at = self._clock.monotonic()
        made_at, before = self._kept.get(chosen, (0.0, None))
        if before is not None and asked_at - made_at < _lasts(before):
            return before
        try:
            found = await self._read(chosen)
        except (StoreFailed, StoreUnusable):
            return Refusal("away", "the store does not answer")
        while len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[chosen] = asked_at, found
        return found

    async def _read(self, chosen: Choice) -> Series:
        grid = grid_of(chosen.window, self._clock.now(), chosen.interval, self._runs_kept())
        counted = await self._store.bins(chosen.module, chosen.asked, chosen.places, grid)
        places = by_place(counted, chosen.places, grid)
        seen = [places[place] for place in chosen.places if chosen.location in (None, place)]
        return Series(
            chosen=chosen,
            grid=grid,
            all=together(seen) if seen else Column((None,) * len(grid.times)),
            by_place=places,
            versions=tuple(await self._store.versions(chosen.module, grid.since)),
        )


def _lasts(series: Series) -> float:
    return min(STALE, max(FRESH, series.grid.step.total_seconds() / 20))
