"""Brokers for tests: a Mosquitto with every kind of listener, and one written in the test that says what it is told."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import trustme

from tests.processes.running import free_port
from tests.programs import path_of, running

from .authorities import NAME, Authorities

LISTENERS = ("plain", "tls", "ws", "wss", "locked", "wall")
USER, PASSWORD = "probe", "pass-word-ã"


@contextmanager
def mosquitto(folder: Path, authorities: Authorities) -> Iterator[dict[str, int]]:
    """The port of each listener. `locked` wants a password, `wall` lets nobody publish under `monitor/`."""
    program, maker = path_of("mosquitto"), path_of("mosquitto_passwd")
    ports = {name: free_port() for name in LISTENERS}
    leaf: trustme.LeafCert = authorities.trusted.issue_cert(NAME)
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    for position, pem in enumerate(leaf.cert_chain_pems):
        pem.write_to_path(str(folder / "chain.pem"), append=position > 0)
    subprocess.run([maker, "-c", "-b", str(folder / "passwords"), USER, PASSWORD], check=True, capture_output=True)
    (folder / "rights").write_text("topic read monitor/#\ntopic readwrite open/#\n")
    tls = "certfile chain.pem\nkeyfile key.pem\n"
    anyone = "allow_anonymous true\n"
    more = {
        "plain": anyone,
        "tls": tls + anyone,
        "ws": "protocol websockets\n" + anyone,
        "wss": "protocol websockets\n" + tls + anyone,
        "locked": "allow_anonymous false\npassword_file passwords\n",
        "wall": "acl_file rights\n" + anyone,
    }
    listeners = "".join(f"listener {ports[name]} 127.0.0.1\n{more[name]}" for name in LISTENERS)
    (folder / "mosquitto.conf").write_text(f"per_listener_settings true\nuser root\n{listeners}")
    log = folder / "log"

    def ready() -> bool:
        return " running" in log.read_text(errors="replace")

    with running(program, "-c", "mosquitto.conf", log=log, ready=ready):
        yield ports


class Client:
    """One connection to a broker of our own: what comes in, what goes out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def packet(self) -> bytes:
        """The next packet, its length in one byte."""
        head = await self.reader.readexactly(2)
        return head + await self.reader.readexactly(head[1])

    async def say(self, *packets: bytes) -> None:
        for packet in packets:
            self.writer.write(packet)
        await self.writer.drain()


Part = Callable[[Client], Awaitable[None]]


@asynccontextmanager
async def playing(part: Part) -> AsyncIterator[int]:
    """The port of a broker that plays this part with everybody who connects."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await part(Client(reader, writer))
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=1000)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
