"""The sockets of probes: what comes, what goes out, and how it ends, over real ones."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitor.probers.coding import PIECE
from monitor.probers.sockets import Sockets, Transport

from .looking import LagSampler

LARGE = 4 * 1024 * 1024  # bytes, more than any socket holds


class Ear(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self, stays: bool = False) -> None:
        self.heard = bytearray()
        self.largest = 0
        self.stays = stays
        self.done = asyncio.Event()
        self.over = asyncio.Event()
        self.error: Exception | None = None
        self.lost = 0

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.largest = max(self.largest, len(data))

    def eof_received(self) -> bool:
        self.done.set()
        return self.stays

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.lost += 1
        self.over.set()


@contextmanager
def opened() -> Iterator[Sockets]:
    sockets = Sockets(time.monotonic)
    try:
        yield sockets
    finally:
        sockets.close()


def carried(sockets: Sockets, stays: bool = False) -> tuple[Transport, Ear, socket.socket]:
    """A transport, what it tells, and the other end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ear = Ear(stays)
    return sockets.carry(ours, ear), ear, theirs


async def drained(theirs: socket.socket) -> bytes:
    """All that comes at the other end, taken slowly."""

    def take() -> bytes:
        theirs.settimeout(10)
        parts = []
        while part := theirs.recv(50_000):
            parts.append(part)
        return b"".join(parts)

    return await asyncio.to_thread(take)


async def test_what_comes_is_handed_in_a_piece_at_a_time() -> None:
    sent = os.urandom(300_000)
    with opened() as sockets:
        _, ear, theirs = carried(sockets)
        with theirs:
            await asyncio.to_thread(theirs.sendall, sent)
        await asyncio.wait_for(ear.over.wait(), 10)
        assert bytes(ear.heard) == sent
        assert ear.largest <= PIECE
        assert ear.error is None
        assert ear.lost == 1


async def test_what_the_other_side_does_not_take_yet_waits() -> None:
    """In the order in which it was written, also what was written while something waited, and before the end."""
    first, second = os.urandom(LARGE), os.urandom(1000)
    with opened() as sockets:
        transport, ear, theirs = carried(sockets)
        transport.write(first)
        transport.write(second)
        transport.close()
        assert transport.is_closing()
        assert not ear.lost
        with theirs:
            assert await drained(theirs) == first + second
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.error is None


async def test_a_connection_that_ends_hands_in_nothing_more() -> None:
    """It waits for what is still to be sent; nobody listens any longer."""
    with opened() as sockets:
        transport, ear, theirs = carried(sockets)
        transport.write(os.urandom(LARGE))
        transport.close()
        transport.resume_reading()
        theirs.sendall(b"too late")
        await asyncio.sleep(0.1)
        assert not ear.heard
        assert not ear.lost
        theirs.close()
        await asyncio.wait_for(ear.over.wait(), 10)


async def test_an_answer_to_what_was_not_taken_is_heard() -> None:
    """Once, and before the end, which has its reason; nothing comes after it."""
    with opened() as sockets:
        transport, ear, theirs = carried(sockets)
        transport.write(os.urandom(LARGE))
        theirs.sendall(b"too large")
        theirs.close()
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.heard == b"too large"
        assert isinstance(ear.error, OSError)
        assert not ear.done.is_set()
        assert ear.lost == 1


async def test_nothing_is_sent_once_it_is_closed() -> None:
    with opened() as sockets:
        transport, _, theirs = carried(sockets)
        transport.close()
        transport.write(b"late")
        with theirs:
            assert await drained(theirs) == b""


async def test_a_pause_is_a_pause() -> None:
    """Also where the other side has ended meanwhile: nobody is told before it is wanted, and nobody is kept busy."""
    with opened() as sockets:
        transport, ear, theirs = carried(sockets)
        transport.pause_reading()
        theirs.sendall(b"something")
        theirs.close()
        began = time.process_time()
        await asyncio.sleep(0.3)
        assert time.process_time() - began < 0.1
        assert not ear.heard
        assert not ear.done.is_set()
        transport.resume_reading()
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.heard == b"something"


async def test_who_stays_after_the_end_of_the_other_side_may_still_write() -> None:
    with opened() as sockets:
        transport, ear, theirs = carried(sockets, stays=True)
        theirs.shutdown(socket.SHUT_WR)
        await asyncio.wait_for(ear.done.wait(), 10)
        began = time.process_time()
        await asyncio.sleep(0.3)
        assert time.process_time() - began < 0.1, "an end that was told is told again and again"
        transport.resume_reading()
        transport.write(b"still here")
        transport.close()
        with theirs:
            assert await drained(theirs) == b"still here"


