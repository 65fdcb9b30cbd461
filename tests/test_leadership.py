"""When a monitor leads, when it stops, and what it may say meanwhile; over a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from monitor.clock import SystemClock
from monitor.leadership import Leadership
from monitor.store import Superseded
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.postgres import postgres_server, say
from tests.ready import postgres_tables, ready_postgres

__all__ = ["postgres_server", "postgres_tables", "ready_postgres"]


class Boot(SystemClock):
    """A clock that shows what it is told."""

    def __init__(self) -> None:
        self.at = 1000.0

    def boot(self) -> float:
        return self.at


@pytest.fixture
async def stores(ready_postgres: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Those of two monitors."""
    first, second = await open_sql(ready_postgres), await open_sql(ready_postgres)
    yield first, second
    await first.close()
    await second.close()


async def test_where_nobody_else_can_have_the_store_we_lead() -> None:
    """Nothing is asked, and it never ends."""
    alone = Leadership(None, "a", SystemClock())
    assert await alone.take()
    assert alone.is_alone
    assert alone.is_valid
    assert alone.told() == (True, None)
    keeping = asyncio.create_task(alone.keep())
    await asyncio.sleep(0.05)
    assert not keeping.done()
    keeping.cancel()
    await alone.leave()


async def test_one_leads_and_the_other_one_knows_it(stores: tuple[SqlStore, SqlStore]) -> None:
    """The leader counts who stands by from its next renewal on; once it leaves, the other one leads."""
    one, two = (Leadership(store.leases, name, SystemClock()) for store, name in zip(stores, "ab", strict=True))
    assert await one.take()
    assert one.is_alone
    assert not await two.take()
    assert two.told() == (False, "a")
    assert not two.is_valid
    keeping = asyncio.create_task(one.keep())
    async with asyncio.timeout(10):
        while one.is_alone:  # noqa: ASYNC110 (what is waited for is a renewal)
            await asyncio.sleep(0.1)
    assert one.is_valid
    keeping.cancel()
    await one.leave()
    assert await two.take()


async def test_a_refused_write_ends_it_at_once(stores: tuple[SqlStore, SqlStore], ready_postgres: str) -> None:
    """And nothing is said any more, however alone it was."""
    one, two = (Leadership(store.leases, name, SystemClock()) for store, name in zip(stores, "ab", strict=True))
    assert await one.take()
    await say(ready_postgres, "UPDATE leases SET until = 0")
    assert await two.take()
    keeping = asyncio.create_task(one.keep())
    assert one.is_alone
    with pytest.raises(Superseded):
        await stores[0].outbox.post([])
    assert not one.is_alone
    assert not one.is_valid
    await asyncio.wait_for(keeping, 1)
    assert not one.leads


async def test_after_a_sleep_of_the_machine_it_is_not_sure_before_it_has_asked(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    """Where somebody may have taken over meanwhile; one that was alone goes on."""
    clock = Boot()
    one, two = Leadership(stores[0].leases, "a", clock), Leadership(stores[1].leases, "b", SystemClock())
    assert await one.take()
    clock.at += 3600
    assert one.is_valid
    await two.take()
    one.others = 1
    assert not one.is_valid
    assert one.told() == (False, "a")
