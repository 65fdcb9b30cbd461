"""What hypotheses are worth: chances are chances, and who fails late is hardly the cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.codes import CODES
from monitor.core.exhibit import Scene, State
from monitor.core.graph import HARD, graph_of
from monitor.core.likelihood import score
from monitor.core.shared import KINDS, fit
from tests.core.test_explain import WAIT, ill


@given(st.sampled_from(KINDS), st.sampled_from(sorted(CODES)), st.floats(0, 1))
def test_how_well_a_failure_fits_a_broken_thing_is_a_chance(kind: str, code: str, backend: float) -> None:
    """Above nought, and never sure."""
    assert 0 < fit(kind, ill("a", code=code, backend=backend)) < 1


def score_of_root(began: float, *victims: float) -> float:
    """What it is worth that a root that began to fail then explains modules that began to fail then."""
    names = [f"m{number}" for number in range(len(victims))]
    graph = graph_of({"root": {}, **{name: {"root": HARD} for name in names}})
    exhibits = [ill("root", began), *(ill(name, after, WAIT) for name, after in zip(names, victims, strict=True))]
    scene = Scene(graph, {one.module: one for one in exhibits}, lambda id: State.DARK)
    return score(scene, "root", scene.ill)


@pytest.mark.parametrize(
    "victims",
    [(0, 10, 30, 40), (8, 10, 30, 90), (20,), (0, 20, 90)],
    ids=["four", "four with other ends", "one", "three"],
)
def test_a_root_that_fails_later_than_the_middle_of_its_victims_costs_a_nat_each_twenty_seconds(
    victims: tuple[float, ...],
) -> None:
    """Their middle is second 20, and twenty seconds more are free: probes are not asked in the order of failing."""
    early = score_of_root(0, *victims)
    assert score_of_root(40, *victims) == early
    assert score_of_root(60, *victims) == pytest.approx(early - 1)
    assert score_of_root(100, *victims) == pytest.approx(early - 3)
