"""Content: what channels read from a notice, every text of it cleaned and clipped.

A notice of a test or a digest has no incident, and nothing is certain to be there; what is missing is None or empty.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.mask import Mask, clean
from monitor.notify.channel import Message

FALLBACK = "Status notice"
Incident = Mapping[str, Any]

_ODD = re.compile(r"[\s<>\"'|\\^`{}]")
_NOTHING_HIDDEN = Mask(())


def incident_of(message: Message) -> Incident:
    """The incident as our own JSON has it; empty when the notice is about none."""
    found = message.payload.get("incident")
    return found if isinstance(found, Mapping) else {}


def cause_of(message: Message) -> Mapping[str, Any]:
    """Its cause; empty when there is none."""
    found = incident_of(message).get("cause")
    return found if isinstance(found, Mapping) else {}


def module_of(message: Message) -> str | None:
    """The module that is blamed; without one, the first that is touched."""
    blamed = cause_of(message).get("module")
    return line(blamed, 200) or next(iter(touched_by(message)), None)


def touched_by(message: Message) -> list[str]:
    """The modules that an incident touches, the root first."""
    return [id for one in listed(incident_of(message).get("modules")) if (id := line(one.get("id"), 200))]


def listed(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none when it is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def moment(value: Any) -> str | None:
    """A time as it came, when it is one with a date and an offset."""
    try:
        return str(value) if datetime.fromisoformat(str(value)).tzinfo is not None else None
    except ValueError:
        return None


def priority_of(message: Message) -> str:
    """urgent, high, normal or low; a notice about no incident is low, but for one that nothing can be stored."""
    if message.payload.get("why") == "storage":
        return "urgent"
    found = incident_of(message).get("priority")
    return found if found in ("urgent", "high", "normal", "low") else "low"


def key_of(message: Message) -> str:
    """What is the same in every notice of one incident."""
    payload = message.payload
    return line(payload.get("dedup_key") or incident_of(message).get("id") or payload.get("event_id"), 255)


def subject_of(message: Message, limit: int) -> str:
    """The subject as one line, never empty."""
    return line(message.subject, limit) or FALLBACK


def body_of(message: Message, limit: int) -> str:
    """The text, lines kept, never empty."""
    return clipped(clean(message.body).strip(), limit) or subject_of(message, limit)


def rest_of(message: Message, limit: int) -> str:
    """The text without a first line that only repeats the subject; for where that stands above it."""
    text = body_of(message, limit)
    first, _, rest = text.partition("\n")
    repeated = line(first, limit) == subject_of(message, limit)
    return (rest.strip() if repeated else "") or text


def links_of(message: Message) -> dict[str, str]:
    """Addresses by name: page, dashboard, runbook, acknowledge. Only those of the web, without anything odd in them."""
    found = message.payload.get("links")
    return {
        str(name): url
        for name, url in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(url, str) and url.startswith(("https://", "http://")) and is_address(url)
    }


def is_address(text: str) -> bool:
    """Whether a text can stand where an address ends at the first odd character."""
    return len(text) <= 2000 and clean(text) == text and not _ODD.search(text)


def in_words(texts: Any, language: str) -> str:
    """What a text per language says in one, or in the first there is."""
    if not isinstance(texts, Mapping):
        return str(texts or "")
    return str(texts.get(language) or next(iter(texts.values()), "") or "")


def line(value: Any, limit: int) -> str:
    """One harmless line of at most `limit` characters."""
    return _NOTHING_HIDDEN.line(str(value or ""), limit)


def clipped(text: str, limit: int) -> str:
    """The text, or its beginning."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
