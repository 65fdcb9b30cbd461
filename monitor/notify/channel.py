"""Channel: a way a notice leaves. A channel sends one message and says what became of it; when to send, and again, is
decided by the outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from monitor.core.plan import Client


class DeliveryFailed(Exception):
    """A message did not arrive. `permanent`: the same message will never be taken; `retry_after`: the receiver asked
    for this pause. The text is for operators and holds no secret."""

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Touched:
    """A component that an incident touches: its name in the channel's language, and its status as far as this incident
    goes, in the words of Statuspage v2."""

    id: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Message:
    """One notice on its way to one channel.

    `payload` is the JSON of a notice as documented in `docs/notices.md`: event_id, dedup_key, seq, attempt, event, at,
    incident, why, text per language, links. `language` is the one this channel speaks; `subject` is one line and `body`
    plain text in it. `event` is one of opened worsened eased cause_changed member_added member_cleared acknowledged
    escalated reminder clock_warning clock_breached resolved reopened test summary. `external` is what the service
    called it when it was first told of this incident (a ticket's number), None before. `components` are those that the
    incident touches. `public` is the part of `body` that a customer may read: without what was seen where, and without
    the operators' addresses. `stores` are those for which this channel hears of the incident.
    """

    payload: Mapping[str, Any]
    event: str
    language: str
    subject: str
    body: str
    external: str | None = None
    components: tuple[Touched, ...] = ()
    public: str = ""
    stores: tuple[Client, ...] = ()


class Channel(Protocol):
    """One configured channel, open from `__aenter__` to `__aexit__` in the `channel_for` that made it."""

    async def deliver(self, message: Message) -> str | None:
        """Sends a message; returns once the receiver has taken it, with what it calls the incident where it calls it
        anything. Raises DeliveryFailed. The caller limits the time."""
        ...

    async def close(self) -> None:
        """Gives back what it holds."""
        ...
