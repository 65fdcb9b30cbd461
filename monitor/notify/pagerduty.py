"""PagerDuty: Events v2. One alert per incident, known by our own key: triggered, told again, acknowledged, resolved."""

from typing import Any, Protocol

from yarl import URL

from monitor.notify import receiver
from monitor.notify.channel import DeliveryFailed, Message
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
    touched_by,
)
from monitor.notify.receiver import Receiver

ACTION = {"resolved": "resolve", "acknowledged": "acknowledge"}  # everything else triggers, or tells again
SEVERITY = {"urgent": "critical", "high": "error", "normal": "warning", "low": "info"}
SUMMARY, FIELD, TEXT = 1024, 255, 8000  # characters


class Section(receiver.Section, Protocol):
    """What the configuration says of it."""

    routing_key: str


class PagerDuty:
    """Sends events with one routing key."""

    exchanges = 2  # at most, for one notice

    def __init__(self, section: Section) -> None:
        self._url = URL(section.url)
        self._routing_key = section.routing_key
        self._receiver = Receiver(section)

    async def deliver(self, message: Message) -> str | None:
        """Sends an event. Sent again it changes nothing: the key is the same. A test is resolved as soon as it is
        there."""
        await self._send(event(message))
        if message.event == "test":
            await self._send({"event_action": "resolve", "dedup_key": key_of(message)})
        return None

    async def _send(self, found: dict[str, Any]) -> None:
        answer = await self._receiver.post(self._url, {"routing_key": self._routing_key, **found})
        said = answer.json()
        if not isinstance(said, dict) or said.get("status") != "success":
            raise DeliveryFailed(f"{self._url.host} answered {answer.status}, but not that it took the event")

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()


def event(message: Message) -> dict[str, Any]:
    """The event without its routing key."""
    over = message.event == "summary" and bool(incident_of(message))  # it is over: nobody is woken for it any more
    action = "resolve" if over else ACTION.get(message.event, "trigger")
    found: dict[str, Any] = {"event_action": action, "dedup_key": key_of(message)}
    if action != "trigger":
        return found
    links = links_of(message)
    return {
        **found,
        "client": "vtex-monitor",
        **({"client_url": links["page"]} if "page" in links else {}),
        "links": [{"href": url, "text": name} for name, url in links.items()],
        "payload": _payload(message),
    }


def _payload(message: Message) -> dict[str, Any]:
    cause, incident, module = cause_of(message), incident_of(message), module_of(message)
    optional = {
        "component": module,
        "class": line(cause.get("code"), FIELD),
        "group": line(cause.get("class"), FIELD),
        "timestamp": moment(incident.get("started_at")),
    }
    return {
        "summary": subject_of(message, SUMMARY),
        "source": module or "vtex-monitor",
        "severity": SEVERITY[priority_of(message)],
        **{name: value for name, value in optional.items() if value},
        "custom_details": {
            "event": message.event,
            "incident": line(incident.get("id"), FIELD) or None,
            "confidence": cause.get("confidence"),
            "affected": touched_by(message)[:50],
            "text": body_of(message, TEXT),
        },
    }
