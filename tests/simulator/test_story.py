"""The story of the demo and its past."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from monitor.simulator.faults import Faults
from monitor.simulator.history import history, latency
from monitor.simulator.modules import VERSIONS
from monitor.simulator.story import LENGTH, STORY, changes, tell

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def test_the_first_fault_comes_at_once_and_alone() -> None:
    """It strikes one module within two seconds of the first page, and nothing else for a minute and a half."""
    first, second = STORY[0], STORY[1]
    assert first.start <= 2
    assert first.module in VERSIONS
    assert second.start - first.start > 90


def test_one_telling_starts_and_ends_clean() -> None:
    """Scenes do not overlap, fit into one telling, can all be struck, and leave nothing struck."""
    assert all(one.end <= other.start for one, other in pairwise(STORY))
    assert 8 * 60 <= LENGTH <= 10 * 60
    faults = Faults("demostore")
    for change in changes():
        assert change.at < LENGTH
        if change.fault is None:
            faults.clear(change.module)
        else:
            faults.strike(change.module, change.fault, **change.options)
        assert len(faults.strikes) <= 1
    assert not faults.strikes


async def test_the_story_is_told_in_order_and_over_again() -> None:
    """Told fast, the same switches are moved in the same order, twice."""
    told: list[tuple[str, str | None]] = []

    def strike(module: str, fault: str, **options: object) -> None:
        told.append((module, fault))

    one = [(change.module, change.fault) for change in changes()]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await tell(strike, lambda module: told.append((module, None)), speed=LENGTH / 0.3)
    assert told[: 2 * len(one)] == one + one


@pytest.mark.parametrize("day", range(0, 60, 7))
def test_ninety_days_of_trouble(day: int) -> None:
    """Twelve to eighteen incidents, three minutes to two hours long, none near now, in order and apart."""
    now = NOW + timedelta(days=day)
    past = history(tuple(VERSIONS), now)
    assert 12 <= len(past) <= 18
    for incident in past:
        assert timedelta(minutes=3) <= incident.ended_at - incident.started_at <= timedelta(hours=2)
        assert now - timedelta(days=91) < incident.started_at
        assert incident.ended_at < now.replace(hour=0) - timedelta(hours=6)
        assert incident.status in ("down", "degraded")
        assert incident.module not in {module for module, _ in incident.affected}
    assert all(one.ended_at < other.started_at for one, other in pairwise(past))
    assert len({incident.module for incident in past}) >= 5


def test_the_past_does_not_change() -> None:
    """It is the same all day long, and tomorrow's past holds today's."""
    modules = tuple(VERSIONS)
    today = history(modules, NOW)
    assert history(modules, NOW + timedelta(hours=5)) == today
    tomorrow = history(modules, NOW + timedelta(days=1))
    assert set(today[1:]) <= set(tomorrow)


def test_only_known_modules_have_a_past() -> None:
    """A configuration with other modules gets incidents of its own, or none when it has no modules."""
    assert {incident.module for incident in history(("mine",), NOW)} == {"mine"}
    assert history((), NOW) == []
    past = history(("logistics",), NOW)
    assert {(incident.module, incident.affected) for incident in past} == {("logistics", ())}


def test_latency_follows_the_day() -> None:
    """Percentiles are in order, evenings are slower than nights, and the same moment gives the same figures."""
    night, evening = NOW.replace(hour=8), NOW.replace(hour=20)
    for module in VERSIONS:
        p50, p95, p99 = latency(module, evening)
        assert 0 < p50 < p95 < p99 < 3000
        assert latency(module, night)[0] < p50
        assert latency(module, evening) == (p50, p95, p99)
