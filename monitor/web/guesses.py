"""Guesses: how often something secret may be tried: by whoever is at one address, under one name, and in all.

A try is counted before it is looked at, so that many at once are no way around, and taken back when it was right.
"""

from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256
from time import monotonic

MINUTE = 60.0
LONGEST_LIST = 10_000  # addresses and names that are remembered; past it, those that could try again are forgotten

Mark = tuple[float, tuple[bytes, ...]]  # when, and whose


class Guesses:
    """`each` tries a minute for an address or a name, `all` from everybody together."""

    def __init__(self, each: int, all: int, time: Callable[[], float] = monotonic) -> None:
        self._each = each
        self._all = all
        self._time = time
        self._tried: dict[bytes, deque[float]] = {}
        self._every: deque[float] = deque()

    def take(self, *whose: str) -> Mark | float:
        """A try of these, to be given to `right` if it was; or the seconds for which none of them may try."""
        now = self._time()
        keys = tuple(sha256(one.encode("utf-8", "surrogateescape")).digest() for one in whose)
        limits = [(self._tried.get(key, ()), self._each) for key in keys]
        wait = max(_wait(tries, most, now) for tries, most in [*limits, (self._every, self._all)])
        if wait > 0:
            return wait
        if len(self._tried) >= LONGEST_LIST:
            self._tried = {key: tries for key, tries in self._tried.items() if tries and tries[-1] > now - MINUTE}
        for tries in (*(self._tried.setdefault(key, deque(maxlen=self._each)) for key in keys), self._every):
            tries.append(now)
        while self._every and self._every[0] <= now - MINUTE:
            self._every.popleft()
        return now, keys

    def right(self, mark: Mark) -> None:
        """That try was right, and counts for nothing."""
        at, keys = mark
        for tries in (*(self._tried.get(key, deque[float]()) for key in keys), self._every):
            if at in tries:
                tries.remove(at)


def _wait(tries: Sequence[float] | deque[float], most: int, now: float) -> float:
    """Seconds until there is room for another try; 0 when there is."""
    recent = [at for at in tries if at > now - MINUTE]
    return recent[-most] + MINUTE - now if len(recent) >= most else 0.0
