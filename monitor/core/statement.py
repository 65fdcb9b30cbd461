"""Statement: incidents and modules as the objects of our own JSON, for the public or for those who run the shop.

The public site and the operators' API tell the same story, so both build their objects here. What only operators may
read is left out of the public copy at this one place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import floor
from typing import Any, Protocol

from monitor.core.board import Board
from monitor.core.expectation import Result, is_slow
from monitor.core.history import History, Latency
from monitor.core.incident import Incident, Lowered
from monitor.core.module import Platform, Status
from monitor.core.observation import stamp
from monitor.core.text import Text
from monitor.core.track import is_bad, is_usable
from monitor.core.uptime import Span, Spent, Uptime, figure, uptime
from monitor.core.wording import Sentence, line, public_summary, summary, title, update_body

WINDOWS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
TRIGGER = ("kind", "module", "from", "to", "at")
REPORTS = ("found", "incident", "url")
PRIVATE_SHARED = ("host", "address")  # kinds of what is shared whose value is an address of the shop's inside


class Speaker(Protocol):
    """Puts sentences to every language of the site."""

    def every(self, sentences: Sentence | Iterable[Sentence]) -> dict[str, str]:
        """The text by language tag."""
        ...


def incidents_of(board: Board, history: History) -> list[Incident]:
    """Every incident, the newest first; what the board knows is newer than what was stored."""
    known = {one.id: one for one in history.incidents}
    known.update(board.incidents)
    return sorted(known.values(), key=lambda one: (one.started_at, one.id), reverse=True)


def incident_object(incident: Incident, platform: Platform, speech: Speaker, public: bool) -> dict[str, Any]:
    """One incident whole. The public copy lacks the detail and probe of evidence, notices, who answered when, and what
    people did by name; a person's summary stands there in place of ours."""
    found: dict[str, Any] = {
        "id": incident.id,
        "key": incident.key,
        "title": speech.every(title(incident, platform)),
        "status": incident.stage.value,
        "impact": incident.impact,
        "priority": incident.priority.value,
        "started_at": stamp(incident.started_at),
        "detected_at": stamp(incident.detected_at),
        "published_at": stamp(incident.published_at),
        "acknowledged_at": stamp(incident.acknowledged_at),
        "resolved_at": stamp(incident.resolved_at),
        "reopened": incident.reopened,
        "origin": "person" if incident.by_hand else "monitor",
        "cause": _cause(incident, platform, speech, public),
        "modules": [
            {
                "id": member.module,
                "role": member.role,
                "status": member.status.value,
                "since": stamp(member.since),
                "until": stamp(member.until),
            }
            for member in incident.members
        ],
        "components": list(incident.components),
        "updates": [
            {
                "at": stamp(update.at),
                "status": update.stage.value,
                "author": "monitor" if update.author == "monitor" else "person",
                "body": speech.every(update_body(update, incident, platform)),
                "updated_at": stamp(update.updated_at),
            }
            for update in incident.updates
        ],
        "notices": None,
    }
    if incident.merged_into is not None:
        found["merged_into"] = incident.merged_into
    if incident.lowered is not None:
        found["lowered"] = _lowered(incident.lowered)
    if public:
        del found["acknowledged_at"], found["notices"]
        return found
    wording = {"title": incident.title, "summary": incident.summary}
    found["wording"] = {name: None if text is None else dict(text) for name, text in wording.items()}
    found["acts"] = [
        {"at": stamp(act.at), "what": act.what, "by": act.by, "detail": dict(act.detail)} for act in incident.acts
    ]
    return found


def _lowered(lowered: Lowered) -> dict[str, Any]:
    return {"at": stamp(lowered.at), "from": lowered.stated.value, "to": lowered.priority.value}


def _cause(incident: Incident, platform: Platform, speech: Speaker, public: bool) -> dict[str, Any]:
    cause = incident.cause
    reports = cause.platform_reports
    return {
        "scope": cause.scope,
        "module": cause.module,
        "candidates": [{"module": one.module, "confidence": one.confidence} for one in cause.candidates],
        "shared": None if cause.shared is None else _shared(cause.shared, public),
        "locations": list(cause.locations),
        "code": cause.code or None,
        "class": str(cause.cls),
        "confidence": cause.confidence,
        "state": cause.state,
        "trigger": None if cause.trigger is None else _picked(TRIGGER, cause.trigger),
        "summary": speech.every(public_summary(incident, platform) if public else summary(incident, platform)),
        **({} if public else {"line": speech.every(line(incident, platform))}),
        "evidence": [
            {"at": stamp(one.at), "module": one.module, "location": one.location, "code": one.code}
            | ({} if public else {"probe": one.probe, "detail": one.detail})
            for one in cause.evidence
        ],
        "platform_reports": None if reports is None else _picked(REPORTS, reports),
    }