@pytest.mark.parametrize(("said", "writes"), [(b"", False), (b"", True), (b"too large", True)])
async def test_a_reset_is_told_once_and_after_what_was_said_before_it(said: bytes, writes: bool) -> None:
    """Also where the other side is gone for what is still to be sent."""
    with opened() as sockets, socket.create_server(("127.0.0.1", 0)) as server:
        plain = socket.socket()
        plain.setblocking(False)
        await sockets.connect(plain, server.getsockname())
        theirs, _ = server.accept()
        ear = Ear()
        transport = sockets.carry(plain, ear)
        theirs.sendall(said)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        if writes:
            transport.write(b"x" * 100)
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.heard == said
        assert isinstance(ear.error, ConnectionError)
        assert ear.lost == 1
        assert plain.fileno() == -1
        transport.abort()
        await asyncio.sleep(0)
        assert ear.lost == 1


async def test_a_protocol_that_fails_ends_its_connection_and_no_other() -> None:
    class Broken(Ear):
        def data_received(self, data: bytes) -> None:
            raise ValueError("not what was expected")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context.get("exception")))
    with opened() as sockets:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        broken = Broken()
        sockets.carry(ours, broken)
        _, ear, others = carried(sockets)
        theirs.sendall(b"a")
        others.sendall(b"b")
        others.close()
        await asyncio.wait_for(broken.over.wait(), 10)
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.heard == b"b"
        assert isinstance(broken.error, ValueError)
        assert len(told) == 1
        assert isinstance(told[0], ValueError)
        theirs.close()


async def test_a_closed_port_and_a_cancelled_attempt() -> None:
    with opened() as sockets:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
        with socket.socket() as plain:
            plain.setblocking(False)
            with pytest.raises(ConnectionRefusedError):
                await sockets.connect(plain, address)
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        with full, socket.create_connection(full.getsockname()):  # nobody else is let in
            plain = socket.socket()
            plain.setblocking(False)
            attempt = asyncio.create_task(sockets.connect(plain, full.getsockname()))
            await asyncio.sleep(0.1)
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt
            plain.close()
        _, ear, theirs = carried(sockets)  # with the number that was free again
        theirs.sendall(b"mine")
        theirs.close()
        await asyncio.wait_for(ear.over.wait(), 10)
        assert ear.heard == b"mine"


async def test_a_crowd_leaves_the_loop_to_others() -> None:
    """Hundreds of sockets that have something at once: the loop goes on in between, and nobody is forgotten."""
    with opened() as sockets:
        crowd = [carried(sockets) for _ in range(300)]
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while any(not ear.lost for _, ear, _ in crowd):
                beats += 1
                await asyncio.sleep(0)

        for _, _, theirs in crowd:
            theirs.sendall(b"x")
            theirs.close()
        await asyncio.wait_for(beat(), 10)
        assert all(ear.heard == b"x" for _, ear, _ in crowd)
        assert beats >= 9


async def test_few_that_take_long_leave_the_loop_to_others_too() -> None:
    """What a server sends may be costly to read: forty that have something at once are forty such stretches."""

    class Slow(Ear):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            until = time.process_time() + 0.01
            while time.process_time() < until:
                pass

    with opened() as sockets:
        crowd = []
        for _ in range(40):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            crowd.append((Slow(False), theirs))
            sockets.carry(ours, crowd[-1][0])
        async with LagSampler() as lag:
            for _, theirs in crowd:
                theirs.sendall(b"x")
                theirs.close()
            await asyncio.wait_for(asyncio.gather(*(ear.over.wait() for ear, _ in crowd)), 30)

    assert all(ear.heard == b"x" for ear, _ in crowd)
    assert lag.worst < 0.08


async def test_numbers_that_go_round_mix_up_nobody() -> None:
    """One ends while another begins, again and again in one beat: what happened to the one is not told to the other."""
    with opened() as sockets:
        for turn in range(200):
            transport, ear, theirs = carried(sockets)
            theirs.sendall(b"old")
            transport.abort()
            _, fresh, others = carried(sockets)
            others.sendall(str(turn).encode())
            others.close()
            await asyncio.wait_for(fresh.over.wait(), 10)
            assert fresh.heard == str(turn).encode()
            assert not ear.heard
            theirs.close()
