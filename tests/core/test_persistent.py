"""A persistent mapping is told from a dict, and a set from a set, by nothing but what a change leaves alone."""

from collections.abc import Set

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.persistent import PersistentMap, PersistentSet, turned, with_value

KEYS = st.integers(0, 200)  # three shelves of them


@given(st.dictionaries(KEYS, st.integers(), max_size=200), st.lists(st.tuples(KEYS, st.integers()), max_size=40))
def test_it_is_a_dict_that_is_replaced(first: dict[int, int], puts: list[tuple[int, int]]) -> None:
    """The same keys in the same order, the same values, however it is asked; and every earlier one is as it was."""
    plain, persistent = dict(first), PersistentMap(first)
    versions = [(dict(plain), persistent)]
    for key, value in puts:
        plain[key] = value
        persistent = persistent.put(key, value)
        versions.append((dict(plain), persistent))
    for expected, found in versions:
        assert list(found.items()) == list(expected.items())
        assert list(found) == list(found.keys()) == list(expected)
        assert list(found.values()) == list(expected.values())
        assert (len(found), found, {**found}) == (len(expected), expected, expected)
        for key in range(201):
            assert (key in found, found.get(key), found.get(key, "none")) == (
                *(key in expected, expected.get(key), expected.get(key, "none")),
            )
            assert key not in expected or found[key] == expected[key]


@given(st.dictionaries(KEYS, st.integers(), min_size=1), st.data())
def test_what_did_not_change_is_the_same_object(first: dict[int, int], data: st.DataObject) -> None:
    """Whoever compares two of them by identity sees one change."""
    objects = PersistentMap({key: [value] for key, value in first.items()})
    key = data.draw(st.sampled_from(list(first)))
    other = objects.put(key, [0])
    assert [one for one in objects if other[one] is not objects[one]] == [key]


def test_a_plain_mapping_becomes_one_at_its_first_change() -> None:
    """And stays what it was; one that is persistent is not copied."""
    plain = {"a": 1}
    one = with_value(plain, "a", 2)
    two = with_value(one, "b", 3)
    assert (plain, one, two) == ({"a": 1}, {"a": 2}, {"a": 2, "b": 3})


MEMBERS = st.tuples(st.integers(0, 40), st.sampled_from("ab"))


@given(st.frozensets(MEMBERS), st.lists(MEMBERS, max_size=60))
def test_a_set_is_a_set_that_is_replaced(first: frozenset[tuple[int, str]], turns: list[tuple[int, str]]) -> None:
    """The same members however it is asked, and every earlier one is as it was."""
    versions: list[tuple[frozenset[tuple[int, str]], Set[tuple[int, str]]]] = [(first, PersistentSet(first))]
    for member in turns:
        plain, persistent = versions[-1]
        versions.append((plain ^ {member}, turned(persistent, member)))
    for expected, found in versions:
        assert found == expected
        assert (len(found), bool(found), set(found)) == (len(expected), bool(expected), expected)
        assert all((member in found) is (member in expected) for member in [*turns, (99, "a")])
    assert turned(first, (99, "a")) == first | {(99, "a")}
