"""Own counter: the counter over the store, served to ourselves for as long as we take, where no monitor does it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from monitor.clock import SystemClock
from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.config.planning import Planner
from monitor.config.recurrence import plan_of
from monitor.core.effect import Answered, Ask, AskCanaries, Hold, Planned, Refusal, Said
from monitor.core.history import board_from
from monitor.core.roster import with_ops_token
from monitor.core.step import step
from monitor.core.subscriber import Subscriber
from monitor.data import database_url, leading, only_one
from monitor.desk import Desk
from monitor.pages.translate import Speech
from monitor.store import Store, StoreFailed, open_store
from monitor.web.counter import Check, Counter
from monitor.web.routes import counter_app

ONLY_READ = Refusal("conflict", "the store was opened for reading only")


@asynccontextmanager
async def own_counter(config: Config, data: Path, *, readonly: bool) -> AsyncIterator[tuple[str, str]]:
    """Where it is served and under which token; over the whole store, or one that is only read.

    Raises StoreUnusable or StoreFailed where the store cannot be had, such as while a monitor holds it.
    """
    with nullcontext() if readonly else only_one(data):
        store = await open_store(database_url(config, data), readonly=readonly)
        try:
            async with (
                nullcontext() if readonly else leading(store, data),
                _served(config, store, readonly=readonly) as served,
            ):
                yield served
        finally:
            await store.close()


@asynccontextmanager
async def _served(config: Config, store: Store, *, readonly: bool) -> AsyncIterator[tuple[str, str]]:
    """Serves the counter over this store to ourselves: where, and under which token."""
    clock, token = SystemClock(), secrets.token_urlsafe()
    roster = with_ops_token(token)
    now = clock.now()
    memory = await store.recall(now - config.platform.tuning.reopen)
    history = await store.history(now - timedelta(days=1), now, probes=())
    desk = Desk(board_from(config.platform, memory), store, _NoHands(), clock, troubles=StoreFailed)
    windows = (*config.windows, *desk.board.agenda.windows.values())
    planned = Planned(await asyncio.to_thread(plan_of, windows, now))
    if readonly:
        desk.board, _ = step(desk.board, planned, now)
    else:
        desk.take(planned)
    speech = Speech.load(config.site.languages, theme_dir(config.site.theme))

    async def planner() -> Planner:
        return Planner(config)

    counter = Counter(
        board=lambda: desk.board,
        history=lambda: history,
        speech=lambda: speech,
        find=desk.find,
        hear=_deaf if readonly else desk.hear,
        perform=desk.perform,
        record=desk.record,
        incidents=desk.incidents,
        entries=desk.entries,
        how="command",
        planner=planner,
        roster=lambda: roster,
        roll=_Roll(store),
        courses=store.outbox.courses,
    )
    runner = web.AppRunner(counter_app(counter), access_log=None, shutdown_timeout=1)
    writer = asyncio.create_task(desk.write())
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", token
    finally:
        await runner.cleanup()
        writer.cancel()
        await asyncio.wait({writer})


async def _deaf(said: Said, check: Check | None = None) -> Answered:
    return Answered(refusal=ONLY_READ)


class _Roll:
    """The subscribers of a store that nobody else has."""

    def __init__(self, store: Store) -> None:
        self._kept = store.subscribers

    async def everybody(self) -> list[Subscriber] | Refusal:
        """All that are known."""
        return await self._kept.all()

    async def erase(self, ids: Sequence[str]) -> Refusal | None:
        """Forgets these."""
        await self._kept.erase(ids)
        return None


class _NoHands:
    """Looks at nothing: whoever speaks for a moment does not watch."""

    def ask(self, ask: Ask) -> None:
        """Nothing is run."""

    def hold(self, hold: Hold) -> None:
        """Nothing is run anyway."""

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Nobody is asked."""
