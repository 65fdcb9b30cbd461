"""A failure that strikes very many at once: one incident that names its root, whoever is weighed and whoever is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import groupby

import pytest

from monitor.core import crowd as crowds
from monitor.core import timeline
from monitor.core.board import Board
from monitor.core.cause import groups_of
from monitor.core.effect import Ask, Observed
from monitor.core.explain import Group
from monitor.core.incident import Incident
from monitor.core.module import Module
from monitor.core.step import step
from tests.stories.beats import START, module, observation, platform

MANY = 40
END = 300.0  # seconds, after which nobody is asked again
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


TAKEN_IN, IN_A_RUSH, WEIGHED = (5, 16), (10_000, 3), (10_000, 10_000)  # members of a crowd, and of a rush


@pytest.mark.parametrize(("crowd", "rush"), [TAKEN_IN, IN_A_RUSH, WEIGHED], ids=["taken in", "in a rush", "weighed"])
def test_a_root_with_many_victims_is_one_incident(crowd: int, rush: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the later ones are weighed anew or taken in."""
    monkeypatch.setattr(crowds, "CROWD", crowd)
    monkeypatch.setattr(crowds, "RUSH", rush)
    modules = [module("root"), *VICTIMS]
    (incident,) = judged(modules, {one.id for one in modules})
    assert incident.cause.module == "root"
    assert {one.module for one in incident.members} == {one.id for one in modules}
    assert len(incident.members) == MANY + 1


@pytest.mark.parametrize(("crowd", "rush"), [TAKEN_IN, IN_A_RUSH], ids=["taken in", "in a rush"])
def test_who_needs_nothing_of_the_root_is_not_taken_in(crowd: int, rush: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault beside it is weighed as ever, and is an incident of its own."""
    monkeypatch.setattr(crowds, "CROWD", crowd)
    monkeypatch.setattr(crowds, "RUSH", rush)
    modules = [module("root"), *VICTIMS, module("other")]
    found = judged(modules, {one.id for one in modules})
    assert {one.cause.module for one in found} == {"root", "other"}


def at_host(id: str, host: str, confirm: float = 2.0) -> Module:
    """A module that is asked at this host once a minute, and whose failures are news after so many seconds."""
    one = module(id, interval=60)
    (probe,) = one.probes
    return replace(one, probes=(replace(probe, instance=f"https://{host}/{id}", confirm=timedelta(seconds=confirm)),))


def boards(modules: list[Module], failing: set[str]) -> Iterator[Board]:
    """The board after each run, one module after the other and whoever is asked again, while these begin to fail as the
    third minute does."""
    board, order = Board(platform(*modules)), {one.id: place for place, one in enumerate(modules)}
    due = [(60.0 * (beat + place / len(modules)), id) for beat in range(6) for id, place in order.items()]
    due.sort()
    while due:
        at, id = heappop(due)
        now = START + timedelta(seconds=at)
        seen = observation(id, now, "-" if at >= 120 and id in failing else "+", address=f"8.8.8.{order[id] + 1}:443")
        board, effects = step(board, Observed(seen), now + timedelta(seconds=0.01))
        for ask in effects:
            if isinstance(ask, Ask) and at < END:
                heappush(due, (at + 0.01 + ask.after, ask.module))
        yield board


@pytest.mark.parametrize("elsewhere", [0, 3], ids=["everything", "and others are well"])
@pytest.mark.parametrize("struck", [3, 12, 40])
def test_a_host_that_was_told_stays_told_while_more_of_it_fails(struck: int, elsewhere: int) -> None:
    """Each one that joins says so once more, the last one of all as well."""
    modules = [at_host(f"m{number:02}", "shop.example.com") for number in range(struck)]
    others = [at_host(f"o{number}", f"o{number}.example.net") for number in range(elsewhere)]
    kinds = []
    for board in boards([*modules, *others], {one.id for one in modules}):
        kinds += [(one.cause.shared or {}).get("kind") for one in board.incidents.values()]
    told = [kind for kind, _ in groupby(kinds)]
    assert told[-1] == "host"
    assert told.count("host") == 1, "it was told, and then it was not"
    (incident,) = board.incidents.values()
    assert incident.cause.shared is not None
    assert sorted(incident.cause.shared["modules"]) == sorted(one.id for one in modules)


def test_what_joins_from_elsewhere_makes_it_no_longer_the_host() -> None:
    """A host does not explain as many as fail somewhere else too."""
    modules = [at_host(f"m{number:02}", "shop.example.com") for number in range(3)]
    others = [at_host(f"o{number}", f"o{number}.example.net") for number in range(9)]
    *_, board = boards([*modules, *others], {one.id for one in [*modules, *others]})
    (incident,) = board.incidents.values()
    assert incident.cause.shared is not None
    assert incident.cause.shared["kind"] == "unknown"


def test_of_very_many_some_are_settled_as_soon_as_one_alone_would_be() -> None:
    """Extra runs are few: they go to those that were asked about already before they go to the next one that fails."""
    modules = [at_host(f"m{number:03}", "shop.example.com", confirm=30.0) for number in range(600)]
    *_, board = boards(modules, {one.id for one in modules})
    (incident,) = board.incidents.values()
    assert incident.detected_at - START <= timedelta(seconds=120 + 30 + 0.5)
    assert len(incident.members) == len(modules)


def test_while_several_fail_in_a_second_the_cause_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an incident that is on its way to become a crowd."""
    weighed: list[datetime] = []

    def counted(board: Board, now: datetime, *rest: object) -> list[Group]:
        weighed.append(now)
        return groups_of(board, now, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(crowds, "CROWD", 10_000)
    monkeypatch.setattr(timeline, "groups_of", counted)
    modules = [at_host(f"m{number:03}", "shop.example.com") for number in range(600)]
    *_, board = boards(modules, {one.id for one in modules})
    (incident,) = board.incidents.values()
    assert len(incident.members) == len(modules)
    assert len(weighed) < len(modules) / 2
