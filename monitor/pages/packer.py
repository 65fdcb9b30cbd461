"""Packer: the compressed form that stands beside each text, made so that a change in a large file costs the change.

A large text is cut where its own bytes say so, and each piece is compressed with nothing in view but what stands before
it, as far as gzip looks back. So a piece that was there before, behind the same, is not compressed again, wherever it
stands now. The pieces make one ordinary gzip member, the same bytes for the same text whatever was packed before it.
"""

import gzip
import zlib
from collections.abc import Iterable
from hashlib import sha256
from os.path import splitext
from struct import pack

TEXTS = {".html", ".json", ".xml", ".atom", ".rss", ".ics", ".svg", ".txt", ".css", ".js", ".map", ".webmanifest"}
LARGE = 1 << 17  # bytes of a text that is cut; smaller ones are fast enough, and a few per cent smaller whole
LEAST, MOST = 1 << 14, 1 << 16  # bytes of a piece
BACK = 1 << 15  # bytes that gzip looks back
MARK, MARK_JSON = b"\n", b'{"id"'  # what pieces begin with
HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"  # no date, no name
LAST = b"\x03\0"  # an empty block that ends the stream


class Packer:
    """Keeps the compressed pieces of large files as they were last."""

    def __init__(self) -> None:
        self._pieces: dict[str, dict[bytes, bytes]] = {}

    def packed(self, name: str, content: bytes) -> bytes | None:
        """The compressed form of a text, None for what is none. Equal texts give equal bytes."""
        if splitext(name)[1] not in TEXTS:
            return None
        if len(content) < LARGE:
            return gzip.compress(content, 6, mtime=0)
        before, now = self._pieces.get(name, {}), {}
        made, start, view = [HEAD], 0, memoryview(content)
        for piece in cut(content, MARK_JSON if name.endswith(".json") else MARK):
            behind = view[max(0, start - BACK) : start]
            start += len(piece)
            key = sha256(view[start - len(piece) - len(behind) : start]).digest() + pack("<L", len(behind))
            now[key] = packed = before.get(key) or _deflated(piece, behind)
            made.append(packed)
        self._pieces[name] = now
        return b"".join((*made, LAST, pack("<LL", zlib.crc32(content), len(content) & 0xFFFFFFFF)))

    def forget(self, names: Iterable[str]) -> None:
        """These files are gone."""
        for name in names:
            self._pieces.pop(name, None)


def cut(content: bytes, mark: bytes) -> list[memoryview]:
    """Pieces that make up a text. Whether one ends at a mark depends on what follows it alone, so that behind a change
    the old places are soon found again."""
    pieces, start, end, view = [], 0, len(content), memoryview(content)
    while start < end:
        at = content.find(mark, start + LEAST)
        while 0 <= at < start + MOST and zlib.crc32(view[at : at + 64]) & 15:
            at = content.find(mark, at + 1)
        stop = min(end, at if 0 <= at < start + MOST else start + MOST)
        pieces.append(view[start:stop])
        start = stop
    return pieces


def _deflated(piece: memoryview, behind: memoryview) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, behind)
    return deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH)
