"""Errand: what a command asks or says is a request to the counter of the monitor that runs.

Where none runs we take the store ourselves, under the same lock as `run`, and serve the same counter to ourselves for
that one request (`own_counter.py`), on loopback and under a token nobody else has. So there is one way to change
something, whoever does it. Whoever only reads opens the store for reading, whether a monitor runs or not.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout

from monitor.commands.listener import is_ours
from monitor.config import Config
from monitor.data import InUse
from monitor.store import StoreUnusable

API = "/api/ops/v1"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # where to reach who listens on all addresses
LONGEST = 30.0  # seconds for an answer, and to wait for our turn
AGAIN = 0.2  # seconds until we look again whether it has come

Found = TypeVar("Found")


class Answer(NamedTuple):
    """The status and the JSON of an answer; `{"error": …}` where it is a refusal."""

    status: int
    body: Any

    @property
    def refused(self) -> str | None:
        """Why not; None for an answer that says yes."""
        return str(self.body.get("error", self.body)) if self.status >= 400 else None

    @property
    def exit_status(self) -> int:
        """What a command that was refused ends with: 2 for what cannot be, 1 for what is not there or does not fit."""
        return 2 if self.status == 400 else 1


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

    async def take() -> Answer:
        from monitor.commands.own_counter import own_counter  # all rooms of the monitor; half a second to import

        async with own_counter(config, data, readonly=False) as (url, token):
            return await _ask(url, token, method, path, body, headers)

    return await in_turn(config, lambda: ask_running(config, data, method, path, body, headers), take)


async def in_turn(
    config: Config, ask: Callable[[], Awaitable[Found | None]], take: Callable[[], Awaitable[Found]]
) -> Found:
    """What the running monitor says to `ask`, else what comes of `take`, which needs the data directory.

    Waits for its turn while whoever has that directory does not listen yet, or any more, or is a command like us.
    Raises StoreUnusable or StoreFailed when no monitor answers and the store cannot be taken.
    """
    until, listens = time.monotonic() + LONGEST, False
    while True:
        if (answer := await ask()) is not None:
            return answer
        try:
            return await take()
        except StoreUnusable as error:
            if listens or not isinstance(error, InUse) or time.monotonic() > until:
                raise StoreUnusable(f"no monitor answers at {ops_url(config)} (monitor.ops), and {error}") from None
            listens = error.listens  # it may have begun to since we asked
        await asyncio.sleep(AGAIN)


async def ask_running(
    config: Config,
    data: Path,
    method: str,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Answer | None:
    """The answer of the running monitor; None where none runs or it cannot be reached: then the lock tells."""
    try:
        require_ours(config, data)
        return await _ask(ops_url(config), ops_token(config), method, path, body, headers)
    except (ClientError, TimeoutError, Stranger):
        return None


def require_ours(config: Config, data: Path) -> None:
    """Returns where our token may be sent to whoever listens at `monitor.ops`. Raises Stranger where that is somebody
    else's program, who may be waiting for it."""
    ops = config.settings.ops
    if ops_token(config) is not None and not is_ours(EVERYWHERE.get(ops.host, ops.host), ops.port, data):
        raise Stranger


async def look(config: Config, data: Path, path: str) -> Answer:
    """What the store holds, answered as the running monitor would; its answer where we can read no store.

    Raises StoreUnusable or StoreFailed when there is neither.
    """
    from monitor.commands.own_counter import own_counter

    try:
        async with own_counter(config, data, readonly=True) as (url, token):
            return await _ask(url, token, "GET", path, None, None)
    except StoreUnusable:
        try:
            require_ours(config, data)
            return await _ask(ops_url(config), ops_token(config), "GET", path, None, None)
        except (ClientError, TimeoutError, Stranger):
            pass
        raise


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


def ops_token(config: Config) -> str | None:
    """What opens the ops side of the running monitor; None where it asks for nothing."""
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
