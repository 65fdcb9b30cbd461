"""The tutorial, as somebody follows it: every command of it, in its order, in an empty folder."""

import asyncio
import json
import re
import shlex
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.processes.running import Program, eventually, free_port, get, program
from tests.test_docs import FENCE, of_docs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LASTS = ("simulate", "run")  # commands that go on while others are given


async def done(*words: str, folder: Path, **environment: str) -> str:
    """What a command says that ends well."""
    async with program(*words, log=folder / "said", **environment) as one:
        status = await asyncio.wait_for(one.process.wait(), 60)
    said = (folder / "said").read_text()
    (folder / "said").unlink()
    assert status == 0, f"{shlex.join(words)}: {said}"
    return said


def edited(file: Path, printed: str) -> None:
    """What the tutorial asks for: the two keys below the file's own `monitor:`. Probes look more often than they would,
    for it is we who wait."""
    keys = printed.split("\nmonitor:\n")[1].split("\n\n")[0]
    text = (
        file.read_text()
        .replace("\nmonitor:\n", f"\nmonitor:\n{keys}\n", 1)
        .replace("interval: 30s, timeout: 10s", "interval: 5s, timeout: 4s")
    )
    file.write_text(text)


async def test_the_tutorial_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store, a fault that is named, what people say, and a report; each command does what is said of it."""
    monkeypatch.chdir(tmp_path)
    ports = {"8443": free_port(), "8480": free_port(), "8080": free_port(), "9464": free_port()}
    environment = {"MONITOR_PUBLIC": f"127.0.0.1:{ports['8080']}", "MONITOR_OPS": f"127.0.0.1:{ports['9464']}"}
    page = f"http://127.0.0.1:{ports['8080']}/api/v1"
    text = re.sub(r"\b(8443|8480|8080|9464)\b", lambda found: str(ports[found[0]]), of_docs("tutorial.md"))
    given = [line for language, block in FENCE.findall(text) if language == "sh" for line in block.splitlines()]
    assert len(given) > 15

    def board() -> dict[str, str]:
        return {
            one["id"]: one["status"]
            for one in json.loads(get(f"{page}/status.json")[1] or '{"modules": []}')["modules"]
        }

    def open_roots() -> set[str]:
        incidents = json.loads(get(f"{page}/incidents.json")[1])["incidents"]
        return {one["cause"]["module"] for one in incidents if one["resolved_at"] is None}

    async with AsyncExitStack() as open_ones:
        running: list[Program] = []
        for line in given:
            command, *words = shlex.split(line)
            if command == "curl":
                await asyncio.to_thread(_curl, words)
                if "PUT" in words:
                    await eventually(lambda: "logistics" in open_roots(), 120, "Logistics is named")
                continue
            assert command == "monitor", line
            if words[0] in LASTS:
                log = tmp_path / f"{words[0]}.log"
                running.append(await open_ones.enter_async_context(program(*words, log=log, **environment)))
                ready = "Ctrl-C stops it" if words[0] == "simulate" else "page on http://"
                await eventually(lambda log=log, ready=ready: ready in log.read_text(), 30, line)
                if words[0] == "run":
                    await eventually(
                        lambda: board().get("checkout") == board().get("logistics") == "up", 60, "all is well"
                    )
                continue
            said = await done(*words, folder=tmp_path, **environment)
            if words[0] == "init":
                edited(tmp_path / "mystore.yaml", (tmp_path / "simulate.log").read_text())
            if words[:2] == ["incident", "list"]:
                assert "logistics" in said.lower()
        assert "<h1" in (tmp_path / "report.html").read_text()
        for one in reversed(running):
            assert await one.leave() == 0, one.output


def _curl(words: list[str]) -> None:
    """`curl -X METHOD URL [-d BODY]`, for machines that have none."""
    from urllib.request import Request, urlopen

    (url,) = (word for word in words if word.startswith("http://"))
    body = words[words.index("-d") + 1].encode() if "-d" in words else None
    with urlopen(Request(url, data=body, method=words[words.index("-X") + 1]), timeout=10) as answer:
        assert answer.status < 300
