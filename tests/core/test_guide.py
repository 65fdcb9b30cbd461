"""The guide to codes: each has its meaning, its owner and what to do, and a wrong one the nearest right one."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.file import load, shipped
from monitor.core.codes import CODES
from monitor.core.guide import Entry, alike, anchor, entries, entry, help_for, nearest
from monitor.core.vtexcodes import VTEX

ALL = (*CODES, *VTEX)


def test_every_code_says_what_it_means_whose_it_is_and_what_to_do() -> None:
    """Of causes and of VTEX's own, each once; and the page leaves none out."""
    found = list(entries())
    assert [one.code for one in found] == list(ALL)
    assert all(one.meaning.message and one.whose.message and one.advice for one in found)
    said = [sentence for one in found for sentence in (one.meaning, one.whose, *one.advice)]
    assert all(set(re.findall(r"{(\w+)}", one.message)) <= set(one.places) for one in said)
    assert sorted(one.code for some in alike(found) for one in some) == sorted(ALL)


def test_codes_stand_together_that_say_the_same() -> None:
    """In every word but the status, and no two groups say the same."""

    def words(one: Entry) -> str:
        said = (one.meaning, one.whose, *one.advice)
        return repr([replace(each, places={**each.places, "status": "4xx"}) for each in said])

    groups = alike(entries())
    assert [one.code for some in groups for one in some if words(one) != words(some[0])] == []
    assert len({words(some[0]) for some in groups}) == len(groups)


def test_what_the_shipped_file_takes_for_a_signal_is_explained() -> None:
    """As naming a part of the platform, never as a setting of the shop."""
    signals = load(shipped(), {}).platform.signals
    assert set(signals) <= set(VTEX)
    assert all(VTEX[code].module for code in signals)
    assert {code for code, one in VTEX.items() if one.module and "." not in code} == set(signals)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("chk0233", "CHK0233"),
        ("GatewayServiceTimeout", "gatewayServiceTimeout"),
        ("ORD021.3", "ORD021.3"),
        ("ORD021.9", "ORD021"),
        ("HTTP.503", "http.503"),
        (" http.418 ", "http.418"),
        ("upstream.signalled:checkout", "upstream.signalled"),
        ("CHK0233.1", None),
        ("http.600", None),
        ("", None),
    ],
)
def test_a_code_is_found_however_it_is_spelled(asked: str, found: str | None) -> None:
    """Details that nobody knows are told as what precedes them, where there are details."""
    one = entry(asked)
    assert (one and one.code) == found


@given(st.sampled_from(ALL), st.data())
def test_one_wrong_letter_finds_a_near_code(code: str, data: st.DataObject) -> None:
    """Whatever it is."""
    at = data.draw(st.integers(0, len(code) - 1))
    assert nearest(code[:at] + "x" + code[at + 1 :]) in ALL


@given(st.text(max_size=200))
def test_whatever_is_asked_for_has_an_answer_or_none(text: str) -> None:
    """And what stands on the page is a code there is."""
    assert anchor(text) in {"", *ALL}
    assert nearest(text) in {None, *ALL}


def test_help_is_the_operators_for_the_longest_name() -> None:
    """A family stands for its codes, and for no other that begins like it."""
    links = {"http": "a", "http.429": "b", "tls": "c"}
    assert [help_for(code, links) for code in ("http.429", "http.503", "tls.closed", "tlsx", "CHK0233")] == [
        *("b", "a", "c", None, None)
    ]
