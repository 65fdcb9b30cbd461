"""Served: who of several receivers has a message already, so that those who refused it are asked again alone; and which
of several messages one receiver has.

Kept in memory: after a restart everybody is asked again, and mail programs and services that know a message by its id
show it once.
"""

from collections.abc import Collection, Iterable, Sequence

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


class Taken:
    """Which of the messages that one notice is made of were taken, until all of them are."""

    def __init__(self) -> None:
        self._taken: dict[str, list[str]] = {}

    def left(self, event: str, ids: Iterable[str]) -> list[str]:
        """Which of these were not taken yet, in the same order."""
        return [id for id in ids if id not in self._taken.get(event, ())]

    def note(self, event: str, id: str) -> None:
        """One was taken."""
        self._taken.setdefault(event, []).append(id)
        while len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]

    def forget(self, event: str) -> None:
        """All of them were."""
        self._taken.pop(event, None)
