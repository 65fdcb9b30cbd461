"""What an answer of a name server comes to; and anything else that a recording may hold in its place."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.clause import Clause
from monitor.core.expectation import Expect, Outcome, judge
from monitor.core.lookup import fault_of, records_of
from monitor.core.observation import Observation
from tests.strategies import START

FOUND = {"name": "shop.example.com", "type": "A", "rcode": "NOERROR", "answers": [{"type": "A", "data": "192.0.2.1"}]}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"answers": []}, "dns.nodata"),
        ({"answers": [{"type": "CNAME", "data": "edge.example.net"}]}, "dns.nodata"),
        ({"rcode": "NXDOMAIN", "answers": []}, "dns.nxdomain"),
        ({"rcode": "NXDOMAIN", "answers": [{"type": "CNAME", "data": "gone.example.net"}]}, "dns.nxdomain"),
        ({"rcode": "REFUSED"}, "dns.refused"),
        ({"rcode": "SERVFAIL"}, "dns.servfail"),
        ({"rcode": "NOTIMP"}, "dns.servfail"),
        ({"rcode": "SERVFAIL", "extended_errors": [{"code": 6, "text": "bogus"}]}, "dns.dnssec"),
        ({"rcode": "SERVFAIL", "extended_errors": [{"code": 22, "text": "no reachable authority"}]}, "dns.servfail"),
        ({"rcode": "SERVFAIL", "answers_unchecked": True}, "dns.dnssec"),
        ({"rcode": "SERVFAIL", "answers_unchecked": False}, "dns.servfail"),
    ],
)
def test_one_code_for_an_answer(changed: dict[str, Any], code: str | None) -> None:
    """None where there is a record of the kind that was asked for."""
    fault = fault_of(FOUND | changed)

    assert (fault and fault[0]) == code
    if fault is not None:
        assert fault[1].startswith("shop.example.com: ")


def test_extended_errors_are_told() -> None:
    """They say why, which the code does not."""
    fault = fault_of(FOUND | {"rcode": "SERVFAIL", "extended_errors": [{"code": 22, "text": "no reachable authority"}]})

    assert fault == ("dns.servfail", "shop.example.com: the name server failed (no reachable authority)")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(
    st.fixed_dictionaries({}, optional={key: JSON for key in (*FOUND, "extended_errors", "answers_unchecked")}),
    st.sampled_from(["NOERROR", "SERVFAIL", None]),
)
def test_whatever_a_recording_holds_is_judged(dns: dict[str, Any], rcode: str | None) -> None:
    """Never with an exception."""
    if rcode is not None:
        dns = dns | {"rcode": rcode}
    expect = Expect(contains=("x",), json=(("rcode", (Clause("equals", "NOERROR"),)),))
    judge(Observation(START, "shop", "name", "here", START, 0.1, dns=dns), expect)


def test_an_answer_is_judged_before_what_is_expected_in_it() -> None:
    """That there is no such name is the news, not that a text is missing in nothing."""
    run = Observation(START, "shop", "name", "here", START, 0.1, dns=FOUND | {"rcode": "NXDOMAIN", "answers": []})

    assert judge(run, Expect(contains=("192.0.2.1",))).code == "dns.nxdomain"
    found = replace(run, dns=FOUND, values={"contains: 192.0.2.1": True})
    assert judge(found, Expect(contains=("192.0.2.1",))).outcome is Outcome.PASSED


def test_a_reason_shows_what_was_answered_instead() -> None:
    """Every record, or that there is none."""
    both = FOUND | {"answers": [{"type": "A", "data": "192.0.2.1"}, {"type": "A", "data": "192.0.2.2"}]}
    run = Observation(START, "shop", "name", "here", START, 0.1, dns=both, values={"contains: 192.0.2.9": False})
    (reason,) = judge(run, Expect(contains=("192.0.2.9",))).reasons
    assert reason == 'the answer does not contain "192.0.2.9": 192.0.2.1, 192.0.2.2'
    assert records_of({"answers": None}) == "nothing"


def test_whoever_expects_a_code_has_judged_it() -> None:
    """A name that must not exist."""
    gone = Expect(json=(("rcode", (Clause("equals", "NXDOMAIN"),)),))
    run = Observation(START, "shop", "name", "here", START, 0.1, dns=FOUND | {"rcode": "NXDOMAIN", "answers": []})

    assert judge(replace(run, values={"rcode": "NXDOMAIN"}), gone).outcome is Outcome.PASSED
    assert judge(replace(run, values={"rcode": "NOERROR"}, dns=FOUND), gone).code == "content.assertion"
