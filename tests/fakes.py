"""Fakes that several suites share."""

import time
from dataclasses import dataclass
from datetime import datetime

from tests.stories.beats import START


@dataclass
class FakeClock:
    """Wall time stands where it is put; the monotonic clock is the real one."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()

    def boot(self) -> float:
        return time.monotonic()