def _picked(names: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """These entries and no others, so that nothing gets out by being added elsewhere."""
    return {name: given.get(name) for name in names}


def _shared(shared: Mapping[str, Any], public: bool) -> dict[str, Any]:
    found = _picked(("kind", "value", "modules"), {"kind": "unknown", "modules": [], **shared})
    if public and found["kind"] in PRIVATE_SHARED:
        found["value"] = None
    return found


def uptime_object(one: Uptime) -> dict[str, Any]:
    """One one. Shares keep six decimals, times whole seconds, so that standing still does not look like news."""
    return {
        "ratio": None if one.ratio is None else floored(one.ratio),
        "coverage": floored(one.coverage),
        "down_seconds": round(one.down_seconds),
        "degraded_seconds": round(one.degraded_seconds),
        "excluded_seconds": round(one.excluded_seconds),
    }


def spent_object(time: Spent) -> dict[str, Any]:
    """One figure with all that it comes from."""
    one = figure(time)
    return {
        **uptime_object(one),
        "up_seconds": round(time.up.total_seconds()),
        "unknown_seconds": round(time.unknown.total_seconds()),
        "known_seconds": round(one.known_seconds),
        "lost_seconds": round(one.lost_seconds),
    }


def floored(share: float) -> float:
    """A share to six decimals, never rounded up: what is not whole is not told as 1."""
    return cut_off(share, 6)


def cut_off(share: float, decimals: int) -> float:
    """A share to so many decimals, never rounded up: what is not whole is not told as 1, however little of it lacks."""
    scale: int = 10**decimals
    whole = floor(share * scale + 1e-6)  # 0.29 × 100 is a little less than 29
    return min(whole, scale - 1) / scale if share < 1 else whole / scale


def uptimes_of(cut: Sequence[Span], now: datetime) -> dict[str, dict[str, Any]]:
    """The figure of every window."""
    return {name: uptime_object(uptime(cut, now - length, now)) for name, length in WINDOWS.items()}


def latency_object(latency: Latency) -> dict[str, float | None]:
    """Percentiles of the last 24 h, to a tenth of a millisecond."""
    return {
        name: None if value is None else round(value, 1)
        for name, value in (("p50_ms", latency.p50_ms), ("p95_ms", latency.p95_ms), ("p99_ms", latency.p99_ms))
    }


def seen_from(board: Board, module: str) -> dict[str, Status]:
    """What each place sees of a module, the worst of the probes that decide; unknown where no run tells of the present:
    the place is blind or silent, or its runs stay away."""
    found: dict[str, Status] = {}
    for probe in board.platform.deciding(module):
        for place in probe.locations:
            track = board.tracks.get((module, probe.id, place))
            status = _seen(track.last if track else None)
            found[place] = max(found.get(place, status), status, key=_BADNESS.index)
    return found


def only_cached(board: Board, module: str) -> bool:
    """Whether caches are all that answers for a module now: that proves the edge in front of it and not the module."""
    tracks = [track for probe in board.platform.deciding(module) for track in board.tracks_of(*probe.key).values()]
    results = [track.last for track in tracks if track.last is not None]
    return any(one.edge_only for one in results) and not any(map(is_usable, results))


_BADNESS = (Status.UNKNOWN, Status.UP, Status.DEGRADED, Status.DOWN)


def _seen(result: Result | None) -> Status:
    if result is None or not is_usable(result):
        return Status.UNKNOWN
    if is_bad(result):
        return Status.DOWN
    return Status.DEGRADED if is_slow(result) else Status.UP


def own_incident(module: str, incidents: Iterable[Incident]) -> str | None:
    """The id of the open incident that a module is a member of, of several one that we found ourselves."""
    own_first = sorted(incidents, key=lambda one: one.by_hand)
    return next((one.id for one in own_first if one.is_open and one.member(module)), None)


def module_object(
    id: str,
    board: Board,
    history: History,
    uptimes: Mapping[str, Any],
    incidents: Iterable[Incident],
    every: Callable[[Text], Mapping[str, str]],
) -> dict[str, Any]:
    """One module as it is now. `incidents` are those open; `every` spells a name out in each language."""
    condition = board.modules.get(id)
    return {
        "id": id,
        "name": every(board.platform.modules[id].name),
        "status": board.status(id).value,
        "since": None if condition is None else stamp(condition.since),
        "maintenance": bool(board.agenda.concerning(id)),
        "incident": own_incident(id, incidents),
        "uptime": uptimes,
        "latency": latency_object(history.latency.get(id, Latency())),
        "version": board.version_of(id),
        "locations": [{"id": place, "status": status.value} for place, status in seen_from(board, id).items()],
    }
