"""Hands: what the desk reaches out with: a store that keeps what was decided, whoever looks, whoever counts along."""

from collections.abc import Sequence
from typing import Protocol

from monitor.core.board import Board
from monitor.core.effect import Ask, AskCanaries, Happened, Hold, Keep, Storable
from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.core.search import Search


class Store(Protocol):
    """What the desk needs of a store: all or nothing, an exception of `troubles` when it refuses."""

    async def commit(self, effects: Sequence[Storable]) -> None:
        """Stores these effects in one transaction."""
        ...

    async def incident(self, id: str) -> Incident | None:
        """One incident, however old."""
        ...

    async def incidents(self, search: Search) -> list[Incident]:
        """The first of a search, and one more than its limit where there is one."""
        ...

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]]:
        """Lines of the audit log with their numbers, and one more than the limit where there is one."""
        ...

    async def entry(self, request: str) -> Entry | None:
        """The line for what was done by a request of that name."""
        ...


class Hands(Protocol):
    """Whoever performs what a step asks for."""

    def ask(self, ask: Ask) -> None:
        """Run a probe once more."""
        ...

    def hold(self, hold: Hold) -> None:
        """Leave a probe alone for a while."""
        ...

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Find out whether the place can see."""
        ...


class Watcher:
    """Whoever counts along; this one does not."""

    def judged(self, board: Board, keep: Keep) -> None:
        """One more run was judged."""

    def written(self, news: bool, seconds: float) -> None:
        """Effects were stored in so many seconds; `news` when a status or an incident was among them."""

    def happened(self, event: Happened, stored: bool) -> None:
        """An event of an incident was decided, and later on stored."""

    def refused(self, reason: str) -> None:
        """The store does not take what was decided."""
