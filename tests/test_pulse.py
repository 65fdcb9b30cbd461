"""Whether the process was awake: stalls, suspensions, clocks that were set."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from monitor.clock import SystemClock
from monitor.pulse import EVERY, STUCK, Clocks, Pulse, clocks_of


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
    pulse, missed, _ = told([start, Clocks(100.0 + EVERY, 100.0 + boot, 1_000_000.0 + wall)])
    pulse.look()
    assert missed == [(code, pytest.approx(seconds)) for code, seconds in expected]


def test_a_run_that_spans_a_suspension_met_it() -> None:
    """One that began afterwards did not."""
    start = Clocks(100.0, 100.0, 0.0)
    pulse, _, _ = told([start, Clocks(100.08, 4000.0, 4000.0)])
    pulse.look()
    assert pulse.stalled(99.0, 100.09) == pytest.approx(3900.0)
    assert pulse.stalled(100.08, 100.1) == 0


def test_time_without_a_processor_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 0.4 s late the loop stood in line for 0.3 s; what it waited before it was due makes it no less than none."""
    waits = iter([1.0, 1.3, 3.0])
    monkeypatch.setattr("monitor.pulse.queued", lambda: next(waits))
    moments = iter([Clocks(at, at, 0.0) for at in (100.0, 100.0 + EVERY + 0.4, 100.0 + EVERY + 0.5)])
    lags: list[tuple[float, float]] = []
    pulse = Pulse(late=lambda *one: lags.append(one), clocks=lambda: next(moments))
    pulse.look()
    pulse.look()
    assert lags == [pytest.approx((0.4, 0.3)), pytest.approx((0.1, 0.1))]


async def test_a_stall_is_noticed_by_the_run_that_met_it() -> None:
    """Before the next beat has told of it, and after."""
    lags: list[tuple[float, float]] = []
    pulse = Pulse(late=lambda *one: lags.append(one))
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    began = time.monotonic()
    time.sleep(EVERY + 0.4)  # noqa: ASYNC251 (the stall that is to be noticed)
    ended = time.monotonic()
    took = ended - began - EVERY
    assert pulse.stalled(began, ended) == pytest.approx(took, abs=0.1)
    await asyncio.sleep(EVERY * 1.5)
    beating.cancel()
    late, queued = max(lags)
    assert late > 0.3
    assert late - queued > 0.1, "a call that blocks is ours, however many others want the processor"
    assert pulse.stalled(began, ended) == pytest.approx(took, abs=0.1)
    assert pulse.stalled(time.monotonic(), time.monotonic() + 0.01) == 0


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(0.0, [], id="awake"),
        pytest.param(1.9, [], id="held up for a moment"),
        pytest.param(3.0, [("self.stall", 3.0 + EVERY)], id="a call that blocks"),
        pytest.param(300.0, [("self.stall", 300.0 + EVERY)], id="stopped for five minutes"),
        pytest.param(86_400.0, [("self.stall", 86_400.0 + EVERY)], id="stopped for a day"),
    ],
)
def test_a_process_that_stood_still_saw_nothing(late: float, expected: list[tuple[str, float]]) -> None:
    """All clocks go on together while a process is stopped: only a beat that comes late tells of it, once."""
    start, then = Clocks(100.0, 100.0, 1e6), 100.0 + EVERY + late
    after = Clocks(then, then, 1e6 + EVERY + late)
    pulse, missed, _ = told([start, after, after, after])
    for _ in range(3):
        pulse.look()
    assert missed == [(code, pytest.approx(seconds)) for code, seconds in expected]


def test_a_process_that_is_stopped_while_it_reads_the_clocks_sees_none_that_was_set() -> None:
    """Three seconds between the monotonic clock and the wall: they are read again, and the time counts as a stall."""
    clock = Stopped()
    missed: list[tuple[str, float, float]] = []
    pulse = Pulse(missed=lambda *one: missed.append(one), clocks=clocks_of(clock))
    for stop in (0.0, 3.0, 0.0, 0.0):
        clock.passed += EVERY
        clock.stop = stop
        pulse.look()
        pulse._due = pulse._last.monotonic + EVERY
    assert missed == [("self.stall", pytest.approx(3.0 + EVERY), 0.0)]


class Stopped(SystemClock):
    """A clock whose reader is stopped for so many seconds before it sees the wall, once."""

    passed, stop = 100.0, 0.0

    def monotonic(self) -> float:
        return self.passed

    def boot(self) -> float:
        return self.passed

    def now(self) -> datetime:
        self.passed, self.stop = self.passed + self.stop, 0.0
        return datetime.fromtimestamp(self.passed, UTC)


def test_many_short_stalls_add_up() -> None:
    """A run of three seconds of which nine tenths were not ours lost nine tenths, however short each stall was."""
    moment = Clocks(0.0, 0.0, 0.0)
    moments = [moment]
    for number in range(1, 31):
        moments += [Clocks(number * 1.0, number * 1.0, number * 1.0)] * 2
    pulse, missed, clocks = told(moments)
    for _ in range(30):
        pulse.look()
        pulse._due = next(clocks).monotonic + EVERY
    assert pulse.stalled(10.0, 13.0) == pytest.approx(3 * (1 - EVERY))
    assert pulse.stalled(12.5, 12.7) == pytest.approx(0.2)
    assert pulse.lost == pytest.approx(1 - EVERY, abs=0.1)
    assert missed == []


async def test_a_blocking_call_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Its own name and its line, once, while it still blocks; afterwards the loss shows and fades."""
    caplog.set_level("WARNING")
    pulse = Pulse()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(EVERY * 2)
    blocking()
    told = [record.getMessage() for record in caplog.records if "stood still for" in record.getMessage()]
    await asyncio.sleep(EVERY * 2)
    lost, patience = pulse.lost, 30
    while pulse.lost >= lost and patience:  # others on this machine may keep the loop waiting as well
        await asyncio.sleep(1.0)
        patience -= 1
    beating.cancel()
    assert len(told) == 1
    assert "blocking (" in told[0]
    assert "test_pulse.py:" in told[0]
    assert lost > 0.05
    assert pulse.lost < lost


def blocking() -> None:
    """What never belongs into a loop."""
    time.sleep(STUCK + 6 * EVERY)
