"""Figures from sums of whole days are those of the changes of status, whatever becomes of the past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from monitor.core.availability import PLATFORM, Availability, Subject, subjects
from monitor.core.daily import Reckoning, calendar, lines_of
from monitor.core.effect import Arranged, Storable
from monitor.core.maintenance import Counted, Maintenance, Window, announced, begun, ended
from monitor.core.module import Component, Group, Module, Platform, Status
from monitor.core.weights import Weights
from monitor.store import Store, closing
from monitor.store.connect import open_sql
from monitor.store.rows import instant, micros
from monitor.store.schema import days
from monitor.store.sql import SqlStore
from tests.depth import examples
from tests.ready import ready_file
from tests.store.past import moved

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BEGIN = datetime(2018, 10, 20, tzinfo=UTC)  # the clocks change on 28 October in Madrid, on 4 November in São Paulo and
ZONES = ("America/Sao_Paulo", "Europe/Madrid", "America/New_York", "UTC")  # in New York
IDS = ("cart", "price", "search")


def shop(random: Random) -> Platform:
    """Three modules, in components or in none, whose bad times weigh something."""
    parts = (Component("order", {}, ("cart", "price")), Component("tags", {}, ("price",)))
    groups = (Group("buy", {}, parts), Group("look", {}, (Component("find", {}, random.choice([("search",), IDS])),)))
    weights = Weights(random.choice([0.0, 0.1, 1 / 3]), random.choice([1.0, 1.0, 0.3, 0.0]))
    return Platform({id: Module(id, {}) for id in IDS}, groups if random.random() < 0.8 else (), weights=weights)


def happens(random: Random, now: datetime, works: dict[str, Maintenance]) -> list[Storable]:
    """A change of status, often decided late, or a step of planned work."""
    late = now - timedelta(seconds=random.choice([0, 30, 5000, 90_000, 400_000]))
    if random.random() < 0.1:
        late = late.replace(hour=random.choice([2, 3, 5, 22]), minute=0, second=0, microsecond=0)
    if random.random() < 0.7:
        return [moved(random.choice(IDS), random.choice(list(Status)), min(late, now), now)]
    going_on = [one for one in works.values() if one.ended_at is None]
    if going_on and random.random() < 0.7:
        one = random.choice(going_on)
        if random.random() < 0.5 and one.started_at is not None:
            since = min(max(one.started_at, late), now)
            until = random.choice([None, now])
            one = replace(one, counted=(*one.counted, Counted(random.choice(IDS), since, until)))
        else:
            one = ended(replace(one, planned_until=max(now, one.planned_from)), now)
    else:
        number = len(works)
        plan = Window(f"w{number}", {}, late, late + 3 * DAY, modules=random.choice([(), ("cart",), ("price", "cart")]))
        one = begun(announced(plan, late, late - HOUR), now)
    works[one.key] = one
    return [Arranged(one, None)]


async def the_same(random: Random, store: Store, platform: Platform, zone: ZoneInfo, now: datetime) -> bool:
    """Holds one window against the plain reckoning; whether days had a part in it."""
    edges = calendar(zone, BEGIN - 2 * DAY, now + DAY)
    moments = [BEGIN - 3 * DAY + (now - BEGIN + 4 * DAY) * random.random() for _ in range(2)]
    start, end = sorted(random.choice([random.choice(edges), one]) for one in moments)
    subject = random.choice(subjects(platform))
    lines = lines_of(platform, random.choice([None, [subject]]))
    history, totals = await store.reckoned(start, end, lines)
    found = Reckoning(Availability(platform, history, history.maintenances, start), start, end, totals)
    whole = await store.archive(start)
    plain = Availability(platform, whole, whole.maintenances, start)
    assert found.spent(subject) == plain.spent(subject, start, end), (subject, start, end)
    return totals is not None


@pytest.fixture(params=["sqlite", "postgres"])
def kept_at(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    sqlite = request.param == "sqlite"
    return ready_file(tmp_path / "monitor.db") if sqlite else str(request.getfixturevalue("ready_postgres"))


@pytest.mark.slow
@pytest.mark.property
@pytest.mark.parametrize("seed", range(examples(8)))
async def test_sums_of_days_say_what_the_changes_of_status_say(kept_at: str, seed: int) -> None:
    """To the microsecond, for any window, whatever is decided late, planned, weighed, renamed, regrouped or moved to
    another zone between two closings."""
    random, now, works = Random(seed), BEGIN, dict[str, Maintenance]()
    zone, platform, helped = ZoneInfo(random.choice(ZONES)), shop(random), 0
    store = await open_sql(kept_at)
    try:
        for _ in range(40):
            now += timedelta(seconds=random.choice([600, 4000, 50_000, 100_000]))
            await store.commit([one for _ in range(random.randrange(3)) for one in happens(random, now, works)])
            if random.random() < 0.05:
                zone, platform = ZoneInfo(random.choice(ZONES)), shop(random)
            if random.random() < 0.03:
                await store.rename({"price": "search", "search": "price"} if random.random() < 0.3 else {"old": "cart"})
            if random.random() < 0.02:
                await store.seed([moved("cart", Status.DOWN, now - 20 * DAY, now).transition], [], [])
            if random.random() < 0.5:
                await store.close_days(platform, zone, now)
            helped += await the_same(random, store, platform, zone, now)
        await store.close_days(platform, zone, now)
        assert await store.check() == []
        for _ in range(10):
            helped += await the_same(random, store, platform, zone, now)
    finally:
        await store.close()
    assert helped > 5


SHOP = Platform({id: Module(id, {}) for id in IDS}, (Group("buy", {}, (Component("order", {}, ("cart", "price")),)),))
MONTH = [BEGIN + number * DAY for number in range(31)]


async def filled(url: str) -> SqlStore:
    """A month in UTC in which the cart was down for an hour of each of the first ten days, and its days."""
    store = await open_sql(url)
    moves: list[Storable] = [moved("cart", Status.UP, BEGIN), moved("price", Status.UP, BEGIN)]
    for day in MONTH[:10]:
        moves += [moved("cart", Status.DOWN, day + HOUR), moved("cart", Status.UP, day + 2 * HOUR)]
    await store.commit(moves)
    assert await store.close_days(SHOP, UTC, MONTH[-1] + HOUR) == 30 * 4
    return store


async def kept_until(store: SqlStore) -> dict[str, datetime]:
    """The end of the newest day of each line."""
    query = select(days.c.line, func.max(days.c.until)).group_by(days.c.line)
    async with store.reading() as connection:
        return {line: instant(until) for line, until in await connection.execute(query)}


@pytest.mark.parametrize(
    ("platform", "subject", "lines"),
    [
        (SHOP, Subject("module", "cart"), {"module:cart": ("cart",)}),
        (SHOP, Subject("component", "order"), {"component:order": ("cart", "price")}),
        (SHOP, Subject("group", "buy"), {"component:order": ("cart", "price")}),
        (SHOP, PLATFORM, {"component:order": ("cart", "price")}),
        (replace(SHOP, groups=()), PLATFORM, {f"module:{id}": (id,) for id in IDS}),
    ],
)
def test_a_figure_adds_up_the_days_of_its_lines(
    platform: Platform, subject: Subject, lines: dict[str, tuple[str, ...]]
) -> None:
    """Its own of a module or a component; of a group and the platform those of the components, or of the modules where
    there are none."""
    assert lines_of(platform, [subject]) == lines


async def test_days_are_made_once_and_say_what_they_hold(kept_at: str) -> None:
    """A day is closed an hour after its end, each line has all of them, and nothing is left to be done."""
    store = await filled(kept_at)
    assert await store.close_days(SHOP, UTC, MONTH[-1] + DAY) == 0
    assert set((await kept_until(store)).values()) == {MONTH[-1]}
    _, totals = await store.reckoned(BEGIN - DAY, MONTH[-1] + HOUR, lines_of(SHOP))
    assert totals is not None
    assert (totals.since, totals.until) == (BEGIN, MONTH[-1])
    assert totals.sums["module:cart"].down == totals.sums["component:order"].partly == 10 * HOUR
    assert totals.sums["module:search"].unknown == 30 * DAY
    assert await store.check() == []
    await store.close()


async def test_what_changes_the_past_takes_away_the_days_it_touches(kept_at: str) -> None:
    """And no others; what is dated at the end of the last one touches none."""
    store = await filled(kept_at)
    await store.commit([moved("price", Status.DOWN, MONTH[-1])])
    assert set((await kept_until(store)).values()) == {MONTH[-1]}
    await store.commit([moved("price", Status.DOWN, MONTH[20] + HOUR, MONTH[-1] + HOUR)])
    assert set((await kept_until(store)).values()) == {MONTH[20]}
    await store.close_days(SHOP, UTC, MONTH[-1] + HOUR)
    _, totals = await store.reckoned(BEGIN, MONTH[-1], lines_of(SHOP))
    assert totals is not None
    assert totals.sums["module:price"].down == 10 * DAY - HOUR
    plan = Window("w", {}, MONTH[5], MONTH[6], modules=("cart",))
    await store.commit([Arranged(ended(begun(announced(plan, MONTH[5], MONTH[4]), MONTH[5]), MONTH[6]), None)])
    assert set((await kept_until(store)).values()) == {MONTH[5]}
    await store.rename({"cart": "basket"})
    assert await kept_until(store) == {}
    await store.close()


async def test_a_day_that_differs_from_its_changes_of_status_is_named(kept_at: str) -> None:
    """With what is stored and what they come to."""
    store = await filled(kept_at)
    changes = {
        MONTH[3]: (
            "down = down + 1500000, up = up - 1500000",
            "up 82798.500 s, its changes of status come to 82800.000 s",
        ),
        MONTH[4]: ("partly = partly + 1000000", "partly 3601.000 s, its changes of status come to 3600.000 s"),
        MONTH[5]: ("unknown = unknown + 2000000", "unknown 2.000 s, its changes of status come to 0.000 s"),
    }
    async with store.writing() as connection:
        for ends, (change, _) in changes.items():
            where = f"line = 'component:order' AND until = {micros(ends)}"
            await connection.execute(text(f"UPDATE days SET {change} WHERE {where}"))
    assert await store.check() == [
        f"days: component:order, the day from {ends - DAY:%Y-%m-%d}T00:00:00.000Z: {said}"
        for ends, (_, said) in changes.items()
    ]
    await store.close()


async def test_whoever_changes_the_past_meanwhile_is_believed(kept_at: str) -> None:
    """What was reckoned with is looked at once more before days are stored."""
    store = await filled(kept_at)
    await store.commit([moved("price", Status.DOWN, MONTH[8] + HOUR, MONTH[-1] + HOUR)])
    async with store.reading() as connection:
        task = await closing.next_task(connection, SHOP, UTC, MONTH[-1] + HOUR)
        assert task is not None
        assert task.edges[0] == MONTH[8]
        ground = await closing.ground_of(connection, task)
    await store.commit([moved("price", Status.UP, MONTH[8] + 2 * HOUR, MONTH[-1] + 2 * HOUR)])
    async with store.reading() as connection:
        assert not await closing.holds(connection, task, ground)
    await store.close()
