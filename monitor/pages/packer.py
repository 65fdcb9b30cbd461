"""Packer: the compressed form that stands beside each text, made so that a change in a large file costs the change.

A large text is cut where its own bytes say so, and each piece is compressed with nothing in view but what stands before
it, as far as gzip looks back. So a piece that was there before, behind the same, is not compressed again, wherever it
stands now. What was put together from parts is cut between them too. A large part has no other one in view; one that is
what it was, a small one behind the same, is neither cut nor compressed; a passing one stays as it is. The pieces make
one ordinary gzip member, the same bytes for the same parts whatever was packed before them.
"""

import gzip
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from os.path import splitext
from struct import pack
from typing import NamedTuple

from monitor.pages.found import Content, Passing

TEXTS = {".html", ".json", ".xml", ".atom", ".rss", ".ics", ".svg", ".txt", ".css", ".js", ".map", ".webmanifest"}
LARGE = 1 << 17  # bytes of a text that is cut; smaller ones are fast enough, and a few per cent smaller whole
LEAST, MOST = 1 << 14, 1 << 16  # bytes of a piece
BACK = 1 << 15  # bytes that gzip looks back
NEAR = 128  # bytes behind a mark that say whether a piece ends there
MARK, MARK_JSON = b"\n", b'{"id"'  # what pieces begin with
HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"  # no date, no name
LAST = b"\x03\0"  # an empty block that ends the stream


class Part(NamedTuple):
    """A part of a large file, None where it is all of it; its compressed pieces in order, and by what they are of."""

    content: Content | None
    made: list[bytes]
    pieces: dict[bytes, bytes]


class Packer:
    """Keeps the compressed pieces of large files as they were last."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Part]] = {}

    def packed(self, name: str, content: bytes) -> bytes | None:
        """The compressed form of a text, None for what is none. Equal texts give equal bytes."""
        if splitext(name)[1] not in TEXTS:
            return None
        if len(content) < LARGE:
            return gzip.compress(content, 6, mtime=0)
        mark = MARK_JSON if name.endswith(".json") else MARK
        parts = content.parts if isinstance(content, Content) else ()
        before, now, same = self._parts.get(name, []), [], BACK  # bytes before this part that are what they were
        for place, one in enumerate(parts or (content,)):
            old = before[place] if place < len(before) else Part(None, [], {})
            if isinstance(one, Passing):
                now.append(Part(None, [_stored(one)], {}))
                same = BACK  # nothing looks back across it
                continue
            alone, stays = len(one) >= LARGE, old.content is one or old.content == one
            if stays and (alone or same >= BACK):
                now.append(old)
            else:
                behind = b"" if alone else _end(parts[:place])
                now.append(_packed(one, mark, old.pieces, behind, kept=bool(parts)))
            same = same + len(one) if stays else 0
        self._parts[name] = now
        made = (piece for part in now for piece in part.made)
        return b"".join((HEAD, *made, LAST, pack("<LL", zlib.crc32(content), len(content) & 0xFFFFFFFF)))

    def forget(self, names: Iterable[str]) -> None:
        """These files are gone."""
        for name in names:
            self._parts.pop(name, None)


def _end(parts: Sequence[bytes]) -> bytes:
    """As much of what stands before a part as gzip looks back to, and not across a passing one: that is another in
    every publication, and costs nothing but itself."""
    found: list[bytes] = []
    room = BACK
    for one in reversed(parts):
        if isinstance(one, Passing):
            break
        found.append(one[-room:])
        room -= len(found[-1])
        if room <= 0:
            break
    return b"".join(reversed(found))


def _packed(content: bytes, mark: bytes, before: Mapping[bytes, bytes], end: bytes, kept: bool) -> Part:
    """A part that stands behind this `end` of others, with the pieces that it had before where it still has them."""
    now = Part(content if kept and isinstance(content, Content) else None, [], {})
    start, view, digests = 0, memoryview(content), [b"", sha256(end).digest()]
    for piece in cut(content, mark):
        behind = bytes(view[max(0, start - BACK) : start])
        behind = end[max(0, len(end) + len(behind) - BACK) :] + behind
        start += len(piece)
        digests.append(sha256(piece).digest())
        key = b"".join(digests[-3:])  # two pieces at least fill what gzip looks back
        now.pieces[key] = packed = before.get(key) or _deflated(piece, behind)
        now.made.append(packed)
    return now


def cut(content: bytes, mark: bytes) -> list[memoryview]:
    """Pieces that make up a text. Whether one ends at a mark depends on what follows it alone, so that behind a change
    the old places are soon found again: about one place in as many bytes as the shortest piece has, since where there
    were more, pieces cut from another beginning on would go on ending at others."""
    pieces, start, end, view = [], 0, len(content), memoryview(content)
    others = (1 << max(0, (LEAST * content.count(mark) // max(1, end)).bit_length() - 1)) - 1
    while start < end:
        at = content.find(mark, start + LEAST)
        while 0 <= at < start + MOST and zlib.crc32(view[at : at + NEAR]) & others:
            at = content.find(mark, at + 1)
        stop = min(end, at if 0 <= at < start + MOST else start + MOST)
        pieces.append(view[start:stop])
        start = stop
    return pieces


def _stored(piece: bytes) -> bytes:
    """A block that holds a few bytes as they are."""
    return pack("<BHH", 0, len(piece), len(piece) ^ 0xFFFF) + piece


def _deflated(piece: memoryview, behind: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, behind)
    return deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH)
