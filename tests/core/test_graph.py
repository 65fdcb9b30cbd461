"""Who needs whom: ranks, circles, gateways, and everything that needs a module."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.graph import HARD, MEDIUM, SOFT, Graph, graph_of
from monitor.core.module import Dependency, Platform, Strength
from tests.stories.beats import module, platform

NAMES = tuple("abcdefg")
Needs = dict[str, dict[str, float]]


def needs(text: str) -> Needs:
    """`a>b a>c d`: who needs whom, every edge hard; a name by itself needs nobody."""
    found: Needs = {}
    for word in text.split():
        of, _, to = word.partition(">")
        found.setdefault(of, {})
        if to:
            found.setdefault(to, {})
            found[of][to] = HARD
    return found


graphs = st.dictionaries(
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from((*NAMES, "gone")), st.sampled_from((HARD, MEDIUM, SOFT)), max_size=4),
    max_size=len(NAMES),
)


def closure(edges: Needs, module: str) -> set[str]:
    """Everything that needs a module, found the slow way; itself left out."""
    found = {module}
    for _ in edges:
        found |= {id for id, needs in edges.items() if found & needs.keys()}
    return found - {module}


def on_one_circle(edges: Needs, one: str, other: str) -> bool:
    """Whether two modules need each other, or are the same."""
    return one == other or (one in closure(edges, other) and other in closure(edges, one))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        pytest.param("a", "a", id="alone"),
        pytest.param("a>b b>c", "cba", id="a chain"),
        pytest.param("a>b a>c b>d c>d", "dbca", id="a diamond"),
        pytest.param("c>b b>a", "abc", id="whatever their names"),
    ],
)
def test_what_is_needed_comes_first(text: str, order: str) -> None:
    """Ranks grow from what is needed to what needs it."""
    graph = graph_of(needs(text))
    assert "".join(sorted(graph.rank, key=lambda id: (graph.rank[id], id))) == order


@pytest.mark.parametrize(
    ("text", "circles"),
    [
        pytest.param("a>b b>c", {"a", "b", "c"}, id="none"),
        pytest.param("a>b b>a c>a", {"ab", "c"}, id="two that need each other"),
        pytest.param("a>b b>c c>a d>c", {"abc", "d"}, id="three in a ring"),
        pytest.param("a>b b>a c>d d>c a>c", {"ab", "cd"}, id="two circles, one needs the other"),
        pytest.param("a>a", {"a"}, id="one that needs itself"),
    ],
)
def test_a_circle_is_one_node(text: str, circles: set[str]) -> None:
    """Its modules share one name and one rank; all others have their own."""
    graph = graph_of(needs(text))
    found: dict[tuple[str, int], str] = {}
    for id in sorted(graph.cycle):
        key = (graph.cycle[id], graph.rank[id])
        found[key] = found.get(key, "") + id
    assert set(found.values()) == circles
    assert all(name in members for (name, _), members in found.items())


def test_a_gateway_that_nobody_declares_is_needed_by_all() -> None:
    """That is what a gateway is; it does not need itself, and its failure shows in whatever stands behind it."""
    graph = graph_of(needs("a>b gateway"), gateways=["gateway"])
    assert graph.needed_by["gateway"] == ("a", "b")
    assert dict(graph.needs["a"])["gateway"] == HARD
    assert graph.needs["gateway"] == ()


def test_a_gateway_that_somebody_declares_is_needed_by_those_who_do() -> None:
    """Whoever drew the edges knows better than the rule."""
    graph = graph_of(needs("a>gateway b"), gateways=["gateway"])
    assert graph.needed_by["gateway"] == ("a",)


def test_two_gateways_do_not_need_each_other() -> None:
    """Everything needs both, and there is no circle."""
    graph = graph_of(needs("a one two"), gateways=["one", "two"])
    assert graph.needs["one"] == graph.needs["two"] == ()
    assert len(set(graph.cycle.values())) == 3


def test_an_edge_to_nobody_is_no_edge() -> None:
    """A module that left the configuration is needed by nobody."""
    graph = graph_of({"a": {"gone": HARD, "b": SOFT}, "b": {}})
    assert graph.needs["a"] == (("b", SOFT),)
    assert "gone" not in graph.rank


@pytest.mark.parametrize(("strength", "chance"), [("hard", 0.9), ("medium", 0.5), ("soft", 0.25)])
def test_how_surely_a_failure_shows(strength: str, chance: float) -> None:
    """A plain dependency is a medium one."""
    assert Strength(strength).chance == chance
    assert Dependency("catalog").strength is Strength.MEDIUM


def test_a_platform_knows_who_talks_to_which_host() -> None:
    """Only probes that decide count; what no probe decides is not measured."""
    world: Platform = platform(module("a", "b"), module("b"))
    assert world.graph.measured == {"a", "b"}
    assert world.graph.dependants("b") == ["a"]
    assert dict(world.graph.needs["a"]) == {"b": MEDIUM}


@given(graphs)
def test_dependants_are_all_that_need_a_module(edges: Needs) -> None:
    """However far away; itself left out, also on a circle; of what nobody knows there are none."""
    graph = graph_of(edges)
    known = {id: {need: chance for need, chance in of.items() if need in edges} for id, of in edges.items()}
    for id in edges:
        found = graph.dependants(id)
        assert len(found) == len(set(found))
        assert set(found) == closure(known, id)
    assert graph.dependants("gone") == []


@given(graphs)
def test_dependants_come_in_the_order_of_need(edges: Needs) -> None:
    """Whatever needs something else of the list stands behind it, unless they need each other."""
    graph = graph_of(edges)
    for id in edges:
        place = {one: index for index, one in enumerate(graph.dependants(id))}
        for one in place:
            for need, _ in graph.needs[one]:
                if need in place and graph.cycle[need] != graph.cycle[one]:
                    assert place[need] < place[one]


@given(graphs)
def test_circles_are_those_that_need_each_other(edges: Needs) -> None:
    """Two modules are one node exactly when each needs the other in the end; no node shares its rank."""
    graph = graph_of(edges)
    known = {id: {need: chance for need, chance in of.items() if need in edges} for id, of in edges.items()}
    for one in edges:
        for other in edges:
            together = on_one_circle(known, one, other)
            assert (graph.cycle[one] == graph.cycle[other]) is together
            assert (graph.rank[one] == graph.rank[other]) is together


@given(graphs)
def test_needs_and_needed_by_say_the_same(edges: Needs) -> None:
    """Each edge stands in both, and the order in which modules are written changes no group."""
    graph: Graph = graph_of(edges)
    assert {(of, to) for of, ones in graph.needs.items() for to, _ in ones} == {
        (of, to) for to, ones in graph.needed_by.items() for of in ones
    }
    backwards = graph_of({id: edges[id] for id in reversed(edges)})
    for one in edges:
        assert {id for id in edges if graph.cycle[id] == graph.cycle[one]} == {
            id for id in edges if backwards.cycle[id] == backwards.cycle[one]
        }


def test_a_long_chain_needs_no_deep_stack() -> None:
    """Five thousand modules in a row, and as many in a ring."""
    names = [f"m{index}" for index in range(5000)]
    chain = {id: {need: HARD} for id, need in pairwise(names)} | {names[-1]: {}}
    assert graph_of(chain).rank[names[0]] == max(graph_of(chain).rank.values())
    assert len(graph_of(chain).dependants(names[-1])) == 4999
    ring = graph_of({**chain, names[-1]: {names[0]: HARD}})
    assert len(set(ring.cycle.values())) == 1
