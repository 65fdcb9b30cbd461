"""Every answer of the corpus has its code, whatever the connection it comes over and however it is cut into packets."""

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest

from monitor.core.codes import CODES
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.probers import Reach
from monitor.probers.coding import Unpacking
from monitor.probers.failure import Stopped

from .corpus import CORPUS, EXPECT, OK, whole
from .looking import probe_of, seen
from .misbehaving import Behaviour, raw, request, served


def halved(answer: bytes) -> Behaviour:
    """An answer in two packets, the second of them the body and what stands behind it."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        head, end, rest = answer.partition(b"\r\n\r\n")
        for piece in (head + end, rest):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)

    return behave


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("reuse", "way"),
    [(False, raw), pytest.param(True, raw, marks=SLOW), (False, halved), pytest.param(True, halved, marks=SLOW)],
    ids=["once", "kept", "once, halved", "kept, halved"],
)
async def test_every_answer_of_the_corpus_has_its_code(
    reach: Reach, reuse: bool, way: Callable[[bytes], Behaviour]
) -> None:
    """Over a connection of its own and over one that is kept; in one packet and in two. Each is asked for once."""
    wrong = []
    for name, (code, answer) in CORPUS.items():
        async with served(way(answer)) as server:
            observation, result = await seen(reach, probe_of(server.url(), EXPECT, reuse=reuse))
        if result.code != code:
            wrong.append(f"{name}: {result.code} {result.reasons}")
        again = observation_from_json(observation_to_json(observation))
        assert observation_to_json(again) == observation_to_json(observation), name
        assert server.connections == (11 if code == "http.redirect_loop" else 1), name

    assert not wrong, "\n".join(wrong)


def test_every_code_of_the_corpus_is_of_the_closed_list() -> None:
    """And none of these servers is our own fault."""
    codes = {code for code, _ in CORPUS.values()} - {None}

    assert codes <= CODES.keys()
    assert not [code for code in codes if code and code.startswith("self.")]


async def test_a_kept_connection_that_closes_between_two_hops_is_replaced(reach: Reach) -> None:
    """A server that redirects and hangs up without a word has still answered."""
    asked = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await request(reader))
        at_home = asked[-1].startswith(b"GET / ")
        writer.write(whole(b"", b"Location: /next", status=b"302 Found") if at_home else whole())
        await writer.drain()

    async with served(behave) as server:
        for _ in range(20):
            _, result = await seen(reach, probe_of(server.url(), EXPECT, reuse=True))
            assert result.code is None


@pytest.mark.parametrize("size", [1, 7, 16_384, 16_385, 50_000])
@pytest.mark.parametrize("coding", ["gzip", "X-Gzip", "deflate"])
def test_what_is_unpacked_is_what_was_packed(coding: str, size: int) -> None:
    """However it arrives, and never more than a piece at a time."""
    plain = bytes(200_000) + bytes(range(256)) * 300 + OK
    packed = zlib.compress(plain) if coding == "deflate" else gzip.compress(plain)
    packing = Unpacking([coding])
    pieces = [one for at in range(0, len(packed), size) for one in packing.pieces(packed[at : at + size])]
    packing.end()

    assert b"".join(pieces) == plain
    assert max(map(len, pieces)) <= 16 * 1024


@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_padding_behind_a_packed_body_is_passed_over(size: int) -> None:
    """As gunzip and browsers do; anything else there is no gzip."""
    packed, packing = gzip.compress(OK) + bytes(600), Unpacking(["gzip"])
    pieces = [one for at in range(0, len(packed), size) for one in packing.pieces(packed[at : at + size])]
    packing.end()
    assert b"".join(pieces) == OK
    with pytest.raises(Stopped, match="does not match"):
        list(packing.pieces(b"\0\0rubbish"))


def test_a_body_that_ends_before_its_packing_is_not_whole() -> None:
    """Whatever it held so far."""
    packing = Unpacking(["gzip"])
    list(packing.pieces(gzip.compress(OK)[:-1]))

    with pytest.raises(Stopped, match="ends early"):
        packing.end()
