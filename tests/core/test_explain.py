"""What hangs together, what broke first, and what is shared: exhibits made by hand, and random ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.codes import CODES
from monitor.core.exhibit import ILL, UNSEEN, Exhibit, Scene, State
from monitor.core.explain import NAMED_AT, Group, explain
from monitor.core.graph import HARD, MEDIUM, SOFT, graph_of
from monitor.core.shared import zone_of
from tests.depth import examples
from tests.stories.beats import START

WAIT = "http.504"  # what a caller says of a dependency
HOST = "shop.example.com"


def ill(id: str, after: float = 0, code: str = "http.500", **more: Any) -> Exhibit:
    """A module that fails since so many seconds after the start, by itself when its code does not say otherwise."""
    return Exhibit(id, State.FAILING, START + timedelta(seconds=after), code, **more)


def suspected(id: str, after: float = 0, code: str = "http.500") -> Exhibit:
    """A module with several failures that are not settled yet."""
    return Exhibit(id, State.SUSPECT, START + timedelta(seconds=after), code)


def blocked(id: str) -> Exhibit:
    """A module that throttles us."""
    return Exhibit(id, State.BLOCKED, code="http.429")


def all_of(modules: str, code: str, **more: Any) -> tuple[Exhibit, ...]:
    """Modules that fail the same way, a second apart."""
    return tuple(ill(id, index, code, **more) for index, id in enumerate(modules))


@dataclass(frozen=True)
class World:
    """`edges` as `a>b` (hard), `a>b:0.5`, or a name alone; the names in `dark` are those that nothing is known of."""

    edges: str
    dark: str = ""
    gateways: str = ""
    signalled: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    well_at: Mapping[str, str] = field(default_factory=dict)
    unheard: str = ""  # those that have not been asked since anything failed

    def explain(self, *exhibits: Exhibit, together: Iterable[str] = ()) -> list[Group]:
        """The groups; whatever has no exhibit and is not dark is well."""
        needs: dict[str, dict[str, float]] = {}
        for word in self.edges.split():
            of, _, rest = word.partition(">")
            needs.setdefault(of, {})
            if rest:
                to, _, chance = rest.partition(":")
                needs.setdefault(to, {})
                needs[of][to] = float(chance or HARD)
        graph = graph_of(
            needs,
            measured=[id for id in needs if id not in self.dark],
            gateways=list(self.gateways),
            signalled=list(self.signalled),
            hosts={host: frozenset(ids) for host, ids in self.hosts.items()},
        )
        return explain(
            graph,
            {one.module: one for one in exhibits},
            lambda id: State.DARK if id in self.dark else State.UP,
            [frozenset(ids) for ids in together],
            lambda address: frozenset(self.well_at.get(address, "")),
            lambda id, onset: id not in self.unheard,
        )


def said(groups: Iterable[Group]) -> list[str]:
    """Each group as `abc<a` (root a), `abc=host`, or `abc?` where nobody is sure enough."""
    return [
        "".join(sorted(one.modules))
        + (f"<{one.root}" if one.root else f"={one.shared.kind}" if one.shared is not None else "?")
        for one in groups
    ]


ROOTS: dict[str, tuple[World, tuple[Exhibit, ...], list[str]]] = {
    "alone": (World("a"), (ill("a"),), ["a<a"]),
    "the deepest failing module of a chain": (
        World("a>b b>c"),
        (ill("a", 0, WAIT), ill("b", 5, WAIT), ill("c", 10)),
        ["abc<c"],
    ),
    "also where every edge is medium and all say the same": (
        World("a>b:0.5 b>c:0.5"),
        (ill("a"), ill("b", 5), ill("c", 10)),
        ["abc<c"],
    ),
    "the caller is detected first": (
        World("a>r b>r"),
        (ill("a", 0, WAIT), ill("b", 2, WAIT), ill("r", 25)),
        ["abr<r"],
    ),
    "one that is not settled yet": (World("a>r"), (ill("a", 0, WAIT), suspected("r", 3)), ["ar<r"]),
    "two roots, each with its victims": (
        World("a>r b>r c>s d>s"),
        (ill("r"), *all_of("ab", WAIT), ill("s", 100), ill("c", 101, WAIT), ill("d", 101, WAIT)),
        ["abr<r", "cds<s"],
    ),
    "two that no edge joins are two": (World("a b c"), (ill("a"), ill("b", 3)), ["a<a", "b<b"]),
    "two with a common need that is well are two": (World("a>r b>r"), (ill("a"), ill("b", 3)), ["a<a", "b<b"]),
    "three within five minutes share something": (
        World("a b c"),
        (ill("a"), ill("b", 3), ill("c", 4)),
        ["abc=unknown"],
    ),
    "further apart they do not": (World("a b c"), (ill("a"), ill("b", 301), ill("c", 602)), ["a<a", "b<b", "c<c"]),
    "two and a third much later are three": (
        World("a b c"),
        (ill("a"), ill("b", 3), ill("c", 700)),
        ["a<a", "b<b", "c<c"],
    ),
    "a module that another one explains is no third": (
        World("a>b c"),
        (ill("a", 2, WAIT), ill("b"), ill("c", 3)),
        ["ab<b", "c<c"],
    ),
    "a need that many need and are well explains no failure": (
        World("a>r b>r c>r d>r e>r f>r g>r"),
        (ill("r"), ill("a", 5)),
        ["r<r", "a<a"],
    ),
    "one that few others need does": (World("a>r b>r"), (ill("r"), ill("a", 5)), ["ar<r"]),
    "healthy dependants speak for a dependency": (
        World("a>r b>r c>r d>r e>r f>r g>r h>r", dark="r"),
        (ill("a", 0, WAIT), ill("b", 2, WAIT)),
        ["a?", "b?"],
    ),
    "a lone module that only waits is likely, not sure": (World("a b"), (ill("a", 0, WAIT),), ["a?"]),
    "a soft edge is no proof of innocence": (
        World("a>r c>r:0.25 d>r:0.25", dark="r"),
        (ill("a", 0, WAIT),),
        ["a?"],
    ),
}


@pytest.mark.parametrize(("world", "exhibits", "expected"), ROOTS.values(), ids=ROOTS)
def test_what_broke_first(world: World, exhibits: tuple[Exhibit, ...], expected: list[str]) -> None:
    """A root where the graph explains the rest; else each by itself, or something that many share."""
    assert said(world.explain(*exhibits)) == expected


UNSEEN_ROOTS: dict[str, tuple[World, tuple[Exhibit, ...], list[str]]] = {
    "never measured, two wait for it": (World("a>r b>r", dark="r"), all_of("ab", WAIT), ["ab<r"]),
    "never measured, three wait for it": (World("a>r b>r c>r", dark="r"), all_of("abc", WAIT), ["abc<r"]),
    "never measured, four of a platform fail with it": (
        World("a>r b>r c>r d>r e f g h i j k l", dark="r"),
        all_of("abcd", "http.500"),
        ["abcd<r"],
    ),
    "behind something else that is not measured": (
        World("a>q b>q q>r c>r d e f g h i j k l", dark="q r"),
        all_of("abc", WAIT),
        ["abc<r"],
    ),
    "throttled, and two wait for it": (World("a>r b>r"), (*all_of("ab", WAIT), blocked("r")), ["ab<r"]),
    "throttled alone is no failure": (World("r"), (blocked("r"),), []),
    "named by an answer": (
        World("a>r a>s", dark="r s", signalled="rs"),
        (ill("a", 0, "content.soft_error", named={"s": 1.0}),),
        ["a<s"],
    ),
    "named though its own probes see it well": (
        World("a>r a>s", signalled="rs"),
        (ill("a", 0, "content.soft_error", named={"s": 1.0}),),
        ["a<s"],
    ),
    "named, and two groups become one": (
        World("a>s b>s", dark="s", signalled="s"),
        (ill("a", 0, named={"s": 1.0}), ill("b", 8, named={"s": 1.0})),
        ["ab<s"],
    ),
    "named where nothing is declared": (
        World("a s", signalled="s"),
        (ill("a", 0, "content.soft_error", named={"s": 1.0}),),
        ["a<a"],
    ),
    "well in the eyes of many": (
        World("a>s b>s c>s d>s e>s", signalled="s"),
        (ill("a", 0, named={"s": 1.0}),),
        ["a<a"],
    ),
}


@pytest.mark.parametrize(("world", "exhibits", "expected"), UNSEEN_ROOTS.values(), ids=UNSEEN_ROOTS)
def test_a_root_that_no_probe_saw_failing(world: World, exhibits: tuple[Exhibit, ...], expected: list[str]) -> None:
    """Never measured, throttled, or named by answers; healthy dependants still exonerate it."""
    assert said(world.explain(*exhibits)) == expected


HANGS = "http.ttfb_timeout"


@pytest.mark.parametrize("code", [HANGS, "http.slow_ttfb", "http.reset"])
def test_what_hangs_is_the_root_before_a_soft_need_that_would_have_been_named(code: str) -> None:
    """A need with error codes of its own that no answer mentions is the lesser explanation."""
    world = World("a>s:0.25 b>a:0.5", dark="s", signalled="s")
    assert said(world.explain(ill("a", 0, code), ill("b", 1, WAIT))) == ["ab<a"]
    (group,) = World("a>s:0.25", dark="s").explain(ill("a", 0, HANGS))
    assert [id for id, _ in group.candidates] == ["a", "s"]


def test_a_hard_need_nobody_sees_is_still_named_by_who_waits_for_it() -> None:
    """Silence about it is outweighed by several that wait."""
    assert said(World("a>r b>r c>r", dark="r", signalled="r").explain(*all_of("abc", WAIT))) == ["abc<r"]


def test_one_failure_behind_a_blocked_module_names_nobody() -> None:
    """Being throttled alone is weak evidence: it is the first candidate, and no root."""
    (group,) = World("a>r").explain(ill("a", 0, WAIT), blocked("r"))
    assert (group.root, [id for id, _ in group.candidates]) == (None, ["r", "a"])


ON_ONE_HOST = World("a b c d", hosts={HOST: "abc"})
ON_TWO = World("a b c d", hosts={"x.example.com": "a", "y.example.com": "b"})


@pytest.mark.parametrize("code", ["http.slow_ttfb", "http.truncated"])
def test_what_comes_late_or_in_part_may_have_met_its_trouble_on_the_way(code: str) -> None:
    """The name of an application in such an answer clears neither gateway nor host."""
    modules = "abcdefhijk"
    behind = World(" ".join(f"{id}>g" for id in modules), dark="g", gateways="g")
    assert said(behind.explain(*all_of(modules, code, backend=1.0))) == [f"{modules}<g"]
    assert said(ON_ONE_HOST.explain(*all_of("abc", code, backend=1.0, hosts=(HOST,)))) == ["abc=host"]


SHARED: dict[str, tuple[World, tuple[Exhibit, ...], list[str]]] = {
    "two on one host that refuses": (
        World("a b c", hosts={HOST: "ab"}),
        all_of("ab", "tcp.refused", hosts=(HOST,)),
        ["ab=host"],
    ),
    "two on one host that fail each in its way": (
        World("a b c", hosts={HOST: "ab"}),
        (ill("a", 0, "tcp.refused", hosts=(HOST,)), ill("b", 1, "http.500", hosts=(HOST,))),
        ["a<a", "b<b"],
    ),
    "two on one host, ten minutes apart": (
        World("a b c", hosts={HOST: "ab"}),
        (ill("a", 0, "tcp.refused", hosts=(HOST,)), ill("b", 600, "tcp.refused", hosts=(HOST,))),
        ["a<a", "b<b"],
    ),
    "three on one host": (ON_ONE_HOST, all_of("abc", "http.ttfb_timeout", hosts=(HOST,)), ["abc=host"]),
    "three on one host, the same wrong page": (
        ON_ONE_HOST,
        all_of("abc", "content.assertion", hosts=(HOST,)),
        ["abc=host"],
    ),
    "three on one host, wrong answers of their applications": (
        ON_ONE_HOST,
        all_of("abc", "content.assertion", hosts=(HOST,), backend=1.0),
        ["abc=unknown"],
    ),
    "two behind one certificate": (
        ON_TWO,
        (
            ill("a", 0, "tls.cert_expired", certificate="ff", hosts=("x.example.com",)),
            ill("b", 1, "tls.cert_expired", certificate="ff", hosts=("y.example.com",)),
        ),
        ["ab=certificate"],
    ),
    "two behind one certificate, a third behind another": (
        World("a b c", hosts={"x.one.com": "ab", "y.two.com": "c"}),
        (
            *all_of("ab", "tls.cert_expired", certificate="ff", hosts=("x.one.com",)),
            ill("c", 2, "tls.cert_expired", certificate="ee", hosts=("y.two.com",)),
        ),
        ["ab=certificate", "c<c"],
    ),
    "two behind one certificate, beside two that need the same and fail at other times": (
        World("a>r b>r c d", dark="r", hosts={"x.one.com": "cd"}),
        (
            ill("a", 0, WAIT),
            ill("b", 400, WAIT),
            *all_of("cd", "tls.cert_expired", certificate="ff", hosts=("x.one.com",)),
        ),
        ["a<r", "cd=certificate", "b<r"],
    ),
    "two behind one certificate, one with another trouble": (
        World("a b", hosts={"x.one.com": "a", "y.two.com": "b"}),
        (
            ill("a", 0, "tls.cert_expired", certificate="ff", hosts=("x.one.com",)),
            ill("b", 1, "http.500", certificate="ff", hosts=("y.two.com",)),
        ),
        ["a<a", "b<b"],
    ),
    "two names of one zone": (
        ON_TWO,
        (ill("a", 0, "dns.servfail", hosts=("x.example.com",)), ill("b", 1, "dns.timeout", hosts=("y.example.com",))),
        ["ab=dns_zone"],
    ),
    "two names of two zones": (
        World("a b", hosts={"x.one.com": "a", "y.two.com": "b"}),
        (ill("a", 0, "dns.servfail", hosts=("x.one.com",)), ill("b", 1, "dns.servfail", hosts=("y.two.com",))),
        ["a<a", "b<b"],
    ),
    "two at one address are too few": (
        World("a b c"),
        all_of("ab", "tcp.refused", addresses=("192.0.2.1:443",)),
        ["a<a", "b<b"],
    ),
    "three at one address": (
        World("a b c d"),
        all_of("abc", "tcp.refused", addresses=("192.0.2.1:443",)),
        ["abc=address"],
    ),
    "three at one address where others are well": (
        World("a b c d e f g h", well_at={"192.0.2.1:443": "defgh"}),
        all_of("abc", "tcp.refused", addresses=("192.0.2.1:443",)),
        ["abc=unknown"],
    ),
    "two behind one edge are too few": (World("a b c"), all_of("ab", "cdn.cf_522"), ["a<a", "b<b"]),
    "three behind one edge": (World("a b c d"), all_of("abc", "cdn.cf_522"), ["abc=edge"]),
    "three whose answers say that a proxy failed": (World("a b c d"), all_of("abc", "edge.proxy_status"), ["abc=edge"]),
    "three with an explained fourth": (
        World("a b c d>a"),
        (*all_of("abc", "cdn.cf_522"), ill("d", 3, WAIT)),
        ["abcd=edge"],
    ),
    "an application answered: the host is innocent": (
        ON_ONE_HOST,
        all_of("abc", "http.500", hosts=(HOST,), backend=1.0),
        ["abc=unknown"],
    ),
    "two applications on one host that answered": (
        World("a b c", hosts={HOST: "ab"}),
        all_of("ab", "http.500", hosts=(HOST,), backend=1.0),
        ["a<a", "b<b"],
    ),
    "the first of three on one host, before another was asked": (
        World("a b c", hosts={HOST: "abc"}, unheard="bc"),
        (ill("a", 0, "tls.cert_expired", hosts=(HOST,)),),
        ["a?"],
    ),
    "the first of three on one host, and one of them has answered since": (
        World("a b c", hosts={HOST: "abc"}, unheard="b"),
        (ill("a", 0, "tls.cert_expired", hosts=(HOST,)),),
        ["a<a"],
    ),
    "the only one on its host": (
        World("a b", hosts={HOST: "a"}, unheard="b"),
        (ill("a", 0, "tcp.refused", hosts=(HOST,)),),
        ["a<a"],
    ),
    "a failure that its host has nothing to do with": (
        World("a b", hosts={HOST: "ab"}, unheard="b"),
        (ill("a", 0, "http.500", hosts=(HOST,), backend=1.0),),
        ["a<a"],
    ),
    "an application answered: the gateway is innocent": (
        World("a b c d e g", dark="g", gateways="g"),
        all_of("abc", "http.503", backend=1.0),
        ["abc=unknown"],
    ),
    "also when nothing behind it is well": (
        World("a b c d e f g h i j k", dark="g", gateways="g"),
        all_of("abcdefhijk", WAIT, backend=1.0),
        ["abcdefhijk=unknown"],
    ),
    "no application answered: the gateway is not": (
        World("a b c d e f g h i j k", dark="g", gateways="g"),
        all_of("abcdefhijk", WAIT),
        ["abcdefhijk<g"],
    ),
}


@pytest.mark.parametrize(("world", "exhibits", "expected"), SHARED.values(), ids=SHARED)
def test_what_several_have_in_common(world: World, exhibits: tuple[Exhibit, ...], expected: list[str]) -> None:
    """Two are enough for a host, a certificate or a zone where they fail alike; everything else needs three."""
    assert said(world.explain(*exhibits)) == expected


def test_a_gateway_that_fails_is_the_root_of_what_it_passes_on() -> None:
    """No edge needs to be declared for it."""
    assert said(World("a b c g", gateways="g").explain(*all_of("abc", "http.503"), ill("g", 3))) == ["abcg<g"]
    assert said(World("a b c g", gateways="g").explain(*all_of("abc", WAIT), ill("g", 3, WAIT))) == ["abcg<g"]


def test_what_is_shared_has_a_name_where_there_is_one() -> None:
    """And its reach is every measured module that uses it, failing or not."""
    (group,) = ON_ONE_HOST.explain(*all_of("abc", "tcp.refused", hosts=(HOST,)))
    assert group.shared is not None
    assert (group.shared.value, group.shared.reach) == (HOST, frozenset("abc"))
    (group,) = World("a b c d").explain(*all_of("abc", "http.500"))
    assert group.shared is not None
    assert group.shared.value is None


@pytest.mark.parametrize("first", ["x", "y"])
def test_a_cycle_is_blamed_as_a_whole(first: str) -> None:
    """Whichever of it failed first: both are equally likely, neither is named, and nobody above it is likelier."""
    second = "xy".replace(first, "")
    (group,) = World("x>y y>x z>x").explain(ill(first), ill(second, 9), ill("z", 10, WAIT))
    (one, chance), (other, same), (_, least) = group.candidates
    assert ({one, other}, group.root) == ({"x", "y"}, None)
    assert chance == same > 10 * least


def test_a_circle_counts_once_by_its_first_failure() -> None:
    """Whoever stands on it explains nobody else on it."""
    graph = graph_of({"a": {"b": HARD}, "b": {"c": HARD}, "c": {"a": HARD}, "d": {"a": HARD}})
    exhibits = [ill("b"), ill("a", 1), ill("c", 2), ill("d", 3)]
    scene = Scene(graph, {one.module: one for one in exhibits}, lambda id: State.UP)
    assert scene.tops("abcd") == ["b"]


@pytest.mark.parametrize("code", ["http.500", "dns.servfail", WAIT])
def test_doubt_is_told_as_candidates(code: str) -> None:
    """Below 0.8 nobody is named; the likely ones are told, the likeliest first."""
    (group,) = World("a>r:0.5 a>s:0.5", dark="r s").explain(ill("a", 0, WAIT))
    assert group.root is None
    assert group.confidence < NAMED_AT
    assert [chance for _, chance in group.candidates] == sorted((c for _, c in group.candidates), reverse=True)
    assert {id for id, _ in group.candidates} == set("ars")


def test_what_would_be_named_by_its_codes_is_no_candidate_while_nobody_names_it() -> None:
    """A platform has many parts that only error codes tell of; each one more must not make the rest less sure."""
    parts = "pqrstuvw"
    world = World(" ".join(f"c>{part}:0.25" for part in parts), dark=parts, signalled=parts)
    for code in ("http.500", "http.ttfb_timeout"):
        (alone,) = world.explain(ill("c", code=code))
        assert (alone.root, [id for id, _ in alone.candidates]) == ("c", ["c"])
    (named,) = world.explain(ill("c", named={"q": 1.0}))
    assert (named.root, [id for id, _ in named.candidates]) == ("q", ["q", "c"])
    shared = World("c>p d>p e>p", dark="p", signalled="p")
    assert [group.root for group in shared.explain(*all_of("cde", WAIT))] == ["p"]


def test_an_open_incident_never_falls_apart() -> None:
    """Two that nothing joins any more stay one group, however far apart they began."""
    world = World("a b c d")
    assert said(world.explain(ill("a"), ill("b", 3000), together=["ab"])) == ["ab?"]
    assert said(world.explain(ill("a"), ill("b", 3000), together=["a", "b"])) == ["a<a", "b<b"]


def test_open_incidents_that_prove_to_be_one_become_one_group() -> None:
    """The need of both turns out to fail."""
    world = World("a>r b>r")
    assert said(world.explain(ill("a"), ill("b", 5), together=["a", "b"])) == ["a<a", "b<b"]
    assert said(world.explain(ill("a"), ill("b", 5), ill("r", 6), together=["a", "b"])) == ["abr<r"]


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("shop.example.com", "example.com"),
        ("example.com", "example.com"),
        ("a.b.c.example.org", "example.org"),
        ("www.loja.com.br", "loja.com.br"),
        ("loja.com.br", "loja.com.br"),
        ("WWW.Example.COM.", "example.com"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_in_which_zone_a_name_stands(host: str, zone: str) -> None:
    """As far as a name tells; an address is no name."""
    assert zone_of(host) == zone


# -- whatever is seen -------------------------------------------------------------------------------------------------

NAMES = "abcdefghij"
_SOME = (*sorted(CODES)[::7], WAIT, "http.500", "tcp.refused", "cdn.cf_522", "tls.cert_expired", "quic.gone", "")
_HOSTS = ("x.example.com", "y.example.com", "z.other.org")


@st.composite
def scenes(draw: st.DrawFn) -> tuple[dict[str, dict[str, float]], dict[str, Exhibit], dict[str, State], list[str]]:
    """A graph, exhibits in any state, what is known of all others, and disjoint open incidents."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    number = draw(st.integers(0, 2**60))
    edges: dict[str, dict[str, float]] = {}
    for of in names:
        edges[of] = {}
        for to in names:
            number, pick = divmod(number, 5) if number > 5 else (draw(st.integers(0, 2**60)), 0)
            if pick == 1 and to != of:
                edges[of][to] = (HARD, MEDIUM, SOFT)[number % 3]
    exhibits = {}
    states = {}
    for id in names:
        states[id] = draw(st.sampled_from((State.UP, State.UP, State.DARK)))
        state = draw(st.sampled_from((None, None, *State, State.FAILING, State.FAILING)))
        if state is None:
            continue
        onset = START + timedelta(seconds=draw(st.sampled_from((0, 1, 9, 40, 200, 299, 301, 700, 4000))))
        exhibits[id] = Exhibit(
            id,
            state,
            onset if state in ILL else None,
            draw(st.none() | st.sampled_from(_SOME)) if state not in ILL else draw(st.sampled_from(_SOME)),
            named=draw(st.dictionaries(st.sampled_from(names), st.floats(0.1, 1), max_size=2)),
            quiet=draw(st.sampled_from((0.0, 0.5, 1.0))),
            backend=draw(st.sampled_from((0.0, 0.4, 1.0))),
            hosts=draw(st.sampled_from(((), *((host,) for host in _HOSTS), _HOSTS[:2]))),
            addresses=draw(st.sampled_from(((), ("192.0.2.1:443",), ("192.0.2.2:443",)))),
            certificate=draw(st.sampled_from((None, "ff", "ee"))),
            changed=draw(st.booleans()),
        )
    bits = draw(st.lists(st.integers(0, 3), min_size=len(names), max_size=len(names)))
    together = ["".join(id for id, bit in zip(names, bits, strict=True) if bit == one) for one in (1, 2)]
    return edges, exhibits, states, together


