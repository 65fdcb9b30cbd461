"""Turning: a name server whose answers lead outside and inside by turns, and whoever listens on both sides.

`python -m tests.processes.turning FOLDER`, in a network of its own: on the public address a web server with and without
TLS, inside traps that take a connection and note it. What happened stands in `FOLDER/happened`, a line each.
"""

import asyncio
import json
import ssl
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from dnslib import AAAA, QTYPE, RR, A, DNSRecord

PUBLIC, NAMESERVER = "93.184.216.34", "127.0.53.1"
INSIDE = ("127.0.0.1", "10.9.9.9", "169.254.169.254")
PLAIN, SECURE = 8000, 8443
MAPPED = (*[0] * 10, 255, 255, 127, 0, 0, 1)  # ::ffff:127.0.0.1


class Turning(asyncio.DatagramProtocol):
    """Answers by the name, each name with a count of its own; nothing it says may be kept."""

    def __init__(self, note: "Note") -> None:
        self._note = note
        self._asked: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = DNSRecord.parse(data)
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        reply = request.reply()
        if kind == "A":
            for one in self._leads(name):
                reply.add_answer(RR(name, QTYPE.A, rdata=A(one), ttl=0))
                self._note(f"name {name} {one}")
        elif kind == "AAAA" and name == "mapped.example":
            reply.add_answer(RR(name, QTYPE.AAAA, rdata=AAAA(MAPPED), ttl=0))
        self._transport.sendto(reply.pack(), addr)

    def _leads(self, name: str) -> list[str]:
        self._asked[name] += 1
        count = self._asked[name]
        match name:
            case "steady.example" | "away.example":
                return [PUBLIC]
            case "both.example":
                return [PUBLIC, INSIDE[0]]
            case "mapped.example":
                return []
            case "late.example":
                return [PUBLIC if count <= 3 else INSIDE[2]]
            case _:  # outside, then inside, then outside
                return [PUBLIC if count % 2 else INSIDE[(count // 2 - 1) % 3]]


class Note:
    """Appends what happened."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", buffering=1)

    def __call__(self, line: str) -> None:
        self._file.write(line + "\n")


async def main(folder: Path) -> None:
    note, loop = Note(folder / "happened"), asyncio.get_running_loop()
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(folder / "hook.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path, host = head.split(" ")[1], head.lower().partition("\r\nhost: ")[2].partition("\r\n")[0]
            size = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
            sent = (await reader.readexactly(size)).decode()
            note(f"public {host}{path}")
            away = path.removeprefix("/to/") if path.startswith("/to/") else None
            if host.startswith("away.example") and "challenge" not in sent:
                away = f"https://127.0.0.1:{SECURE}/"
            said = json.dumps({"challenge": json.loads(sent).get("challenge")}) if "challenge" in sent else "ok"
            line = f"307 Temporary Redirect\r\nLocation: {away}" if away else "200 OK"
            writer.write(f"HTTP/1.1 {line}\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n{said}".encode())
            await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def trap(address: str) -> object:
        def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            note(f"trap {address}")
            writer.close()

        return taken

    await loop.create_datagram_endpoint(lambda: Turning(note), local_addr=(NAMESERVER, 53))
    await asyncio.start_server(answer, PUBLIC, PLAIN)
    await asyncio.start_server(answer, PUBLIC, SECURE, ssl=secure)
    for address in (*INSIDE, "::1"):
        for port in (PLAIN, SECURE):
            await asyncio.start_server(trap(address), address, port)  # type: ignore[arg-type]
    print("open", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
