"""Cache: copies of good answers, which go on answering when what made them is gone.

Two stand in the way of a request: the edge, before the router, keeps pages and files; the API cache, behind it, keeps
answers of public APIs. So a struck router takes the second along and not the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic

from monitor.simulator.visit import Answer

EDGE, API = "Edge", "ApiCache"
MOST_COPIES = 2000  # the oldest is dropped beyond that

Key = tuple[str, str]  # host name; path with its query, so that another query is another copy


@dataclass(frozen=True, slots=True)
class _Copy:
    answer: Answer
    made_at: datetime
    made: float  # on the monotonic clock


class Cache:
    """`longest()` is the most seconds any copy is kept, however long its route allows."""

    def __init__(self, longest: Callable[[], float], now: Callable[[], float] = monotonic) -> None:
        self._longest = longest
        self._now = now
        self._copies: dict[Key, _Copy] = {}

    def answer(self, layer: str, key: Key, headers: Mapping[str, str]) -> Answer | None:
        """The copy this layer holds, if it is fresh and the caller does not insist on a new one."""
        copy = self._copies.get(key)
        if copy is None or layer_of(key[1]) != layer or "no-cache" in headers.get("Cache-Control", "").lower():
            return None
        age = self._now() - copy.made
        if age >= self._life(copy.answer):
            return None
        said = {
            f"X-VTEX-Cache-Status-Janus-{layer}": "HIT",
            "X-vtex-processed-at": copy.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Age": str(int(age)),
        }
        return replace(copy.answer, headers={**copy.answer.headers, **said})

    def keep(self, key: Key, answer: Answer) -> None:
        """Marks an answer that caches may keep as one they had to ask for, and keeps it when it is good."""
        if answer.life <= 0 or answer.status >= 300:
            return
        layer = layer_of(key[1])
        answer.headers["X-VTEX-Cache-Status-Janus-Edge"] = "MISS"
        answer.headers["X-VTEX-Cache-Status-Janus-ApiCache"] = "MISS"
        if key in self._copies:
            answer.headers[f"X-VTEX-Cache-Status-Janus-{layer}"] = "EXPIRED"
        answer.headers["X-vtex-processed-at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._copies.pop(key, None)
        if self._life(answer) > 0:
            self._copies[key] = _Copy(replace(answer, headers=dict(answer.headers)), datetime.now(UTC), self._now())
            if len(self._copies) > MOST_COPIES:
                self._copies.pop(next(iter(self._copies)))

    def _life(self, answer: Answer) -> float:
        return min(answer.life, self._longest())


def layer_of(path: str) -> str:
    """Which of the two caches keeps what lies under a path."""
    return API if path.startswith("/api/") else EDGE
