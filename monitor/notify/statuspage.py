"""Statuspage: a notice as the webhook message that subscribers of a Statuspage get, so that their receivers read us.

It tells of one incident and knows no other, so `page` and the statuses of components say how things are as far as this
one goes. Each component whose status it changes has a message of its own, before that about the incident, as
subscribers of components get them.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from typing import Any

from monitor.core.identity import stable_id
from monitor.core.rollup import PHRASE, ComponentStatus
from monitor.notify.channel import Message, Touched
from monitor.notify.content import (
    Incident,
    body_of,
    in_words,
    incident_of,
    key_of,
    line,
    links_of,
    listed,
    moment,
    subject_of,
)

UNRESOLVED = frozenset({"investigating", "identified", "monitoring"})
SEEN = frozenset({*UNRESOLVED, "resolved", "postmortem"})
TOP = {"none": "All Systems Operational", **PHRASE}


OPERATIONAL = ComponentStatus.OPERATIONAL.value

Statuses = Mapping[str, str]  # of components that are not operational, by id


def bodies(message: Message) -> dict[str, dict[str, Any]]:
    """Every message that leaves for a notice, in order, by what it is known by when it comes twice."""
    event_id, before = line(message.payload.get("event_id"), 255), _read(message.external)
    whole = body(message)
    around = {name: whole[name] for name in ("meta", "page")}
    found = {
        f"{event_id}-{one.id}": {**around, **_changed(one, before.get(one.id, OPERATIONAL), message)}
        for one in message.components
        if one.status != before.get(one.id, OPERATIONAL)
    }
    return {**found, event_id: whole}


def statuses(message: Message) -> str:
    """What is told of components by now, to be given to the next notice of the incident as `external`."""
    left = {one.id: one.status for one in message.components if one.status != OPERATIONAL}
    return json.dumps(left, sort_keys=True)


def _read(external: str | None) -> Statuses:
    with suppress(ValueError, RecursionError):
        found = json.loads(external or "{}")
        if isinstance(found, dict) and all(isinstance(one, str) for one in found.values()):
            return found
    return {}


def _changed(one: Touched, before: str, message: Message) -> dict[str, Any]:
    """`component_update` and `component`. When the component was made is nowhere in a notice: it is told to be as old
    as the incident."""
    id, at = stable_id(f"component:{one.id}"), moment(message.payload.get("at"))
    update = {
        "id": stable_id(f"component_update:{line(message.payload.get('event_id'), 255)}:{one.id}"),
        "component_id": id,
        "created_at": at,
        "old_status": before,
        "new_status": one.status,
    }
    created = moment(incident_of(message).get("started_at")) or at
    name = line(one.name, 255)
    return {
        "component_update": update,
        "component": {"id": id, "name": name, "status": one.status, "created_at": created},
    }


def body(message: Message) -> dict[str, Any]:
    """`meta`, `page` and `incident`, with every key that Statuspage has."""
    incident = incident_of(message)
    site = site_of(message)
    status = status_of(message, incident)
    impact = str(incident.get("impact") or "none")
    indicator = impact if status in UNRESOLVED and impact in TOP else "none"
    page_id = stable_id(f"page:{site}")
    return {
        "meta": {"unsubscribe": None, "documentation": None},
        "page": {"id": page_id, "status_indicator": indicator, "status_description": TOP[indicator]},
        "incident": {
            **_incident(message, incident, status, impact),
            "page_id": page_id,
            "shortlink": links_of(message).get("page", site),
            "backfilled": False,
        },
    }


def site_of(message: Message) -> str:
    """The address of the status page, from that of the incident on it; empty when there is none."""
    site = links_of(message).get("page", "").partition("/incidents/")[0].rstrip("/")
    return site.removesuffix(f"/{message.language}")


def status_of(message: Message, incident: Incident) -> str:
    """The stage of the incident; what is about none is over as soon as it is told."""
    found = str(incident.get("status") or "resolved")
    return "resolved" if message.event == "resolved" or found not in SEEN else found


def _incident(message: Message, incident: Incident, status: str, impact: str) -> dict[str, Any]:
    at = moment(message.payload.get("at"))
    updates: list[Mapping[str, Any]] = sorted(listed(incident.get("updates")), key=lambda one: str(one.get("at")))
    id = str(incident.get("id") or stable_id(key_of(message)))
    told = [_update(number, one, id, message) for number, one in enumerate(updates, 1)]
    if not told or told[-1]["status"] != status:
        update = {"at": at, "status": status, "body": body_of(message, 5000)}
        told.append(_update(len(told) + 1, update, id, message))
    watched = [one["created_at"] for one in told if one["status"] == "monitoring"]
    ended = moment(incident.get("resolved_at")) or (at if status in ("resolved", "postmortem") else None)
    return {
        "id": id,
        "name": line(in_words(incident.get("title"), message.language), 500) or subject_of(message, 500),
        "status": status,
        "created_at": moment(incident.get("detected_at")) or at,
        "updated_at": at,
        "monitoring_at": watched[0] if watched else None,
        "resolved_at": ended,
        "impact": impact,
        "started_at": moment(incident.get("started_at")) or at,
        "incident_updates": told[::-1],
        "components": [],
        "reminder_intervals": None,
    }


def _update(number: int, update: Mapping[str, Any], incident: str, message: Message) -> dict[str, Any]:
    at = moment(update.get("at")) or moment(message.payload.get("at"))
    status = str(update.get("status"))
    return {
        "id": stable_id(f"update:{incident_of(message).get('key') or incident}:{number}"),
        "status": status if status in SEEN else "investigating",
        "body": "<br />".join(escape(in_words(update.get("body"), message.language)).splitlines()),
        "incident_id": incident,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }
