"""Whether the process was awake: stalls, suspensions, clocks that were set."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from monitor.pulse import EVERY, Clocks, Pulse


def told(clocks: list[Clocks]) -> tuple[Pulse, list[tuple[str, float]], Iterator[Clocks]]:
    """A pulse that reads these clocks one after the other, and what it says it missed."""
    missed: list[tuple[str, float]] = []
    moments = iter(clocks)
    return (
        Pulse(missed=lambda code, seconds, shift: missed.append((code, seconds)), clocks=lambda: next(moments)),
        missed,
        moments,
    )


@pytest.mark.parametrize(
    ("boot", "wall", "expected"),
    [
        pytest.param(EVERY, EVERY, [], id="all is well"),
        pytest.param(3600 + EVERY, 3600 + EVERY, [("self.stall", 3600 + EVERY)], id="suspended for an hour"),
        pytest.param(EVERY, EVERY + 86_400, [("self.clock", EVERY)], id="set forward by a day"),
        pytest.param(EVERY, EVERY - 86_400, [("self.clock", EVERY)], id="set back by a day"),
        pytest.param(EVERY, EVERY + 1, [], id="a leap second"),
        pytest.param(3600 + EVERY, EVERY, [("self.stall", 3600 + EVERY)], id="suspended, the wall clock not yet right"),
    ],
)
def test_clocks_that_part_are_told(boot: float, wall: float, expected: list[tuple[str, float]]) -> None:
    """The monotonic clock goes on as usual; what the others do besides says what happened."""
    start = Clocks(100.0, 100.0, 1_000_000.0)
    pulse, missed, _ = told([start, start, Clocks(100.0 + EVERY, 100.0 + boot, 1_000_000.0 + wall)])
    pulse.look()
    assert missed == [(code, pytest.approx(seconds)) for code, seconds in expected]


def test_a_run_that_spans_a_suspension_met_it() -> None:
    """One that began afterwards did not."""
    start = Clocks(100.0, 100.0, 0.0)
    pulse, _, _ = told([start, start, Clocks(100.2, 4000.0, 4000.0)])
    pulse.look()
    assert pulse.stalled(99.0, 100.3) == pytest.approx(0.2)
    assert pulse.stalled(100.2, 100.25) == 0


async def test_a_stall_is_noticed_by_the_run_that_met_it() -> None:
    """Before the next beat has told of it, and after."""
    lags: list[float] = []
    pulse = Pulse(late=lags.append)
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    began = time.monotonic()
    time.sleep(EVERY + 0.4)  # noqa: ASYNC251 (the stall that is to be noticed)
    ended = time.monotonic()
    assert pulse.stalled(began, ended) == pytest.approx(0.4, abs=0.1)
    await asyncio.sleep(EVERY * 1.5)
    beating.cancel()
    assert max(lags) > 0.3
    assert pulse.stalled(began, ended) == pytest.approx(0.4, abs=0.1)
    assert pulse.stalled(time.monotonic(), time.monotonic() + 0.01) == 0
