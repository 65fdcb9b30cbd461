"""Watchdog: tells systemd that the monitor is ready, reloads, stops, and that it is alive.

It is alive while the event loop turns, which sends this, and no part of the work has been at one piece of it for longer
than systemd is patient (`WatchdogSec`). Without systemd nothing is sent.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping

log = logging.getLogger(__name__)

SHARE = 3  # how often systemd hears of us while it would wait for one word
PATIENCE = 180.0  # seconds, where nobody says


class Watchdog:
    """`stuck(seconds)` says which part of the work has been at one piece of it for longer; None while all move.

    What systemd wrote into the environment is taken out of it: commands we run are not to speak in our name.
    """

    def __init__(
        self, stuck: Callable[[float], str | None], environment: MutableMapping[str, str] = os.environ
    ) -> None:
        self._stuck = stuck
        self._address = environment.pop("NOTIFY_SOCKET", "")
        pid, every = environment.pop("WATCHDOG_PID", ""), environment.pop("WATCHDOG_USEC", "")
        meant = pid in ("", str(os.getpid())) and every.isascii() and every.isdigit()
        self._patience = int(every) / 1e6 if meant and int(every) > 0 else None
        self._is_silent = False

    def ready(self) -> None:
        """Everything listens."""
        self._tell("READY=1", "STATUS=Watching")

    def reloading(self) -> None:
        """The configuration is read anew; `ready` says when that is over."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The last things are written."""
        self._tell("STOPPING=1", "STATUS=Writing what waits")

    async def run(self) -> None:
        """Says that the monitor is alive, as long as it is, until cancelled."""
        patience = self._patience
        while patience is not None:
            part = self._stuck(patience)
            if part is None:
                self._tell("WATCHDOG=1")
            elif not self._is_silent:
                log.error("the %s has not moved for %g s: systemd is to start us anew", part, patience)
            self._is_silent = part is not None
            await asyncio.sleep(patience / SHARE)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.connect(f"\0{self._address[1:]}" if self._address.startswith("@") else self._address)
                line.send("\n".join(lines).encode())
        except (OSError, ValueError) as error:
            log.warning("systemd does not hear us at %s: %s", self._address[:120], error)