Scenery = tuple[dict[str, dict[str, float]], dict[str, Exhibit], dict[str, State], list[str]]


def explained(scenery: Scenery, turn: int = 1, more: Iterable[str] = ()) -> list[Group]:
    """The groups of a random scene, its mappings written in one order or the other; `more` modules are well."""
    edges, exhibits, states, together = scenery
    graph = graph_of(
        {**{id: dict(list(edges[id].items())[::turn]) for id in list(edges)[::turn]}, **{id: {} for id in more}},
        measured=[*(id for id in edges if states[id] is State.UP or id in exhibits), *more],
        gateways=["b"] if "b" in edges and len(edges) % 2 else [],
        signalled=list(edges)[::2],
        hosts={host: frozenset(list(edges)[index::2]) for index, host in enumerate(_HOSTS)},
    )
    shown = {id: exhibits[id] for id in list(exhibits)[::turn]}
    return explain(graph, shown, lambda id: states.get(id, State.UP), [frozenset(ids) for ids in together])


@given(scenes())
def test_every_ill_module_is_in_one_group(scenery: Scenery) -> None:
    """Whatever the states and codes; nobody else is in any, the first to fail comes first, and incidents hold."""
    groups = explained(scenery)
    _, exhibits, _, together = scenery
    sick = sorted(id for id, one in exhibits.items() if one.state in ILL)
    assert sorted(id for group in groups for id in group.modules) == sick
    onsets = {id: (exhibits[id].onset, id) for id in sick}
    for group in groups:
        assert list(group.modules) == sorted(group.modules, key=lambda id: onsets[id])  # type: ignore[arg-type,return-value]
    assert [g.modules[0] for g in groups] == sorted((g.modules[0] for g in groups), key=lambda id: onsets[id])  # type: ignore[arg-type,return-value]
    for ids in together:
        assert sum(any(id in group.modules for id in ids) for group in groups) <= 1


