"""`monitor run` under a clock that somebody steers: `python -m tests.processes.steered run --config FILE --data DIR`.

`DIR/clock` says by how many seconds the clock on the wall is set, and for how many the machine has slept. All else is
as in `monitor run`: the same program with another `Clock`.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from monitor.app import App
from monitor.clock import SystemClock
from monitor.commands.run import stop_on_signals
from monitor.config.file import load
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
        wall, asleep = self._steered()
        return super().now() + timedelta(seconds=wall + asleep)

    def boot(self) -> float:
        return super().boot() + self._steered()[1]


def steer(data: Path, wall: float, asleep: float = 0.0) -> None:
    """From now on the clock of the monitor in this directory shows so many seconds more."""
    (data / "clock.new").write_text(f"{wall} {asleep}")
    (data / "clock.new").rename(data / "clock")


async def main(file: str, data: Path) -> None:
    app = App(load(file), data, clock=SteeredClock(data / "clock"), reload_from=file)
    stop_on_signals(app)
    await app.run()


if __name__ == "__main__":
    set_up("info", "text")
    asyncio.run(main(sys.argv[3], Path(sys.argv[5])))
