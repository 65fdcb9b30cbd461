"""Who of several agents of a place asks what: all come to the same, nothing is left out, and little moves."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.places.outbox import Outbox
from monitor.places.roster import Part, asker_of
from monitor.places.wire import Time
from tests.depth import examples
from tests.places.core import asking

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = [(f"module-{number // 5}", f"probe-{number}") for number in range(2000)]


def word(*roster: str, seconds: float = 0.0) -> Time:
    """An answer of the core."""
    at = NOW + timedelta(seconds=seconds)
    return Time("box-1", at, at, at, roster)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    """That of an agent."""
    one = Outbox(tmp_path / "outbox.db")
    await one.open()
    yield one
    await one.close()


@settings(max_examples=examples(40), deadline=None)
@given(st.sets(st.text(min_size=1, max_size=20), min_size=1, max_size=6), st.text(min_size=1, max_size=20))
def test_only_what_the_one_that_leaves_asked_moves(agents: set[str], other: str) -> None:
    """And only to the one that comes, the other way round; in whatever order they are named."""
    before = {key: asker_of(key, sorted(agents)) for key in KEYS[:200]}
    assert before == {key: asker_of(key, sorted(agents, reverse=True)) for key in before}
    after = {key: asker_of(key, sorted(agents | {other})) for key in before}
    assert all(after[key] in (asker, other) for key, asker in before.items())


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_parts_are_about_as_large(count: int) -> None:
    """Of 2,000 probes nobody asks a third more or less than an even part."""
    agents = [f"box-{number}-3fa9{number}c" for number in range(count)]
    parts = Counter(asker_of(key, agents) for key in KEYS)
    even = len(KEYS) / count
    assert all(0.67 * even < parts[agent] < 1.33 * even for agent in agents), parts


async def test_everything_is_asked_until_the_core_says_who_else_is_there(outbox: Outbox) -> None:
    """Then each has its part, and all parts together are the whole; what nobody names asks nothing."""
    config = asking({f"p{number}": 1000 + number for number in range(50)})
    parts = {name: Part(name, outbox) for name in ("box-1", "box-2", "box-3")}
    assert parts["box-1"].of(config) is config
    for part in parts.values():
        assert await part.heard(word("box-1", "box-2"), asked=True)
    asked = {name: set(part.of(config).platform.probes) for name, part in parts.items()}
    assert asked["box-1"] | asked["box-2"] == set(config.platform.probes)
    assert not asked["box-1"] & asked["box-2"]
    assert asked["box-3"] == set()
    assert not await parts["box-1"].heard(word("box-1", "box-2"), asked=True)
    assert not await parts["box-1"].heard(word(), asked=True)
    assert parts["box-1"].roster == ("box-1", "box-2")


async def test_a_copy_of_an_old_word_changes_nothing(outbox: Outbox) -> None:
    """Whoever has the broker can say again what was said, and no more."""
    part = Part("box-1", outbox)
    assert not await part.heard(word("box-1", "box-2"), asked=False)  # before the first answer to us
    assert await part.heard(word("box-1", "box-2", seconds=10), asked=True)
    assert not await part.heard(word("box-1", seconds=10), asked=False)
    assert not await part.heard(word("box-1", seconds=5), asked=False)
    assert await part.heard(word("box-1", seconds=11), asked=False)


async def test_it_goes_on_with_its_part_after_a_start_without_the_core(outbox: Outbox) -> None:
    """A file of another form is passed over."""
    part = Part("box-1", outbox)
    await part.heard(word("box-1", "box-2"), asked=True)
    again = Part("box-1", outbox)
    await again.recall()
    assert again.roster == part.roster
    await outbox.remember("roster", b"[1")
    damaged = Part("box-1", outbox)
    await damaged.recall()
    assert damaged.roster == ()


async def test_what_is_said_of_probes_goes_with_them(outbox: Outbox) -> None:
    """A module stays, with the verdicts of the probes that it has left."""
    config = asking({"one": 1, "two": 2})
    module = replace(config.platform.modules["catalog"], verdicts={})
    config = replace(config, platform=replace(config.platform, modules={"catalog": module}))
    part = Part("box-1", outbox)
    await part.heard(word("box-1", "box-2"), asked=True)
    found = part.of(config)
    assert set(found.platform.modules) == {"catalog"}
    assert found.network == config.network