@given(scenes())
def test_a_root_is_sure_and_comes_first(scenery: Scenery) -> None:
    """At least 0.8; candidates by falling confidence, together no more than one, and none is named twice."""
    for group in explained(scenery):
        chances = [chance for _, chance in group.candidates]
        assert all(0 <= chance <= 1 for chance in (*chances, group.confidence))
        assert sum(chances) <= 1 + 1e-9
        assert chances == sorted(chances, reverse=True)
        assert len({id for id, _ in group.candidates}) == len(chances) >= 1
        if group.root is not None:
            assert group.candidates[0] == (group.root, group.confidence)
            assert group.confidence >= NAMED_AT
            assert group.shared is None
        elif group.shared is None:
            assert group.confidence < NAMED_AT


@given(scenes())
def test_a_module_that_looks_well_is_never_named(scenery: Scenery) -> None:
    """Unless answers name it, and no candidate unless several need it: a healthy license manager would explain half a
    platform."""
    _, exhibits, states, _ = scenery
    for group in explained(scenery):
        named = {id for one in group.modules for id in exhibits[one].named}
        for id, _ in group.candidates:
            state = exhibits[id].state if id in exhibits else states[id]
            if id not in group.modules and state not in UNSEEN and id not in named:
                assert id != group.root
                assert len(group.modules) > 1


