"""Statuspage v2: the eight files that widgets, bots and other status tools already know how to read.

All of them are cut from one `summary`, so no two can disagree. Texts stand in English where the site speaks it, else
in its default language: readers of these files expect one language and mostly that one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from html import escape
from typing import Any

from monitor.core.identity import stable_id
from monitor.core.incident import Incident, Stage, Update
from monitor.core.module import Component, Status
from monitor.core.observation import stamp
from monitor.core.rollup import RANK, ComponentStatus, active_impacts, top_level, worst
from monitor.core.text import in_language
from monitor.core.wording import Sentence, title, update_body
from monitor.pages.affected import chain
from monitor.pages.cells import cell, given, given_by, key_of
from monitor.pages.found import Key
from monitor.pages.news import announced, blindness_told, long_blind_since, newest, updated_at
from monitor.pages.picture import Picture
from monitor.pages.plain import json_bytes
from monitor.pages.scheduled import scheduled_files
from monitor.pages.translate import Speech
from monitor.pages.works import past, with_pages

NEWEST = 50
TOLD = {"opened", "worsened", "reopened", "resolved"}  # kinds of updates that subscribers are told of

Object = dict[str, Any]


def statuspage_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """The eight files. None at all while nothing is known: the vocabulary has no word for that but "operational"."""
    return picture.cells.only(Statuspage(picture, speech).lay)


class Statuspage:
    """The eight files, as cells."""

    name = "api/v2"

    def __init__(self, picture: Picture, speech: Speech) -> None:
        self._picture = picture
        self._speech = speech
        self.cells = picture.cells
        self.cells.belong_to(self)

    def lay(self) -> None:
        """Lays them down."""
        self.cells.list("api/v2", self.paths())

    @cell
    def paths(self) -> dict[str, Key]:
        """All of them, or none."""
        return {name: key_of(Statuspage.file, self, name) for name in self.files()}

    @cell
    def file(self, name: str) -> bytes:
        """One of them."""
        return self.files()[name]

    @cell
    def files(self) -> dict[str, bytes]:
        """What they hold."""
        self.inputs()
        return _files(_Page(self._picture, self._speech, self.full_names(), self.updates))

    @given
    def inputs(self) -> tuple[object, ...]:
        """All that they are made from."""
        seen = self._picture
        board, history = seen.board, seen.history
        return (
            (seen.confirmed(), seen.last_known(), seen.monitor(), long_blind_since(seen), board.planned),
            (board.modules, board.incidents, history.incidents, history.transitions, history.gaps),
            (seen.works, past(seen)),
        )

    # --- what is told of an incident, which stays while nothing more is

    @given_by("incident")
    def incident(self, id: str) -> Incident:
        """One of them."""
        return self._picture.known[id]

    @given_by("standing")
    def known(self) -> frozenset[str]:
        """The modules that have a status."""
        return frozenset(id for id, status in self._picture.confirmed().items() if status is not Status.UNKNOWN)

    @given_by("standing")
    def shown(self) -> frozenset[str]:
        """The components of which something is known."""
        return frozenset(self._picture.last_known())

    @cell
    def full_names(self) -> dict[str, str]:
        """`Group - Member`, as updates name components."""
        language = language_of(self._speech)
        return {
            one.id: f"{in_language(group.name, language)} - {in_language(one.name, language)}"
            for group in self._picture.board.platform.groups
            for one in group.components
        }

    @cell
    def updates(self, id: str) -> list[Object]:
        """Its updates, the newest first."""
        incident = self.incident(id)
        touched = chain(incident, self._picture.board.platform, dict.fromkeys(self.known(), Status.UP))
        told = [
            self._update(number, update, incident, touched[number - 1] if touched else {})
            for number, update in enumerate(updates_of(incident), 1)
        ]
        return told[::-1]

    def _update(
        self,
        number: int,
        update: Update,
        incident: Incident,
        touched: Mapping[str, tuple[ComponentStatus, ComponentStatus]],
    ) -> Object:
        said = update_body(update, incident, self._picture.board.platform)
        body, at = self._speech.say(language_of(self._speech), said), stamp(update.at)
        shown, names = self.shown(), self.full_names()
        affected = [
            {
                "code": stable_id(f"component:{id}"),
                "name": names[id],
                "old_status": before.value,
                "new_status": after.value,
            }
            for id, (before, after) in touched.items()
            if id in shown
        ]
        return {
            "id": stable_id(f"update:{incident.key}:{number}"),
            "status": update.stage.value,
            "body": "<br />".join(escape(body).splitlines()),
            "incident_id": incident.id,
            "created_at": at,
            "updated_at": stamp(update.updated_at or update.at),
            "display_at": at,
            "affected_components": affected or None,
            "deliver_notifications": update.author != "monitor" or update.kind in TOLD,
            "custom_tweet": None,
            "tweet_id": None,
        }


def updates_of(incident: Incident) -> Sequence[Update]:
    """What was said of an incident, and where nothing was that it began."""
    return incident.updates or (Update(incident.detected_at, incident.stage, "opened"),)


def _files(page: "_Page") -> dict[str, bytes]:
    if not page.statuses:
        return {}
    unresolved = [one for one in page.incidents if one["status"] in ("investigating", "identified", "monitoring")]
    verdict = page.verdict
    planned = scheduled_files(page.picture, page.say, page.page["id"], page.by_id, page.full_names)
    files: dict[str, Object] = {
        "summary": {
            "components": page.components,
            "incidents": unresolved,
            "scheduled_maintenances": planned.pop(""),
            "status": verdict,
        },
        "status": {"status": verdict},
        "components": {"components": page.components},
        "incidents": {"incidents": page.incidents},
        "incidents/unresolved": {"incidents": unresolved},
        **{name: {"scheduled_maintenances": found} for name, found in planned.items()},
    }
    return {f"api/v2/{name}.json": json_bytes({"page": page.page, **body}) for name, body in files.items()}


def language_of(speech: Speech) -> str:
    """The one language of these files."""
    english = [tag for tag in speech.languages if tag.partition("-")[0] == "en"]
    return english[0] if english else speech.default


@dataclass(frozen=True)
class _Page:
    """Everything the files hold, worked out once."""

    picture: Picture
    speech: Speech
    full_names: Mapping[str, str]
    updates: Callable[[str], list[Object]]

    @cached_property
    def language(self) -> str:
        return language_of(self.speech)

    def say(self, sentence: Sentence) -> str:
        """A sentence in that language."""
        return self.speech.say(self.language, sentence)

    @cached_property
    def statuses(self) -> dict[str, ComponentStatus]:
        """Components of which something is known, in page order."""
        return self.picture.last_known()

    @cached_property
    def everything(self) -> list[Incident]:
        return announced(self.picture)

    @cached_property
    def page(self) -> Object:
        site = self.picture.site
        return {
            "id": stable_id(f"page:{site.url}"),
            "name": site.name,
            "url": site.url,
            "time_zone": "Etc/UTC",
            "updated_at": stamp(self.changed_at),
        }

    @cached_property
    def changed_at(self) -> datetime:
        """When what stands in these files last changed, which is not when they were last written."""
        history = self.picture.history
        moments = [self._dates(self.picture.board.platform.components[id])[1] for id in self.statuses]
        moments += [updated_at(one) for one in self.everything]
        moments += [one.updated_at for one in with_pages(self.picture)]
        moments += blindness_told(self.picture)
        for id, component in self.picture.board.platform.components.items():
            if id not in self.statuses:  # left out since nothing is known of it any more
                moments += [moved[-1].at for one in component.modules if (moved := history.transitions.get(one))]
        return max(moments)

    @cached_property
    def verdict(self) -> Object:
        """The one-line verdict. A monitor that has been blind for long never lets "all is well" stand."""
        impacts = active_impacts(self.everything)
        indicator, description = top_level(list(self.statuses.values()), impacts)
        if long_blind_since(self.picture) is not None:
            fine = indicator in ("none", "maintenance")
            description = (
                "Monitoring Interrupted, Last Known Status Shown"
                if fine
                else (f"{description} (Monitoring Interrupted, Last Known Status)")
            )
            indicator = max(indicator, "minor", key=RANK.index)
        return {"indicator": indicator, "description": description}

    # --- components

    @cached_property
    def components(self) -> list[Object]:
        """Flat, each group followed by its members. Places count what is configured, so a gap moves nobody."""
        found: list[Object] = []
        for position, group in enumerate(self.picture.board.platform.groups, 1):
            members = [
                self._component(place, one, stable_id(f"group:{group.id}"))
                for place, one in enumerate(group.components, 1)
                if one.id in self.statuses
            ]
            if members:
                found += [self._group(position, group.id, in_language(group.name, self.language), members), *members]
        return found

    @cached_property
    def by_id(self) -> dict[str, Object]:
        return {one["id"]: one for one in self.components}

    def _group(self, position: int, id: str, name: str, members: Sequence[Object]) -> Object:
        return {
            "id": stable_id(f"group:{id}"),
            "name": name,
            "status": worst(ComponentStatus(one["status"]) for one in members).value,
            "created_at": min(one["created_at"] for one in members),
            "updated_at": max(one["updated_at"] for one in members),
            "position": position,
            "description": None,
            "showcase": False,
            "start_date": None,
            "group_id": None,
            "page_id": self.page["id"],
            "group": True,
            "only_show_if_degraded": False,
            "components": [one["id"] for one in members],
        }

    def _component(self, position: int, component: Component, group: str) -> Object:
        created, updated = self._dates(component)
        return {
            "id": stable_id(f"component:{component.id}"),
            "name": in_language(component.name, self.language),
            "status": self.statuses[component.id].value,
            "created_at": stamp(created),
            "updated_at": stamp(updated),
            "position": position,
            "description": in_language(component.description, self.language) or None,
            "showcase": True,
            "start_date": created.date().isoformat(),
            "group_id": group,
            "page_id": self.page["id"],
            "group": False,
            "only_show_if_degraded": False,
        }

    def _dates(self, component: Component) -> tuple[datetime, datetime]:
        """Since when a component is known, and when its status last changed."""
        began, before, changed = self.picture.moves_of_component(component.id)
        conditions = [self.picture.board.modules[id] for id in component.modules if id in self.picture.board.modules]
        since = [condition.since for condition in conditions if condition.status is not Status.UNKNOWN]
        since = since or [condition.since for condition in conditions]
        created = min(filter(None, [began, *since]))
        if changed is None or before is not self.statuses[component.id]:  # the board is ahead of what was stored
            changed = max(since, default=created)
        ids = component.modules
        touched = [one for one in self.picture.works if any(one.concerns(id) for id in ids)]
        begun = [at for one in touched for at in (one.started_at, one.ended_at) if at is not None]
        return created, max([created, changed, *begun])

    # --- incidents

    @cached_property
    def incidents(self) -> list[Object]:
        return [self._incident(one) for one in newest(self.everything, NEWEST)]

    def _incident(self, incident: Incident) -> Object:
        platform = self.picture.board.platform
        updates = updates_of(incident)
        watched = next((update.at for update in updates if update.stage is Stage.MONITORING), None)
        return {
            "id": incident.id,
            "name": self.speech.say(self.language, title(incident, platform)),
            "status": updates[-1].stage.value,
            "created_at": stamp(incident.detected_at),
            "updated_at": stamp(updated_at(incident)),
            "monitoring_at": stamp(watched),
            "resolved_at": stamp(incident.resolved_at),
            "impact": incident.impact,
            "shortlink": f"{self.picture.site.url}/incidents/{incident.id}/",
            "started_at": stamp(incident.started_at),
            "page_id": self.page["id"],
            "incident_updates": self.updates(incident.id),
            "components": [
                self.by_id[id]
                for id in (stable_id(f"component:{one}") for one in incident.components)
                if id in self.by_id
            ],
            "reminder_intervals": None,
        }
