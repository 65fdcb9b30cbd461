"""`monitor demo`: a platform on loopback, this monitor watching it, and a story of faults.

Everything is real but the platform: the same prober, judgement, store and pages as `run`, only in more of a hurry.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.app import App
from monitor.commands.run import stop_on_signals
from monitor.config import Address, Config
from monitor.config.file import load, shipped
from monitor.core.module import Platform, Status
from monitor.core.probe import Probe, Role
from monitor.core.roster import Roster
from monitor.core.tuning import Tuning
from monitor.data import database_url
from monitor.probers.seats import raise_limit
from monitor.simulator import Simulator, past, traffic
from monitor.simulator.history import history
from monitor.simulator.story import tell
from monitor.store import Rollup, Store, open_store
from monitor.web.listen import AddressInUse

EXAMPLE = "plans.example.yaml"
DAYS = 90
SHOWN_DAYS = 3  # of latency, on the first page
BREATH = 0.05  # seconds between portions of the past, for what happens now
AT_ONCE = 250  # rows: a few milliseconds during which probes wait
FIRST_ROUND = 5.0  # most seconds to wait for every module's first result before the story begins

# An app key that only the simulator knows; it lets the keyed probes of the shipped file run. What else they need stands
# in that file, under `demo`.
ENVIRONMENT = {"VTEX_APP_KEY": "vtexappkey-demostore-DEMO", "VTEX_APP_TOKEN": "demo-token"}


async def demo(port: int, ops_port: int, fast: bool, data: Path | None) -> int:
    """Runs until SIGTERM or SIGINT. Exit status 0; 2 when a port is taken."""
    raise_limit()
    with _folder(data) as folder:
        async with Simulator.open(0, 0, folder / "simulator") as simulator:
            simulator.set(page_delay=3.0 if fast else 30.0)
            offering = _with_plans(load(shipped(), ENVIRONMENT), load(shipped(EXAMPLE)))
            config = _in_a_hurry(offering, simulator, port, ops_port, fast)
            rest = await _remember_a_past(config, folder)
            app = App(config, folder, started=lambda app: _play(app, simulator, fast, rest))
            stop_on_signals(app)
            try:
                await app.run()
            except AddressInUse as error:
                print(f"{error} (--port, --ops-port)", file=sys.stderr)
                return 2
    return 0


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    with TemporaryDirectory(prefix="monitor-demo-") as temporary:
        yield Path(temporary)


def _with_plans(config: Config, example: Config) -> Config:
    """The shipped configuration with the invented plans and stores of the example."""
    theirs = example.platform
    platform = replace(config.platform, plans=theirs.plans, clients=theirs.clients, stores=theirs.stores)
    return replace(config, platform=platform, site=replace(config.site, plans=example.site.plans))


def _in_a_hurry(config: Config, simulator: Simulator, port: int, ops_port: int, fast: bool) -> Config:
    """The shipped configuration, aimed at the simulator, with shorter waits."""
    interval, confirm = (1.0, 0.5) if fast else (5.0, 3.0)
    tuning = Tuning(
        calm=timedelta(seconds=1.5 if fast else 12),
        reprobe=timedelta(seconds=0.5 if fast else 2),
        down_interval=timedelta(seconds=0.5 if fast else 3),
        reopen=timedelta(seconds=6 if fast else 60),
    )
    modules = {
        id: replace(module, probes=tuple(_hurried(probe, interval, confirm) for probe in module.probes))
        for id, module in config.platform.modules.items()
    }
    return replace(
        config,
        platform=replace(config.platform, modules=modules, tuning=tuning),
        site=replace(config.site, url=f"http://127.0.0.1:{port}"),
        settings=replace(
            config.settings,
            database=None,
            public=Address("127.0.0.1", port),
            ops=Address("127.0.0.1", ops_port),
            roster=Roster(),
        ),
        network=replace(
            config.network,
            connect_to=tuple(simulator.connect_to.items()),
            ca_file=simulator.ca_file,
            canaries=tuple(simulator.canaries),
        ),
        file=str(shipped()),
    )


def _hurried(probe: Probe, interval: float, confirm: float) -> Probe:
    if probe.steps:  # it looks at long intervals and would mix up scenes that follow each other in seconds
        return replace(probe, role=Role.EVIDENCE)
    often = timedelta(seconds=interval if probe.interval <= timedelta(minutes=1) else 6 * interval)
    return replace(
        probe,
        interval=often,
        timeout=min(probe.timeout, max(often * 0.8, timedelta(seconds=2))),
        confirm=timedelta(seconds=confirm),
    )


async def _remember_a_past(config: Config, data: Path) -> Callable[[Store], Coroutine[Any, Any, None]] | None:
    """Ninety days of history in a store that has none, with what the first page shows of it; what brings in the rest
    of it, for plots, while everything runs already."""
    now = datetime.now(UTC)
    platform = config.platform
    store = await open_store(database_url(config, data))
    try:
        if (await store.history(now - timedelta(days=DAYS), now)).transitions:
            return None
        measured = [id for id in platform.modules if platform.measured(id)]
        before = history(measured, now, DAYS)
        lately = now - timedelta(days=SHOWN_DAYS)
        rollups = (Rollup(*hour) for hour in traffic.hours(platform, before, lately, now))
        began = now - timedelta(days=DAYS + 2)
        await store.seed(past.transitions(platform, before, began), past.incidents(platform, before), rollups)
    finally:
        await store.close()

    async def rest(store: Store) -> None:
        runs = traffic.runs(platform, before, now - timedelta(days=1), now)
        hour = now.replace(minute=0, second=0, microsecond=0)
        while some := list(islice(runs, AT_ONCE)):
            await store.seed([], [], [], [one for one in some if one.observation.at < hour])
            await store.commit([one for one in some if one.observation.at >= hour])  # counted with what comes of it
            await asyncio.sleep(BREATH)
        hours = traffic.hours(platform, before, now - timedelta(days=DAYS), lately)
        while rollups := [Rollup(*hour) for hour in islice(hours, AT_ONCE)]:
            await store.seed([], [], rollups)
            await asyncio.sleep(BREATH)

    return rest


async def _play(
    app: App, simulator: Simulator, fast: bool, rest: Callable[[Store], Coroutine[Any, Any, None]] | None
) -> None:
    """Says where to look, waits for the first results, and tells the story until it is stopped."""
    assert app.public_address is not None
    assert app.ops_address is not None
    host, port = app.public_address
    ops_host, ops_port = app.ops_address
    print(f"Status page   http://{host}:{port}/   (/en/, /es/)")
    print(f"Healthcheck   http://{host}:{port}/healthcheck/")
    print(f"JSON          http://{host}:{port}/api/v2/summary.json")
    print(f"Metrics       http://{ops_host}:{ops_port}/metrics")
    print(f"Faults        {simulator.control_url}/state")
    print("The story begins in a moment; Ctrl-C ends it.", flush=True)
    async with asyncio.TaskGroup() as group:
        if rest is not None:
            group.create_task(rest(app.store), name="past")
        await _first_round(app)
        await app.press.publish()
        await tell(_said(simulator), simulator.clear, 10.0 if fast else 1.0)


async def _first_round(app: App) -> None:
    """Until something is known of every measured module, or long enough."""
    platform: Platform = app.config.platform
    measured = [id for id in platform.modules if platform.measured(id)]
    for _ in range(int(FIRST_ROUND * 10)):
        if all(app.desk.board.status(id) is not Status.UNKNOWN for id in measured):
            return
        await asyncio.sleep(0.1)


def _said(simulator: Simulator) -> Callable[..., object]:
    """`strike` of the simulator, told on the terminal."""

    def strike(module: str, fault: str, **options: object) -> object:
        print(f"{datetime.now(UTC):%H:%M:%S}  {fault} strikes {module}", flush=True)
        return simulator.strike(module, fault, **options)

    return strike