def test_what_several_wait_for_is_told_though_it_looks_well() -> None:
    """Two that wait at the same moment wait for the same: one group, whose likeliest cause a probe did not see."""
    (group,) = World("a>s b>s c>s:0.25").explain(ill("a", 0, "http.504"), ill("b", 1, "http.504"))
    assert group.modules == ("a", "b")
    assert group.root is None
    assert group.candidates[0][0] == "s"
    assert group.confidence < NAMED_AT


def test_what_looks_well_and_has_many_healthy_dependants_joins_nobody() -> None:
    """Two faults of their own beside each other are two, whatever both of them need."""
    world = World("a>s b>s c>s d>s e>s f>s g>s")
    groups = world.explain(ill("a", 0, "http.500"), ill("b", 1, "http.500"))
    assert [group.root for group in groups] == ["a", "b"]


def test_an_edge_strikes_all_that_show_its_page() -> None:
    """Also those that only a failing need would explain otherwise."""
    world = World("a>w:0.25 b>a:0.25 c>a:0.25 d>w e>w:0.5", dark="w")
    (group,) = world.explain(*all_of("abcde", "cdn.cf_522"))
    assert group.shared is not None
    assert (group.shared.kind, group.shared.value, group.shared.reach) == ("edge", "cloudflare", frozenset("abcde"))


