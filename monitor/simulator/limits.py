"""Limits: the request rates that the documentation states, counted by the minute, so that a caller above them is told.

Whatever else is limited on the platform has no published figure, and is not limited here.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from monitor.simulator.visit import Answer, data

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests a minute, per account, or for each route of its own. `modules` share it."""

    modules: tuple[str, ...]
    a_minute: int
    each_route: bool = False


LIMITS = (
    Limit(("catalog",), 45_000),
    Limit(("catalog",), 15_000, each_route=True),
    Limit(("oms", "workflow"), 6_000),  # the Orders API: orders and their feed
    Limit(("gift-card",), 5_000),
)


class Limits:
    """Counts in whole minutes. `share()` is how much of each limit is granted now, from 0 to 1."""

    def __init__(self, share: Callable[[], float], now: Callable[[], float] = monotonic) -> None:
        self._share = share
        self._now = now
        self._minute = 0
        self._taken: Counter[tuple[Limit, str]] = Counter()

    def refuse(self, module: str, route: str) -> Answer | None:
        """Counts one request; the answer to one too many, with the seconds until the next minute begins."""
        minute, past = divmod(self._now(), MINUTE)
        if int(minute) != self._minute:
            self._minute = int(minute)
            self._taken.clear()
        for limit in LIMITS:
            if module not in limit.modules:
                continue
            counted = (limit, route if limit.each_route else "")
            self._taken[counted] += 1
            if self._taken[counted] > limit.a_minute * self._share():
                wait = str(int(MINUTE - past) + 1)
                body = {"error": {"code": "429", "message": "too many requests in this minute", "exception": None}}
                return data(body, 429, headers={"Retry-After": wait})
        return None
