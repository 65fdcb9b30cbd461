"""The real program while its file is rewritten, broken, moved and gone, and a hundred signals come in ten seconds."""

import asyncio
import json
import os
import re
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.processes.running import Program, eventually, free_port, get, program
from tests.processes.stations import Hook, hook, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LAST = "monitor_config_last_reload_successful"


class Watched:
    """A monitor over two modules that refuse: one at once an incident, the other only after a long confirmation."""

    def __init__(self, folder: Path, receiver: Hook) -> None:
        self.folder, self.receiver = folder, receiver
        self.page, self.ops, self.dead = free_port(), free_port(), free_port()
        self.file = folder / "probes.yaml"
        self.good = self.text()
        self.file.write_text(self.good)

    def text(self, extra: str = "", slow: str = "slow", alias: str = "") -> str:
        probe = f'kind: http, url: "http://{{}}:{self.dead}/", allow_private: true'.format
        return f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{self.page}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"}}
defaults: {{interval: 5s, timeout: 2s}}
modules:
  - id: quick
    probes: [{{id: home, {probe("127.0.0.1")}, confirm: 1s}}]
  - id: {slow}
    {alias}
    probes: [{{id: home, {probe("127.0.0.2")}, confirm: 25s}}]
{extra}
channels: {{chat: {{kind: webhook, url: "{self.receiver.url}/chat"}}}}
notify: [{{steps: [{{to: [chat]}}]}}]
"""

    def running(self, **environment: str) -> Any:
        arguments = ("run", "--config", str(self.file), "--data", str(self.folder / "data"))
        return program(*arguments, log=self.folder / "log", **environment)

    def incidents(self) -> dict[str, dict[str, Any]]:
        """Every incident by the module it began with."""
        status, body = get(f"http://127.0.0.1:{self.page}/api/v1/incidents.json")
        found = json.loads(body).get("incidents", []) if status == 200 else []
        return {one["key"].split(":")[1]: one for one in found}

    def gauge(self) -> float | None:
        lines = get(f"http://127.0.0.1:{self.ops}/metrics")[1].splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{LAST} ")), None)

    def modules(self) -> list[str]:
        """The modules in force."""
        status, body = get(f"http://127.0.0.1:{self.ops}/api/ops/v1/status")
        return [one["id"] for one in json.loads(body)["modules"]] if status == 200 else []

    def audited(self) -> list[dict[str, Any]]:
        status, body = get(f"http://127.0.0.1:{self.ops}/api/ops/v1/audit?act=configuration.reload&limit=100")
        return list(json.loads(body)["entries"]) if status == 200 else []


async def storm(watched: Watched, one: Program) -> int:
    """A hundred and twenty signals and sixty changes of the file in ten seconds, of which half is broken; more of them
    where not ten were refused by then. How many readings were refused."""
    half, refusal = watched.good[: len(watched.good) // 2], "the configuration is not reloaded"
    for number in range(300):
        if number >= 60 and one.output.count(refusal) > 10:
            break
        match number % 7:
            case 0:
                watched.file.write_text(half)
            case 1:
                watched.file.unlink()
            case 2:
                watched.file.write_text(watched.good.replace("interval: 5s", "intervall: 5s"))
            case 3 | 5:
                watched.file.write_text(watched.good)
            case 6:
                watched.file.write_text("version: 1\n")
            case 4:
                new = watched.folder / ".probes.yaml.swp"
                new.write_text(watched.text(f"  # edited {number}"))
                new.replace(watched.file)
        one.tell(signal.SIGHUP)
        await asyncio.sleep(0.08)
        one.tell(signal.SIGHUP)
        await asyncio.sleep(0.08)
    watched.file.write_text(watched.good)
    return one.output.count(refusal)


async def test_a_storm_of_reloads_restarts_nothing(tmp_path: Path) -> None:
    """One incident, one notice, the same onset; and the module that is being confirmed is down as if nothing had been
    reloaded. Broken, half-written and vanished files change nothing but the gauge, the log and the audit log."""
    async with hook() as receiver:
        watched = Watched(tmp_path, receiver)
        async with watched.running() as one:
            before = await eventually(lambda: watched.incidents().get("quick"), 30, "the quick one is an incident")
            assert "slow" not in watched.incidents()
            refused = await storm(watched, one)
            assert refused > 10
            await eventually(lambda: watched.gauge() == 1, 10, "the last file is in force")
            assert sorted(watched.modules()) == ["quick", "slow"]

            after = await eventually(lambda: watched.incidents().get("slow"), 40, "the slow one is an incident")
            began, found = (datetime.fromisoformat(after[key]) for key in ("started_at", "detected_at"))
            assert abs((began - datetime.fromisoformat(before["started_at"])).total_seconds()) < 6
            assert 25 <= (found - began).total_seconds() < 34  # a streak begun anew would take ten seconds more
            quick = watched.incidents()["quick"]
            assert [quick[key] for key in ("id", "started_at", "reopened")] == [before["id"], before["started_at"], 0]
            await eventually(lambda: len(told(receiver.at("/chat"))) == 2, 10, "both are told")
            assert sorted(notice["event"] for notice in receiver.at("/chat")) == ["opened", "opened"]
            assert {(entry["how"], entry["outcome"]) for entry in watched.audited()} >= {
                ("signal", "done"),
                ("signal", "refused"),
            }
            assert await one.leave() == 0
        assert "Traceback" not in one.output
        assert "never retrieved" not in one.output
        assert "reloaded; modules: 0" not in one.output


async def test_what_an_orchestrator_and_an_editor_do_is_seen_without_a_signal(tmp_path: Path) -> None:
    """A swap of `..data` as Kubernetes does it, a file moved away and back, and one that is written slowly in place:
    at every pause its first half is a valid configuration, and none of those halves is ever in force."""
    async with hook() as receiver:
        watched = Watched(tmp_path, receiver)
        folder = tmp_path / "mounted"
        for version in ("1", "2"):
            (folder / f"..{version}").mkdir(parents=True)
            extra = "  - {id: third}" if version == "2" else ""
            (folder / f"..{version}" / "probes.yaml").write_text(watched.text(extra))
        os.symlink("..1", folder / "..data")
        os.symlink("..data/probes.yaml", folder / "probes.yaml")
        watched.file = folder / "probes.yaml"
        async with watched.running() as one:
            await eventually(lambda: watched.modules() == ["quick", "slow"], 30, "it runs")
            os.symlink("..2", folder / "..new")
            (folder / "..new").rename(folder / "..data")
            await eventually(lambda: watched.modules() == ["quick", "slow", "third"], 10, "the swap is seen")

            watched.file.unlink()
            await eventually(lambda: watched.gauge() == 0, 10, "a file that is gone is told")
            assert watched.modules() == ["quick", "slow", "third"]
            lines = watched.text("  - {id: fourth}").splitlines(keepends=True)
            with watched.file.open("w") as slowly:
                for line in lines:
                    slowly.write(line)
                    slowly.flush()
                    assert "slow" in watched.modules(), "half a file is in force"
                    await asyncio.sleep(0.4)
            await eventually(lambda: "fourth" in watched.modules(), 10, "the whole file is in force")
            assert watched.gauge() == 1

            watched.file.unlink()
            os.mkfifo(watched.file)
            await eventually(lambda: watched.gauge() == 0, 10, "a pipe without a writer is no file")
            assert get(f"http://127.0.0.1:{watched.ops}/-/reload", "POST")[0] == 400
            watched.file.unlink()
            watched.file.write_text("#" * 5_000_001)
            await eventually(lambda: "larger than 5 MB" in one.output, 10, "too large a file is told")
            assert "fourth" in watched.modules()
            assert await one.leave() == 0
        assert "Traceback" not in one.output


def _is_unharmed_by_hangup(pid: int) -> bool:
    """Whether a process ignores SIGHUP, as it does while it starts, or has a handler for it, as it does soon after."""
    masks = re.findall(r"Sig(?:Ign|Cgt):\t(\w+)", Path(f"/proc/{pid}/status").read_text())
    return any(int(mask, 16) & 1 << signal.SIGHUP - 1 for mask in masks)


async def test_a_signal_during_the_start_ends_nothing_and_a_change_then_is_not_lost(tmp_path: Path) -> None:
    """Signals come from the moment it is more than Python until it listens, and the file changes with them."""
    async with hook() as receiver:
        watched = Watched(tmp_path, receiver)
        async with watched.running() as one:
            await eventually(
                lambda: b"\0run\0" in Path(f"/proc/{one.process.pid}/cmdline").read_bytes(), 10, "it begins"
            )
            await eventually(lambda: _is_unharmed_by_hangup(one.process.pid), 20, "it does not mind")
            watched.file.write_text(watched.text("  - {id: third}"))
            while "page on" not in one.output:
                one.tell(signal.SIGHUP)
                await asyncio.sleep(0.02)
                assert one.process.returncode is None
            await eventually(lambda: "third" in watched.modules(), 15, "what was written meanwhile is in force")
            assert await one.leave() == 0
        assert "Traceback" not in one.output


async def test_a_module_that_leaves_or_is_renamed_while_it_fails(tmp_path: Path) -> None:
    """Renamed with an alias it keeps its incident; taken out its incident ends, and says why."""
    async with hook() as receiver:
        watched = Watched(tmp_path, receiver)
        watched.good = watched.good.replace("confirm: 25s", "confirm: 2s")
        watched.file.write_text(watched.good)
        async with watched.running() as one:
            before = await eventually(lambda: watched.incidents().get("slow"), 30, "an incident")
            renamed = watched.text(slow="fresh", alias="aliases: [slow]").replace("25s", "2s")
            watched.file.write_text(renamed)
            await eventually(lambda: "fresh" in watched.modules(), 10, "it is renamed")
            shown = lambda: watched.incidents()["slow"]["modules"][0]["id"] == "fresh"  # noqa: E731
            await eventually(shown, 15, "its incident goes by the new name")
            after = watched.incidents()["slow"]
            same = ("id", "started_at", "detected_at", "resolved_at", "reopened")
            assert [after[key] for key in same] == [before[key] for key in same]

            probe = renamed.index("  - id: fresh")
            watched.file.write_text(renamed[:probe] + renamed[renamed.index("\nchannels:") :])
            ended = lambda: watched.incidents()["slow"]["resolved_at"]  # noqa: E731
            await eventually(ended, 15, "its incident ends")
            assert "no longer monitored" in json.dumps(watched.incidents()["slow"]["updates"]).lower()
            assert watched.incidents()["quick"]["resolved_at"] is None
            about = lambda: [n["event"] for n in receiver.at("/chat") if n["incident"]["id"] == before["id"]]  # noqa: E731
            await eventually(lambda: about() == ["opened", "resolved"], 15, "its end is told")
            assert await one.leave() == 0
        assert "Traceback" not in one.output
