"""Errands: the running monitor is asked; where none runs, the store is taken, under the lock of `run`."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from monitor.commands import errand, listener
from monitor.commands.errand import ask_running, change, look, ops_url
from monitor.config import Address, Config, Settings
from monitor.core.module import Platform
from monitor.core.roster import with_ops_token
from monitor.core.site import Site
from monitor.data import listening as listens_somewhere
from monitor.data import only_one
from monitor.pages.translate import Speech
from monitor.store import StoreUnusable, open_store
from monitor.web.counter import Counter
from monitor.web.routes import counter_app
from tests.pages import pictures
from tests.processes.running import free_port
from tests.store.past import incident, saved
from tests.web.test_ops import EARS

THEME = Path(__file__).parents[2] / "site"
SEEN = pictures.troubled()


def configured(port: int, token: str | None = None) -> Config:
    settings = Settings(ops=Address("127.0.0.1", port), roster=with_ops_token(token))
    return Config(Platform(), Site(languages=("en",)), settings)


@asynccontextmanager
async def listening(app: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def running(token: str | None = None) -> web.Application:
    """The counter of a monitor that knows of some trouble."""
    return counter_app(
        Counter(
            board=lambda: SEEN.board,
            history=lambda: SEEN.history,
            speech=lambda: Speech.load(("en",), THEME),
            **EARS,
            roster=lambda: with_ops_token(token),
        )
    )


async def stored(data: Path) -> str:
    """A store that holds one incident; its id."""
    os.makedirs(data)
    store = await open_store(f"sqlite:///{data / 'monitor.db'}")
    await store.commit([saved(incident())])
    await store.close()
    return incident().id


async def test_the_running_monitor_is_asked(tmp_path: Path) -> None:
    """And the store is left alone."""
    port = free_port()
    async with listening(running(), port):
        answer = await change(configured(port), tmp_path / "data", "GET", "/incidents", {})
    assert (answer.status, answer.refused) == (200, None)
    assert [one["id"] for one in answer.body["incidents"]] == [one.id for one in SEEN.history.incidents]
    assert not (tmp_path / "data").exists()


async def test_where_none_runs_the_store_is_taken(tmp_path: Path) -> None:
    """The same answer from the same counter, over what the store holds."""
    id = await stored(tmp_path / "data")
    answer = await change(configured(free_port()), tmp_path / "data", "GET", "/incidents", {})
    assert [one["id"] for one in answer.body["incidents"]] == [id]


async def test_a_store_that_somebody_holds_is_not_taken(tmp_path: Path) -> None:
    """A monitor that listens and cannot be reached is told, by its process."""
    await stored(data := tmp_path / "data")
    with only_one(data), listens_somewhere(data), pytest.raises(StoreUnusable, match=str(os.getpid())):
        await change(configured(free_port()), data, "GET", "/incidents", {})


async def test_a_command_waits_for_a_monitor_that_is_about_to_listen(tmp_path: Path) -> None:
    """It has the data already and answers only later, as at each start; then it is asked."""
    port = free_port()
    with only_one(tmp_path / "data"):
        asking = asyncio.create_task(change(configured(port), tmp_path / "data", "GET", "/incidents", {}))
        await asyncio.sleep(0.3)
        assert not asking.done()
        async with listening(running(), port):
            with listens_somewhere(tmp_path / "data"):
                answer = await asking
    assert [one["id"] for one in answer.body["incidents"]] == [one.id for one in SEEN.history.incidents]


async def test_a_command_waits_for_whoever_is_about_to_leave(tmp_path: Path) -> None:
    """Another command, or a monitor that writes its last; then the store is ours."""
    id = await stored(tmp_path / "data")
    with only_one(tmp_path / "data"):
        asking = asyncio.create_task(change(configured(free_port()), tmp_path / "data", "GET", "/incidents", {}))
        await asyncio.sleep(0.3)
        assert not asking.done()
    assert [one["id"] for one in (await asking).body["incidents"]] == [id]


async def test_whoever_has_the_data_for_good_is_told_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that never listens keeps a command waiting for so long and no longer."""
    monkeypatch.setattr(errand, "LONGEST", 0.3)
    with only_one(tmp_path / "data"), pytest.raises(StoreUnusable, match=str(os.getpid())):
        await change(configured(free_port()), tmp_path / "data", "GET", "/incidents", {})


