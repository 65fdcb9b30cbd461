"""Errand: what a command asks or says is a request to the counter of the monitor that runs.

Where none runs we take the store ourselves, under the same lock as `run`, and serve the same counter to ourselves for
that one request, on loopback and under a token nobody else has. So there is one way to change something, whoever does
it. Whoever only reads opens the store for reading, whether a monitor runs or not.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from monitor.app import database_url, only_one
from monitor.clock import SystemClock
from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.config.planning import Planner
from monitor.config.recurrence import plan_of
from monitor.core.effect import Answered, Ask, AskCanaries, Event, Hold, Planned, Refusal
from monitor.core.history import board_from
from monitor.core.step import step
from monitor.desk import Desk
from monitor.pages.translate import Speech
from monitor.store import Store, StoreFailed, open_store
from monitor.web.counter import API, Counter
from monitor.web.routes import counter_app

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # where to reach who listens on all addresses
LONGEST = 30.0  # seconds for an answer
ONLY_READ = Refusal("conflict", "the store was opened for reading only")


class Answer(NamedTuple):
    """The status and the JSON of an answer; `{"error": …}` where it is a refusal."""

    status: int
    body: Any

    @property
    def refused(self) -> str | None:
        """Why not; None for an answer that says yes."""
        return str(self.body.get("error", self.body)) if self.status >= 400 else None


class Stranger(Exception):
    """Whoever listens at the address is no monitor that knows what we want."""


async def change(
    config: Config,
    data: Path,
    method: str,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of the running monitor, else of ourselves. `path` lies below `/api/ops/v1`.

    Raises StoreUnusable or StoreFailed when no monitor answers and the store cannot be taken.
    """
    try:
        return await _ask(ops_url(config), _token(config), method, path, body, headers)
    except (ClientError, TimeoutError, Stranger):
        pass  # none runs, or it cannot be reached: then the lock tells
    with only_one(data):
        async with _store(config, data, readonly=False) as store, _served(config, store) as (url, token):
            return await _ask(url, token, method, path, body, headers)


async def look(config: Config, data: Path, path: str) -> Answer:
    """What the store holds, answered as the running monitor would. Raises StoreUnusable or StoreFailed."""
    async with _store(config, data, readonly=True) as store, _served(config, store, readonly=True) as (url, token):
        return await _ask(url, token, "GET", path, None, None)


def ops_url(config: Config) -> str:
    """Where the ops side of the running monitor is reached from this machine."""
    ops = config.settings.ops
    host = EVERYWHERE.get(ops.host, ops.host)
    return f"http://[{host}]:{ops.port}" if ":" in host else f"http://{host}:{ops.port}"


def tell_refusal(answer: Answer) -> bool:
    """Whether it is a refusal; one is then told on stderr, with what to do about it."""
    if answer.refused is not None:
        print(answer.refused.strip(), file=sys.stderr)
    return answer.refused is not None


def _token(config: Config) -> str | None:
    return os.environ.get("MONITOR_OPS_TOKEN") or config.settings.ops_token


async def _ask(
    url: str,
    token: str | None,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
) -> Answer:
    sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    async with (
        ClientSession(timeout=ClientTimeout(total=LONGEST, sock_connect=3), headers=sent) as session,
        session.request(method, f"{url}{API}{path}", json=body, allow_redirects=False) as answer,
    ):
        if answer.status == 401:
            return Answer(401, {"error": "the running monitor wants its token: set MONITOR_OPS_TOKEN to it"})
        if answer.content_type != "application/json":
            raise Stranger
        return Answer(answer.status, await answer.json())


@asynccontextmanager
async def _store(config: Config, data: Path, *, readonly: bool) -> AsyncIterator[Store]:
    store = await open_store(database_url(config, data), readonly=readonly)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _served(config: Config, store: Store, *, readonly: bool = False) -> AsyncIterator[tuple[str, str]]:
    """Serves the counter over this store to ourselves: where, and under which token."""
    clock, token = SystemClock(), secrets.token_urlsafe()
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
    counter = Counter(
        board=lambda: desk.board,
        history=lambda: history,
        speech=lambda: speech,
        find=desk.find,
        hear=_deaf if readonly else desk.hear,
        planner=lambda: Planner(config),
        token=token,
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


async def _deaf(event: Event) -> Answered:
    return Answered(refusal=ONLY_READ)


class _NoHands:
    """Looks at nothing: whoever speaks for a moment does not watch."""

    def ask(self, ask: Ask) -> None:
        """Nothing is run."""

    def hold(self, hold: Hold) -> None:
        """Nothing is run anyway."""

    def ask_canaries(self, ask: AskCanaries) -> None:
        """Nobody is asked."""
