"""`monitor run` under a clock that somebody steers: `python -m tests.processes.steered run --config FILE --data DIR`.

`DIR/clock` says by how many seconds the clock on the wall is set, and for how many the machine has slept. All else is
as in `monitor run`: the same program with another `Clock`.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor.app import App
from monitor.clock import SystemClock
from monitor.commands.run import stop_on_signals
from monitor.config.file import load
from monitor.core.effect import Called, Effect, Event, Storable
from monitor.logs import set_up


class SteeredClock(SystemClock):
    """Reads what it is told at every look."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _steered(self) -> tuple[float, float]:
        try:
            wall, asleep = self._file.read_text().split()
        except (OSError, ValueError):
            return 0.0, 0.0
        return float(wall), float(asleep)

    def now(self) -> datetime:
        self._stand_still()
        wall, asleep = self._steered()
        return super().now() + timedelta(seconds=wall + asleep)

    def _stand_still(self) -> None:
        """As a call that does not let go of the loop: what nobody should ever write, for as long as a test wants."""
        order = self._file.with_name("hold")
        if order.exists() and threading.current_thread() is threading.main_thread():
            seconds = float(order.read_text())
            order.unlink()
            time.sleep(seconds)

    def boot(self) -> float:
        return super().boot() + self._steered()[1]


def steer(data: Path, wall: float, asleep: float = 0.0) -> None:
    """From now on the clock of the monitor in this directory shows so many seconds more."""
    (data / "clock.new").write_text(f"{wall} {asleep}")
    (data / "clock.new").rename(data / "clock")


def hold_up(data: Path, seconds: float) -> None:
    """The next look at the clock takes so many seconds, and nothing else happens meanwhile."""
    (data / "hold.new").write_text(str(seconds))
    (data / "hold.new").rename(data / "hold")


async def main(file: str, data: Path) -> None:
    app = App(load(file), data, clock=SteeredClock(data / "clock"), reload_from=file, started=obey)
    stop_on_signals(app)
    await app.run()


async def obey(app: App) -> None:
    """A file `stuck` in the data directory: from then on no write to the store and no publication ever ends, and none
    is refused either, as on a disk that does not answer; or 1,500 events come in one moment, each of which takes 20 ms
    of the desk's time, as when a place hands in at once what it kept for an hour."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    while not (app.data / "stuck").exists():  # noqa: ASYNC110 (what is waited for is a file)
        await asyncio.sleep(0.1)
    part = (app.data / "stuck").read_text()
    if part == "writer":
        app.store.commit = never  # type: ignore[method-assign]
    elif part == "desk":
        take = app.desk.take

        def slowly(event: Event, also: Sequence[Storable] = ()) -> list[Effect]:
            if isinstance(event, Called):
                time.sleep(0.02)
            return take(event, also)

        app.desk.take = slowly  # type: ignore[method-assign]
        for _ in range(1500):
            app.desk.hand_in(Called("nobody", "calls"))
    else:
        app.press._publish = never  # type: ignore[method-assign]


if __name__ == "__main__":
    set_up(False, "info")
    asyncio.run(main(sys.argv[3], Path(sys.argv[5])))
