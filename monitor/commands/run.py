"""`monitor run`: the main job, until it is told to stop."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from monitor.app import App
from monitor.config import Config, ConfigError
from monitor.spans import start
from monitor.web.listen import AddressInUse

log = logging.getLogger(__name__)


def stop_on_signals(app: App) -> None:
    """SIGTERM and SIGINT stop, SIGHUP reloads."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop.set)
    tasks: set[asyncio.Task[list[str]]] = set()

    def reload() -> None:
        task = loop.create_task(app.reloading.ask("signal"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)


async def run(config: Config, data: Path) -> int:
    """Runs until SIGTERM or SIGINT. Exit status: 0 after a clean stop, 2 when it cannot begin as configured."""
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
    return 0


async def _announce(app: App) -> None:
    assert app.public_address is not None
    assert app.ops_address is not None
    host, port = app.public_address
    ops_host, ops_port = app.ops_address
    log.info("page on http://%s:%d/, metrics on http://%s:%d/metrics", host, port, ops_host, ops_port)
