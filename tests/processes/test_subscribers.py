"""The real program tells subscribers, however often it is killed meanwhile."""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.processes.running import Program, eventually, free_port, get, program
from tests.processes.stations import post

ROUNDS = int(os.environ.get("MONITOR_KILL_ROUNDS", "12"))  # 50 in CI, 500 by hand
RECEIVERS = 10  # as many as one client may ask for in a minute

pytestmark = pytest.mark.slow


class House:
    """A monitor with programs that subscribed to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.got = folder, dict[str, list[dict[str, Any]]]()
        self.page, self.ops, self.hooks = free_port(), free_port(), free_port()
        self.file = folder / "probes.yaml"
        self.file.write_text(
            f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{self.page}", subscribe_url: "http://127.0.0.1:{self.ops}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"}}
defaults: {{interval: 1h, timeout: 2s}}
modules:
  - id: files
    probes: [{{id: home, url: "http://127.0.0.1:{free_port()}/", allow_private: true}}]
subscribers: {{allow_private: true}}
"""
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Program]:
        """The program, from the moment it listens."""
        arguments = ("run", "--config", str(self.file), "--data", str(self.folder / "data"))
        async with program(*arguments, log=self.folder / "log") as one:
            await eventually(lambda: get(f"http://127.0.0.1:{self.ops}/-/healthy")[0] == 200, 20, "it listens")
            yield one

    async def take(self, request: web.Request) -> web.Response:
        """A call, remembered before it is answered."""
        body = await request.json()
        self.got.setdefault(request.match_info["name"], []).append(body)
        await asyncio.sleep(random.random() / 20)
        return web.json_response({"challenge": body.get("challenge")})

    def all_confirmed(self) -> bool:
        found = json.loads(get(f"http://127.0.0.1:{self.ops}/api/ops/v1/subscribers")[1])
        return bool(found["counts"]["webhook"]["confirmed"] == RECEIVERS)

    def say(self, path: str, **body: object) -> dict[str, Any] | None:
        """What is answered to a word, if anything is before it dies."""
        return post(f"http://127.0.0.1:{self.ops}{path}", body)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    one, app = House(tmp_path), web.Application()
    app.add_routes([web.post("/{name}", one.take)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", one.hooks).start()
    yield one
    await runner.cleanup()


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_told_under_two_ids_however_often_it_is_killed(house: House) -> None:
    """Every receiver hears of every incident that was answered for, in order, and how it ended; a repeat has its id,
    and what tells something once more because there was more to tell says from where."""
    names = [f"r{number}" for number in range(RECEIVERS)]
    async with house.running() as one:
        for name in names:
            said = await asyncio.to_thread(house.say, "/subscribe", webhook=f"http://127.0.0.1:{house.hooks}/{name}")
            assert said == {"status": "asked"}
        await eventually(house.all_confirmed, 20, "they confirm")
        await one.leave()
    opened, luck = dict[str, bool](), random.Random(7)
    for number in range(ROUNDS):
        async with house.running() as one:
            text: dict[str, object] = {
                "title": f"Trouble {number}",
                "message": f"It is number {number}",
                "modules": ["files"],
            }
            said = await asyncio.to_thread(house.say, "/api/ops/v1/incidents", **text, impact="major")
            if said is not None:
                opened[said["id"]] = False
                await asyncio.sleep(luck.random() / 2)
                ended = await asyncio.to_thread(
                    house.say, f"/api/ops/v1/incidents/{said['id']}/resolve", message="It is over"
                )
                opened[said["id"]] = ended is not None
            await asyncio.sleep(luck.random() / 4)
            await one.leave(signal.SIGKILL)
    assert len(opened) >= ROUNDS / 2

    def is_told(name: str) -> bool:
        told = [each for each in house.got[name] if "event" in each]
        ends = {each["dedup_key"] for each in told if each["event"] in ("resolved", "summary")}
        return set(opened) <= {each["dedup_key"] for each in told} and {id for id in opened if opened[id]} <= ends

    async with house.running() as one:
        await eventually(lambda: all(map(is_told, names)), 60, "everybody is told of everything")
        await one.leave()
    for name in names:
        heard = dict[str, int]()
        for each in (each for each in house.got[name] if "event" in each):
            assert each["event_id"] == f"{each['dedup_key']}-{each['seq']}"
            assert each["first_seq"] <= heard.get(each["dedup_key"], 0) + 1
            assert each["seq"] >= heard.get(each["dedup_key"], 0)
            heard[each["dedup_key"]] = each["seq"]