@given(scenes())
def test_a_circle_is_never_named(scenery: Scenery) -> None:
    """Modules of one circle are equally likely, so that none of several can be the root."""
    edges, _, _, _ = scenery
    graph = graph_of(edges, gateways=["b"] if "b" in edges and len(edges) % 2 else [])
    for group in explained(scenery):
        by_circle: dict[str, set[float]] = {}
        for id, chance in group.candidates:
            by_circle.setdefault(graph.cycle[id], set()).add(chance)
        assert all(len(chances) == 1 for chances in by_circle.values())


@given(scenes())
def test_the_order_of_writing_says_nothing(scenery: Scenery) -> None:
    """The same facts in any order give the same groups with the same confidence."""
    there, back = explained(scenery), explained(scenery, turn=-1)
    assert said(there) == said(back)
    for one, other in zip(there, back, strict=True):
        assert one.confidence == pytest.approx(other.confidence)


@settings(max_examples=examples(20))
@given(scenes())
def test_the_same_scene_gives_the_same_answer(scenery: Scenery) -> None:
    """To the last bit."""
    assert repr(explained(scenery)) == repr(explained(scenery))


@settings(max_examples=examples(200))
@given(scenes(), st.sets(st.sampled_from(NAMES)))
def test_what_tells_nothing_need_not_be_followed(scenery: Scenery, dark: set[str]) -> None:
    """To the last bit, as if every module of the graph were thought through."""
    edges, exhibits, states, together = scenery
    shown = {id: one for id, one in exhibits.items() if id not in dark}
    scenery = (edges, shown, states | dict.fromkeys(dark, State.DARK), together)
    short = repr(explained(scenery))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scene, "telling", property(lambda scene: frozenset(scene.graph.place)))
        assert repr(explained(scenery)) == short


