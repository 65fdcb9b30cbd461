"""Persistent: mappings and sets of which each change makes another one and leaves the old one as it was.

The board is replaced at every run, and a run moves one of ten thousand tracks. What did not change is shared by the old
mapping and the new one: to replace a value copies one shelf of values and the row of shelves, not everything. A new key
copies all keys; that happens once for each, at the start. Of a set each change copies one bin of members.
"""

from collections.abc import Hashable, ItemsView, Iterable, Iterator, KeysView, Mapping, Set, ValuesView
from itertools import chain
from typing import Any, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")
H = TypeVar("H", bound=Hashable)

_SHELF = 64  # values that are copied when one of them is replaced
_BINS = 64  # of a set; one is copied when a member comes or goes


class PersistentMap(Mapping[K, V]):
    """A mapping that is never changed, in the order in which its keys came."""

    __slots__ = ("_places", "_shelves")

    def __init__(self, mapping: Mapping[K, V] | None = None) -> None:
        values = list((mapping or {}).values())
        self._places: dict[K, int] = {key: place for place, key in enumerate(mapping or {})}
        self._shelves = [values[start : start + _SHELF] for start in range(0, len(values), _SHELF)]

    def put(self, key: K, value: V) -> "PersistentMap[K, V]":
        """The same with one value in place of another; a key that is new comes last."""
        made = cast(PersistentMap[K, V], object.__new__(PersistentMap))
        made._places, made._shelves = self._places, self._shelves.copy()
        place = self._places.get(key)
        if place is None:
            place = len(self._places)
            made._places = self._places.copy()  # somebody in another thread may be walking through the old one
            made._places[key] = place
            if place % _SHELF == 0:
                made._shelves.append([])
        number, index = divmod(place, _SHELF)
        shelf = made._shelves[number] = made._shelves[number].copy()
        shelf[index : index + 1] = [value]
        return made

    def __getitem__(self, key: K) -> V:
        number, index = divmod(self._places[key], _SHELF)
        return self._shelves[number][index]

    def get(self, key: Any, default: Any = None) -> Any:
        """See `dict.get`."""
        place = self._places.get(key)
        return default if place is None else self._shelves[place // _SHELF][place % _SHELF]

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[K]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return repr(dict(self))

    def keys(self) -> KeysView[K]:
        """See `dict.keys`."""
        return self._places.keys()

    def values(self) -> ValuesView[V]:
        """See `dict.values`."""
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        """See `dict.items`."""
        return _Items(self)


class _Values(ValuesView[V]):
    _mapping: PersistentMap[Any, V]

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(self._mapping._shelves)


class _Items(ItemsView[K, V]):
    _mapping: PersistentMap[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return zip(self._mapping._places, chain.from_iterable(self._mapping._shelves), strict=True)


def with_value(mapping: Mapping[K, V], key: K, value: V) -> PersistentMap[K, V]:
    """A mapping of any kind with one value in place of another."""
    return (mapping if isinstance(mapping, PersistentMap) else PersistentMap(mapping)).put(key, value)


class PersistentSet(Set[H]):
    """A set that is never changed."""

    __slots__ = ("_bins", "_size")

    def __init__(self, members: Iterable[H] = ()) -> None:
        bins: list[set[H]] = [set() for _ in range(_BINS)]
        for member in members:
            bins[hash(member) % _BINS].add(member)
        self._bins = [frozenset(one) for one in bins]
        self._size = sum(map(len, bins))

    def turn(self, member: H) -> "PersistentSet[H]":
        """The same without this member, or with it where it was none."""
        made = cast(PersistentSet[H], object.__new__(PersistentSet))
        number = hash(member) % _BINS
        before = self._bins[number]
        made._bins = self._bins.copy()
        made._bins[number] = after = before ^ {member}
        made._size = self._size + len(after) - len(before)
        return made

    def __contains__(self, member: object) -> bool:
        return member in self._bins[hash(member) % _BINS]

    def __iter__(self) -> Iterator[H]:
        return chain.from_iterable(self._bins)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return repr(set(self))


def turned(members: Set[H], member: H) -> PersistentSet[H]:
    """A set of any kind without a member, or with it where it was none."""
    return (members if isinstance(members, PersistentSet) else PersistentSet(members)).turn(member)
