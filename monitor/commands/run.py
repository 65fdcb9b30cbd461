"""`monitor run`: the main job, until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from monitor.app import App
from monitor.commands.common import STOPS
from monitor.config import Config, ConfigError
from monitor.probers.seats import raise_limit
from monitor.spans import start
from monitor.web.listen import AddressInUse

log = logging.getLogger(__name__)

LEAVE = 9.0  # seconds after which a stop waits no longer for a disk or a server that does not answer


def end_on_signals(stopped: asyncio.Event) -> None:
    """SIGTERM and SIGINT set it, and end the process where that takes too long."""
    loop = asyncio.get_running_loop()
    told = False

    def stop(*_: object) -> None:
        nonlocal told
        if not told:  # whoever says it again, even while the loop is taken down, changes nothing
            told = True
            loop.call_soon_threadsafe(stopped.set)
            leaving = threading.Timer(LEAVE, _leave)
            leaving.daemon = True
            leaving.start()

    for number in STOPS:  # not by the loop, which would give them up before the process ends
        signal.signal(number, stop)


def stop_on_signals(app: App) -> None:
    """SIGTERM and SIGINT stop, SIGHUP reloads."""
    end_on_signals(app.stop)
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[list[str]]] = set()

    def reload() -> None:
        task = loop.create_task(app.reloading.ask("signal"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)


def _leave() -> None:
    """The same as `kill -9`, which costs nothing that was said to be stored."""
    log.error("left without waiting any longer for what was under way")
    os._exit(0)


async def run(config: Config, data: Path) -> int:
    """Runs until SIGTERM or SIGINT. Exit status: 0 after a clean stop, 2 when it cannot begin as configured."""
    raise_limit()
    app = App(config, data, reload_from=config.file, started=_announce)
    stop_on_signals(app)
    for problem in config.warnings:
        log.warning("%s:%d:%d: %s", config.file, problem.line, problem.column, problem.message)
    stop = start()
    try:
        await app.run()
    except (AddressInUse, ConfigError) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        stop()
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
    return 0


async def _announce(app: App) -> None:
    assert app.public_address is not None
    assert app.ops_address is not None
    host, port = app.public_address
    ops_host, ops_port = app.ops_address
    log.info("page on http://%s:%d/, metrics on http://%s:%d/metrics", host, port, ops_host, ops_port)
