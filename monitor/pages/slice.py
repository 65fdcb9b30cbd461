"""Slice: how much of a site that was never printed one publication prints, so that the first page does not wait for the
last. What has been printed before is brought up to date in every publication, whatever a slice leaves out.
"""


class Slice:
    """So many new pages, all of them without a number. `waiting` counts those that come with the next publication."""

    def __init__(self, pages: int | None = None) -> None:
        self.waiting = 0
        self._room = pages

    def takes(self) -> bool:
        """Whether one more new page is printed now."""
        if self._room is None:
            return True
        if self._room <= 0:
            self.waiting += 1
            return False
        self._room -= 1
        return True
