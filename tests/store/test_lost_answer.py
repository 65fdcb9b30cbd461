"""The answer to a commit gets lost, or comes late: the same facts are stored once, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

from monitor.core.observation import Observation
from monitor.store import StoreFailed, whole
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.store.past import NOON, after, run, trouble

COMMIT = b"COMMIT;\x00"


class Between:
    """A wire to a server. `cut` breaks it off when the server has answered a COMMIT, before anybody hears of it; `late`
    is how many seconds every answer takes longer."""

    def __init__(self) -> None:
        self.url = ""
        self.cut = False
        self.late = 0.0
        self.commits = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        there, back = await asyncio.open_connection(host, port)
        asked = asyncio.Event()

        async def forth() -> None:
            while data := await reader.read(65536):
                if COMMIT in data:
                    self.commits += 1
                    asked.set()
                back.write(data)
            back.close()

        async def home() -> None:
            while data := await there.read(65536):
                if asked.is_set() and self.cut:  # it is committed
                    self.cut = False
                    break
                asked.clear()
                await asyncio.sleep(self.late)
                writer.write(data)
            writer.transport.abort()

        await asyncio.gather(forth(), home(), return_exceptions=True)
        back.transport.abort()


@asynccontextmanager
async def between(url: str) -> AsyncIterator[Between]:
    """A wire to the server of a URL."""
    parts, found = urlsplit(url), Between()
    assert parts.hostname is not None
    assert parts.port is not None
    host, port = parts.hostname, parts.port
    server = await asyncio.start_server(lambda r, w: found.carry(r, w, host, port), "127.0.0.1", 0)
    mine = server.sockets[0].getsockname()[1]
    found.url = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{mine}"))
    try:
        yield found
    finally:
        server.close()


async def everything(store: SqlStore) -> tuple[int, list[Observation]]:
    """How many incidents there are, and every run."""
    runs = await store.observations("checkout", since=NOON, until=after(9999), limit=9999)
    return len((await store.recall(NOON)).incidents), [observation for observation, _ in runs]


async def test_a_commit_whose_answer_is_lost_is_stored_once(ready_postgres: str) -> None:
    """Nobody knows whether it was stored, so it is made again, and changes nothing: no second run, none counted twice,
    no second letter."""
    async with between(ready_postgres) as wire:
        store = await open_sql(wire.url)
        facts = [*trouble(), *(run(after(n)) for n in range(1, 30))]
        wire.cut = True
        with pytest.raises(StoreFailed):
            await store.commit(facts)
        assert not wire.cut, "the server had committed it"
        before = await everything(store)
        await store.commit(facts)
        assert await everything(store) == before
        assert before[0] == 1
        assert len(before[1]) == 30
        assert await store.check() == []
        await store.close()


async def test_a_slow_server_gets_everything(ready_postgres: str) -> None:
    """Every answer takes its time; the loop goes on meanwhile, and whoever wants a letter taken does not wait."""
    async with between(ready_postgres) as wire:
        store = await open_sql(wire.url)
        await store.commit(trouble("before"))
        wire.late = 0.05
        committing = asyncio.create_task(store.commit([*trouble(), *(run(after(n)) for n in range(1, 200))]))
        beats = 0
        while not committing.done():
            await asyncio.sleep(0.01)
            beats += 1
        await committing
        assert beats > 20
        wire.late = 0.0
        assert len((await everything(store))[1]) == 200
        await store.close()


async def test_who_has_something_else_to_do_does_not_wait_for_a_store_that_hangs(
    ready_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter is not taken under a claim then; once the store goes on, all that was begun is brought to its end."""
    monkeypatch.setattr(whole, "PATIENCE", 0.2)
    monkeypatch.setattr("monitor.store.sql.PATIENCE", 0.2)
    async with between(ready_postgres) as wire:
        store = await open_sql(wire.url)
        await store.commit(trouble("before"))
        wire.late = 1.0
        committing = asyncio.create_task(store.commit(trouble()))
        await asyncio.sleep(0.05)
        with pytest.raises(StoreFailed, match="another transaction has taken longer"):
            await store.outbox.post([])
        with pytest.raises(StoreFailed, match="another transaction has taken longer"):
            await store.commit(trouble("second"))
        wire.late = 0.0
        await committing
        await store.commit(trouble("second"))
        assert len((await store.recall(NOON)).incidents) == 3
        await store.close()
