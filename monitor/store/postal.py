"""Postal: the rows of the outbox, of the events that are told, and of who was told what; and back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import UnionType
from typing import Any

from monitor.core.digest import Digest, digest_from_json, digest_to_json
from monitor.core.effect import Gathered, Happened, Informed
from monitor.core.incident import Incident, incident_from_json, incident_to_json
from monitor.core.intent import Notice, Withheld
from monitor.core.outbox import UNDATED, WAITING, Letter, State
from monitor.core.outcome import Happening
from monitor.core.told import Told, told_from_json, told_to_json
from monitor.store.rows import UNREADABLE, Row, Stored, dumps, instant, micros


def told_row(effect: Informed) -> Row:
    """Who was told what of an incident, and when the next of them is to hear more."""
    return {
        "incident": effect.incident,
        "due_at": None if effect.told.due_at is None else micros(effect.told.due_at),
        "document": dumps(told_to_json(effect.told)),
    }


def told_of(row: Stored) -> Told:
    """The inverse of `told_row`, to the millisecond."""
    return told_from_json(json.loads(row["document"]))


def digest_row(effect: Gathered) -> Row:
    """What a channel is to hear in one message."""
    return {"channel": effect.channel, "document": dumps(digest_to_json(effect.digest))}


def digest_of(row: Stored) -> Digest:
    """The inverse of `digest_row`, to the millisecond."""
    return digest_from_json(json.loads(row["document"]))


def happening_row(effect: Happened) -> Row:
    """An event; with the incident as it was then, where anybody is told of it."""
    withheld = [[one.module, one.why] for one in effect.said if isinstance(one, Withheld)]
    told = any(isinstance(one, Notice) for one in effect.said)
    return {
        "incident": effect.incident.id,
        "seq": effect.seq,
        "event": effect.event,
        "at": micros(effect.at),
        "withheld": dumps(withheld),
        "document": dumps(incident_to_json(effect.incident)) if told else None,
    }


def happening_of(row: Stored) -> Happening:
    """The event of a row."""
    withheld = tuple((module, why) for module, why in json.loads(row["withheld"]))
    return Happening(row["incident"], row["seq"], row["event"], instant(row["at"]), withheld)


def snapshot_of(row: Stored) -> Incident | None:
    """The incident as it was at an event, where it was kept."""
    return None if row["document"] is None else incident_from_json(json.loads(row["document"]))


def letter_row(letter: Letter, token: str | None = None) -> Row:
    """A letter, and whose claim it is under."""
    row: Row = {name: getattr(letter, name) for name in _PLAIN}
    row |= {name: _micros(getattr(letter, name)) for name in _MOMENTS}
    return row | {"state": letter.state.value, "claim_token": token}


def taken_row(letter: Letter, token: str) -> Row:
    """What changes in a letter that is told with another one, under that one's claim."""
    names = ("claimed_until", "tried_at")
    return {name: _micros(getattr(letter, name)) for name in names} | {
        "state": State.SENDING.value,
        "claim_token": token,
    }


FREE: Row = {"state": State.PENDING.value, "claimed_until": None, "claim_token": None}  # what changes in one given back


def letter_of(row: Stored) -> Letter:
    """The inverse of `letter_row`. Raises one of UNREADABLE."""
    return Letter(**{name: read(row[name]) for name, read in _FIELDS.items()})


def found_letter(row: Stored) -> Letter:
    """As `letter_of`; of a row that cannot be read the letter is dead, and made of what is left."""
    try:
        return letter_of(row)
    except UNREADABLE:
        return _remains(row)


def _remains(row: Stored) -> Letter:
    found, wrong = Letter("unknown", 0, "unknown", "unknown", "unknown", UNDATED, state=State.DEAD), list[str]()
    for name, read in _FIELDS.items():
        try:
            found = replace(found, **{name: read(row[name])})
        except UNREADABLE:
            wrong.append(f"{name} is {row[name]!r:.40}")
    reason = (
        f"its row in the database cannot be read ({', '.join(wrong)}); `monitor db check` shows what else is damaged"
    )
    return replace(found, state=State.DEAD if found.state in WAITING else found.state, last_error=reason)


def _plain(kind: type | UnionType) -> Callable[[Any], Any]:
    """Reads what is stored as it is. SQLite keeps in a column whatever it is given, and a bit makes bytes of a text."""

    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"{value!r:.40} is no {kind}")
        return value

    return read


def _moment(value: Any) -> datetime | None:
    return None if value is None else instant(value)


_PLAIN = {
    "incident": _plain(str),
    "seq": _plain(int),
    "channel": _plain(str),
    "event": _plain(str),
    "why": _plain(str),
    "opens": _plain(bool),
    "page": _plain(bool),
    "attempts": _plain(int),
    "last_error": _plain(str | None),
    "external": _plain(str | None),
}
_MOMENTS = {"at": instant, **dict.fromkeys(("next_at", "claimed_until", "settled_at", "tried_at"), _moment)}
_FIELDS: dict[str, Callable[[Any], Any]] = {**_PLAIN, **_MOMENTS, "state": State}


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)
