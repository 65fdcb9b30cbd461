"""Anew says what `dataclasses.replace` says, of every record it is used for."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.anew import replace
from monitor.core.board import Board, Vantage
from monitor.core.module import Platform
from monitor.core.track import Track
from tests.depth import examples

RECORDS = (Track(), Board(Platform({})), Vantage())


@pytest.mark.property
@settings(max_examples=examples(50), deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_any_fields_are_replaced_and_the_rest_stays(record: object, data: st.DataObject) -> None:
    """The same record comes of it, and the one before is as it was."""
    names = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]
    changes = {name: data.draw(st.integers()) for name in data.draw(st.sets(st.sampled_from(names)))}
    before = dataclasses.astuple(record) if not isinstance(record, Board) else record.platform

    after = replace(record, **changes)

    assert after == dataclasses.replace(record, **changes)  # type: ignore[type-var]
    assert type(after) is type(record)
    assert before == (dataclasses.astuple(record) if not isinstance(record, Board) else record.platform)  # type: ignore[call-overload]


def test_a_field_that_does_not_exist_is_an_error() -> None:
    """A slip of the pen is found at once."""
    with pytest.raises(KeyError):
        replace(Track(), scores=1)
