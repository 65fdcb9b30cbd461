"""A pattern has a tenth of a second for a text, whatever it is and whoever wrote the text."""

import random
import time

import pytest

from monitor.core.expectation import Expect
from monitor.probers import Reach
from monitor.probers.body import values_in
from monitor.probers.failure import Stopped
from tests.machine import slowness

from .corpus import whole
from .looking import LagSampler, probe_of, seen
from .misbehaving import raw, served

CHANCE = random.Random(52)
ROWS = f"{CHANCE.getrandbits(1_900_000):01900000b}"
COSTLY = r"(?:[01]{0,300}1){3}z"  # nine microseconds a character


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(a|aa)+$", r"(a|a?)+$", r"(x+x+)+y", r"(.*a){12}b", r"^(\w+\s?)*$", r"^(([a-z])+.)+[A-Z]$"]
)
@pytest.mark.parametrize("text", ["a" * 60_000 + "!", "x" * 60_000, ROWS[:60_000]], ids=["a", "x", "01"])
def test_patterns_that_other_engines_choke_on_are_in_budget(pattern: str, text: str) -> None:
    """Nested repetitions cost a linear-time engine nothing special."""
    began = time.thread_time()
    values_in(text, [Expect(matches=(pattern,))])

    assert time.thread_time() - began < 0.5 * slowness()


@pytest.mark.parametrize("pattern", [COSTLY, r"[01]*1[01]{200}x", r"[01]*1[01]{400}x"])
def test_a_pattern_that_is_linear_and_still_too_costly_is_given_up(pattern: str) -> None:
    """It would take seconds on two megabytes. That is ours to correct, and says nothing of the target."""
    began = time.thread_time()
    with pytest.raises(Stopped, match="takes too long") as stopped:
        values_in(ROWS, [Expect(matches=(pattern,))])

    assert stopped.value.code == "self.config"
    assert time.thread_time() - began < 0.5 * slowness()


@pytest.mark.slow
@pytest.mark.alone
async def test_a_costly_pattern_holds_up_nobody(reach: Reach) -> None:
    """Neither on a large body nor on one that is otherwise looked into at once. A machine that is slow for a moment is
    looked at again, for a pattern is given up by the time it takes."""
    for size, code in ((1_900_000, "self.config"), (60_000, "self.config"), (3000, "content.assertion")):
        found = []
        async with served(raw(whole(ROWS[:size].encode(), kind=b"text/plain"))) as server:
            for _ in range(3):
                async with LagSampler() as lag:
                    _, result = await seen(reach, probe_of(server.url(), Expect(matches=(COSTLY,))))
                found.append((result.code, lag.worst < 0.05))
                if found[-1] == (code, True):
                    break
        assert (code, True) in found, (size, found)
