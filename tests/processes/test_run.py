"""`monitor run` as a whole process, over a web server nobody here wrote."""

import asyncio
import signal
import time

import pytest

from tests.processes.running import Monitor, Shop, eventually, get, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_a_stopped_server_is_an_incident_with_its_code_and_a_started_one_resolves_it(
    monitor: Monitor, shop: Shop
) -> None:
    """Stop it: on the page with the right code, in three languages. Start it: resolved. SIGTERM: gone within 10 s."""
    async with monitor.start() as process:
        await monitor.until("up")
        await shop.shut()
        await monitor.until("down")
        (incident,) = monitor.incidents()
        assert incident["cause"]["code"] == "tcp.refused"
        assert incident["modules"][0]["id"] == "files"
        for path in ("/", "/en/", "/es/"):
            assert "tcp.refused" in monitor.read(path), path
            assert "File server" in monitor.read(path), path
        await shop.open()
        await monitor.until("up", within=120)
        (incident,) = monitor.incidents()
        assert incident["status"] == "resolved"
        began = time.monotonic()
        assert await process.leave() == 0
        assert time.monotonic() - began < 10
    assert "Traceback" not in process.output


async def test_killed_in_mid_incident_it_goes_on_with_the_same_incident(monitor: Monitor, shop: Shop) -> None:
    """kill -9, restart: same id, same start, one entry, no second announcement."""
    async with monitor.start() as process:
        await monitor.until("up")
        await shop.shut()
        await monitor.until("down")
        (before,) = monitor.incidents()
        await process.leave(signal.SIGKILL)
    for _ in range(3):
        async with monitor.start() as process:
            began = time.monotonic()
            await eventually(monitor.incidents, 5, "the page is back within five seconds")
            assert time.monotonic() - began < 5
            await asyncio.sleep(4)
            (after,) = monitor.incidents()
            for key in ("id", "key", "started_at", "detected_at", "resolved_at", "reopened"):
                assert after[key] == before[key], key
            assert [u["status"] for u in after["updates"]] == [u["status"] for u in before["updates"]]
            await process.leave(signal.SIGKILL)


async def test_a_broken_file_leaves_the_running_configuration_whole(monitor: Monitor) -> None:
    """SIGHUP with a broken file: told in log and metric, nothing else changes; a good file is taken."""
    metrics = f"http://127.0.0.1:{monitor.ops}/metrics"
    async with monitor.start() as process:
        await monitor.until("up")
        good = monitor.file.read_text()
        monitor.file.write_text(good.replace("modules: [files]", "modules: [filez]"))
        process.tell(signal.SIGHUP)
        await eventually(lambda: "monitor_config_last_reload_successful 0" in get(metrics)[1], 10, "metric says so")
        await eventually(lambda: "filez" in process.output, 5, "the log says so")
        assert monitor.status() == "up"
        monitor.file.write_text(good.replace("name: File server", "name: Files of the shop"))
        process.tell(signal.SIGHUP)
        await eventually(lambda: "Files of the shop" in monitor.read("/en/healthcheck/"), 10, "the new name is there")
        assert "monitor_config_last_reload_successful 1" in get(metrics)[1]
        assert monitor.status() == "up"


async def test_two_monitors_never_share_a_data_directory(monitor: Monitor) -> None:
    """The second one leaves with a sentence that names the first."""
    async with monitor.start() as first:
        await monitor.until("up")
        async with program(
            "run", "--config", str(monitor.file), "--data", str(monitor.folder / "data"), log=monitor.folder / "second"
        ) as second:
            assert await asyncio.wait_for(second.process.wait(), 20) == 1
        assert str(first.process.pid) in second.output
        assert "Traceback" not in second.output


async def test_a_taken_port_is_a_sentence_and_exit_status_2(monitor: Monitor, shop: Shop) -> None:
    """Somebody else listens there: which key, which address, what to do."""
    monitor.file.write_text(monitor.configuration().replace(f":{monitor.page}", f":{shop.port}"))
    async with monitor.start() as process:
        assert await asyncio.wait_for(process.process.wait(), 20) == 2
    assert "monitor.public" in process.output
    assert "Traceback" not in process.output


async def test_a_heartbeat_that_falls_silent_is_an_incident_across_kills(monitor: Monitor) -> None:
    """Called, killed right after the answer, silent, killed again, called again: one incident, from silence to call."""
    address = f"http://127.0.0.1:{monitor.ops}/heartbeat/files/backup"
    probe = "      - {id: home, kind: http,"
    beat = "      - {id: backup, kind: heartbeat, every: 3s, grace: 2s, secret: knock-knock, confirm: 0s}\n"
    monitor.file.write_text(monitor.configuration().replace(probe, beat + probe))

    def call() -> int:
        return get(address, "POST", {"Authorization": "Bearer knock-knock"})[0]

    async with monitor.start() as process:
        await monitor.until("up")
        assert get(address, "POST")[0] == 401
        assert await asyncio.to_thread(call) == 204
        await process.leave(signal.SIGKILL)
    async with monitor.start() as process:
        await monitor.until("down", within=40)  # it knows of the call, else it would wait for the first one
        await process.leave(signal.SIGKILL)
    async with monitor.start() as process:
        await eventually(lambda: monitor.incidents() and call() == 204, 20, "the call is heard")

        def well() -> bool:
            return call() == 204 and monitor.status() == "up"

        await eventually(well, 100, "calls make it well again")
        (incident,) = monitor.incidents()
        assert (incident["cause"]["code"], incident["cause"]["class"]) == ("content.stale", "stalled_or_stale")
        assert incident["status"] == "resolved"
        assert await process.leave() == 0
    assert "Traceback" not in process.output
    assert "knock-knock" not in process.output


async def test_a_hook_carries_the_page_and_a_restart_shows_the_old_one_at_once(monitor: Monitor) -> None:
    """What a command copied is what is served; after kill -9 the first answer of all is the last publication."""
    mirror = monitor.folder / "mirror"
    copy = f'cd "$MONITOR_PUBLIC" && mkdir -p {mirror} && cp -r . {mirror}/'
    hook = f"publish: {{hooks: {{mirror: {{command: [sh, -c, '{copy}']}}}}}}\n"
    monitor.file.write_text(monitor.configuration() + hook)
    async with monitor.start() as process:
        await monitor.until("up")
        copied = mirror / "api/v1/status.json"
        await eventually(lambda: copied.exists() and '"status":"up"' in copied.read_text(), 30, "the page is carried")
        metrics = get(f"http://127.0.0.1:{monitor.ops}/metrics")[1]
        assert 'monitor_publish_hook_runs_total{hook="mirror",outcome="worked"}' in metrics
        await process.leave(signal.SIGKILL)
    async with monitor.start() as process:
        url = f"http://127.0.0.1:{monitor.page}/api/v1/status.json"
        status, body = await eventually(lambda: (answer := get(url))[0] and answer, 10, "it answers")
        assert (status, '"status":"up"' in body) == (200, True)
        assert await process.leave() == 0
