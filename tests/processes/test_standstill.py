"""The real program stopped, starved, held up, put to sleep, and under a clock that is set: no false word about anybody,
and a plain one about itself.
"""

import asyncio
import signal
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.processes.crowd import Crowd, serving, spread, starve
from tests.processes.running import eventually, get
from tests.processes.stations import hook
from tests.processes.steered import hold_up, steer

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]

T = 5.0  # seconds between runs of a probe
STEERED = "tests.processes.steered"


async def test_a_process_that_was_stopped_catches_up_with_nothing_at_once(tmp_path: Path) -> None:
    """Stopped for six intervals: what was under way says nothing, each probe is asked about once in the next interval,
    the time is a gap, nothing was down, and nobody was told of anything."""
    async with serving() as server, hook() as receiver:
        server.delay = 0.6  # so that runs are under way when it is stopped
        notify = (
            f'channels: {{chat: {{kind: webhook, url: "{receiver.url}/n"}}}}\nnotify: [{{steps: [{{to: [chat]}}]}}]'
        )
        crowd = Crowd(tmp_path, server.port, 100, more=notify)
        async with crowd.running() as monitor:
            await crowd.all_are("up")
            monitor.tell(signal.SIGSTOP)
            await asyncio.sleep(6 * T)
            woke = time.monotonic()
            monitor.tell(signal.SIGCONT)
            await asyncio.sleep(T + 1.5)
            after = [one for one in server.asked if woke <= one[0] < woke + T]
            asked = server.since(woke)
            assert set(crowd.ids) - set(asked) == set(), (server.per(0.5, woke), monitor.output[-1500:])
            assert max(asked.values()) <= 2
            assert len(after) <= 1.2 * len(crowd.ids)
            assert spread(after, 0.5) <= len(crowd.ids) / 2, "all at once"
            await crowd.all_are("up")
            assert crowd.incidents() == []
            assert await monitor.leave() == 0
        assert "this process stood still for" in monitor.output
        print(f"most requests within half a second after it woke: {spread(after, 0.5)} of {len(crowd.ids)}")
        gaps = crowd.rows("SELECT code, since, until FROM gaps")
        assert [code for code, *_ in gaps] == ["self.stall"]
        assert receiver.came == []
        assert crowd.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]


async def test_a_machine_that_slept_for_an_hour_has_a_gap_and_nothing_else(tmp_path: Path) -> None:
    """The monotonic clock does not count sleep: the wall and CLOCK_BOOTTIME are an hour ahead when it wakes."""
    async with serving() as server:
        server.delay = 0.6
        crowd = Crowd(tmp_path, server.port, 60)
        async with crowd.running(module=STEERED) as monitor:
            await crowd.all_are("up")
            steer(crowd.data, 0.0, asleep=3600.0)
            woke = time.monotonic()
            await asyncio.sleep(2 * T)
            assert spread([one for one in server.asked if one[0] > woke], 0.5) <= len(crowd.ids) / 2
            await crowd.all_are("up")
            assert crowd.incidents() == []
            assert await monitor.leave() == 0
        assert "this machine was suspended for 3600 s" in monitor.output
        ((code, seconds),) = crowd.rows("SELECT code, (until - since) / 1e6 FROM gaps")
        assert code == "self.stall"
        assert 3599 < seconds < 3605


@pytest.mark.parametrize("by", [86_400.0, -86_400.0], ids=["a day forward", "a day back"])
async def test_a_clock_that_is_set_hurries_and_delays_nothing(tmp_path: Path, by: float) -> None:
    """In the middle of an outage: asked as often as before, one incident as long as it took, the second step of the
    chain after its twenty seconds, once; then it ends by itself."""
    async with serving() as server, hook() as receiver:
        notify = (
            f'channels: {{chat: {{kind: webhook, url: "{receiver.url}/first"}}, '
            f'boss: {{kind: webhook, url: "{receiver.url}/boss"}}}}\n'
            "notify: [{steps: [{to: [chat]}, {after: 20s, unless: acknowledged, to: [boss]}]}]"
        )
        crowd = Crowd(tmp_path, server.port, 30, more=notify)
        async with crowd.running(module=STEERED) as monitor:
            await crowd.all_are("up")
            server.failing = {"m3"}
            await eventually(lambda: receiver.at("/first"), 30, "the first one is told")
            told = time.monotonic()
            await asyncio.sleep(5)
            assert receiver.at("/boss") == []
            steer(crowd.data, by)
            stepped = time.monotonic()
            await asyncio.sleep(2 * T)
            rest = [one for one in server.asked if one[0] >= stepped and one[1] != "m3"]
            rate = len(rest) / (time.monotonic() - stepped)
            assert 0.7 * 29 / T < rate < 1.3 * 29 / T
            assert spread(rest, 1.0) <= 3 * 29 / T
            assert receiver.at("/boss") == [], "early"
            await eventually(lambda: receiver.at("/boss"), 20, "the second one is told")
            assert 18 < time.monotonic() - told < 30
            said = crowd.status()
            assert said is not None
            assert said["data_until"] <= said["generated_at"], "a result of the future"
            server.failing = set()
            await eventually(lambda: crowd.incidents()[0]["status"] == "resolved", 100, "it ends")
            (incident,) = crowd.incidents()
            assert [one["event"] for one in receiver.at("/boss")].count("escalated") == 1
            assert len(receiver.at("/first")) == len({one["event_id"] for one in receiver.at("/first")})
            assert await monitor.leave() == 0
        assert "Traceback" not in monitor.output
        assert "the clock of this machine was set by" in monitor.output
        took = crowd.rows("SELECT (until - since) / 1e6 FROM gaps")
        assert all(0 <= seconds < 5 for (seconds,) in took)
        assert incident["reopened"] == 0


