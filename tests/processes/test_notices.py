"""The real program tells a real broker, and people answer there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.notify.test_mqtt import mosquitto
from tests.processes.running import eventually, free_port, get
from tests.processes.stations import Station, heard


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker of its own."""
    port, folder = free_port(), tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"):
        yield port


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_module_that_fails_reaches_the_broker_and_is_acknowledged_there(tmp_path: Path, broker: int) -> None:
    """The notice with its cause, the retained states, and somebody who says mine over the topic."""
    station = Station(tmp_path, [f'pager: {{kind: mqtt, url: "mqtt://127.0.0.1:{broker}"}}'], interval="5s")
    async with heard(broker) as notices, station.running() as one:
        await eventually(lambda: notices, 40, "the outage is told")
        (notice,) = notices
        assert (notice["event"], notice["why"], notice["seq"], notice["attempt"]) == ("opened", "first", 1, 1)
        assert notice["incident"]["cause"]["code"] == "tcp.refused"
        id = notice["incident"]["id"]
        async with aiomqtt.Client("127.0.0.1", broker) as person:
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
