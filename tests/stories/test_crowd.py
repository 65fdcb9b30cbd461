"""A failure that strikes very many at once: one incident that names its root, whoever is weighed and whoever is not."""

from datetime import datetime, timedelta

import pytest

from monitor.core import crowd as crowds
from monitor.core.board import Board
from monitor.core.effect import Observed
from monitor.core.incident import Incident
from monitor.core.module import Module
from monitor.core.step import step
from tests.stories.beats import START, module, observation, platform

MANY = 40
VICTIMS = [module(f"m{number:02}", "root") for number in range(MANY)]


def judged(modules: list[Module], failing: set[str], rounds: int = 4) -> list[Incident]:
    """The open incidents after everything was well for a while, and then these fail round after round."""
    board = Board(platform(*modules))

    def run(id: str, at: datetime, outcome: str) -> Board:
        return step(board, Observed(observation(id, at, outcome)), at + timedelta(seconds=0.01))[0]

    for number in range(3 + rounds):
        for place, one in enumerate(modules):
            at = START + timedelta(seconds=30 * number + 30 * place / len(modules))
            board = run(one.id, at, "-" if number >= 3 and one.id in failing else "+")
    return [one for one in board.incidents.values() if one.is_open]


@pytest.mark.parametrize("crowd", [5, 10_000], ids=["taken in", "weighed"])
def test_a_root_with_many_victims_is_one_incident(crowd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the later ones are weighed anew or taken in."""
    monkeypatch.setattr(crowds, "CROWD", crowd)
    modules = [module("root"), *VICTIMS]
    (incident,) = judged(modules, {one.id for one in modules})
    assert incident.cause.module == "root"
    assert {one.module for one in incident.members} == {one.id for one in modules}
    assert len(incident.members) == MANY + 1


def test_who_needs_nothing_of_the_root_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault beside it is weighed as ever, and is an incident of its own."""
    monkeypatch.setattr(crowds, "CROWD", 5)
    modules = [module("root"), *VICTIMS, module("other")]
    found = judged(modules, {one.id for one in modules})
    assert {one.cause.module for one in found} == {"root", "other"}
