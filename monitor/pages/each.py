"""Each: a mapping of cells by id, of which only those that are taken are looked at."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


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
