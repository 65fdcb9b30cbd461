"""Postal: the rows of the outbox, of the events that are told, and of who was told what; and back."""

import json
from collections.abc import Mapping
from datetime import datetime

from monitor.core.digest import Digest, digest_from_json, digest_to_json
from monitor.core.effect import Gathered, Happened, Informed
from monitor.core.incident import Incident, incident_from_json, incident_to_json
from monitor.core.intent import Notice, Withheld
from monitor.core.outbox import Letter, State
from monitor.core.outcome import Happening
from monitor.core.told import Told, told_from_json, told_to_json
from monitor.store.rows import Row, Stored, dumps, instant, micros


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


def letter_of(row: Mapping[str, object] | Stored) -> Letter:
    """The inverse of `letter_row`."""
    moments = {name: None if row[name] is None else instant(row[name]) for name in _MOMENTS}  # type: ignore[arg-type]
    plain = {name: row[name] for name in _PLAIN}
    return Letter(**plain, **moments, state=State(row["state"]))  # type: ignore[arg-type]


_PLAIN = ("incident", "seq", "channel", "event", "why", "opens", "page", "attempts", "last_error", "external")
_MOMENTS = ("at", "next_at", "claimed_until", "settled_at", "tried_at")


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)
