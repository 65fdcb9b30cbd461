"""What was read before is not read again, and that makes no difference to anybody."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from monitor.core.effect import Gap, Storable
from monitor.core.module import Status
from monitor.store import open_store
from tests.depth import examples
from tests.store.past import NOON, SLOW, incident, moved, run, saved

MODULES = ("checkout", "catalog", "pricing")


def happens(random: Random, seconds: float) -> list[Storable]:
    """Something at this many seconds after noon: often late, as it is with what is decided after the fact."""
    at = NOON + timedelta(seconds=seconds)
    late = at - timedelta(seconds=random.choice([0, 0, 0, 30, 5000, 90_000]))
    module = random.choice(MODULES)
    match random.randrange(5):
        case 0:
            return [moved(module, random.choice(list(Status)), late, at)]
        case 1:
            return [saved(incident(module, late, random.choice([None, at])))]
        case 2:
            return [Gap("here", late, random.choice([None, at]))]
        case _:
            ms = random.uniform(5, 500)
            return [run(late, module=module, ms=ms), run(at, SLOW, module, ms, random.choice(["http", "other"]))]


@pytest.mark.property
@pytest.mark.parametrize("seed", range(examples(6)))
async def test_the_past_read_little_by_little_is_the_past_read_at_once(seed: int, tmp_path: Path) -> None:
    """As hours and days go by, whichever probes are asked for, and when the clock is set back."""
    random, url = Random(seed), f"sqlite:///{tmp_path}/monitor.db"
    store, seconds = await open_store(url), 0.0
    probes = None
    try:
        for _ in range(60):
            seconds += random.choice([1, 15, 15, 400, 4000, 50_000, -100])
            await store.commit([one for _ in range(random.randrange(4)) for one in happens(random, seconds)])
            if random.random() < 0.1:
                probes = random.choice([None, {("checkout", "http"), ("pricing", "other")}])
            if random.random() < 0.05:
                await store.rename({"pricing": "prices", "prices": "pricing"} if random.random() < 0.3 else {})
            now = NOON + timedelta(seconds=seconds)
            if random.random() < 0.2:  # somebody is called away in the midst of reading
                reading = asyncio.create_task(store.history(now - timedelta(days=1), now, probes=probes))
                await asyncio.sleep(random.uniform(0, 0.01))
                reading.cancel()
                await asyncio.wait({reading})
            since = now - timedelta(days=random.choice([1, 1, 1, 2]))
            fresh = await open_store(url, readonly=True)
            try:
                whole = await fresh.history(since, now, probes=probes)
            finally:
                await fresh.close()
            assert await store.history(since, now, probes=probes) == whole
    finally:
        await store.close()


async def test_what_did_not_change_is_the_very_same_object(tmp_path: Path) -> None:
    """So that whoever shows it sees at a glance that nothing changed."""
    store = await open_store(f"sqlite:///{tmp_path}/monitor.db")
    try:
        await store.commit([moved("checkout", Status.UP, NOON), moved("catalog", Status.UP, NOON), saved(incident())])
        await store.commit([run(NOON), run(NOON, module="catalog")])
        since, now = NOON - timedelta(days=1), NOON + timedelta(minutes=1)
        before = await store.history(since, now)
        await store.commit([moved("catalog", Status.DOWN, now), run(now, module="catalog", ms=900)])
        after = await store.history(since, now + timedelta(seconds=15))
    finally:
        await store.close()
    assert after.transitions["checkout"] is before.transitions["checkout"]
    assert after.latency["checkout"] is before.latency["checkout"]
    assert after.incidents[0] is before.incidents[0]
    assert len(after.transitions["catalog"]) == 2
    assert after.latency["catalog"] != before.latency["catalog"]
