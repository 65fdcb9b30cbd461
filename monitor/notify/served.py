"""Served: who of several receivers has a message already, so that those who refused it are asked again alone.

Kept in memory: after a restart everybody is asked again, and mail programs and services that know a message by its id
show it once.
"""

from collections.abc import Collection, Sequence

REMEMBERED = 1000  # messages that some receivers have and some do not


class Served:
    """The receivers of one channel, by message."""

    def __init__(self, receivers: Sequence[str]) -> None:
        self._receivers = tuple(dict.fromkeys(receivers))
        self._served: dict[str, frozenset[str]] = {}

    def left(self, event: str) -> list[str]:
        """Who has not got this message yet, in the order they are written."""
        served = self._served.get(event, frozenset())
        return [one for one in self._receivers if one not in served]

    def note(self, event: str, refused: Collection[str]) -> bool:
        """Everybody else has it now. Whether anybody has."""
        served = frozenset(self._receivers) - frozenset(refused)
        self._served.pop(event, None)
        if refused and served:
            self._served[event] = served
            while len(self._served) > REMEMBERED:
                del self._served[next(iter(self._served))]
        return bool(served)
