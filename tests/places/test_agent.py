"""An agent at a real broker: nothing is lost, nothing is doubled, and what is wrong is said."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.commands.agent import broker_of, secret_of
from monitor.config import Broker
from monitor.core.effect import Ask, AskCanaries, Hold, Missed
from monitor.core.observation import CANARY, Failure
from monitor.core.target import HttpTarget
from monitor.places import topics
from monitor.places.wire import Acknowledged, Order, Time, pack
from tests.notify.test_mqtt import mosquitto, until
from tests.places.core import PLACE, SECRET, agent, asking, core, listener, without
from tests.places.test_link import BROKERS, PLAIN, serving
from tests.processes.running import free_port


@pytest.fixture(params=BROKERS)
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of each kind of broker."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with serving(request.param, folder) as port:
        yield port


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[int]:
    """The port of one Mosquitto."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with serving("mosquitto", folder) as port:
        yield port


def started(port: int, data: Path, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """The command, as anybody starts it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "monitor", "agent", "--location", PLACE, "--data", str(data)],
            env={**os.environ, "MONITOR_BROKER": f"mqtt://127.0.0.1:{port}", "MONITOR_LOCATION_SECRET": SECRET}
            | environment,
            stdout=out,
            stderr=out,
        )


async def test_it_probes_what_it_is_told_and_tells_what_it_sees(port: int, tmp_path: Path) -> None:
    """Each run arrives once; the core knows how it is; once that has everything, nothing is left here."""
    async with listener() as open_port, core(port) as there, agent(port, tmp_path / "data") as here:
        await there.tell(asking({"open": open_port, "closed": free_port()}))
        await until(lambda: len(there.seen) >= 8)
        by = {one.probe: one for one in there.seen}
        assert by["open"].failure is None
        assert by["closed"].failure is not None
        assert by["closed"].failure.code == "tcp.refused"
        assert {one.location for one in there.seen} == {PLACE}
        assert there.whole()
        here.stop.set()
        await until(lambda: there.gone)
    assert there.gone[0].orderly
    assert len({(one.probe, one.scheduled_at) for one in there.seen}) == len(there.seen)
    assert there.beats[0].agent == here.agent
    assert there.refused == []
    with sqlite3.connect(tmp_path / "data" / "outbox.db") as kept:
        (left,) = kept.execute("SELECT count(*) FROM items").fetchone()
    assert left <= 3  # of the last words nobody had time to say that they were heard


@pytest.mark.slow
async def test_kill_9_loses_nothing_and_doubles_nothing(port: int, tmp_path: Path) -> None:
    """Again and again, at any moment, with the core there or not; and it goes on without being told anew."""
    processes: list[subprocess.Popen[bytes]] = []
    async with listener() as open_port, core(port) as there:
        await there.tell(asking({f"p{n}": open_port for n in range(20)}, every=0.2))
        try:
            for round in range(6):
                there.acknowledges = round % 2 == 0
                before = len(there.seen)
                processes.append(started(port, tmp_path / "data", tmp_path / "log"))
                await until(lambda before=before: len(there.seen) > before + 40, 60)  # type: ignore[misc]
                await asyncio.sleep(0.05 * round)
                processes[-1].kill()
                processes[-1].wait()
            there.acknowledges = True
            kept = sqlite3.connect(tmp_path / "data" / "outbox.db")
            (last,) = kept.execute("SELECT seq FROM sqlite_sequence").fetchone()
            kept.close()
            processes.append(started(port, tmp_path / "data", tmp_path / "log"))
            await until(lambda: len(next(iter(there.has.values()))) > last, 60)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        assert len(there.has) == 1  # one outbox, one agent
        assert there.whole()
        assert there.again > 0  # copies came, and were known as such
        assert len({(one.probe, one.scheduled_at) for one in there.seen}) == len(there.seen)


@pytest.mark.slow
async def test_a_broker_that_is_away_costs_nothing(tmp_path: Path) -> None:
    """What was seen meanwhile comes afterwards, in order; the probes never noticed."""
    (tmp_path / "broker").mkdir()
    lines = PLAIN.format(port := free_port())
    async with AsyncExitStack() as stack:
        open_port = await stack.enter_async_context(listener())
        with mosquitto(tmp_path / "broker", lines):
            there = await stack.enter_async_context(core(port))
            here = await stack.enter_async_context(agent(port, tmp_path / "data"))
            await there.tell(asking({"open": open_port}, every=0.1))
            await until(lambda: len(there.seen) > 5)
        await until(lambda: not here.link.online.is_set())
        left_at = here.outbox.last
        await until(lambda: here.outbox.last > left_at + 20)
        with mosquitto(tmp_path / "broker", lines):
            await until(lambda: len(there.seen) > left_at + 20, 40)
            assert there.whole()
            grid = sorted(one.scheduled_at for one in there.seen)
            steps = [(after - before).total_seconds() for before, after in pairwise(grid)]
            assert max(steps) < 0.5
            await until(lambda: here.outbox.waiting < 5, 20)
            here.stop.set()
            await until(lambda: there.gone)


@pytest.mark.slow
async def test_a_core_that_is_away_finds_no_heap_of_copies(
    plain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many batches are under way and no more; after a while they are sent again, and all at once when it is back."""
    monkeypatch.setattr("monitor.places.sending.AGAIN", 10.0)
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        there.acknowledges = False
        await there.tell(asking({"open": open_port}, every=0.1))
        await until(lambda: len(here.sending._under_way) == 8, 20)
        most = here.sending._sent
        await until(lambda: here.outbox.last > most + 15)
        assert len(there.seen) <= most
        await until(lambda: there.again, 20)
        there.acknowledges = True
        here.sending.anew()
        await until(lambda: len(there.seen) > most + 20, 20)
        assert there.whole()


async def test_another_secret_is_loud_on_both_sides(
    plain: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is understood, nothing is lost, and the log says what it is about."""
    wrong = "lisbon 0123456789abcdef0123456789abcdeX"
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data", secret=wrong) as here:
        await there.tell(asking({"open": open_port}))
        await until(lambda: there.refused and here.refused["seal"])
        assert set(there.refused) == {"seal"}
        assert here.config.platform.probes == {}
    assert "is refused: it was not sealed with the secret of its place" in caplog.text
    assert wrong not in caplog.text
    assert SECRET not in caplog.text


async def test_a_mistyped_rule_is_loud_and_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once the rule is right everything arrives, without a restart of the agent."""
    folder = tmp_path / "broker"
    folder.mkdir()
    rules = folder / "rules"
    rules.write_text("topic readwrite vtex-monitor/v1/+/heartbeat\ntopic readwrite vtex-monitor/v1/+/configuration\n")
    rules.chmod(0o600)
    lines = PLAIN.format(port := free_port()) + "acl_file rules\n"
    with mosquitto(folder, lines) as process:
        async with listener() as open_port, core(port) as there, agent(port, tmp_path / "data") as here:
            await there.tell(asking({"open": open_port}))
            await until(lambda: here.link.refused)
            topic = topics.observations(PLACE)
            assert here.link.refused == {topic: "not authorized"}
            assert f"refuses us {topic}: not authorized. Are its access rules right?" in caplog.text
            rules.write_text("topic readwrite vtex-monitor/v1/#\n")
            process.send_signal(signal.SIGHUP)
            await until(lambda: len(there.seen) > 5, 20)
            assert there.whole()
            assert here.link.refused == {}


@pytest.mark.slow
async def test_another_configuration_is_taken_without_a_gap(plain: int, tmp_path: Path) -> None:
    """A probe that stays keeps its rhythm to the point, whatever changes beside it."""
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        both = asking({"stays": open_port, "goes": open_port}, every=0.2)
        await there.tell(both)
        await until(lambda: len(there.seen) > 10)
        for config in (without(both, "goes"), both, asking({"stays": open_port, "new": open_port}, every=0.2)):
            await there.tell(config)
            await until(lambda: here.digest == there.distribution.digests[PLACE])
            count = len(there.seen)
            await until(lambda count=count: len(there.seen) > count + 5)  # type: ignore[misc]
        grid = sorted(one.scheduled_at for one in there.seen if one.probe == "stays")
        steps = {round((after - before).total_seconds(), 2) for before, after in pairwise(grid[1:])}
        assert steps <= {0.19, 0.2, 0.21}
        assert "new" in {one.probe for one in there.seen}


async def test_an_old_configuration_is_refused(plain: int, tmp_path: Path) -> None:
    """Whoever recorded it and plays it again, at any time, changes nothing; nor does what nobody here understands."""
    now = datetime.now(UTC)
    async with listener() as open_port, core(plain) as there:
        async with agent(plain, tmp_path / "data") as here:
            await there.tell(asking({"old": open_port}), now - timedelta(hours=1))
            await until(lambda: ("catalog", "old") in here.config.platform.probes)
            await there.tell(asking({"new": open_port}), now)
            await until(lambda: ("catalog", "new") in here.config.platform.probes)
            await there.tell(asking({"old": open_port}), now - timedelta(minutes=1))
            await until(lambda: here.refused["old"])
            assert set(here.config.platform.probes) == {("catalog", "new")}
        async with agent(plain, tmp_path / "data") as here:
            await until(lambda: here.refused["old"])  # the broker still has it
            assert set(here.config.platform.probes) == {("catalog", "new")}
            topic = topics.configuration(PLACE)
            newer = {"digest": "d", "issued_at": datetime.now(UTC).isoformat(), "share": {"probes": [{"~class": "?"}]}}
            await there.link.publish(topic, there.seal.close(topic, json.dumps(newer).encode()))
            await until(lambda: here.trouble)
            assert "newer version" in here.trouble
            assert set(here.config.platform.probes) == {("catalog", "new")}


@pytest.mark.slow
async def test_it_does_what_the_core_wants_while_that_is_wanted(plain: int, tmp_path: Path) -> None:
    """An extra run, the canaries, a rest; and nothing of it once it is too late."""
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        await there.tell(asking({"rare": open_port}, 3600, f"127.0.0.1:{open_port}"))
        await until(lambda: here.digest)
        await until(lambda: len(there.seen) == 1)
        soon = datetime.now(UTC) + timedelta(seconds=15)
        await there.order(Order(Ask("catalog", "rare", PLACE, 0.0), datetime.now(UTC) - timedelta(seconds=1)))
        await there.order(Order(AskCanaries(PLACE), soon))
        await until(lambda: there.seen[-1].probe == CANARY)
        await there.order(Order(Ask("catalog", "rare", PLACE, 0.0), soon))
        await until(lambda: len(there.seen) == 3)
        assert there.seen[-1].probe == "rare"
        await there.order(Order(Hold("catalog", "rare", PLACE, soon), soon))
        await until(lambda: here.lookout.is_held(("catalog", "rare")))


class Ahead(SystemClock):
    """A clock that is ahead of all others."""

    by = timedelta(seconds=90)

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.mark.slow
async def test_a_clock_that_is_wrong_is_put_right(plain: int, tmp_path: Path) -> None:
    """What is seen bears the core's time, whatever the clock here shows, also once that is set; the core knows by how
    much it is off."""
    clock = Ahead()
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data", clock=clock) as here:
        await there.tell(asking({"open": open_port}))
        await until(lambda: len(there.seen) > 5)
        for one in there.seen:
            assert abs((one.at - datetime.now(UTC)).total_seconds()) < 15
            assert one.at <= datetime.now(UTC) + timedelta(seconds=0.5)
        assert here.skew.ahead == pytest.approx(90, abs=0.3)
        clock.by = timedelta(seconds=-30)
        await until(lambda: any(isinstance(one, Missed) for one in next(iter(there.has.values())).values()))
        count = len(there.seen)
        await until(lambda: len(there.seen) > count + 5)
        assert here.skew.ahead == pytest.approx(-30, abs=0.5)
        assert abs((there.seen[-1].at - datetime.now(UTC)).total_seconds()) < 5


@pytest.mark.slow
async def test_it_stops_in_good_order(plain: int, tmp_path: Path) -> None:
    """Within ten seconds, with nobody to talk to or not; exit status 0."""
    async with listener() as open_port, core(plain) as there:
        await there.tell(asking({"open": open_port}))
        process = started(plain, tmp_path / "data", tmp_path / "log")
        await until(lambda: len(there.seen) > 3, 30)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
        await until(lambda: there.gone)
        assert time.monotonic() - begun < 10
    alone = started(nowhere := free_port(), tmp_path / "data", tmp_path / "log")
    await until(lambda: f"broker 127.0.0.1:{nowhere}" in (tmp_path / "log").read_text(), 30)
    alone.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(alone.wait, 10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert SECRET not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_what_it_cannot_begin_with_is_a_sentence(tmp_path: Path) -> None:
    """And exit status 2."""
    process = started(1, tmp_path / "data", tmp_path / "log", MONITOR_BROKER="http://u:hunter22@b")
    for environment, said in (
        ({}, "MONITOR_LOCATION_SECRET is not set"),
        ({"MONITOR_LOCATION_SECRET": "short"}, "shorter than 32 characters"),
        ({"MONITOR_LOCATION_SECRET_FILE": "/nowhere"}, "cannot be read"),
    ):
        with pytest.raises(ValueError, match=said):
            secret_of(environment)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert secret_of({"MONITOR_LOCATION_SECRET_FILE": str(tmp_path / "secret")}) == SECRET
    assert process.wait(60) == 2
    assert "--broker must be an address" in (tmp_path / "log").read_text()
    assert "hunter22" not in (tmp_path / "log").read_text()


@pytest.mark.slow
async def test_a_disk_that_is_full_is_told_and_recovers(
    plain: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is seen meanwhile waits in memory."""
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        await there.tell(asking({"open": open_port}, every=0.1))
        await until(lambda: len(there.seen) > 3)
        pages = await here.outbox._do(lambda: here.outbox._db.execute("PRAGMA page_count").fetchone()[0])
        await here.outbox._do(lambda: here.outbox._db.execute(f"PRAGMA max_page_count = {pages}").fetchone())
        there.acknowledges = False
        await until(lambda: here.seen.trouble, 60)
        assert "what is seen cannot be kept" in here.seen.trouble
        await here.outbox._do(lambda: here.outbox._db.execute("PRAGMA max_page_count = 100000").fetchone())
        await until(lambda: not here.seen.trouble)
        there.acknowledges = True
        here.sending.anew()
        await until(lambda: here.outbox.waiting < 5, 20)
        assert there.whole()
        assert here.seen.lost == 0
    assert "what is seen cannot be kept" in caplog.text


def test_the_broker_of_the_options_holds_its_password_apart() -> None:
    """No error of a connection shows it."""
    broker = broker_of("mqtts://lisbon:hunter%2022@broker.example.com:8883", "ca.pem", None, None)
    assert broker == Broker("mqtts://broker.example.com:8883", "lisbon", "hunter 22", "ca.pem")
    assert "hunter" not in repr(broker)


@pytest.mark.slow
async def test_a_message_that_is_played_again_changes_nothing(plain: int, tmp_path: Path) -> None:
    """An acknowledgement of long ago, an answer to a heartbeat of long ago."""
    async with listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        await there.tell(asking({"open": open_port}))
        await until(lambda: here.sending.through > 5)
        through, ahead = here.sending.through, here.skew.ahead
        topic = topics.acknowledged(PLACE, here.agent)
        for word in (
            Acknowledged(here.agent, here.outbox.epoch, 1),
            Acknowledged(here.agent, "another", 10**6),
            Acknowledged(here.agent, here.outbox.epoch, 10**6),
        ):
            await there.link.publish(topic, pack(there.seal, topic, word))
        topic, then = topics.time(PLACE, here.agent), there.beats[0].at
        await there.link.publish(topic, pack(there.seal, topic, Time(here.agent, then, then, then)))
        count = len(there.seen)
        await until(lambda: len(there.seen) > count + 3)
        assert through <= here.sending.through < 10**6
        assert here.skew.ahead == ahead
        assert there.whole()


async def test_an_answer_that_no_core_would_read_stands_in_nobody_s_way(
    plain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prober that says what no core reads: it is told as something that cannot be told, blames nobody, and what comes
    after it arrives."""
    monkeypatch.setattr("monitor.probers.http._MOST_DIGITS", 18)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000000000000\r\n\r\nx")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, listener() as open_port, core(plain) as there, agent(plain, tmp_path / "data") as here:
        config = asking({"open": open_port, "hostile": 1})
        catalog = config.platform.modules["catalog"]
        target = HttpTarget(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", allow_private=True)
        probes = [replace(one, kind="http", ask=target) if one.id == "hostile" else one for one in catalog.probes]
        platform = replace(config.platform, modules={"catalog": replace(catalog, probes=tuple(probes))})
        await there.tell(replace(config, platform=platform))
        await until(lambda: len({one.probe for one in there.seen[-6:]}) == 2 and here.sending.through > 6)
        hostile = next(one for one in there.seen if one.probe == "hostile")
        assert hostile.failure == Failure("self.resources", "the answer cannot be told to the core")
        assert there.refused == []
        assert there.whole()
