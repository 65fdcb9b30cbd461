"""Entry: one line of the audit log: who did or tried what, when, by which way and from where. Written once, never
changed, and never with a secret in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.core.text import Text
from monitor.core.unseen import UNSEEN

WAYS = ("token", "session", "here", "command", "link", "mqtt", "signal", "file", "schedule")
ACTS = (
    "incident.open",
    "incident.update",
    "incident.correct",
    "incident.edit",
    "incident.acknowledge",
    "incident.resolve",
    "incident.postmortem",
    "incident.publish",
    "incident.lower",
    "incident.reply",
    "maintenance.schedule",
    "maintenance.begin",
    "maintenance.cancel",
    "maintenance.extend",
    "maintenance.verify",
    "maintenance.complete",
    "silence.add",
    "silence.remove",
    "notice.again",
    "notice.give-up",
    "notice.test",
    "subscribers.export",
    "subscribers.erase",
    "probe.run",
    "configuration.reload",
    "session.login",
    "session.logout",
    "session.refused",
    "session.revoked",
    "token.refused",
    "change.refused",
)
OUTCOMES = ("done", "refused")
LONGEST_TEXT = 500  # characters of a text in the detail; what was said whole stands where it was said
LONGEST_LIST = 50
DEEPEST = 3
_OWN = "\x1f"


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` names it alone. `how` is one of WAYS, `act` one of ACTS, `subject` the id of what it is about, `address`
    where it came from. `request` is the idempotency key, `digest` tells whether another request says the same.
    """

    id: str
    at: datetime
    by: str | None
    how: str
    address: str | None
    act: str
    subject: str
    outcome: str = "done"
    detail: Mapping[str, Any] = field(default_factory=dict)
    request: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries: those that agree with everything that is given. `act` may be the first part of several
    (`incident`), `before` the number of an entry: only older ones."""

    by: str | None = None
    act: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 100


def own_key(name: str | None, key: str) -> str:
    """The name of a request among those of everybody: two people may choose the same key, and neither is answered
    with what the other did. No key holds what stands between."""
    return key if name is None else f"{name}{_OWN}{key}"


def key_as_sent(request: str | None) -> str | None:
    """The key that a person chose."""
    return None if request is None else request.rpartition(_OWN)[2]


def is_act(word: str) -> bool:
    """Whether it is an act, or the first part of some."""
    return word in ACTS or any(one.partition(".")[0] == word for one in ACTS)


def fits(entry: Entry, sought: Sought) -> bool:
    """Whether an entry is one of those, whatever its number."""
    return (
        sought.by in (None, entry.by)
        and (sought.act is None or f"{entry.act}.".startswith(f"{sought.act}."))
        and sought.subject in (None, entry.subject)
        and (sought.since is None or entry.at >= sought.since)
        and (sought.until is None or entry.at < sought.until)
    )


def brief(value: Any, depth: int = 0) -> Any:
    """A value as the detail keeps it: plain JSON, texts and lists cut short."""
    if isinstance(value, Mapping):
        pairs = list(value.items())[:LONGEST_LIST]
        return {str(key)[:LONGEST_TEXT]: brief(one, depth + 1) for key, one in pairs} if depth < DEEPEST else "…"
    if isinstance(value, list | tuple):
        return [brief(one, depth + 1) for one in value[:LONGEST_LIST]] if depth < DEEPEST else "…"
    if value is None or isinstance(value, bool | int | float):
        return value
    text = UNSEEN.sub("", str(value))
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def texts(text: Text | None) -> dict[str, str] | None:
    """A text per language, or nothing at all."""
    return dict(text) if text else None
