"""Who leads, of several monitors on one database, and that nothing is stored for anybody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest

from monitor.store import Leases, StoreFailed, Superseded
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.postgres import say
from tests.store.past import after, run

LONG = 60.0
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
Opened = Callable[[], Awaitable[tuple[SqlStore, Leases]]]


@pytest.fixture
async def opened(ready_postgres: str) -> AsyncIterator[Opened]:
    """Opens a store of its own for each monitor."""
    async with AsyncExitStack() as stack:

        async def open_one() -> tuple[SqlStore, Leases]:
            store = await open_sql(ready_postgres)
            stack.push_async_callback(store.close)
            assert store.leases is not None
            return store, store.leases

        yield open_one


async def write(store: SqlStore) -> None:
    """Any write."""
    await store.outbox.post_once({"once": ()}, _NOW)


@asynccontextmanager
async def half_way(store: SqlStore) -> AsyncIterator[None]:
    """A transaction that has looked at the fence and is not over."""
    async with store.writing():
        yield


async def test_one_of_many_leads(opened: Opened) -> None:
    """Of ten that reach for it at once exactly one has it, and every other one sees who."""
    everybody = [await opened() for _ in range(10)]
    taken = await asyncio.gather(*(leases.take(f"m{n}", LONG) for n, (_, leases) in enumerate(everybody)))
    assert taken.count(True) == 1
    seen = await asyncio.gather(*(leases.look(f"m{n}", LONG) for n, (_, leases) in enumerate(everybody)))
    assert {None if one is None else (one.holder, one.fence) for one in seen} == {(f"m{taken.index(True)}", 1)}


async def test_the_lead_ends_by_itself_and_its_fence_grows(opened: Opened) -> None:
    """Whoever does not renew it loses it, by the clock of the database."""
    (_, first), (_, second) = await opened(), await opened()
    assert await first.take("a", 0.3)
    assert not await second.take("b", LONG)
    await asyncio.sleep(0.4)
    assert await second.take("b", LONG)
    lease = await first.look("a", LONG)
    assert lease is not None
    assert (lease.holder, lease.fence) == ("b", 2)
    with pytest.raises(Superseded):
        await first.renew(LONG)


async def test_a_lead_that_ended_goes_on_while_nobody_takes_it(opened: Opened) -> None:
    """A database that was away for everybody makes nobody lose anything."""
    store, leases = await opened()
    assert await leases.take("a", 0.1)
    await asyncio.sleep(0.2)
    assert await leases.renew(LONG) == 0
    await write(store)


async def test_what_is_written_after_somebody_else_has_taken_the_lead_is_refused(opened: Opened) -> None:
    """Each write looks at the fence in its own transaction, and nothing of it is stored."""
    (stale, first), (store, second) = await opened(), await opened()
    assert await first.take("a", 0.1)
    await write(stale)
    await asyncio.sleep(0.2)
    assert await second.take("b", LONG)
    with pytest.raises(Superseded):
        await stale.outbox.post_once({"late": ()}, _NOW)
    assert await store.outbox.posted(["once", "late"]) == {"once"}


async def test_whoever_takes_the_lead_sees_all_that_was_stored_before(opened: Opened) -> None:
    """A transaction that has looked at the fence is stored before somebody else leads, or not at all."""
    (stale, first), (store, second) = await opened(), await opened()
    assert await first.take("a", 0.1)
    async with stale.writing() as connection:
        await connection.exec_driver_sql("INSERT INTO posted (name, at) VALUES ('in time', 1)")
        await asyncio.sleep(0.2)
        taking = asyncio.create_task(second.take("b", LONG))
        await asyncio.sleep(0.2)
        assert not taking.done()
    assert await taking
    assert await store.outbox.posted(["in time"]) == {"in time"}


async def test_whoever_leads_again_goes_on_from_what_the_other_stored(opened: Opened) -> None:
    """Sums of the hour that it remembers from its first turn are not those of today."""
    (one, mine), (other, theirs) = await opened(), await opened()
    for turn, (store, leases) in enumerate([(one, mine), (other, theirs), (one, mine)]):
        assert await leases.take(f"m{turn}", LONG)
        await store.commit([run(after(turn))])
        await leases.leave(f"m{turn}")
    async with one.reading() as connection:
        assert (await connection.exec_driver_sql("SELECT runs FROM rollups")).scalars().all() == [3]


async def test_a_frozen_writer_keeps_nobody_from_the_lead(opened: Opened) -> None:
    """Its transaction is cut off, and with it the locks on everything it had written."""
    (stale, first), (store, second) = await opened(), await opened()
    assert await first.take("a", 0.1)

    async def frozen() -> None:
        async with stale.writing() as connection:
            await connection.exec_driver_sql("INSERT INTO posted (name, at) VALUES ('frozen', 1)")
            await asyncio.sleep(0.2)
            assert await second.take("b", LONG)
            await asyncio.wait_for(store.outbox.post_once({"frozen": ()}, _NOW), 5)
            await connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreFailed):
        await frozen()
    assert await store.outbox.posted(["frozen"]) == {"frozen"}


async def test_a_long_transaction_costs_nobody_the_lead(opened: Opened) -> None:
    """It is renewed beside whatever is being written."""
    store, leases = await opened()
    assert await leases.take("a", LONG)
    async with half_way(store):
        await asyncio.wait_for(leases.renew(LONG), 1)


async def test_who_stands_by_is_known_for_as_long_as_it_says_so(opened: Opened) -> None:
    """The leader hears how many others there are."""
    (_, first), (_, second) = await opened(), await opened()
    assert await first.take("a", LONG)
    assert await first.renew(LONG) == 0
    await second.look("b", 0.3)
    assert await first.renew(LONG) == 1
    await asyncio.sleep(0.4)
    assert await first.renew(LONG) == 0
    await second.look("b", LONG)
    await second.leave("b")
    assert await first.renew(LONG) == 0


async def test_a_lead_that_is_given_up_is_free_at_once(opened: Opened) -> None:
    """A clean stop keeps nobody waiting."""
    (store, first), (_, second) = await opened(), await opened()
    assert await first.take("a", LONG)
    await first.leave("a")
    assert await second.take("b", LONG)
    with pytest.raises(Superseded):
        await write(store)


async def test_whoever_stands_by_writes_nothing(opened: Opened) -> None:
    """Also where nobody leads yet."""
    store, leases = await opened()
    assert await leases.look("a", LONG) is None
    with pytest.raises(Superseded):
        await write(store)


async def test_only_a_start_takes_a_lead_of_its_own_name(opened: Opened) -> None:
    """The data directory says that its former holder is gone; one that was superseded knows nothing of the kind."""
    (_, first), (_, second) = await opened(), await opened()
    assert await first.take("a", LONG)
    assert not await second.take("a", LONG)
    assert await second.take("a", LONG, again=True)
    with pytest.raises(Superseded):
        await first.renew(LONG)


async def test_a_clock_of_the_database_that_was_set_back_makes_no_eternal_lease(
    opened: Opened, ready_postgres: str
) -> None:
    """A lease that lasts for longer than any is given for is none."""
    (_, first), (_, second) = await opened(), await opened()
    assert await first.take("a", 5)
    await say(ready_postgres, "UPDATE leases SET until = until + 3600000000")
    assert await second.take("b", 5)


async def test_on_one_file_nobody_leads(tmp_path: object) -> None:
    """There is one process, and no lease is looked at."""
    store = await open_sql(f"sqlite:///{tmp_path}/monitor.db")
    assert store.leases is None
    await store.close()
