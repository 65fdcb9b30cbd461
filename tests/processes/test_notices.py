"""The real program tells a real broker: what happens arrives, however often the program is killed meanwhile."""

import asyncio
import json
import os
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import aiomqtt
import pytest

from tests.notify.test_mqtt import mosquitto
from tests.processes.running import Program, eventually, free_port, get, program

ROUNDS = int(os.environ.get("MONITOR_KILL_ROUNDS", "12"))  # 50 in CI, 500 by hand


class Station:
    """Ports and configuration of a monitor that tells a broker."""

    def __init__(self, folder: Path, broker: int) -> None:
        self.folder, self.broker = folder, broker
        self.page, self.ops, target = free_port(), free_port(), free_port()
        self.file = folder / "probes.yaml"
        self.file.write_text(
            f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{self.page}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"}}
defaults: {{interval: 1h, timeout: 2s}}
modules:
  - id: files
    probes: [{{id: home, url: "http://127.0.0.1:{target}/", allow_private: true}}]
channels: {{pager: {{kind: mqtt, url: "mqtt://127.0.0.1:{broker}"}}}}
notify: [{{steps: [{{to: [pager]}}]}}]
"""
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Program]:
        """The program, from the moment it listens."""
        arguments = ("run", "--config", str(self.file), "--data", str(self.folder / "data"))
        async with program(*arguments, log=self.folder / "log") as one:
            await eventually(lambda: get(f"http://127.0.0.1:{self.ops}/-/healthy")[0] == 200, 20, "it listens")
            yield one

    def say(self, path: str, **body: object) -> dict[str, Any] | None:
        """What is answered to a word, if anything is before it dies."""
        url = f"http://127.0.0.1:{self.ops}/api/ops/v1{path}"
        headers = {"Content-Type": "application/json"}
        try:
            with urlopen(Request(url, json.dumps(body).encode(), headers, method="POST"), timeout=5) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except (HTTPError, URLError, OSError, ValueError):
            return None

    def open(self, number: int) -> dict[str, Any] | None:
        """An incident that a person opens."""
        said = {"title": f"Trouble {number}", "message": f"It is number {number}", "modules": ["files"]}
        return self.say("/incidents", **said, impact="critical")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Over a broker of its own."""
    port = free_port()
    broker = tmp_path / "broker"
    broker.mkdir()
    with mosquitto(broker, f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"):
        yield Station(tmp_path, port)


@asynccontextmanager
async def heard(port: int) -> AsyncIterator[list[dict[str, Any]]]:
    """Every notice, in order of arrival."""
    found: list[dict[str, Any]] = []

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            found.append(json.loads(bytes(message.payload)))  # type: ignore[arg-type]

    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("vtex-status/notices", qos=1)
        task = asyncio.create_task(read(client))
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_monitor_killed_around_deliveries_loses_no_notice(station: Station) -> None:
    """Every event that was answered as stored arrives, in order for each incident; a repeat has the same id."""
    moments = random.Random(20261126)
    ids: list[str] = []
    promised: set[str] = set()
    async with heard(station.broker) as notices:
        for number in range(ROUNDS):
            async with station.running() as one:
                opened = await asyncio.to_thread(station.open, number)
                if opened is not None:
                    promised.add(f"{opened['id']}-1")
                    ids.append(str(opened["id"]))
                    if number % 2:
                        await asyncio.sleep(moments.uniform(0, 0.1))
                        await asyncio.to_thread(station.say, f"/incidents/{opened['id']}/resolve", message="over")
                await asyncio.sleep(moments.uniform(0, 0.3))
                one.tell(signal.SIGKILL)
                await one.process.wait()
        async with station.running() as one:
            for id in ids:
                await asyncio.to_thread(station.say, f"/incidents/{id}/resolve", message="over")
            ended = lambda: {n["incident"]["id"] for n in notices if n["event"] == "resolved"}  # noqa: E731
            await eventually(lambda: set(ids) <= ended(), 60, "every end arrives")
            assert await one.leave() == 0
    arrived = defaultdict[str, list[int]](list)
    for event_id in dict.fromkeys(str(one["event_id"]) for one in notices):
        incident, _, seq = event_id.rpartition("-")
        arrived[incident].append(int(seq))
    assert promised <= {one["event_id"] for one in notices}
    assert all(seqs == sorted(seqs) for seqs in arrived.values())
    assert len(ids) == ROUNDS


@pytest.mark.slow
async def test_a_module_that_fails_reaches_the_broker_and_is_acknowledged_there(station: Station) -> None:
    """The notice with its cause, the retained states, and somebody who says mine over the topic."""
    text = station.file.read_text().replace("interval: 1h", "interval: 5s, confirm: 1s")
    station.file.write_text(text)
    async with heard(station.broker) as notices, station.running() as one:
        await eventually(lambda: notices, 40, "the outage is told")
        (notice,) = notices
        assert (notice["event"], notice["why"], notice["seq"], notice["attempt"]) == ("opened", "first", 1, 1)
        assert notice["incident"]["cause"]["code"] == "tcp.refused"
        id = notice["incident"]["id"]
        async with aiomqtt.Client("127.0.0.1", station.broker) as person:
            await person.publish("vtex-status/acknowledge", json.dumps({"incident": id, "by": "Ana"}), qos=1)
            await person.subscribe("vtex-status/#", qos=1)
            retained: dict[str, bytes] = {}
            async with asyncio.timeout(20):
                async for message in person.messages:
                    retained[message.topic.value] = bytes(message.payload)  # type: ignore[arg-type]
                    told = json.loads(retained.get(f"vtex-status/incidents/{id}", b"{}") or b"{}")
                    if told.get("acknowledged_at") and len(retained) >= 3:
                        break
        assert retained["vtex-status/monitor"] == b"online"
        assert json.loads(retained["vtex-status/modules/files"])["status"] == "down"
        await eventually(lambda: len(notices) == 2, 20, "whoever heard of it hears that somebody has it")
        assert notices[1]["event"] == "acknowledged"

        def told_of() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(get(f"http://127.0.0.1:{station.ops}/api/ops/v1/incidents/{id}")[1])
            return found

        await eventually(lambda: told_of()["notices"]["delivered"] == 2, 20, "both are written down as delivered")
        assert [event["event"] for event in told_of()["events"]][:2] == ["opened", "acknowledged"]
        assert (
            'monitor_notices_total{channel="pager",outcome="delivered"} 2.0'
            in get(f"http://127.0.0.1:{station.ops}/metrics")[1]
        )
        assert await one.leave() == 0
