"""Records of TLS 1.3 that no library sends by itself, sealed with the keys of a server's connection (RFC 8446)."""

import asyncio
import hmac
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .misbehaving import Behaviour

_MESSAGE, _DATA = 22, 23  # kinds of record
_TICKET = b"\0\0\x1c\x20" + b"\0\0\0\1" + b"\1\0" + b"\0\1x" + b"\0\0"


class Sealer:
    """What a server sends from its first record after the handshake on; all but `take` give one record."""

    def __init__(self, secret: bytes) -> None:
        self._take(secret)

    def data(self, content: bytes) -> bytes:
        """Something that is said."""
        return self._seal(content, _DATA)

    def update(self) -> bytes:
        """Another key from here on, and one is asked of the other side (KeyUpdate)."""
        record = self._seal(b"\x18\0\0\1\1", _MESSAGE)
        self._take(_expanded(self._secret, b"traffic upd", 48))
        return record

    def ticket(self) -> bytes:
        """One more ticket for a session."""
        return self._seal(b"\x04" + len(_TICKET).to_bytes(3) + _TICKET, _MESSAGE)

    def _take(self, secret: bytes) -> None:
        self._secret, self._number = secret, 0
        self._key, self._start = AESGCM(_expanded(secret, b"key", 32)), int.from_bytes(_expanded(secret, b"iv", 12))

    def _seal(self, content: bytes, kind: int) -> bytes:
        head = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2)
        nonce = (self._start ^ self._number).to_bytes(12)
        self._number += 1
        return head + self._key.encrypt(nonce, content + bytes([kind]), head)


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of SHA-384, for one block at most."""
    told = size.to_bytes(2) + bytes([len(label) + 6]) + b"tls13 " + label + b"\0"
    return hmac.digest(secret, told + b"\1", "sha384")[:size]


def _secret(keys: Path, number: str) -> bytes:
    lines = (line.split() for line in keys.read_text().splitlines())
    return next(bytes.fromhex(one[2]) for one in lines if one[:2] == ["SERVER_TRAFFIC_SECRET_0", number])


def sealing(context: ssl.SSLContext, then: Callable[[Sealer], bytes], asked: bool = False) -> Behaviour:
    """A server that makes a handshake, waits for a question if it is to be `asked`, and sends what `then` makes until
    that is nothing. The context sends no tickets of its own from here on."""
    context.num_tickets = 0
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.NamedTemporaryFile(delete=False) as file:
        keys = Path(file.name)
    context.keylog_filename = file.name

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = context.wrap_bio(came, goes, server_side=True)
        hello = await reader.read(65_536)
        came.write(hello)
        while True:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
                break
            writer.write(goes.read())
            came.write(await reader.read(65_536))
        writer.write(goes.read())
        while asked:
            with suppress(ssl.SSLWantReadError):
                side.read(65_536)
                break
            came.write(await reader.read(65_536))
        number = hello[11:43].hex()  # by which the log of keys tells connections apart
        sealer = Sealer(_secret(keys, number))
        while piece := then(sealer):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # the other side may live in this loop
        await asyncio.Event().wait()

    return behave
