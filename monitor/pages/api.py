"""Our own JSON: what Statuspage v2 has no words for, above all causes. Every key is always there, unknown is null.

`status.json` carries the moment it was made and `uptime.json` the minute; the files of single modules and incidents
carry neither, so they change only when what they tell does, and a publication writes only those.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from monitor.core.alias import aliases_of
from monitor.core.announcement import work_object
from monitor.core.availability import PLATFORM, Subject
from monitor.core.observation import stamp
from monitor.core.statement import incident_object, latency_object, module_object, uptime_object
from monitor.core.text import Text, in_language
from monitor.core.uptime import Day
from monitor.core.wording import Sentence
from monitor.pages.cells import cell, given_by, key_of
from monitor.pages.facts import Facts
from monitor.pages.found import Content, Key
from monitor.pages.news import newest
from monitor.pages.picture import Picture
from monitor.pages.plain import json_bytes, json_text
from monitor.pages.translate import Speech

__all__ = ["api_files", "incident_object", "latency_object", "module_object"]

NEWEST = 200

Object = dict[str, Any]


def api_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Every file below `/api/v1/`."""
    return picture.cells.only(Own(Facts(picture), speech).lay)


def joined(body: Object, **lists: Content) -> Content:
    """An object as JSON, with lists at its end that are JSON already."""
    parts, before = [], json_text(body)[:-1]
    for name, inside in lists.items():
        comma = "" if before == "{" else ","
        parts += [f'{before}{comma}"{name}":['.encode("utf-8", "replace"), inside]
        before = "]"
    return Content.of(*parts, f"{before}}}".encode("utf-8", "replace"))


def listed(texts: Iterable[str]) -> Content:
    """What stands between the brackets of a list."""
    return Content(",".join(texts).encode("utf-8", "replace"))


class Own:
    """The objects and files of single things, as cells."""

    name = "api/v1"

    def __init__(self, facts: Facts, speech: Speech) -> None:
        self.facts = facts
        self.speech = speech
        self.cells = facts.cells
        self.cells.belong_to(self)

    def lay(self) -> None:
        """Lays them down."""
        cells, seen = self.cells, self.facts.seen
        cells.list("api/v1", self.paths())
        cells.put("api/v1/status.json", joined(_status(seen, self.speech), modules=self.modules()))

    def names(self, text: Text) -> dict[str, str]:
        """A text in every language of the site."""
        return {language: in_language(text, language) for language in self.speech.languages}

    @cell
    def paths(self) -> dict[str, Key]:
        """The files that are cells."""
        facts = self.facts
        files = {
            "uptime": key_of(Own.uptime, self),
            "incidents": key_of(Own.newest, self),
            "maintenance": key_of(Own.maintenance, self),
        }
        files |= {f"incidents/{id}": key_of(Own.incident_file, self, id) for id in facts.incidents}
        files |= {f"modules/{id}": key_of(Own.module_file, self, id) for id in facts.modules}
        old = aliases_of(facts.platform)
        files |= {f"modules/{alias}": key_of(Own.module_file, self, id, alias) for alias, id in old.items()}
        return {f"api/v1/{name}.json": key for name, key in files.items()}

    @cell
    def uptime(self) -> bytes:
        """The figures of everything."""
        return joined(_uptime(self), components=self.components(), modules=self.module_figures())

    @cell
    def incident(self, id: str) -> str:
        """An incident, whole, as JSON."""
        return json_text(incident_object(self.facts.incident(id), self.facts.platform, self.speech, public=True))

    @cell
    def incident_file(self, id: str) -> bytes:
        """An incident's own file."""
        return self.incident(id).encode("utf-8", "replace")

    @cell
    def newest(self) -> bytes:
        """The newest incidents."""
        told = newest(list(self.facts.incidents.values()), NEWEST)
        return joined({}, incidents=listed(self.incident(one.id) for one in told))

    @cell
    def maintenance(self) -> bytes:
        """All planned work that has a page."""
        return json_bytes({"maintenances": [self.work(id) for id in self.facts.works]})

    @cell
    def work(self, id: str) -> Object:
        """Planned work, whole."""
        return work_object(self.facts.work(id), self.facts.platform, self.speech)

    @cell
    def module(self, id: str) -> Object:
        """A module as it is now."""
        return {**self._module(id), "incident": self.facts.own_incident_of(id), "uptime": self._figures(id)}

    @given_by("module")
    def _module(self, id: str) -> Object:
        seen = self.facts.seen
        return module_object(id, seen.board, seen.history, {}, (), self.names)

    @cell
    def modules(self) -> Content:
        """All of them as JSON, without the brackets of a list."""
        return listed(map(self._module_text, self.facts.modules))

    @cell
    def _module_text(self, id: str) -> str:
        return json_text(self.module(id))

    @cell
    def module_figures(self) -> Content:
        """What is told of modules beside their figures, in the same form."""
        return listed(map(self._figures_text, self.facts.modules))

    @cell
    def _figures_text(self, id: str) -> str:
        name = self.names(self.facts.platform.modules[id].name)
        return json_text({"id": id, "name": name, "uptime": self._figures(id)})

    @cell
    def components(self) -> Content:
        """All components, in the same form."""
        return listed(map(self._component_text, self.facts.components))

    @cell
    def _figures(self, id: str) -> Object:
        return {window: uptime_object(figure) for window, figure in self.facts.uptime[id].items()}

    @cell
    def together(self, subject: Subject) -> Object:
        """The figures of a group or of the platform."""
        return {window: uptime_object(one) for window, one in self.facts.uptime_together(subject).items()}

    @cell
    def module_file(self, id: str, old: str = "") -> bytes:
        """A module's own file, also for whoever knows it by an `old` id."""
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
    def _component_text(self, id: str) -> str:
        """A component with its figures and days."""
        facts = self.facts.components[id]
        return json_text(
            {
                "id": id,
                "name": self.names(facts.component.name),
                "modules": list(facts.component.modules),
                "uptime": {window: uptime_object(figure) for window, figure in facts.uptime.items()},
                "days": [_day(day) for day in facts.days],
            }
        )


def _status(picture: Picture, speech: Speech) -> Object:
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
    }


def _uptime(own: Own) -> Object:
    facts = own.facts
    return {
        "generated_at": stamp(facts.minute()),
        "timezone": facts.site.timezone,
        "overall": own.together(PLATFORM),
        "groups": [
            {"id": one.id, "name": own.names(one.name), "uptime": own.together(Subject("group", one.id))}
            for one in facts.platform.groups
        ],
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
