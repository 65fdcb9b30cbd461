"""Rows: what is stored as flat rows, and back. Every store uses these, so all of them remember the same.

Instants are whole microseconds since 1970, exact in every database. What is only read whole is one JSON document.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from monitor.core.board import Condition, Version
from monitor.core.codes import Blame
from monitor.core.detector import Transition
from monitor.core.effect import Gap, Heard, Keep, Marked, Remember, Repeated, Settled, Versioned
from monitor.core.entry import Entry
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Incident, incident_from_json, incident_to_json
from monitor.core.maintenance import (
    Maintenance,
    Window,
    maintenance_from_json,
    maintenance_to_json,
    window_from_json,
    window_to_json,
)
from monitor.core.memo import track_from_json, track_to_json
from monitor.core.module import Status
from monitor.core.observation import Observation, observation_from_json, observation_to_json, stamp
from monitor.core.series import Bin
from monitor.core.silence import Silence, silence_from_json, silence_to_json
from monitor.core.track import Track
from monitor.store.rollup import Rollup

Row = dict[str, Any]


class Stored(Protocol):
    """A row as a database gives it back, whatever it is made of."""

    def __getitem__(self, name: str, /) -> Any: ...


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What comes of reading a row that cannot be what we wrote.
UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AssertionError, AttributeError)
FORGOTTEN = timedelta(days=90)  # how far an agent that brought nothing for so long had come
NOBODY = ""  # the module of a canary's run, the probe of a module's own condition: NULL is never unique
_IN_COLUMNS = ("at", "module", "probe", "location", "duration")


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    since = moment - EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def instant(value: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def _micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def _instant_or_none(value: int | None) -> datetime | None:
    return None if value is None else instant(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def dumps(document: Any) -> str:
    """JSON as short as it gets; ASCII only, because PostgreSQL refuses U+0000 and lone surrogates in text."""
    return _encode(document)


def observation_row(keep: Keep) -> Row:
    """A judged run. The body of a passed one is not kept: nobody will ask why it passed."""
    observation, result = keep.observation, keep.result
    document = observation_to_json(observation)
    for name in _IN_COLUMNS:
        del document[name]
    for answer in (document, *(document["steps"] or ())) if result.outcome is Outcome.PASSED else ():
        if answer.get("http") is not None:
            answer["http"]["excerpt"] = None
    for name in ("http", "certificate"):
        if document[name] is not None:
            document[name] = {key: value for key, value in document[name].items() if value is not None}
    document["scheduled_at"] = micros(observation.scheduled_at)
    document["reasons"] = list(result.reasons)
    document["edge_only"] = result.edge_only or None
    optional = ("phases", "values", "reasons")
    document = {
        name: value for name, value in document.items() if value or (value is not None and name not in optional)
    }
    return figures_row(keep) | {
        "outcome": result.outcome.value,
        "code": result.code,
        "blame": None if result.blame is None else result.blame.value,
        "discarded": keep.discarded,
        "document": dumps(document),
    }


def figures_row(keep: Keep) -> Row:
    """What is never the same in two runs."""
    observation = keep.observation
    return {
        "at": micros(observation.at),
        "module": observation.module or NOBODY,
        "probe": observation.probe,
        "location": observation.location,
        "duration": float(observation.duration),
    }


def document_of(row: Stored) -> dict[str, Any]:
    """The document of a run: text, or read already."""
    document = row["document"]
    return dict(json.loads(document) if isinstance(document, str) else document)


def observation_of(row: Stored) -> tuple[Observation, Result]:
    """The inverse of `observation_row`, but for the body of a passed run."""
    document = document_of(row)
    at, scheduled_at = instant(row["at"]), instant(document.pop("scheduled_at"))
    reasons, edge_only = tuple(document.pop("reasons", ())), document.pop("edge_only", False)
    names = {"at": stamp(at), "module": row["module"] or None, "probe": row["probe"], "location": row["location"]}
    observation = replace(
        observation_from_json(document | names), at=at, scheduled_at=scheduled_at, duration=row["duration"]
    )
    blame = None if row["blame"] is None else Blame(row["blame"])
    return observation, Result(Outcome(row["outcome"]), row["code"], blame, reasons, edge_only)


def track_row(effect: Remember) -> Row:
    """A track; its document is None when it is to be forgotten."""
    document = None if effect.track is None else dumps(track_to_json(effect.track))
    return {"module": effect.module, "probe": effect.probe, "location": effect.location, "document": document}


def track_of(row: Stored) -> Track:
    """The track of a row."""
    return track_from_json(json.loads(row["document"]))


def condition_row(effect: Settled) -> Row:
    """The condition of a probe, or of a module where `probe` is NOBODY."""
    condition = effect.condition
    return {
        "module": effect.module,
        "probe": effect.probe or NOBODY,
        "status": condition.status.value,
        "since": micros(condition.since),
    }


def condition_of(row: Stored) -> Condition:
    """The condition of a row."""
    return Condition(Status(row["status"]), instant(row["since"]))


def transition_row(transition: Transition) -> Row:
    """A change of status."""
    return {
        "module": transition.module,
        "since": micros(transition.since),
        "at": micros(transition.at),
        "before": transition.before.value,
        "after": transition.after.value,
    }


def transition_of(row: Stored) -> Transition:
    """The inverse of `transition_row`."""
    before, after = Status(row["before"]), Status(row["after"])
    return Transition(row["module"], before, after, instant(row["at"]), instant(row["since"]))


def incident_row(incident: Incident) -> Row:
    """An incident whole, and beside the document what it is looked up by."""
    return {
        "id": incident.id,
        "key": incident.key,
        "stage": incident.stage.value,
        "started_at": micros(incident.started_at),
        "resolved_at": _micros_or_none(incident.resolved_at),
        "document": dumps(incident_to_json(incident)),
    }


def incident_of(row: Stored) -> Incident:
    """The inverse of `incident_row`, to the millisecond."""
    return incident_from_json(json.loads(row["document"]))


def version_row(effect: Versioned) -> Row:
    """A version of an application, from its first answer on."""
    version = effect.version
    return {
        "module": effect.module,
        "probe": effect.probe,
        "since": micros(version.since),
        "name": version.name,
        "before": version.before,
    }


def version_of(row: Stored) -> Version:
    """The version of a row."""
    return Version(row["name"], instant(row["since"]), row["before"])


def call_row(effect: Heard) -> Row:
    """The last call of a heartbeat; its moment is None when it is to be forgotten."""
    return {"module": effect.module, "probe": effect.probe, "at": _micros_or_none(effect.at)}


def call_of(row: Stored) -> datetime:
    """The moment of a row."""
    return instant(row["at"])


def maintenance_row(work: Maintenance) -> Row:
    """Planned work whole, and beside the document what it is looked up by."""
    return {
        "id": work.id,
        "key": work.key,
        "stage": work.stage.value,
        "planned_from": micros(work.planned_from),
        "over_at": _micros_or_none(work.over_at),
        "document": dumps(maintenance_to_json(work)),
    }


def maintenance_of(row: Stored) -> Maintenance:
    """The inverse of `maintenance_row`, to the millisecond."""
    return maintenance_from_json(json.loads(row["document"]))


def window_row(effect: Repeated) -> Row:
    """A window that repeats; its document is None when it is to be forgotten."""
    return {"id": effect.id, "document": None if effect.window is None else dumps(window_to_json(effect.window))}


def window_of(row: Stored) -> Window:
    """The window of a row."""
    return window_from_json(json.loads(row["document"]))


def silence_row(silence: Silence) -> Row:
    """A silence whole, and beside the document what it is looked up by."""
    return {
        "id": silence.id,
        "begins": micros(silence.begins),
        "ended_at": _micros_or_none(silence.ended_at),
        "document": dumps(silence_to_json(silence)),
    }


def silence_of(row: Stored) -> Silence:
    """The inverse of `silence_row`, to the millisecond."""
    return silence_from_json(json.loads(row["document"]))


def gap_row(gap: Gap) -> Row:
    """A time in which a place could not see."""
    return {
        "location": gap.location,
        "since": micros(gap.since),
        "until": _micros_or_none(gap.until),
        "code": gap.code,
    }


def gap_of(row: Stored) -> Gap:
    """The inverse of `gap_row`."""
    return Gap(row["location"], instant(row["since"]), _instant_or_none(row["until"]), row["code"])


def mark_row(marked: Marked) -> Row:
    """How far what an agent brought is stored."""
    return {
        "location": marked.location,
        "agent": marked.agent,
        "epoch": marked.epoch,
        "through": marked.through,
        "at": micros(marked.at),
    }


def entry_row(entry: Entry) -> Row:
    """A line of the audit log."""
    return {
        "key": entry.id,
        "at": micros(entry.at),
        "name": entry.by,
        "how": entry.how,
        "address": entry.address,
        "act": entry.act,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "request": entry.request,
        "digest": entry.digest,
        "document": dumps(entry.detail),
    }


def entry_of(row: Stored) -> Entry:
    """The inverse of `entry_row`."""
    return Entry(
        id=row["key"],
        at=instant(row["at"]),
        by=row["name"],
        how=row["how"],
        address=row["address"],
        act=row["act"],
        subject=row["subject"],
        outcome=row["outcome"],
        detail=json.loads(row["document"]),
        request=row["request"],
        digest=row["digest"],
    )


def rollup_row(rollup: Rollup) -> Row:
    """An hour of a probe."""
    counted = rollup.bin
    return {
        "module": rollup.module,
        "probe": rollup.probe,
        "location": rollup.location,
        "hour": micros(rollup.hour),
        "runs": counted.runs,
        "failed": counted.failed,
        "slow": counted.slow,
        "seconds": float(counted.seconds),
        "buckets": dumps({str(index): count for index, count in sorted(counted.buckets.items())}),
        "timed": counted.timed,
        "phases": dumps({name: round(seconds, 6) for name, seconds in counted.phases.items()}),
    }


def rollup_of(row: Stored) -> Rollup:
    """The inverse of `rollup_row`."""
    return Rollup(row["module"], row["probe"], row["location"], instant(row["hour"]), bin_of(row))


def bin_of(row: Stored) -> Bin:
    """What was counted in the hour of a row."""
    return Bin(
        runs=row["runs"],
        failed=row["failed"],
        slow=row["slow"],
        seconds=row["seconds"],
        buckets={int(index): count for index, count in json.loads(row["buckets"]).items()},
        timed=row["timed"],
        phases=json.loads(row["phases"]),
    )