def test_of_a_crowd_only_those_that_are_weighed_are_followed() -> None:
    """And whom these name, with what they all need."""
    needs: dict[str, dict[str, float]] = {"root": {}, "between": {"root": HARD}, "aside": {"root": HARD}}
    needs |= {f"m{number}": {"between": HARD} for number in range(1000)}
    weighed = {one.module: one for one in (ill("m7"), ill("m8", named={"m5": 1.0}))}
    scene = Scene(graph_of(needs), weighed, lambda id: State.DARK)
    assert scene.telling == {"root", "between", "m5", "m7", "m8"}
    assert scene.telling_dependants("root") == ["between", "m5", "m7", "m8"]


@given(scenes())
def test_a_healthy_stranger_moves_nobody(scenery: Scenery) -> None:
    """A module that is well and joined to nothing changes no grouping."""
    before, after = explained(scenery), explained(scenery, more=["stranger"])
    assert sorted(group.modules for group in before) == sorted(group.modules for group in after)


@pytest.mark.parametrize("step", [200, 290])
def test_five_minutes_are_the_whole_window(step: float) -> None:
    """Three whose onsets span more than five minutes do not fail together."""
    assert said(World("a b c d").explain(ill("a"), ill("b", step), ill("c", 2 * step))) == ["a<a", "b<b", "c<c"]


