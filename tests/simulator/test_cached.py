"""Two answers a module can give, its own and one that a cache kept: the shipped file believes the first only."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.clock import SystemClock
from monitor.config import Config
from monitor.config.file import load, shipped
from monitor.core.board import Board
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.statement import only_cached
from monitor.core.target import HttpTarget, Network
from monitor.probers import Reach, look
from monitor.simulator import Simulator
from tests.stories.beats import Story

KEYS = {"VTEX_APP_KEY": "vtexappkey-demostore-TEST", "VTEX_APP_TOKEN": "token"}
CACHE = "x-vtex-cache-status-janus-edge"


@pytest.fixture(scope="module")
def config() -> Config:
    return load(shipped(), KEYS)


@pytest.fixture
async def reach(simulator: Simulator) -> AsyncIterator[Reach]:
    network = Network(tuple(simulator.connect_to.items()), simulator.ca_file)
    async with Reach.open(network, frozenset(), SystemClock()) as reach:
        yield reach


async def asked(config: Config, reach: Reach) -> list[Observation]:
    """One run of every probe that makes a request."""
    found = []
    for probe in config.platform.probes.values():
        if probe.off is None and probe.kind in ("http", "freshness"):
            sides = config.platform.modules[probe.module].verdicts.get(probe.id, ())
            found.append(await look(probe, reach, also=[side.expect for side in sides]))
    return found


def from_a_cache(one: Observation) -> Observation:
    """The same answer, kept by the cache of the edge."""
    assert one.http is not None
    return replace(one, http=replace(one.http, headers={**one.http.headers, CACHE: "HIT"}))


def after(config: Config, observations: list[Observation], minutes: int, story: Story | None = None) -> Story:
    """What is known once these runs have come again and again for so long; each as often as its probe runs."""
    story = story or Story(Board(config.platform), min(one.at for one in observations))
    start = story.now
    for second in range(0, minutes * 60, 30):
        at = start + timedelta(seconds=second)
        for one in observations:
            interval = config.platform.probes[one.module or "", one.probe].interval.total_seconds()
            if second % interval == 0:
                story.feed(replace(one, at=at, scheduled_at=at))
        story.now = max(story.now, at)
        story.tick()
    return story


async def test_what_only_a_cache_answers_for_is_unknown_and_never_up(config: Config, reach: Reach) -> None:
    """However long it goes on, and whatever was known before; only where the edge is asked about does it count."""
    runs = await asked(config, reach)
    hits = [from_a_cache(one) for one in runs]
    modules = {one.module for one in runs if one.module and config.platform.measured(one.module)}
    fresh = after(config, hits, 5).board
    assert {id: fresh.status(id) for id in modules if fresh.status(id) is not Status.UNKNOWN} == {"file-system": "up"}
    assert {id for id in modules if only_cached(fresh, id)} == modules - {"file-system"}

    story = after(config, runs, 12)  # the index would be old in the end, as the same answer is read again and again
    assert {story.board.status(id) for id in modules} == {Status.UP}
    seen = after(
        config, hits, 40, story
    ).board  # the cart is asked every ten minutes, and known for three times as long
    assert {id for id in modules if seen.status(id) is Status.UP} == {"file-system"}
    assert not seen.incidents


async def test_one_answer_of_its_own_is_enough(config: Config, reach: Reach) -> None:
    """A cache in front of most probes of a module hides nothing as long as one of them reaches it."""
    runs = await asked(config, reach)
    asking = [one for one in config.platform.probes.values() if one.off is None and isinstance(one.ask, HttpTarget)]
    varied = {one.key for one in asking if one.ask.vary}
    assert {module for module, _ in varied} >= {"catalog", "search", "legacy-search", "postal-code", "store-framework"}
    mixed = [one if (one.module, one.probe) in varied else from_a_cache(one) for one in runs]
    board = after(config, mixed, 5).board
    assert {board.status(module) for module, _ in varied} == {Status.UP}
