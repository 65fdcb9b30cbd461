"""Table and Row: plain mappings and lists that remember where in the file they and their parts stand.

A path is a tuple of keys and indexes from the root. Positions are looked up only when there is something to say, and
there are hundreds of thousands of them: each is one number, a `Spot`, and a key's stands in one with its value's.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


Spot = int  # a Place before anybody asks for it
COLUMN_BITS, SPOT_BITS = 24, 48  # a file has at most 5 MB


def spot(line: int, column: int) -> Spot:
    """Line and column, both from 1, in one number."""
    return line << COLUMN_BITS | column


def place_of(found: Spot) -> Place:
    """The inverse of `spot`."""
    return Place(found >> COLUMN_BITS, found & ((1 << COLUMN_BITS) - 1))


START = spot(1, 1)


class Table(dict[str, Any]):
    """A YAML mapping. Keys are always text, as written: in YAML 1.2 a key `on` or `200` means nothing else here."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, int] = {}  # of key and value

    def put(self, key: str, value: Any, key_place: Spot, place: Spot) -> None:
        """A key with its value, and where both begin."""
        self[key] = value
        self.places[key] = key_place << SPOT_BITS | place

    def spots(self, key: str) -> tuple[Spot, Spot]:
        """Where a key begins, and its value."""
        both = self.places[key]
        return both >> SPOT_BITS, both & ((1 << SPOT_BITS) - 1)


class Row(list[Any]):
    """A YAML sequence."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Spot] = []


class Substituted(str):
    """Text that came, wholly or partly, from `${…}`: it may be a secret, so `written` is what messages show."""

    written: str

    def __new__(cls, text: str, written: str) -> "Substituted":
        self = super().__new__(cls, text)
        self.written = written
        return self


class Withheld(Substituted):
    """Text of a probe that is off because a name it `needs` is not set: every field accepts it, nothing reads it."""


def plain(value: Any) -> Any:
    """The same value in plain dicts, lists and strings."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def find(root: Any, path: Sequence[str | int]) -> tuple[Any, Place, Place]:
    """What stands at a path, where it begins and where its key begins; a path that leads nowhere ends at its parent.

    Steps that are not keys of the file, such as the kind a model was chosen by, are passed over.
    """
    value: Any = root
    place: Spot = START
    key_place: Spot = START
    for step in path:
        if isinstance(value, Table) and isinstance(step, str) and step in value:
            (key_place, place), value = value.spots(step), value[step]
        elif isinstance(value, Row) and isinstance(step, int) and -1 < step < len(value):
            place = key_place = value.places[step]
            value = value[step]
    return value, place_of(place), place_of(key_place)


def each(value: Any, pattern: Sequence[str], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every (path, value) that a pattern of keys matches; `*` stands for all members, and for a lone scalar itself."""
    if value is None and pattern:  # most of what may be written is not
        return
    found, last = [(path, value)], len(pattern) - 1
    for number, step in enumerate(pattern):
        if step == "*":
            found = [one for at, box in found for one in _members(at, box, last=number == last)]
        else:
            found = [((*at, step), box[step]) for at, box in found if isinstance(box, dict) and step in box]
    yield from found


def _members(path: Path, box: Any, last: bool) -> Iterable[tuple[Path, Any]]:
    """What `*` leads to."""
    if isinstance(box, dict):
        return [((*path, key), one) for key, one in box.items()]
    if isinstance(box, list):
        return [((*path, index), one) for index, one in enumerate(box)]
    return [(path, box)] if box is not None and last else ()