async def test_a_call_that_blocks_the_loop_is_named_and_blames_nobody(tmp_path: Path) -> None:
    """Three seconds, with runs under way whose limit is two: the log says where, the light comes on and goes out."""
    async with serving() as server:
        server.delay = 0.6
        crowd = Crowd(tmp_path, server.port, 60)
        async with crowd.running(module=STEERED) as monitor:
            await crowd.all_are("up")
            hold_up(crowd.data, 3.0)
            await eventually(lambda: crowd.lit("loop_lag", "self.stall"), 20, "the light is on")
            lag = crowd.metric("monitor_event_loop_lag_seconds")
            assert lag is not None
            assert 2.5 < lag < 5
            await eventually(crowd.is_well, 60, "the light is out")
            await crowd.all_are("up")
            assert crowd.incidents() == []
            assert await monitor.leave() == 0
        (line,) = [line for line in monitor.output.splitlines() if "the event loop has stood still" in line]
        assert "steered.py" in line
        print(f"lag {lag:.2f} s")
        gaps = crowd.rows("SELECT code FROM gaps")
        assert gaps == [("self.stall",)]
        assert crowd.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]


@pytest.mark.parametrize("period", [1.0, 0.1], ids=["by the second", "by the tenth"])
async def test_a_starved_process_asks_less_says_so_and_blames_nobody(tmp_path: Path, period: float) -> None:
    """A tenth of the processor for twenty seconds: overloaded in plain sight, every probe asked, none favoured. Who can
    do with a tenth asks as often as ever, and has nothing to say."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 200)
        async with crowd.running() as monitor:
            await crowd.all_are("up")
            began = time.monotonic()
            starving = asyncio.create_task(starve(monitor, 20, period=period))
            seen = False
            while not starving.done():
                seen = seen or bool(await asyncio.to_thread(crowd.light, "loop_lost"))
                await asyncio.sleep(0.5)
            await starving
            asked = server.since(began)
            counts = sorted(asked[id] for id in crowd.ids)
            print(f"asked in 20 s: {counts[0]} to {counts[-1]} times, instead of 4")
            assert seen or counts[0] >= 3, "overloaded, and nobody could see it"
            assert counts[0] >= 1
            assert counts[-1] <= 5
            await eventually(crowd.is_well, 60, "the lights are out")
            await crowd.all_are("up")
            assert crowd.incidents() == []
            assert await monitor.leave() == 0
        assert crowd.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]


async def test_a_process_with_few_files_keeps_within_them_and_says_so(tmp_path: Path) -> None:
    """`ulimit -n 64`, 200 targets that take their time: as many at once as there are descriptors for, the page is
    served all the while, and once the targets are quick the light is out."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 200)
        async with crowd.running("sh", "-c", 'ulimit -n 64; exec "$@"', "sh") as monitor:
            await crowd.all_are("up")
            server.delay = 1.8
            await eventually(lambda: crowd.lit("schedule_behind", "self.resources"), 40, "the light is on")
            files = [crowd.metric("process_open_fds") for _ in range(5)]
            print(f"open files {max(filter(None, files)):.0f} of 64, {crowd.metric('monitor_runs_under_way'):.0f} runs")
            assert all(one is not None and one <= 64 for one in files)
            left = crowd.metric('monitor_runs_left_out_total{reason="overloaded"}')
            assert left is not None
            assert left > 0
            before = time.monotonic()
            await asyncio.sleep(22)
            counts = server.since(before)
            assert min(counts[id] for id in crowd.ids) >= 1
            assert max(counts.values()) <= 2 + min(counts[id] for id in crowd.ids)
            assert get(f"http://127.0.0.1:{crowd.page}/")[0] == 200
            server.delay = 0.0
            await eventually(crowd.is_well, 60, "the light is out")
            await crowd.all_are("up")
            assert crowd.incidents() == []
            assert await monitor.leave() == 0
        assert "Too many open files" not in monitor.output
        assert "Traceback" not in monitor.output
        assert crowd.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]


async def test_readers_that_ask_for_nothing_leave_the_files_of_probes_alone(tmp_path: Path) -> None:
    """`ulimit -n 64`, 180 connections at once that send half a request, and again: the page is served, every module is
    asked and up, and the log holds nothing of each."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 60)
        async with crowd.running("sh", "-c", 'ulimit -n 64; exec "$@"', "sh") as monitor:
            await crowd.all_are("up")
            lines, before, files = len(monitor.output.splitlines()), time.monotonic(), []
            for _ in range(3):
                with ExitStack() as stack:
                    for number in range(180):
                        one = stack.enter_context(socket.socket())
                        one.setblocking(False)
                        with suppress(OSError):
                            one.connect(("127.0.0.1", crowd.page if number % 2 else crowd.ops))
                        with suppress(OSError):
                            one.send(b"GET / HT")
                    for _ in range(6):
                        code, _ = await asyncio.to_thread(get, f"http://127.0.0.1:{crowd.page}/")
                        files.append(await asyncio.to_thread(crowd.metric, "process_open_fds"))
                        assert code == 200
                        await asyncio.sleep(0.5)
            print(f"open files {max(filter(None, files)):.0f} of 64")
            assert all(one is not None and one < 56 for one in files)
            assert set(server.since(before)) == set(crowd.ids)
            assert crowd.is_well()
            assert crowd.incidents() == []
            assert len(monitor.output.splitlines()) <= lines + 3, monitor.output[-2000:]
            assert await monitor.leave() == 0
        assert "Traceback" not in monitor.output
        assert crowd.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]
