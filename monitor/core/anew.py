"""Anew: a frozen record with some values in place of others, for records that change with every run.

`dataclasses.replace` calls the constructor, which sets each field past the guard of a frozen class; of a record with
forty fields that is most of what a step costs. Here the fields are copied as they stand.
"""

from dataclasses import fields
from functools import cache
from itertools import repeat
from operator import attrgetter, call
from typing import Any, TypeVar

T = TypeVar("T")


def replace(one: T, /, **changes: Any) -> T:
    """As `dataclasses.replace`, of a record with slots and without `__post_init__`. Raises KeyError for a field that it
    does not have."""
    made: T = object.__new__(type(one))
    values, setters, by_name = _form(type(one))  # type: ignore[arg-type]  # a class can always be a key
    any(map(call, setters, repeat(made), values(one)))  # none gives anything back: all of them are called
    for name, value in changes.items():
        by_name[name](made, value)
    return made


@cache
def _form(kind: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """What reads all fields of a kind of record, what sets each of them, and the same by name."""
    names = [field.name for field in fields(kind)]
    setters = {name: getattr(kind, name).__set__ for name in names}
    return attrgetter(*names), tuple(setters.values()), setters
