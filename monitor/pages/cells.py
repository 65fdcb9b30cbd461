"""Cells: what a thing was worked out from decides whether it is worked out again.

A publication is worked out from one picture: figures, views, pages, files. Each of these is a *cell*: a method whose
value is remembered together with every other cell it looked at. In the next publication the method runs again only
when one of those has another value by then; otherwise the old value stands, and is the very same object. Nobody has
to say what a page depends on, and nobody can forget to.

What looks at the picture itself is *given*: it is read anew in every publication, so it has to be cheap. A cell must
look at nothing but its arguments, given things and other cells.

A cell whose value is bytes is a file. Once it is published only its digest is kept: the bytes are on the disk.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import update_wrapper
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Key = tuple[Any, ...]  # the method, its owner's name, the arguments


class Stored(bytes):
    """The SHA-256 of a file that lies on the disk: it stands for the bytes of the file, and equals them."""

    @classmethod
    def of(cls, content: bytes) -> "Stored":
        """What stands for these bytes from now on."""
        return content if isinstance(content, Stored) else cls(sha256(content).digest())

    def __eq__(self, other: object) -> bool:
        """Whether these are the bytes of the file, or stand for them."""
        if type(other) is bytes:
            other = sha256(other).digest()
        return isinstance(other, bytes) and bytes.__eq__(self, other)

    __hash__ = bytes.__hash__


class Cell:
    """A value, and the cells that were looked at to get it, in that order; None for what is given.

    As long as the value stays the same the cell does, whatever it was worked out from.
    """

    __slots__ = ("key", "looked_at", "value")

    def __init__(self, key: Key, value: Any) -> None:
        self.key = key
        self.value = value
        self.looked_at: tuple[Cell, ...] | None = None


Found = Mapping[Key, Cell]


class Owner(Protocol):
    """Whose methods are cells. `name` tells one owner of a publication from another."""

    @property
    def cells(self) -> "Cells":
        """The cells of its publication."""
        ...

    @property
    def name(self) -> Hashable:
        """The same in every publication."""
        ...


O = TypeVar("O", bound=Owner)  # noqa: E741


class Cells:
    """The cells of one publication; `before` is what was `found` for the last one. Used by one thread at a time."""

    def __init__(self, before: Found | None = None) -> None:
        self.found: dict[Key, Cell] = {}
        self._before: Found = before or {}
        self._owners: dict[Hashable, Owner] = {}
        self._looking: list[list[Cell]] = []
        self._printed: list[Cell] = []

    def belong_to(self, owner: Owner) -> None:
        """From now on its methods may be asked for again."""
        self._owners[owner.name] = owner

    def knew(self, key: Key) -> bool:
        """Whether it was worked out for the last publication."""
        return key in self._before

    def put_away(self) -> None:
        """The files that were made are on the disk: none of them is held in memory any longer."""
        for cell in self._printed:
            cell.value = Stored.of(cell.value)
        self._printed.clear()

    def close(self) -> None:
        """The publication is made: `found` stays, nothing can be looked at any more. Owners and their cells know each
        other, and with them the whole picture would stay in memory until somebody looks for such rings."""
        self._owners, self._before = {}, {}

    def look(self, key: Key, given: bool) -> Any:
        """The value of a cell. Whoever is being worked out now has looked at it."""
        cell = self.found.get(key)
        if cell is None:
            cell = self._settle(key, given)
        if self._looking:
            self._looking[-1].append(cell)
        return cell.value

    def _settle(self, key: Key, given: bool) -> Cell:
        """The cell as it is now."""
        old = self._before.get(key)
        if old is None or not old.looked_at or not self._stand(old.looked_at):
            old = self._work_out(key, given, old)
        self.found[key] = old
        return old

    def _stand(self, looked_at: tuple[Cell, ...]) -> bool:
        """Whether all of these still have their value. The order matters: what was looked at first may have decided
        whether the rest exists at all."""
        for old in looked_at:
            if (self.found.get(old.key) or self._settle(old.key, old.looked_at is None)) is not old:
                return False
        return True

    def _work_out(self, key: Key, given: bool, old: Cell | None) -> Cell:
        make, name, *arguments = key
        looked_at: list[Cell] = []
        self._looking.append(looked_at)
        try:
            value = make(self._owners[name], *arguments)
        finally:
            self._looking.pop()
        cell = old if old is not None and old.value == value else Cell(key, value)
        if type(cell.value) is bytes:
            self._printed.append(cell)
        cell.looked_at = None if given else tuple(looked_at)
        return cell


def cell(make: Callable[Concatenate[O, P], T]) -> Callable[Concatenate[O, P], T]:
    """A method that looks at nothing but cells."""
    return _remembered(make, given=False)


def given(make: Callable[Concatenate[O, P], T]) -> Callable[Concatenate[O, P], T]:
    """A method that looks at the picture itself."""
    return _remembered(make, given=True)


def _remembered(make: Callable[Concatenate[O, P], T], given: bool) -> Callable[Concatenate[O, P], T]:
    def look(owner: O, /, *arguments: P.args, **_: P.kwargs) -> T:
        found: T = owner.cells.look((make, owner.name, *arguments), given)
        return found

    return update_wrapper(look, make)


class Each(Mapping[str, T]):
    """A mapping whose values are cells: whoever takes one has looked at that one only."""

    def __init__(self, ids: Mapping[str, Any], one: Callable[[str], T]) -> None:
        self._ids = ids
        self._one = one

    def __getitem__(self, id: str) -> T:
        if id not in self._ids:
            raise KeyError(id)
        return self._one(id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
