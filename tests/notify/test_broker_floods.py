"""A broker that sends more than anybody wants: neither memory nor the event loop suffer."""

import asyncio
import gc
import struct

import pytest

from tests.notify.test_mqtt import channel, until
from tests.probers.brokers import Client, Part, playing
from tests.probers.crowd import forget_peak, memory, peak
from tests.probers.looking import LagSampler

WELCOME = b"\x20\x03\0\0\0"
GIANT = b"\xff\xff\xff\x7f"  # a length of 256 MB


def _length(size: int) -> bytes:
    return bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])


def floods(begin: bytes, piece: bytes) -> Part:
    """Answers the first packet with a beginning, and goes on with the same piece."""

    async def part(client: Client) -> None:
        await client.reader.read(65_536)
        await client.say(begin)
        while True:
            await client.say(piece)

    return part


BESIDE = b"\0\1a" + _length(60_000)[:3] + b"\x26\0\1a\0\1b" * 8571 + b"\0" * 3


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (floods(b"\x20" + GIANT, bytes(65_536)), "the broker sends a packet of 268,435,455 bytes"),
        (floods(WELCOME + b"\x30" + GIANT, bytes(65_536)), "the broker sends a packet of 268,435,455 bytes"),
        (floods(WELCOME + b"\x90" + GIANT, bytes(65_536)), "the broker sends a packet of 268,435,455 bytes"),
        (
            floods(WELCOME, b"\x30" + _length(len(BESIDE)) + BESIDE),
            "the broker sends a message with 60,000 bytes beside it",
        ),
    ],
    ids=("welcome", "message", "confirmation", "beside a message"),
)
async def test_what_is_too_large_is_not_waited_for(part: Part, said: str) -> None:
    """The library would: for 256 MB, 530 MB of memory, and 1.7 s of the event loop."""
    gc.collect()
    forget_peak()
    before = memory()
    async with playing(part) as port, channel(port) as mqtt, LagSampler() as lag:
        mqtt.show({})
        await until(lambda: mqtt.trouble == said)
        await asyncio.sleep(1)  # it tries again

    assert peak() - before < 30_000_000
    assert lag.worst < 0.15


async def test_of_what_is_retained_only_the_beginning_is_held() -> None:
    """A thousand messages may wait, whatever their size: states that the broker has are no news."""
    topic = b"vtex-status/incidents/x"
    body = struct.pack("!H", len(topic)) + topic + b"\0" + bytes(100_000)
    confirmed = asyncio.Event()

    async def part(client: Client) -> None:
        await client.reader.read(65_536)
        await client.say(WELCOME)
        for _ in range(600):
            await client.say(b"\x31" + _length(len(body)) + body)
        confirmed.set()
        await asyncio.Event().wait()

    gc.collect()
    forget_peak()
    before = memory()
    async with playing(part) as port, channel(port) as mqtt, LagSampler() as lag:
        mqtt.show({})
        async with asyncio.timeout(10):
            await confirmed.wait()
        await asyncio.sleep(0.5)

    assert peak() - before < 30_000_000
    assert lag.worst < 0.15
