"""Coding: how a body is packed, and unpacking it a piece at a time.

A few kilobytes may unfold into gigabytes, so no more is unpacked at a stretch than somebody is about to look at. Only
what we offered is taken; a body that ends before its packing does is not what was sent.
"""

import zlib
from collections.abc import Iterator, Sequence

from monitor.probers.failure import Stopped

CODINGS = ("Content-Encoding", "Transfer-Encoding")  # headers that say how a body is packed
PIECE = 16 * 1024  # bytes unpacked at a stretch
MOST_MEMBERS = 256  # of gzip behind one another: empty ones are work without an end

_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_PADDING = b"\0"  # behind the end, up to a round size: gunzip and browsers pass over it
_RAW = -15  # deflate without its envelope, as some servers send it
# Names that pack nothing; some servers confuse packing with how the text is written, and browsers pass over it.
_NOTHING = frozenset({"", "identity", "none", "chunked", "utf-8", "utf8", "iso-8859-1"})


class Unpacking:
    """One body on its way: `pieces` of what comes, then `end`."""

    def __init__(self, codings: Sequence[str]) -> None:
        """`codings` are the values of these headers, as they came."""
        named = [one.strip().lower() for value in codings for one in value[:1000].split(",")]
        self._named = [one for one in named if one not in _NOTHING]
        self._packer: zlib._Decompress | None = None
        self._members = 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What this data unfolds to, never more than a piece at a time. Raises Stopped."""
        if not self._named:
            yield data
            return
        if self._packer is not None and self._packer.eof:
            data = data.lstrip(_PADDING)
        more = False  # what came is read, and what it unfolds to was not all given yet
        while data or more:
            packer = self._begun(data)
            try:
                piece = packer.decompress(data, PIECE)
            except zlib.error as error:
                raise self._refused(str(error)) from None
            yield piece
            more = len(piece) == PIECE and not packer.eof
            data = packer.unused_data.lstrip(_PADDING) if packer.eof else packer.unconsumed_tail

    def end(self) -> None:
        """Nothing more comes. Raises Stopped when the body is not whole."""
        if self._packer is not None and not self._packer.eof:
            raise self._refused("it ends early")

    def _begun(self, data: bytes) -> "zlib._Decompress":
        if self._packer is None or self._packer.eof:
            if len(self._named) > 1 or self._named[0] not in _WINDOW:
                raise self._refused("that was not offered")
            self._members += 1
            if self._members > MOST_MEMBERS:
                raise self._refused(f"more than {MOST_MEMBERS} parts behind one another")
            window = _WINDOW[self._named[0]]
            self._packer = zlib.decompressobj(_RAW if window == 15 and data[0] & 0xF != 8 else window)
        return self._packer

    def _refused(self, why: str) -> Stopped:
        said = ", ".join(self._named)[:80]
        return Stopped("http.bad_encoding", f"the body does not match its Content-Encoding {said}: {why}")
