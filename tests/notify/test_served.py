"""Who has a message already."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.served import REMEMBERED, Served

NAMES = ("a", "b", "c")


@given(st.lists(st.sets(st.sampled_from(NAMES)), max_size=6))
def test_nobody_is_asked_twice_and_nobody_is_left_out(refusals: list[set[str]]) -> None:
    """However often some of those who are asked refuse."""
    served, has = Served(NAMES), set[str]()
    for refusing in refusals:
        asked = served.left("event")
        assert set(asked) == (set(NAMES) - has if has != set(NAMES) else set(NAMES))
        has = set() if has == set(NAMES) else has
        refused = refusing & set(asked)
        has |= set(asked) - refused
        assert served.note("event", refused) is bool(has)


def test_what_is_remembered_has_an_end() -> None:
    """The oldest is forgotten first."""
    served = Served(NAMES)
    for number in range(REMEMBERED + 1):
        served.note(str(number), {"a"})
    assert served.left("0") == ["a", "b", "c"]
    assert served.left("1") == served.left(str(REMEMBERED)) == ["a"]


def test_a_name_that_is_written_twice_is_one() -> None:
    """In the order they are written."""
    assert Served(["b", "a", "b"]).left("event") == ["b", "a"]
