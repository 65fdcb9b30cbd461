"""From modules to components, from components to one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.module import Component, Status
from monitor.core.rollup import RANK, ComponentStatus, component_status, impact_of, top_level, worst

THREE = Component("c", {"en": "C"}, ("x", "y", "z"))
WELL, M, D, P, X = ComponentStatus  # operational maintenance degraded partial major
some = st.lists(st.sampled_from(list(ComponentStatus)), max_size=8)


@pytest.mark.parametrize(
    ("statuses", "felt"),
    [
        pytest.param("", None, id="nothing known is never operational"),
        pytest.param("???", None, id="all unknown"),
        pytest.param("+++", WELL, id="all up"),
        pytest.param("+?", WELL, id="unknown ones are left out"),
        pytest.param("+~+", D, id="one degraded"),
        pytest.param("+-~", P, id="one down of several"),
        pytest.param("---", X, id="all down"),
        pytest.param("-??", X, id="all that are known are down"),
    ],
)
def test_what_a_visitor_feels(statuses: str, felt: ComponentStatus | None) -> None:
    """The worst of what is known; everything down is major, something is partial."""
    words = {"+": Status.UP, "-": Status.DOWN, "~": Status.DEGRADED, "?": Status.UNKNOWN}
    known = {id: words[letter] for id, letter in zip("xyz", statuses, strict=False)}
    assert component_status(THREE, known) is felt


@pytest.mark.parametrize(
    ("statuses", "impacts", "indicator", "phrase"),
    [
        pytest.param([], [], "none", "All Systems Operational", id="nothing there"),
        pytest.param([WELL, WELL], [], "none", "All Systems Operational", id="all well"),
        pytest.param([WELL, D], [], "minor", "Partially Degraded Service", id="one degraded"),
        pytest.param([D, D], [], "minor", "Degraded System Service", id="all degraded"),
        pytest.param([WELL, P], [], "minor", "Minor Service Outage", id="one partial"),
        pytest.param([P, P], [], "major", "Partial System Outage", id="all partial"),
        pytest.param([WELL, X], [], "major", "Partial System Outage", id="one major"),
        pytest.param([X, X], [], "critical", "Major System Outage", id="all major"),
        pytest.param([M, WELL], [], "maintenance", "Service Under Maintenance", id="planned work"),
        pytest.param([M, X], [], "critical", "Major System Outage", id="planned work hides nothing"),
        pytest.param([WELL], ["major"], "major", "Partial System Outage", id="an incident lifts"),
        pytest.param([X], ["minor"], "critical", "Major System Outage", id="an incident never lowers"),
    ],
)
def test_one_sentence_for_the_whole_page(
    statuses: list[ComponentStatus], impacts: list[str], indicator: str, phrase: str
) -> None:
    """The words and rules of Statuspage v2."""
    assert top_level(statuses, impacts) == (indicator, phrase)


@given(some, st.sampled_from(list(ComponentStatus)))
def test_one_more_trouble_never_makes_the_page_better(statuses: list[ComponentStatus], extra: ComponentStatus) -> None:
    """Replacing a healthy component by a worse one can only raise the indicator."""
    before, _ = top_level([*statuses, WELL])
    after, _ = top_level([*statuses, extra])
    assert extra is M or RANK.index(after) >= RANK.index(before)


@given(some)
def test_the_worst_is_one_of_them(statuses: list[ComponentStatus]) -> None:
    """And operational when there is none."""
    assert worst(statuses) in (statuses or [WELL])


@given(st.lists(st.one_of(st.none(), st.sampled_from(list(ComponentStatus))), max_size=6))
def test_an_incident_is_minor_at_least(statuses: list[ComponentStatus | None]) -> None:
    """Also when nothing it touches shows it yet."""
    assert impact_of(statuses) in ("minor", "major", "critical")
