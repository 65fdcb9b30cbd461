"""Alertmanager: one alert per incident, in its API v2, whose labels come from closed sets.

Alertmanager knows an alert by its labels. When a cause or a priority changes the alert becomes another one, and the one
that was told before ends in the same request. An alert that nobody repeats resolves at its `endsAt`: each notice of an
incident, reminders too, sets it anew, `expires` from now.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from yarl import URL

from monitor.notify import receiver
from monitor.notify.channel import Message
from monitor.notify.content import (
    body_of,
    cause_of,
    incident_of,
    key_of,
    line,
    links_of,
    module_of,
    moment,
    priority_of,
    subject_of,
)
from monitor.notify.receiver import Receiver, sent

NAME = {"test": "VtexMonitorTest", "summary": "VtexMonitorSummary"}
INCIDENT = "VtexIncident"
PASSING = timedelta(minutes=5)  # how long what is about no incident stands
REMEMBERED = 1000  # incidents whose labels are kept


class Section(receiver.Section, Protocol):
    """What the configuration says of it."""

    headers: Mapping[str, str]
    labels: Mapping[str, str]
    expires: timedelta


class Alertmanager:
    """Posts to one Alertmanager."""

    def __init__(self, section: Section) -> None:
        self._url = URL(section.url) / "api/v2/alerts"
        self._headers = sent(section.headers)
        self._labels = section.labels
        self._expires = section.expires
        self._receiver = Receiver(section)
        self._told: dict[str, dict[str, str]] = {}

    async def deliver(self, message: Message) -> str | None:
        """Posts the alert as it is now, and the end of what it was before. Gives its labels, as JSON: what the service
        knows it by."""
        now, key = datetime.now(UTC), key_of(message)
        labels = {**self._labels, **labels_of(message)}
        about = bool(incident_of(message))
        over = message.event == "resolved" or (message.event == "summary" and about)
        alert = {
            "labels": labels,
            "annotations": _annotations(message),
            **_span(message, now, now if over else now + (self._expires if about else PASSING)),
            **_generator(message),
        }
        before = self._told.get(key) or _read(message.external)
        ended = {**alert, "labels": before, **_span(message, now, now)} if before and before != labels else None
        await self._receiver.post(self._url, [alert, *([ended] if ended else [])], self._headers)
        if not about:
            return None
        self._told.pop(key, None)
        if not over:
            self._told[key] = labels
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return json.dumps(labels, sort_keys=True)

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()


def labels_of(message: Message) -> dict[str, str]:
    """What routes and inhibitions can match; a label without a value is left out, as Alertmanager would."""
    cause, incident = cause_of(message), incident_of(message)
    found = {
        "alertname": NAME.get(message.event, INCIDENT),
        "incident": incident.get("id"),
        "module": module_of(message),
        "code": cause.get("code"),
        "class": cause.get("class"),
        "priority": priority_of(message),
    }
    return {name: text for name, value in found.items() if (text := line(value, 200))}


def _annotations(message: Message) -> dict[str, str]:
    links = links_of(message)
    found: dict[str, str] = {
        "summary": subject_of(message, 500),
        "description": body_of(message, 8000),
        "event": message.event,
        "acknowledged_at": line(incident_of(message).get("acknowledged_at"), 40),
        **{name: links[name] for name in ("page", "runbook") if name in links},
    }
    return {name: value for name, value in found.items() if value}


def _generator(message: Message) -> dict[str, str]:
    links = links_of(message)
    address = links.get("dashboard") or links.get("page")
    return {"generatorURL": address} if address else {}


def _span(message: Message, now: datetime, end: datetime) -> dict[str, str]:
    """From when to when. A beginning that is not before the end would be refused."""
    started = moment(incident_of(message).get("started_at"))
    start = min(datetime.fromisoformat(started) if started else now, end - timedelta(seconds=1)).astimezone(UTC)
    return {"startsAt": start.isoformat(timespec="milliseconds"), "endsAt": end.isoformat(timespec="milliseconds")}


def _read(external: str | None) -> dict[str, str]:
    """Labels from what the channel gave for an incident before; none from anything else."""
    with suppress(ValueError, RecursionError):
        found = json.loads(external or "{}")
        if isinstance(found, dict) and all(isinstance(one, str) for one in found.values()):
            return found
    return {}
