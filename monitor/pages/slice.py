"""Slice: how much one publication makes, so that what all look at does not wait for what few do: the first page for the
last one of a site that was never printed, and news of thousands of modules at once for the files of each.
"""

from math import inf
from time import monotonic


class Slice:
    """So many new pages, and so many files about one module or component that may be others than before;
    all of them without a number. Of the latter no more than fit into some `seconds`, either: where many fail there is
    little time for printing. `waiting` counts new ones that come with the next publication, `behind` the others."""

    def __init__(self, pages: int | None = None, anew: int | None = None, seconds: float = inf) -> None:
        self.waiting = self.behind = 0
        self._room = pages
        self._anew = anew
        self._seconds = seconds
        self._began: float | None = None

    def takes(self) -> bool:
        """Whether one more new page is printed now."""
        if self._room is None:
            return True
        if self._room <= 0:
            self.waiting += 1
            return False
        self._room -= 1
        return True

    def waits(self) -> bool:
        """Whether one more file about one that was published before stays as it is in this publication."""
        if self._anew is None:
            return False
        if self._began is None:
            self._began = monotonic()
        if self._anew <= 0 or monotonic() - self._began > self._seconds:
            self.behind += 1
            return True
        self._anew -= 1
        return False