def test_onsets_of_an_open_incident_count_one_by_one() -> None:
    """Two within five minutes and one fifty minutes later are no three, though two of them are one incident."""
    groups = World("a b c d e f").explain(ill("a"), ill("b", 3000), ill("c", 1), together=["ab"])
    assert said(groups)[-1] == "c<c"


def test_a_need_that_is_exonerated_joins_nobody() -> None:
    """Four healthy dependants: its own share is 3 %, so it is no reason to make two incidents one."""
    groups = World("a>r b>r c>r d>r e>r f>r", dark="r").explain(ill("a", 0, WAIT), ill("b", 2, WAIT))
    assert len(groups) == 2


def test_a_fault_beside_an_open_incident_is_one_of_its_own() -> None:
    """Two needs of one victim break: what is one incident already stays one, and takes nothing in that broke by
    itself."""
    seen = (ill("a"), ill("c", 5, WAIT), ill("b", 20))
    assert said(World("c>a c>b").explain(*seen, together=["ac"])) == ["ac<a", "b<b"]


def test_a_single_coincidence_is_reckoned_with() -> None:
    """Two that both show trouble of their own may be two; where one only waits, the other is surely the root."""
    (both,) = World("a>b:0.25 c d").explain(ill("a", 0), ill("b", 0))
    (waits,) = World("a>b:0.25 c d").explain(ill("a", 0, WAIT), ill("b", 0))
    assert both.confidence < 0.93 < waits.confidence