async def test_somebody_else_at_the_address_is_no_monitor(tmp_path: Path) -> None:
    """A web server that answers something else is passed by."""
    id = await stored(tmp_path / "data")
    port = free_port()
    async with listening(web.Application(), port):
        answer = await change(configured(port), tmp_path / "data", "GET", "/incidents", {})
    assert [one["id"] for one in answer.body["incidents"]] == [id]


async def test_the_token_comes_from_the_environment_or_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the answer says what to set."""
    monkeypatch.delenv("MONITOR_OPS_TOKEN", raising=False)
    port, data = free_port(), tmp_path / "data"
    async with listening(running("s3cret"), port):
        refused = await change(configured(port), data, "GET", "/incidents", {})
        assert "MONITOR_OPS_TOKEN" in (refused.refused or "")
        assert (await change(configured(port, "s3cret"), data, "GET", "/incidents", {})).status == 200
        monkeypatch.setenv("MONITOR_OPS_TOKEN", "s3cret")
        assert (await change(configured(port), data, "GET", "/incidents", {})).status == 200


async def test_looking_where_no_store_is_asks_the_running_monitor(tmp_path: Path) -> None:
    """It may run in a container of its own; where neither is, the first trouble is told."""
    port = free_port()
    async with listening(running(), port):
        answer = await look(configured(port), tmp_path / "nowhere", "/incidents")
    assert len(answer.body["incidents"]) == len(SEEN.history.incidents)
    with pytest.raises(StoreUnusable, match="there is no database"):
        await look(configured(port), tmp_path / "nowhere", "/incidents")


async def test_looking_never_waits_for_whoever_holds_the_store(tmp_path: Path) -> None:
    """It is opened for reading only."""
    id = await stored(tmp_path / "data")
    with only_one(tmp_path / "data"):
        answer = await look(configured(free_port()), tmp_path / "data", "/incidents")
    assert [one["id"] for one in answer.body["incidents"]] == [id]


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:9464"), ("::", "http://[::1]:9464"), ("10.0.0.1", "http://10.0.0.1:9464")],
)
def test_where_a_monitor_is_reached_that_listens_everywhere(host: str, url: str) -> None:
    config = configured(0)
    assert ops_url(replace(config, settings=replace(config.settings, ops=Address(host, 9464)))) == url


@pytest.mark.parametrize(
    ("host", "asked"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")]
)
def test_whose_program_listens_is_known(host: str, asked: str) -> None:
    """At an address, at all of them, in either version of IP; and where nobody listens it is nobody's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one:
        one.bind((host, 0))
        port = one.getsockname()[1]
        assert listener.owners_of(asked, port) == set()
        one.listen()
        assert listener.owners_of(asked, port) == {os.getuid()}


async def test_a_token_is_never_sent_to_the_program_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has no account of ours may listen where no monitor does, and hears nothing; the store is taken instead.
    Whoever has the data directory is no stranger."""
    port = free_port()
    heard: list[str | None] = []

    async def trap(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization"))
        return web.json_response({"incidents": [], "next": None})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", trap)
    config = configured(port, "a-token-that-is-long")
    async with listening(app, port):
        monkeypatch.setattr(listener, "ROOT", -1)
        monkeypatch.setattr(listener.os, "getuid", lambda: -1)
        (tmp_path / "own").mkdir()
        assert (await ask_running(config, tmp_path / "own", "GET", "/incidents", {})) is not None
        assert heard == ["Bearer a-token-that-is-long"]
        assert (await ask_running(config, tmp_path / "nobody's", "GET", "/incidents", {})) is None
        assert len(heard) == 1
