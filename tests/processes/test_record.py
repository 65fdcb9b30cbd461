"""`monitor record` and `monitor replay` as whole processes: a day that happened, judged again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import Monitor, Shop, eventually, get, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def lines(file: Path) -> list[str]:
    """The lines of a recording so far."""
    return file.read_text().splitlines() if file.exists() else []


def replayed(monitor: Monitor, recording: Path) -> list[dict[str, object]]:
    """The events that `monitor replay` prints."""
    command = [sys.executable, "-m", "monitor", "replay", str(recording), "--config", str(monitor.file)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


async def test_what_the_running_monitor_saw_gives_its_own_incident_again(
    monitor: Monitor, shop: Shop, tmp_path: Path
) -> None:
    """Followed over the ops side: same id, same onset, same code, from the recording alone."""
    recording = tmp_path / "day.jsonl"
    async with monitor.start():
        await monitor.until("up")
        record = program("record", "--output", str(recording), "--config", str(monitor.file), log=tmp_path / "record")
        async with record as recorder:
            await eventually(lambda: len(lines(recording)) >= 2, 20, "the recording has begun")
            await shop.shut()
            await monitor.until("down")
            assert await recorder.leave() == 0
        (incident,) = monitor.incidents()
    (opened,) = [one["incident"] for one in replayed(monitor, recording) if one.get("change") == "opened"]
    assert isinstance(opened, dict)
    assert {name: opened[name] for name in ("id", "key", "started_at")} == {
        name: incident[name] for name in ("id", "key", "started_at")
    }
    assert opened["cause"]["code"] == incident["cause"]["code"] == "tcp.refused"


async def test_alone_it_looks_by_itself_extra_runs_included(monitor: Monitor, shop: Shop, tmp_path: Path) -> None:
    """No monitor runs: the recording holds what one would have seen, closely enough to find the outage."""
    recording = tmp_path / "alone.jsonl"
    record = program("record", "--output", str(recording), "--config", str(monitor.file), log=tmp_path / "record")
    async with record as recorder:
        await eventually(lambda: len(lines(recording)) >= 1, 20, "the recording has begun")
        await shop.shut()
        await eventually(lambda: sum("tcp.refused" in line for line in lines(recording)) >= 4, 30, "extra runs")
        assert await recorder.leave() == 0
    seen = [json.loads(line) for line in lines(recording)]
    failed = [one["at"] for one in seen if one["failure"]]
    assert len(failed) >= 4
    assert any(one["event"] == "transition" and one["to"] == "down" for one in replayed(monitor, recording))
    assert get(f"http://127.0.0.1:{monitor.ops}/-/healthy")[0] == 0


def test_whoever_reads_the_lines_may_have_enough(monitor: Monitor) -> None:
    """`| head -1` ends it as it ends every command: without a word."""
    command = [sys.executable, "-m", "monitor", "record", "--config", str(monitor.file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        assert recorder.stderr is not None
        recorder.stdout.close()
        assert (recorder.wait(60), recorder.stderr.read()) == (1, b"")


async def test_the_token_comes_from_the_environment(monitor: Monitor, shop: Shop, tmp_path: Path) -> None:
    """The running monitor has one: without it one sentence and exit status 1, with it a recording."""
    monitor.file.write_text(monitor.configuration().replace("monitor: {", 'monitor: {ops_token: "${OPS:-}", '))
    token = {"OPS": "a-token-of-some-length"}
    run = ("run", "--config", str(monitor.file), "--data", str(tmp_path / "data"))
    async with program(*run, log=tmp_path / "log", **token):
        await monitor.until("up")
        async with program("record", "--config", str(monitor.file), log=tmp_path / "record") as recorder:
            await eventually(lambda: recorder.process.returncode is not None, 20, "it gives up")
            assert recorder.process.returncode == 1
            assert "MONITOR_OPS_TOKEN" in recorder.output
            assert "Traceback" not in recorder.output
        recording = tmp_path / "day.jsonl"
        record = ("record", "--output", str(recording), "--config", str(monitor.file))
        async with program(*record, log=tmp_path / "with", MONITOR_OPS_TOKEN=token["OPS"]):
            await eventually(lambda: len(lines(recording)) >= 1, 20, "the recording has begun")
