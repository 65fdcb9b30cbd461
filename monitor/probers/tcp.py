"""The tcp prober: does the port accept, and does it say what it should?

What came is read until everything that is wanted was found in it, something unwanted was, or nothing more is to be
expected: the server closes, the time limit strikes, or the cap is reached. Then it is judged as it stands.
"""

import asyncio
import socket
from contextlib import suppress
from functools import partial

from monitor.core.clause import shown
from monitor.core.expectation import body_key
from monitor.core.target import TcpTarget
from monitor.probers.body import values_in
from monitor.probers.connection import reached
from monitor.probers.failure import Stopped, of_connect
from monitor.probers.reach import Reach
from monitor.probers.run import Run

MOST = 64 * 1024  # bytes that are read
QUIET = 1.0  # seconds of silence that end a text of which only something unwanted is known

_PIECE = 16 * 1024
_PAUSE = 0.01  # seconds in which drops are gathered: each look at a growing text costs more than the one before
_NOTED = 20  # lines of either side in the trace


async def look(run: Run, reach: Reach) -> None:
    """Connects once, sends what there is to send, and reads what is expected."""
    target = run.probe.ask
    assert isinstance(target, TcpTarget)
    wanted = any(expect.of_body for expect in run.expects)
    with await reached(run, reach, target.host, target.port, target.allow_private) as connection:
        if not target.send and not wanted:
            return
        run.enter("processing")
        heard, sent, end = bytearray(), False, "before the time limit"
        async with run.rest():
            await _say(run, connection, target.send)
            sent = True
            end = await _hear(run, reach, connection, heard) if wanted else end
    if not sent:
        raise Stopped("tcp.timeout", f"{run.address} accepts and does not take what is sent")
    run.finish()
    if wanted:
        await reach.aside(partial(_look_into, run, bytes(heard), end))


async def _say(run: Run, connection: socket.socket, data: bytes) -> None:
    _note(run, ">", data)
    with suppress(BrokenPipeError, ConnectionResetError):  # it has hung up, and may have said why before
        await asyncio.get_running_loop().sock_sendall(connection, data)


async def _hear(run: Run, reach: Reach, connection: socket.socket, heard: bytearray) -> str:
    """Reads until there is nothing more to learn, and tells why; what came is in `heard` at any moment."""
    loop = asyncio.get_running_loop()
    patterns = any(expect.matches for expect in run.expects)
    hoped_for = any(expect.contains or expect.matches for expect in run.expects)
    while len(heard) < MOST:
        try:
            async with asyncio.timeout(QUIET if heard and not hoped_for else None):
                piece = await loop.sock_recv(connection, min(_PIECE, MOST - len(heard)))
        except TimeoutError:
            return "before it fell silent"
        except OSError as error:
            if heard:
                return "before the connection broke"
            if isinstance(error, ConnectionResetError):
                raise Stopped("tcp.reset_on_connect", f"{run.address} accepts connections and resets them") from error
            raise of_connect(error, run.address or "", ipv6=connection.family is socket.AF_INET6) from error
        if not piece:
            return "before it closed the connection"
        if not heard:
            run.byte_came()
            run.enter("transfer")
        heard += piece
        look = partial(_is_decided, run, bytes(heard), hoped_for)
        if await (reach.aside(look) if patterns else reach.turns.do(look)):
            break
        await asyncio.sleep(_PAUSE)
    return f"in the first {len(heard):,} bytes"


def _is_decided(run: Run, heard: bytes, hoped_for: bool) -> bool:
    """Whether more text cannot change much: all that is wanted is there, or something unwanted is."""
    values = values_in(_text(heard), run.expects)
    met = [values[body_key(*one)] for expect in run.expects for one in expect.of_body if one[0] != "not_contains"]
    spoilt = any(not values[body_key("not_contains", one)] for expect in run.expects for one in expect.not_contains)
    return spoilt or (hoped_for and all(met))


def _look_into(run: Run, heard: bytes, end: str) -> None:
    """Evaluates what is expected; what came instead is the best evidence there is."""
    _note(run, "<", heard)
    run.values.update(values_in(_text(heard), run.expects))
    if not heard and any(expect.contains or expect.matches for expect in run.expects):
        run.fail("content.empty", f"{run.address} accepts and says nothing {end}")
    unmet = next((one for one in run.probe.expect.of_body if not run.values[body_key(*one)]), None)
    if unmet is not None:
        run.fail("content.assertion", f"`{body_key(*unmet)}` does not hold {end}: {_said(run, heard)}")


def _said(run: Run, heard: bytes) -> str:
    if heard[:2] == b"\x15\x03":
        return "it answers in TLS"
    return f"it says {shown(run.mask.line(_text(heard[:_PIECE])))}"


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace")


def _note(run: Run, mark: str, data: bytes) -> None:
    if run.traced:
        for line in _text(data[:_PIECE]).splitlines()[:_NOTED]:
            run.note(f"{mark} {line}")
