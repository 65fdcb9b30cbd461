"""Body: read in pieces under a cap, then looked into for what the expectations ask of it.

The cap counts bytes after decompression: a few kilobytes on the wire may unfold into gigabytes. A body is kept whole
only when an expectation needs it; else its first two kilobytes are, and the rest is counted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache
from typing import Any, Self

import re2
from aiohttp import StreamReader

from monitor.core.expectation import Expect, body_key
from monitor.mask import EXCERPT, Mask
from monitor.probers.coding import PIECE, Unpacking
from monitor.probers.document import found, parse
from monitor.probers.failure import Stopped

# Encodings that answers really come in, all of them linear to decode: a target may name any that Python knows,
# and some of those (punycode) take quadratic time or are no text encodings at all.
_ENCODINGS = {
    **{"utf_8": "utf-8", "utf_8_sig": "utf-8-sig", "utf_16": "utf-16", "utf_16_le": "utf-16-le"},
    **{"utf_16_be": "utf-16-be", "ascii": "ascii", "latin_1": "iso8859-1", "iso8859_15": "iso8859-15"},
    "cp1252": "cp1252",
}

BUDGET = 0.1  # seconds of processor time that a pattern has for a text
FIRST_PART, GROWTH = 1024, 4  # characters it is tried on first, and how many times more the next time
SMALL = 64 * 1024  # bytes that are looked into at once; larger bodies are handed to a thread


class Body:
    """What was read of a body. `content` is whole only if `whole`. `with` it: what `grows_large` gives is called at the
    end."""

    def __init__(self, whole: bool, mask: Mask, grows_large: Callable[[], Awaitable[Callable[[], None]]]) -> None:
        self.whole = whole
        self._grows_large = grows_large  # awaited once, before more than a small body is read
        self._let_go: Callable[[], None] | None = None
        self.size = 0
        # A secret that the cut would halve must be seen whole to be hidden, in up to four bytes a character.
        self._wanted = (EXCERPT + mask.longest) * 4
        self._kept: list[bytes] = []
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._let_go is not None:
            self._let_go()

    async def read(self, stream: StreamReader, packed: Unpacking, limit: int) -> None:
        """Reads and unpacks to the end. Raises Stopped past `limit` bytes, and whatever the connection raises."""
        async for data in stream.iter_any():
            await self._take(packed.pieces(data), limit)
        packed.end()

    async def _take(self, pieces: Iterable[bytes], limit: int) -> None:
        for piece in pieces:
            if self.whole and self.size <= SMALL < self.size + len(piece):
                self._let_go = await self._grows_large()
            self.size += len(piece)
            if self.whole or self._held < self._wanted:
                self._kept.append(piece)
                self._held += len(piece)
            if self.size > limit:
                del self._kept[4:]  # nobody looks into it
                raise Stopped("http.body_too_large", f"the body is larger than {limit:,} bytes")
            if self.size > PIECE or not piece:
                # A packed body has its next piece ready at once, and the one after it: others want their turn too.
                await asyncio.sleep(0)

    @property
    def content(self) -> bytes:
        """The bytes that were kept."""
        if len(self._kept) > 1:
            self._kept = [b"".join(self._kept)]
        return self._kept[0] if self._kept else b""

    def excerpt(self, content_type: str, mask: Mask) -> str:
        """The beginning as harmless text."""
        head = b"".join(self._kept[:64])[: self._wanted]
        return mask.excerpt(head.decode(encoding_of(content_type), "replace"))

    def small(self, expects: Iterable[Expect] = ()) -> bool:
        """Whether looking into it takes too little time for a thread. Patterns may take some for little text."""
        return self._held <= (4 * FIRST_PART if any(expect.matches for expect in expects) else SMALL)


def encoding_of(content_type: str) -> str:
    """The encoding that a content type names, UTF-8 when it names none that answers come in."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            # Not `codecs.lookup`, which remembers every name that it was ever asked for.
            spelt = normalize_encoding(value.strip().strip("\"'")[:40].lower())
            return _ENCODINGS.get(aliases.get(spelt, spelt), "utf-8")
    return "utf-8"


def needs_body(expects: Iterable[Expect]) -> bool:
    """Whether any expectation looks past the excerpt."""
    return any(one.json or one.fresh or one.contains or one.not_contains or one.matches for one in expects)


def values_of(
    body: bytes, content_type: str, expects: Iterable[Expect], mask: Mask, also: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, Any], Stopped | None]:
    """What the expectations ask of a whole body; what the paths `also` asked for give, as it came; and why the body is
    not the JSON it should be, if it is not."""
    expects = tuple(expects)
    encoding = encoding_of(content_type)
    values: dict[str, Any] = {}
    if any(expect.of_body for expect in expects):
        values = values_in(body.decode(encoding, "replace"), expects)
    paths = tuple(dict.fromkeys(path for expect in expects for path in expect.paths))
    if not (paths or also) or not body:
        return values, {}, None
    try:
        document = document_of(body, content_type)
        raw = found(document, dict.fromkeys((*paths, *also)))
        return values | {path: mask.value(raw[path]) for path in paths}, {path: raw[path] for path in also}, None
    except Stopped as stopped:
        # A new one: that which was raised holds on to the whole body by its trace, for as long as anybody holds it.
        return values, {}, Stopped(stopped.code, stopped.detail)


def values_in(text: str, expects: Iterable[Expect]) -> dict[str, bool]:
    """The outcome of everything that is looked for in a text."""
    wanted = {one for expect in expects for one in expect.of_body}
    return {body_key(kind, sought): _holds(kind, sought, text) for kind, sought in wanted}


def document_of(body: bytes, content_type: str) -> Any:
    """The JSON of a whole body. Raises Stopped."""
    encoding = encoding_of(content_type)
    try:
        text = body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise Stopped("content.invalid_encoding", f"the body is not {encoding}, from byte {error.start} on") from None
    return parse(text)


def _holds(kind: str, sought: str, text: str) -> bool:
    match kind:
        case "contains":
            return sought in text
        case "not_contains":
            return sought not in text
    return _is_found(pattern_of(sought), text)


def _is_found(pattern: Any, text: str) -> bool:
    """Whether a pattern is found. Raises Stopped when finding it out would take more than its budget.

    The engine takes time in proportion to the text, but what a character costs may be ten microseconds, and nothing
    stops it on the way: so it is tried on a small part, and then on ever larger ones, as long as the next is in budget.
    """
    size = FIRST_PART
    while size < len(text):
        began = time.thread_time()
        pattern.search(text[:size])
        if (time.thread_time() - began) * GROWTH > BUDGET:
            raise Stopped("self.config", f"`matches: {pattern.pattern}` takes too long on {len(text):,} characters")
        size *= GROWTH
    return pattern.search(text) is not None


@lru_cache(maxsize=1024)
def pattern_of(text: str) -> Any:
    """A pattern of a linear-time engine, compiled once. Raises Stopped for one that the engine does not take."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise Stopped("self.config", f"`matches: {text}` is not a pattern: {error}") from None
