"""The real program with channels that hang, fail, vanish and come back, and what it leaves when it is stopped."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from aiohttp import web

from tests.processes.running import eventually, free_port, get
from tests.processes.stations import Hook, Notice, Station, hook, told

HUNG = [f"hung{number}" for number in range(10)]


def webhook(name: str, receiver: Hook, timeout: str = "2s") -> str:
    return f'{name}: {{kind: webhook, url: "{receiver.url}/{name}", timeout: {timeout}}}'


async def hangs(path: str, notice: Notice) -> web.Response:
    """Answers `good` only."""
    if path != "/good":
        await asyncio.sleep(3600)
    return web.Response()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_ten_channels_that_hang_delay_nothing_and_keep_no_stop_waiting(tmp_path: Path) -> None:
    """The good one hears in a moment, where the others take a minute to give up; a stop takes less than ten seconds,
    nothing stays claimed, and the next process sends what was under way at once, under the same ids."""
    async with hook() as receiver:
        receiver.answering = hangs
        apprise = f'pool: {{kind: apprise, url: ["json://127.0.0.1:{receiver.url.rpartition(":")[2]}/pool"]}}'
        channels = [*(webhook(name, receiver, "1m") for name in HUNG), apprise, webhook("good", receiver)]
        station = Station(tmp_path, channels)
        async with station.running() as one:
            for number in range(5):
                began = time.monotonic()
                assert await asyncio.to_thread(station.open, number) is not None
                await eventually(lambda n=number: len(receiver.at("/good")) == n + 1, 10, "the good one hears")
                assert time.monotonic() - began < 5
            await eventually(lambda: all(receiver.at(f"/{name}") for name in HUNG), 10, "all are asked")
            began = time.monotonic()
            assert await one.leave() == 0
            assert time.monotonic() - began < 10
        assert station.rows("SELECT DISTINCT state FROM outbox WHERE channel != 'good'") == [("pending",)]
        assert station.rows("SELECT count(*) FROM outbox WHERE claimed_until IS NOT NULL") == [(0,)]
        receiver.answering = None
        async with station.running() as one:
            rest = lambda: all(len(told(receiver.at(f"/{name}"))) == 5 for name in HUNG)  # noqa: E731
            await eventually(rest, 15, "the next process sends them")
            assert await one.leave() == 0
        assert len(receiver.at("/good")) == 5
        assert {one["attempt"] for one in receiver.at("/hung0")} == {1, 2}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_channel_that_a_reload_takes_away_gets_its_notices_when_it_is_back(tmp_path: Path) -> None:
    """Meanwhile they are seen to wait, across a restart as well; nothing is lost and nothing comes twice."""
    async with hook() as receiver:

        async def refuses(path: str, notice: Notice) -> web.Response:
            return web.Response(status=503 if path == "/pager" else 200)

        receiver.answering = refuses
        both = [webhook("pager", receiver), webhook("chat", receiver)]
        station = Station(tmp_path, both)
        async with station.running() as one:
            opened = await asyncio.to_thread(station.open, 1)
            assert opened is not None
            await eventually(lambda: receiver.at("/pager"), 10, "it is tried")
            station.use(both[1:])
            one.tell(signal.SIGHUP)

            def gone() -> bool:
                found = {each["id"]: each for each in station.outbox()["channels"]}
                return "pager" in found and (found["pager"]["breaker"], found["pager"]["pending"]) == ("gone", 1)

            await eventually(gone, 15, "it is seen to wait")
            assert await one.leave() == 0
        async with station.running() as one:
            await eventually(gone, 15, "it still waits")
            receiver.answering = None
            receiver.came.clear()
            station.use(both)
            one.tell(signal.SIGHUP)
            await eventually(lambda: receiver.at("/pager"), 15, "it arrives")
            delivered = lambda: station.outbox("?state=delivered")["letters"]  # noqa: E731
            await eventually(lambda: len(delivered()) == 2, 10, "it is written down")
            assert await one.leave() == 0
        assert [one["event_id"] for one in receiver.at("/pager")] == [f"{opened['id']}-1"]
        assert receiver.at("/chat") == []


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_every_link_follows_a_reload(tmp_path: Path) -> None:
    """That to the dashboard and the one that acknowledges, and the last one is followed."""
    async with hook() as receiver:
        station = Station(tmp_path, [webhook("chat", receiver)], more=', ops_url: "https://one.example"')
        async with station.running() as one:
            for number, host in ((1, "https://one.example"), (2, f"http://127.0.0.1:{station.ops}")):
                if number == 2:
                    station.more = f', ops_url: "{host}"'
                    station.use([webhook("chat", receiver)])
                    one.tell(signal.SIGHUP)
                    await eventually(lambda: "configuration reloaded" in one.output, 15, "it is reloaded")
                assert await asyncio.to_thread(station.open, number) is not None
                await eventually(lambda n=number: len(receiver.at("/chat")) == n, 10, "it is told")
                links = receiver.at("/chat")[-1]["links"]
                assert links["dashboard"].startswith(f"{host}/healthcheck/")
                assert links["acknowledge"].startswith(f"{host}/acknowledge/")
            assert get(links["acknowledge"])[0] == 200
            assert await one.leave() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_when_every_channel_is_dead_all_say_so_and_on_return_everything_flows(tmp_path: Path) -> None:
    """The API, the dashboard and the metrics show it, the dead-man signal stops after two minutes; when the receivers
    are back every notice arrives, in order, and the signal goes on."""
    beats = list[float]()
    async with hook() as receiver:
        receiver.answering = hangs

        async def beat(request: web.Request) -> web.Response:
            beats.append(time.monotonic())
            return web.Response()

        app = web.Application()
        app.router.add_get("/beat", beat)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            dead = [webhook("hung", receiver, "1s"), f'away: {{kind: webhook, url: "http://127.0.0.1:{free_port()}/"}}']
            more = f', heartbeat_url: "http://127.0.0.1:{port}/beat"'
            station = Station(tmp_path, dead, more=more)
            async with station.running() as one:
                await eventually(lambda: beats, 40, "the signal is sent")
                ids = []
                for number in range(3):
                    opened = await asyncio.to_thread(station.open, number)
                    assert opened is not None
                    ids.append(opened["id"])

                def broken() -> bool:
                    return {one["breaker"] for one in station.outbox()["channels"]} <= {"open", "half_open"}

                await eventually(broken, 60, "both breakers are open")
                metrics = get(f"http://127.0.0.1:{station.ops}/metrics")[1]
                assert 'monitor_outbox_pending{channel="hung"} 3.0' in metrics
                dashboard = get(f"http://127.0.0.1:{station.ops}/healthcheck")[1]
                assert all(f"Channel {name} does not deliver" in dashboard for name in ("hung", "away"))
                quiet = lambda: time.monotonic() - beats[-1] > 45  # noqa: E731
                await eventually(quiet, 200, "the signal stops")
                assert "the dead-man signal is not sent: a notice has waited for" in one.output
                receiver.answering = None
                station.use([dead[0], webhook("away", receiver)])
                one.tell(signal.SIGHUP)
                await eventually(station.has_delivered_all, 90, "everything flows")
                assert all(set(told(receiver.at(path))) == set(ids) for path in ("/hung", "/away"))
                before = len(beats)
                await eventually(lambda: len(beats) > before, 45, "the signal goes on")
                assert await one.leave() == 0
        finally:
            await runner.cleanup()
