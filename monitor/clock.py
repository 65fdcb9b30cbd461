"""Clock: the one place that asks what time it is. Core takes `now` as an argument; hands take a clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for dates, monotonic seconds for durations and schedules."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds; never steps, never jumps back."""
        ...

    def boot(self) -> float:
        """Seconds like `monotonic()`, which also go by while the machine sleeps."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def boot(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
