"""A run that we ourselves held up says nothing of its target."""

import asyncio
from datetime import timedelta

import pytest

from monitor.core.expectation import Expect, Outcome

from .looking import probe_of, reaching, seen
from .misbehaving import served


@pytest.mark.parametrize(
    ("lost", "slow_after", "code"),
    [
        pytest.param(0.0, None, None, id="nothing lost"),
        pytest.param(0.4, None, None, id="less than a quarter of the limit"),
        pytest.param(0.6, None, "self.stall", id="more than a quarter of the limit"),
        pytest.param(0.2, 0.15, "self.stall", id="slow because of us alone"),
        pytest.param(0.05, 0.1, "http.slow_ttfb", id="slow without us as well"),
        pytest.param(0.2, 10.0, None, id="brisk all the same"),
    ],
)
async def test_what_we_lost_is_not_held_against_a_target(
    lost: float, slow_after: float | None, code: str | None
) -> None:
    """The limit is two seconds; the answer takes a fifth of one."""
    expect = Expect(slow_after=None if slow_after is None else timedelta(seconds=slow_after))
    async with served(_late) as server, reaching() as reach:
        reach.stalled = lambda since, until: lost
        observation, result = await seen(reach, probe_of(server.url(), expect=expect, limit=2.0))
    assert result.code == code, result.reasons
    assert (result.outcome is Outcome.UNKNOWN) is (code == "self.stall")
    assert observation.duration >= 0.2


async def _late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.2)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()
