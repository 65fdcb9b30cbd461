"""Packing: how little of a judged run is written. What a probe says again and again is a *form*, stored once; its row
has what differs.

Always different are the moment it was due, and how long its phases took: *figures*, each a number. Where the rest is
not the form either, a row carries it besides, deflated with the form as the dictionary: an answer with another ETag is
a few dozen bytes. What was packed unpacks to the same document, whatever is in it.
"""

import json
import zlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

from monitor.core.effect import Keep
from monitor.core.expectation import Outcome
from monitor.store.rows import EPOCH, Row, dumps, micros

SECOND = 1_000_000  # microseconds
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEAR = (0, 1, -1, 2, 3)  # seconds between the beginning of a run and the `Date` of its answer
_EXACT = 2**53  # up to here every whole number is a float of its own
_WORTH_IT = 2  # a remainder is at most one part in so many of the whole, or the whole is a form of its own
_LEVEL = 6
_REMEMBERED = 10_000  # forms


@dataclass(frozen=True)
class Form:
    """What several runs have in common: the judgement, and the document without its figures."""

    outcome: str
    code: str | None
    blame: str | None
    discarded: bool
    document: str

    @cached_property
    def digest(self) -> int:
        """A number of 63 bits, the same in every process."""
        text = dumps([self.outcome, self.code, self.blame, self.discarded]) + self.document
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1

    def resembles(self, other: "Form") -> bool:
        """Whether the judgement is the same."""
        return (self.outcome, self.code, self.blame, self.discarded) == (
            other.outcome,
            other.code,
            other.blame,
            other.discarded,
        )


def parted(row: Row) -> tuple[Form, bytes]:
    """A row of `observation_row` as its form and its figures."""
    document, at = json.loads(row["document"]), row["at"]
    figures = [_folded(at - document.pop("scheduled_at"))]
    phases, whole = document.get("phases"), list[int]()
    for seconds in phases.values() if isinstance(phases, dict) else ():
        number = round(seconds * SECOND) if isinstance(seconds, float) and 0 <= seconds < _EXACT / SECOND else -1
        if number < 0 or number / SECOND != seconds:
            break
        whole.append(number)
    else:
        if isinstance(phases, dict):
            document["phases"] = list(phases)
            figures += whole
    _undate(document, at)
    form = Form(row["outcome"], row["code"], row["blame"], row["discarded"], dumps(document))
    return form, _packed(figures)