def test_where_something_fails_beside_a_coincidence_is_likelier() -> None:
    """A need that fails as well, and neither waits for the other: a third one that fails by itself at that time, and
    not one that fails much later, makes it doubtful that they hang together."""
    need, user = ill("a", 2), ill("b", 0)
    world = World("b>a:0.5 c")
    assert said(world.explain(need, user)) == ["ab<a"]
    assert said(world.explain(need, user, ill("c", 5))) == ["ab?", "c<c"]
    assert said(world.explain(need, user, ill("c", 400))) == ["ab<a", "c<c"]
    assert said(world.explain(need, ill("b", 0, WAIT), ill("c", 5))) == ["ab<a", "c<c"]


def test_an_edge_is_told_by_those_that_an_edge_of_the_graph_would_explain_too() -> None:
    """Three show the page of one content network, and one of them needs another: that is no reason to count two."""
    seen = [ill(id, after, "cdn.cf_522") for after, id in enumerate(("mail", "search", "front"))]
    assert said(World("front>search:0.25 mail stock").explain(*seen)) == [
        "".join(sorted(["mail", "search", "front"])) + "=edge"
    ]


def test_what_answers_name_is_looked_for_behind_what_is_well() -> None:
    """The checkout names the stock that it only needs through a cart that copes: that is the root of both, where it
    fails, and a candidate where it looks well. What it does not need at all is none of its business."""
    world = World("checkout>cart cart>stock mail")
    both = world.explain(ill("checkout", named={"stock": 1.0}), ill("stock", 8))
    assert [(one.root, set(one.modules)) for one in both] == [("stock", {"checkout", "stock"})]
    (alone,) = world.explain(ill("checkout", named={"stock": 1.0}))
    assert (alone.root, {id for id, _ in alone.candidates}) == (None, {"checkout", "stock"})
    (stranger,) = world.explain(ill("checkout", named={"mail": 1.0}))
    assert [id for id, _ in stranger.candidates] == ["checkout"]


def test_a_need_that_looks_well_takes_its_share() -> None:
    """What a failing module needs may be broken without its probes seeing it."""
    (alone,) = World("a b").explain(ill("a", 0))
    (needing,) = World("a>b").explain(ill("a", 0))
    assert 0.8 < needing.confidence < alone.confidence
