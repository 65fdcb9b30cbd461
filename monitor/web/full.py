"""Full: the copies for operators, with what the public copy leaves out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.module import Module, Platform
from monitor.core.observation import stamp
from monitor.core.outcome import Course, notices_object
from monitor.core.overlay import spans_of, works_of
from monitor.core.rollup import active_impacts, top_level
from monitor.core.selfcheck import self_check
from monitor.core.statement import Speaker, incident_object, incidents_of, module_object, uptimes_of
from monitor.core.text import Text, in_language
from monitor.core.wording import Sentence

LONGEST = timedelta(days=90)

Object = dict[str, Any]


def full_incidents(
    page: Sequence[Incident],
    platform: Platform,
    speech: Speaker,
    more: str | None,
    courses: Mapping[str, Course] | None = None,
) -> Object:
    """A page of incidents; `more` is where the next one is. `courses`: what was said of them, None while that is not
    known."""
    found = [incident_object(one, platform, speech, public=False) for one in page]
    if courses is not None:
        found = [{**one, "notices": notices_object(courses.get(one["id"], Course()))} for one in found]
    return {"incidents": found, "next": more}


def full_status(
    board: Board,
    history: History,
    speech: Speaker,
    now: datetime,
    health: Mapping[str, Any],
    contradictions: Sequence[Object] = (),
) -> Object:
    """As the public `status.json`; each module carries its probes, with what every place saw last. `health`: how the
    monitor itself is. `contradictions`: what in the last publication does not hold together."""
    incidents = incidents_of(board, history)
    blind = {place: vantage.blind_since for place, vantage in board.vantages.items() if vantage.blind_since}
    state, since, reason = self_check(board)
    seen = [track.last_at for track in board.tracks.values() if track.last_at]
    known = [status for id in board.platform.components if (status := board.component(id)) is not None]
    impacts = active_impacts(incidents)
    indicator, words = top_level(known, impacts) if known or impacts else ("unknown", "Status Unknown")
    return {
        "generated_at": stamp(now),
        "data_until": stamp(max(seen, default=None)),
        "monitor": {
            "status": state,
            "since": stamp(since),
            "reason": reason,
            "blind": {place: stamp(since) for place, since in blind.items()},
            "troubles": {name: health.get(name) for name in ("store", "publication", "configuration")},
            "lag_seconds": health.get("lag"),
            "events_waiting": health.get("events", 0),
            "steps_unwritten": health.get("backlog", 0),
            "signs": [_sign(one) for one in health.get("signs", ())],
        },
        "overall": {"indicator": indicator, "description": speech.every(Sentence(words))},
        "contradictions": list(contradictions),
        "modules": [
            full_module(one, board, history, speech, incidents, now) for one in board.platform.modules.values()
        ],
    }


def _sign(sign: Mapping[str, Any]) -> Object:
    kept = {key: sign[key] for key in ("value", "limit", "unit", "code")}
    return {"id": sign["name"], **kept, "past": sign["value"] > sign["limit"]}


def full_module(
    module: Module, board: Board, history: History, speech: Speaker, incidents: list[Incident], now: datetime
) -> Object:
    """A module as it is now with its probes, and what every place saw last."""
    cut = spans_of(module.id, history, works_of(board, history), now - LONGEST, now, board.platform.weights)
    tags = list(speech.every(Sentence("")))

    def every(text: Text) -> dict[str, str]:
        return {tag: in_language(text, tag) for tag in tags}

    found = module_object(module.id, board, history, uptimes_of(cut, now), incidents, every)
    found["probes"] = [_probe(module, number, board) for number in range(len(module.probes))]
    return found


def _probe(module: Module, number: int, board: Board) -> Object:
    probe = module.probes[number]
    condition = board.probes.get(probe.key)
    return {
        "id": probe.id,
        "kind": probe.kind,
        "role": str(probe.role),
        "instance": probe.instance,
        "off": probe.off,
        "status": "unknown" if condition is None else condition.status.value,
        "since": None if condition is None else stamp(condition.since),
        "locations": [
            {
                "id": place,
                "at": stamp(track.last_at),
                "outcome": None if track.last is None else track.last.outcome.value,
                "code": None if track.last is None else track.last.code,
                "blame": None if track.last is None or track.last.blame is None else track.last.blame.value,
                "reasons": [] if track.last is None else list(track.last.reasons),
            }
            for place, track in board.tracks_of(*probe.key).items()
        ],
    }
