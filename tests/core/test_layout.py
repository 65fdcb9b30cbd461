"""The layout of the dependency map: nothing touches, lines go one way, the same graph looks the same."""

from collections import Counter, defaultdict
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.layout import BOX, LANE, TALL, Layout, layout_of
from tests.pages.maps import shipped_platform

Needs = dict[str, list[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Needs:
    """Graphs of up to thirty modules with any edges, circles and needs of what does not exist among them."""
    ids = [f"m{number}" for number in range(draw(st.integers(0, 30)))]
    needed = st.lists(st.sampled_from([*ids, "nowhere"]), max_size=4)
    return {id: draw(needed) for id in ids}


def edges(needs: Needs) -> list[tuple[str, str]]:
    """(needed, in need), as they are drawn."""
    return [(one, id) for id, ones in needs.items() for one in dict.fromkeys(ones) if one in needs and one != id]


def crossings(layout: Layout, needs: Needs) -> int:
    """Pairs of lines that cross between two layers."""
    hops = {tuple(sorted(hop)) for edge in edges(needs) for hop in pairwise(layout.way(*edge))}
    by_layer = defaultdict(list)
    for (layer, top), (_, end) in hops:
        by_layer[layer].append((top, end))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for lines in by_layer.values()
        for number, a in enumerate(lines)
        for b in lines[:number]
    )


@settings(max_examples=40)
@given(graphs())
def test_nothing_touches(needs: Needs) -> None:
    """Neither modules nor the lanes of lines that pass them; every module has its place, inside the drawing."""
    layout = layout_of(needs)
    taken = defaultdict(list)
    for layer, top in layout.places.values():
        taken[layer].append((top - BOX, top + BOX))
    for (_, layer), top in layout.lanes.items():
        taken[layer].append((top - LANE, top + LANE))
    assert layout.places.keys() == needs.keys()
    assert set(taken) == set(range(layout.layers))
    for spans in taken.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(spans)))
        assert min(spans)[0] >= 0
        assert max(spans)[1] <= layout.height


@settings(max_examples=40)
@given(graphs())
def test_every_line_goes_from_left_to_right_a_layer_at_a_time(needs: Needs) -> None:
    """But for those that close a circle; without them there is none left."""
    layout = layout_of(needs)
    assert layout.back <= set(edges(needs))
    for edge in edges(needs):
        way = layout.way(*edge)
        step = -1 if edge in layout.back else 1
        assert [after[0] - before[0] for before, after in pairwise(way)] == [step] * (len(way) - 1)
        assert (way[0], way[-1]) == (layout.places[edge[0]], layout.places[edge[1]])


@settings(max_examples=40)
@given(graphs())
def test_the_same_graph_gives_the_same_layout(needs: Needs) -> None:
    """However often it is asked."""
    assert layout_of(needs) == layout_of({id: list(ones) for id, ones in needs.items()})


@settings(max_examples=20)
@given(st.integers(1, 25))
def test_without_a_circle_no_line_goes_back(size: int) -> None:
    """Whatever the order they are written in."""
    random = Random(size)
    ids = [f"m{number}" for number in range(size)]
    needs = {id: random.sample(ids[:number], min(3, number)) for number, id in enumerate(ids)}
    shuffled = dict(sorted(needs.items(), key=lambda _: random.random()))
    assert layout_of(shuffled).back == frozenset()


@pytest.mark.parametrize(
    ("needs", "back"),
    [
        pytest.param({"a": ["b"], "b": ["a"]}, {("a", "b")}, id="two"),
        pytest.param({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, {("a", "c")}, id="three, and one behind"),
        pytest.param({"a": ["a"]}, set(), id="itself"),
        pytest.param({}, set(), id="nothing"),
    ],
)
def test_circles_are_opened_at_one_edge(needs: Needs, back: set[tuple[str, str]]) -> None:
    """And drawn all the same."""
    assert layout_of(needs).back == back


def test_lines_are_disentangled() -> None:
    """Two ladders written crosswise do not cross."""
    needs = {"a": [], "b": [], "c": [], "x": ["c"], "y": ["b"], "z": ["a"]}
    assert crossings(layout_of(needs), needs) == 0


def test_no_layer_is_too_tall() -> None:
    """What many need is followed by several layers of them."""
    layout = layout_of({"root": [], **{f"m{number}": ["root"] for number in range(60)}})
    assert layout.layers == 6
    assert layout.height < 15 * 2 * BOX


def test_no_layer_is_too_tall_where_much_leads_to_one() -> None:
    """What stands to the left of it moves up to it only as far as there is room."""
    many = {f"m{number}": [] for number in range(40)}
    layout = layout_of({**many, "end": list(many)})
    assert max(Counter(layer for layer, _ in layout.places.values()).values()) <= TALL


def test_there_are_no_more_layers_than_it_takes() -> None:
    """A few, each of which needs one of the many, stand in one layer behind all of these."""
    many = {f"m{number}": ["root"] for number in range(60)}
    few = {f"x{number}": [f"m{12 * number}"] for number in range(5)}
    assert layout_of({"root": [], **many, **few}).layers == 6


def test_a_long_chain_is_no_trouble() -> None:
    """Nothing here calls itself."""
    needs = {f"m{number}": [f"m{number - 1}"] for number in range(1500)}
    assert layout_of(needs).layers == 1500


def test_the_shipped_platform_fits_on_a_page() -> None:
    """Forty-four modules in nine layers, with a fraction of the crossings that the order of the file has."""
    modules = shipped_platform().modules
    needs = {id: [edge.module for edge in one.depends_on] for id, one in modules.items()}
    layout = layout_of(needs)
    assert layout.layers <= 9
    assert layout.height < 700
    assert crossings(layout, needs) < 260
