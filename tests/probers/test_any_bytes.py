"""Whatever bytes a target sends, a run gives an observation with a code of the list, and never trips over itself."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.core.clause import Clause
from monitor.core.codes import CODES
from monitor.core.expectation import Expect, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.probers import look
from tests.depth import examples

from .looking import probe_of, reaching
from .misbehaving import request, served

EXPECT = Expect(
    json=(("ok", (Clause("exists", True),)), ("length(@)", (Clause("at_least", 1),))),
    contains=("x",),
    header=(("x-own", (Clause("exists", True),)),),
)

_words = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 500 \r\n", b"HTTP/1.1 302 Found\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        *(
            b"Content-Length: 5\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Encoding: gzip\r\n",
            b"\r\n",
            b"5\r\n",
        ),
        *(
            b"Content-Type: application/json\r\n",
            b"Location: /x\r\n",
            b"Location: http://\xff\r\n",
            b"Set-Cookie: a=\xff;",
        ),
        *(
            b"0\r\n\r\n",
            b'{"ok": [1]}',
            b"\x1f\x8b\x08\x00",
            b"Connection: keep-alive\r\n",
            b"Content-Type: a; charset=\xff\r\n",
        ),
    ]
)
ANSWERS = st.binary(max_size=300) | st.lists(_words | st.binary(max_size=12), max_size=14).map(b"".join)


class Mirror:
    """A server whose whole answer is whatever it was last given, and a reach to ask it with."""

    def __init__(self) -> None:
        self.answer = b""
        self._runner = asyncio.Runner()
        self._runner.run(self._open())

    async def _open(self) -> None:
        async def behave(reader: Any, writer: Any) -> None:
            await request(reader)
            writer.write(self.answer)
            await writer.drain()

        self._server = served(behave)
        self._reach = reaching()
        self.server, self.reach = await self._server.__aenter__(), await self._reach.__aenter__()

    def ask(self, answer: bytes) -> Any:
        """The observation of one run."""
        self.answer = answer
        probe = probe_of(self.server.url(), EXPECT, limit=0.25, max_body=4096, follow=2)
        return self._runner.run(look(probe, self.reach))

    def close(self) -> None:
        async def end() -> None:
            await self._reach.__aexit__(None, None, None)
            await self._server.__aexit__(None, None, None)

        self._runner.run(end())
        self._runner.close()


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    """One server and one reach for all examples."""
    mirror = Mirror()
    yield mirror
    mirror.close()


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANSWERS)
@example(b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=\xff\r\n\r\n{}")
@example(b"HTTP/1.1 302 Found\r\nLocation: http://\xff/\r\n\r\n")
@example(b"HTTP/1.1 302 Found\r\nSet-Cookie: a=\xff\r\nLocation: /\r\n\r\n")
@example(b"HTTP/1.1 200 \xff\r\nServer: \xed\xa0\x80\r\n\r\n")
@example(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc")
def test_any_answer_gives_an_observation(mirror: Mirror, answer: bytes) -> None:
    """Never a bug of ours, never our own fault, and always writable and readable as JSON."""
    observation = mirror.ask(answer)

    assert observation.failure is None or observation.failure.code in CODES
    result = judge(observation, EXPECT)
    assert result.code is None or (result.code in CODES and not result.code.startswith("self."))
    again = observation_from_json(observation_to_json(observation))
    assert judge(again, EXPECT).code == result.code
    str(observation_to_json(observation)).encode()
