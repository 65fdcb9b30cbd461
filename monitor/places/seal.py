"""Seal: what a place and the core say is read and written by nobody else, whoever may use the broker.

AES-256-GCM with a key derived from the secret of the place. The topic and who speaks are part of it: what was said
under one name cannot be said again under another one. That something is said a second time is no matter of the seal;
`wire` knows what is new.
"""

import hmac
import os
import zlib
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from monitor.places.topics import TO_THE_CORE

SHORTEST_SECRET = 32  # characters
MOST_SEALED = 1_000_000  # bytes of a message; brokers take a mebibyte without being told to
MOST_OPENED = 16 * 1024 * 1024  # bytes of what is in it
FORM = b"\x01"  # the first byte of a message: how the rest is made
NONCE = 12  # bytes


class Refused(Exception):
    """A message that is not to be believed. `why` is one of `REASONS`; nothing of the message is in the text."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{REASONS[why]}{': ' if detail else ''}{detail}")
        self.why = why


REASONS = {
    "topic": "it is under a topic that means nothing here",
    "size": "it is larger than anything that is said here",
    "seal": "it was not sealed with the secret of its place",
    "form": "it is not of a form that is known here",
    "old": "it was said before",
}


class Seal:
    """Seals and opens what is said under the topics of one place."""

    def __init__(self, secret: str, location: str) -> None:
        """Raises ValueError for a secret that is too short."""
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret of a place has {SHORTEST_SECRET} characters at least")
        info = f"vtex-monitor places v1 {location}".encode()
        derived = HKDF(SHA256(), 64, salt=None, info=info).derive(secret.encode())
        self.location = location
        self._cipher = AESGCM(derived[:32])
        self._signing = derived[32:]

    def close(self, topic: str, said: bytes) -> bytes:
        """What is said, packed and sealed for a topic. Raises Refused where that is too large."""
        if len(said) > MOST_OPENED:
            raise Refused("size", f"{len(said)} bytes")
        nonce = os.urandom(NONCE)
        sealed = FORM + nonce + self._cipher.encrypt(nonce, zlib.compress(said, 6), _about(topic))
        if len(sealed) > MOST_SEALED:
            raise Refused("size", f"{len(sealed)} bytes")
        return sealed

    def open(self, topic: str, sealed: bytes) -> bytes:
        """What was said under a topic. Raises Refused for whatever nobody with the secret sealed for it."""
        if len(sealed) > MOST_SEALED:
            raise Refused("size")
        if sealed[:1] != FORM:
            raise Refused("form")
        nonce, rest = sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
        try:
            packed = self._cipher.decrypt(nonce, rest, _about(topic))
        except (InvalidTag, ValueError):
            raise Refused("seal") from None
        return _unpacked(packed)

    def digest(self, said: bytes) -> str:
        """A short name of what is said, which tells nobody without the secret what it may be."""
        return hmac.new(self._signing, said, sha256).hexdigest()[:16]


def _about(topic: str) -> bytes:
    """What else is sealed: who speaks, and under which topic."""
    by_the_place = any(kind in TO_THE_CORE for kind in topic.split("/")[3:4])
    return f"{'place' if by_the_place else 'core'}\n{topic}".encode()


def _unpacked(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        said = unpacking.decompress(packed, MOST_OPENED)
    except zlib.error:
        raise Refused("form") from None
    if not unpacking.eof:
        raise Refused("size" if unpacking.unconsumed_tail else "form")
    return said