def remainder(form: Form, like: Form) -> bytes | None:
    """What turns the document of one form into that of another; None where that is not worth it."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, zdict=like.document.encode())
    packed = packer.compress(form.document.encode()) + packer.flush()
    return packed if len(packed) * _WORTH_IT < len(form.document) else None


def unpacked(at: int, document: str | None, rest: bytes) -> Row:
    """The document of a run, from that of its form and the rest of its row. Raises ValueError where they do not fit
    together."""
    try:
        figures, tail = _figures(rest)
        if document is None:
            raise ValueError("its form is missing")
        found = dict(_parsed(document) if not tail else json.loads(_inflated(tail, document)))
        found["scheduled_at"] = at - _unfolded(figures[0])
        if isinstance(names := found.get("phases"), list):
            found["phases"] = {name: figure / SECOND for name, figure in zip(names, figures[1:], strict=True)}
        http = found.get("http")
        if http is not None and isinstance(seconds := http.get("headers", {}).get("date"), int):
            found["http"] = http | {"headers": http["headers"] | {"date": _date(at // SECOND + seconds)}}
    except (zlib.error, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return found


class Packer:
    """Finds the form of each run: one that was there before, one that it nearly is, or a new one."""

    def __init__(self) -> None:
        self._forms: dict[Form, Form] = {}
        self._newest: dict[Any, Form] = {}
        self._said: dict[Form, tuple[Any, ...]] = {}

    def again(self, source: Any, said: tuple[Any, ...], figures: bytes) -> tuple[Form, bytes] | None:
        """As `pack`, for a run of which no row was made: None where it does not say what the last one said."""
        last = self._newest.get(source)
        return (last, figures) if last is not None and self._said.get(last) == said else None

    def pack(self, source: Any, row: Row, said: tuple[Any, ...] | None = None) -> tuple[Form, bytes]:
        """The form that the run of a source takes, and the rest of its row."""
        form, rest = parted(row)
        last = self._newest.get(source)
        if form != last and form not in self._forms and last is not None and form.resembles(last):
            tail = remainder(form, last)
            if tail is not None:
                return last, rest + tail
        if len(self._forms) >= _REMEMBERED:
            self.forget()
        form = self._newest[source] = self._forms.setdefault(form, form)
        if said is not None:
            self._said[form] = said
        return form, rest

    def forget(self) -> None:
        """All forms are new again."""
        self._forms.clear()
        self._newest.clear()
        self._said.clear()


def said_by(keep: Keep) -> tuple[tuple[Any, ...], bytes] | None:
    """What a passed run says besides its figures, to be compared with what another one said, and these; None of runs
    that are to be looked at more closely. Two that say the same have the same form."""
    one, http = keep.observation, keep.observation.http
    if keep.result.outcome is not Outcome.PASSED or one.steps is not None or http is None:
        return None
    at = micros(one.at)
    headers: dict[str, Any] = dict(http.headers)
    if (seconds := _seconds_to(headers.get("date"), at)) is not None:
        headers["date"] = seconds
    figures = [_folded(at - micros(one.scheduled_at))]
    for taken in one.phases.values():
        if not 0 <= taken < _EXACT / SECOND:
            return None
        figures.append(round(round(taken, 6) * SECOND))
    # Of what an answer holds 1, 1.0 and true are equal, and written otherwise.
    free = repr(one.values) if one.values else "", repr(one.dns) if one.dns else ""
    answer = (http.status, headers, http.bytes, http.version, http.redirects, http.content_length)
    said = (keep.result, keep.discarded, one.address, one.failure, one.certificate, tuple(one.phases), free, answer)
    return said, _packed(figures)


def _folded(number: int) -> int:
    """A number with its sign as one without: small ones stay small."""
    return number << 1 if number >= 0 else ~(number << 1)


def _unfolded(number: int) -> int:
    return ~(number >> 1) if number & 1 else number >> 1


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _packed(figures: list[int]) -> bytes:
    """Figures as a row begins with them."""
    return bytes((len(figures),)) + b"".join(map(_varint, figures))


def _figures(rest: bytes) -> tuple[list[int], bytes]:
    """The figures a row begins with, and what comes after them."""
    place, found = 1, list[int]()
    for _ in range(rest[0]):
        number = shift = 0
        while (byte := rest[place]) > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
            place += 1
        found.append(number | byte << shift)
        place += 1
    return found, rest[place:]


def _undate(document: dict[str, Any], at: int) -> None:
    """A `Date` that is the second of the run, or one near it, becomes the seconds between them."""
    headers = (document.get("http") or {}).get("headers", {})
    if (seconds := _seconds_to(headers.get("date"), at)) is not None:
        headers["date"] = seconds


def _seconds_to(date: str | None, at: int) -> int | None:
    """Seconds from a run to the `Date` of its answer; None where there is none, or none near it."""
    if date is not None:
        for seconds in _NEAR:
            if _date(at // SECOND + seconds) == date:
                return seconds
    return None


@lru_cache(64)
def _date(seconds: int) -> str:
    """A moment as servers write it."""
    moment = EPOCH + timedelta(seconds=seconds)
    return f"{_WEEKDAYS[moment.weekday()]}, {moment:%d} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"


@lru_cache(256)
def _parsed(document: str) -> dict[str, Any]:
    """Read once for many rows: whoever changes something makes a copy."""
    found: dict[str, Any] = json.loads(document)
    return found


def _inflated(tail: bytes, document: str) -> str:
    opener = zlib.decompressobj(-15, zdict=document.encode())
    return (opener.decompress(tail) + opener.flush()).decode()
