"""Our own JSON: what Statuspage v2 has no words for, above all causes. Every key is always there, unknown is null.

`status.json` and `uptime.json` carry the moment they were made; the files of single modules and incidents do not, so
they change only when what they tell does, and a publication writes only those.
"""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.announcement import work_object
from monitor.core.incident import Incident
from monitor.core.module import Text, in_language
from monitor.core.observation import stamp
from monitor.core.statement import incident_object, latency_object, module_object, uptimes_of
from monitor.core.uptime import Day, Span, days
from monitor.core.wording import Sentence
from monitor.pages.news import incidents_of, newest
from monitor.pages.picture import DAYS, Picture
from monitor.pages.plain import json_bytes
from monitor.pages.translate import Speech
from monitor.pages.works import with_pages

__all__ = ["api_files", "incident_object", "latency_object", "module_object"]

NEWEST = 200

Object = dict[str, Any]


def api_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Every file below `/api/v1/`."""
    incidents = incidents_of(picture)
    objects = {one.id: incident_object(one, picture.board.platform, speech, public=True) for one in incidents}
    modules = {id: _module(id, picture, speech, incidents) for id in picture.board.platform.modules}
    files: dict[str, Object] = {
        "status": _status(picture, speech, modules.values()),
        "incidents": {"incidents": [objects[one.id] for one in newest(incidents, NEWEST)]},
        "uptime": _uptime(picture, speech, modules),
    }
    planned = [work_object(one, picture.board.platform, speech) for one in with_pages(picture)]
    files["maintenance"] = {"maintenances": planned}
    files |= {f"incidents/{id}": one for id, one in objects.items()}
    files |= {f"modules/{id}": _module_file(one, picture, speech, incidents) for id, one in modules.items()}
    return {f"api/v1/{name}.json": json_bytes(body) for name, body in files.items()}


def _names(text: Text, speech: Speech) -> dict[str, str]:
    return {language: in_language(text, language) for language in speech.languages}


def _module(id: str, picture: Picture, speech: Speech, incidents: Iterable[Incident]) -> Object:
    return module_object(
        id,
        picture.board,
        picture.history,
        uptimes_of(picture.spans_of(id), picture.now),
        incidents,
        lambda text: _names(text, speech),
    )


def _status(picture: Picture, speech: Speech, modules: Iterable[Object]) -> Object:
    state, since, reason = picture.monitor()
    indicator, description = picture.overall()
    return {
        "generated_at": stamp(picture.now),
        "data_until": stamp(picture.data_until),
        "monitor": {
            "status": state,
            "since": stamp(since),
            "reason": reason,
        },
        "overall": {"indicator": indicator, "description": speech.every(Sentence(description))},
        "modules": list(modules),
    }


def _module_file(module: Object, picture: Picture, speech: Speech, incidents: Iterable[Incident]) -> Object:
    configured = picture.board.platform.modules[module["id"]]
    latency = picture.history.latency.get(module["id"])
    return {
        **module,
        "description": _names(configured.description, speech),
        "depends_on": [{"module": edge.module, "strength": edge.strength.value} for edge in configured.depends_on],
        "components": list(picture.board.platform.components_of([module["id"]])),
        "priority": configured.priority.value,
        "objective": configured.objective,
        "latency_by_hour": [
            {"at": stamp(at), "p50_ms": round(value, 1)} for at, value in (latency.points if latency else ())
        ],
        "days": _days(picture.spans_of(module["id"]), picture),
        "incidents": [one.id for one in incidents if one.member(module["id"])],
    }


def _uptime(picture: Picture, speech: Speech, modules: dict[str, Object]) -> Object:
    components = []
    for id, component in picture.board.platform.components.items():
        cut = picture.spans_of_component(id)
        components.append(
            {
                "id": id,
                "name": _names(component.name, speech),
                "modules": list(component.modules),
                "uptime": uptimes_of(cut, picture.now),
                "days": _days(cut, picture),
            }
        )
    return {
        "generated_at": stamp(picture.now),
        "timezone": picture.site.timezone,
        "components": components,
        "modules": [{name: one[name] for name in ("id", "name", "uptime")} for one in modules.values()],
    }


def _days(cut: list[Span], picture: Picture) -> list[Object]:
    return [_day(day) for day in days(cut, picture.now, DAYS, ZoneInfo(picture.site.timezone))]


def _day(day: Day) -> Object:
    return {
        "date": day.date.isoformat(),
        "status": day.status.value,
        "down_seconds": round(day.down_seconds),
        "degraded_seconds": round(day.degraded_seconds),
        "excluded_seconds": round(day.excluded_seconds),
        "known": day.known_seconds > 0,
    }
