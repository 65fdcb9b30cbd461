"""Our own JSON: what Statuspage v2 has no words for, above all causes. Every key is always there, unknown is null.

`status.json` and `uptime.json` carry the moment they were made; the files of single modules and incidents do not, so
they change only when what they tell does, and a publication writes only those.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from monitor.core.announcement import work_object
from monitor.core.availability import PLATFORM, Subject
from monitor.core.module import Text, in_language
from monitor.core.observation import stamp
from monitor.core.statement import incident_object, latency_object, module_object, uptime_object
from monitor.core.uptime import Day
from monitor.core.wording import Sentence
from monitor.pages.cells import cell, given
from monitor.pages.facts import Facts
from monitor.pages.news import newest
from monitor.pages.picture import Picture
from monitor.pages.plain import json_bytes
from monitor.pages.translate import Speech

__all__ = ["api_files", "incident_object", "latency_object", "module_object"]

NEWEST = 200

Object = dict[str, Any]


def api_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Every file below `/api/v1/`."""
    own = _Own(Facts(picture), speech)
    facts = own.facts
    files = {
        "status": json_bytes(_status(picture, speech, map(own.module, facts.modules))),
        "incidents": own.newest(),
        "uptime": json_bytes(_uptime(own)),
    }
    files["maintenance"] = json_bytes({"maintenances": [own.work(id) for id in facts.works]})
    files |= {f"incidents/{id}": own.incident_file(id) for id in facts.incidents}
    files |= {f"modules/{id}": own.module_file(id) for id in facts.modules}
    return {f"api/v1/{name}.json": body for name, body in files.items()}


class _Own:
    """The objects and files of single things, as cells."""

    name = "api/v1"

    def __init__(self, facts: Facts, speech: Speech) -> None:
        self.facts = facts
        self.speech = speech
        self.cells = facts.cells
        self.cells.belong_to(self)

    def names(self, text: Text) -> dict[str, str]:
        """A text in every language of the site."""
        return {language: in_language(text, language) for language in self.speech.languages}

    @cell
    def incident(self, id: str) -> Object:
        """An incident, whole."""
        return incident_object(self.facts.incident(id), self.facts.platform, self.speech, public=True)

    @cell
    def incident_file(self, id: str) -> bytes:
        """An incident's own file."""
        return json_bytes(self.incident(id))

    @cell
    def newest(self) -> bytes:
        """The newest incidents."""
        told = newest(list(self.facts.incidents.values()), NEWEST)
        return json_bytes({"incidents": [self.incident(one.id) for one in told]})

    @cell
    def work(self, id: str) -> Object:
        """Planned work, whole."""
        return work_object(self.facts.work(id), self.facts.platform, self.speech)

    @given
    def module(self, id: str) -> Object:
        """A module as it is now."""
        hit = [one for one in self.facts.incidents_of_module(id) if one.is_open]
        seen = self.facts.picture
        return module_object(id, seen.board, seen.history, self._figures(id), hit, self.names)

    @cell
    def _figures(self, id: str) -> Object:
        return {window: uptime_object(figure) for window, figure in self.facts.uptime[id].items()}

    @cell
    def together(self, subject: Subject) -> Object:
        """The figures of a group or of the platform."""
        return {window: uptime_object(one) for window, one in self.facts.uptime_together(subject).items()}

    @cell
    def module_file(self, id: str) -> bytes:
        """A module's own file."""
        facts, module = self.facts, self.facts.platform.modules[id]
        body = {
            **self.module(id),
            "description": self.names(module.description),
            "depends_on": [{"module": edge.module, "strength": edge.strength.value} for edge in module.depends_on],
            "components": list(facts.platform.components_of([id])),
            "priority": module.priority.value,
            "objective": module.objective,
            "latency_by_hour": [
                {"at": stamp(at), "p50_ms": round(value, 1)} for at, value in facts.latency_of(id).points
            ],
            "days": [_day(day) for day in facts.days[id]],
            "incidents": [one.id for one in facts.incidents_of_module(id)],
        }
        return json_bytes(body)

    @cell
    def component(self, id: str) -> Object:
        """A component with its figures and days."""
        facts = self.facts.components[id]
        return {
            "id": id,
            "name": self.names(facts.component.name),
            "modules": list(facts.component.modules),
            "uptime": {window: uptime_object(figure) for window, figure in facts.uptime.items()},
            "days": [_day(day) for day in facts.days],
        }


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


def _uptime(own: _Own) -> Object:
    facts = own.facts
    return {
        "generated_at": stamp(facts.picture.now),
        "timezone": facts.site.timezone,
        "overall": own.together(PLATFORM),
        "groups": [
            {"id": one.id, "name": own.names(one.name), "uptime": own.together(Subject("group", one.id))}
            for one in facts.platform.groups
        ],
        "components": [own.component(id) for id in facts.components],
        "modules": [{name: one[name] for name in ("id", "name", "uptime")} for one in map(own.module, facts.modules)],
    }


@lru_cache(maxsize=4096)
def _day(day: Day) -> Object:
    """Most days of most modules are alike, and one object tells of them all."""
    return {
        "date": day.date.isoformat(),
        "status": day.status.value,
        "down_seconds": round(day.down_seconds),
        "degraded_seconds": round(day.degraded_seconds),
        "excluded_seconds": round(day.excluded_seconds),
        "known": day.coverage > 0,
    }
