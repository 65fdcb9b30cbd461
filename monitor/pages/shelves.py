"""Shelves: the boxes of many modules in groups that a browser draws when they come into sight."""

from collections.abc import Iterable
from itertools import groupby
from typing import Generic, NamedTuple, Protocol, TypeVar

from monitor.core.module import Platform

SIZE = 24  # boxes: whole rows of two, three and four


class Box(Protocol):
    """A module's box."""

    @property
    def id(self) -> str:
        """The module."""
        ...

    @property
    def failing(self) -> bool:
        """Whether it stands before all shelves."""
        ...


T = TypeVar("T", bound=Box)


class Shelf(NamedTuple, Generic[T]):
    """Some boxes. No id of a shelf can be that of a module."""

    id: str
    boxes: tuple[T, ...]


def shelves(boxes: Iterable[T], platform: Platform) -> tuple[Shelf[T], ...]:
    """The boxes that do not stand before them, in their order. Where a shelf ends follows from the configuration and
    not from how many boxes stand before it: one that leaves its place moves no other one to another shelf."""
    places = {id: place // SIZE for place, id in enumerate(platform.modules)}
    rest = (one for one in boxes if not one.failing)
    found = groupby(rest, lambda one: places[one.id])
    return tuple(Shelf(f"shelf_{number}", tuple(some)) for number, (_, some) in enumerate(found, 1))
