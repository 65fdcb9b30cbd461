"""Notices as channels get them, and channels as `probes.yaml` makes them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from monitor.config.parse import parse
from monitor.core.short import fitted
from monitor.notify import CHANNELS
from monitor.notify.channel import Channel, Message
from monitor.pages.api import incident_object
from tests.pages.pictures import troubled
from tests.pages.test_api import SPEECH

EVENTS = (
    *("opened", "worsened", "eased", "cause_changed", "member_added", "member_cleared", "acknowledged", "escalated"),
    *("reminder", "resolved", "reopened", "test", "summary"),
)
LINKS = {
    "page": "https://status.example.com/incidents/abc123/",
    "dashboard": "https://ops.example.com/healthcheck/incidents/abc123",
    "runbook": None,
    "acknowledge": "https://ops.example.com/acknowledge/t0ken?a=1&b=2",
}
HOSTILE = (
    "<script>alert('x')</script> \r\nBcc: victim@example.com\r\n\r\n <!channel> & \u202egnp.exe\u2028\x00\x1b[31m "
    '"},{"\ud800 {{ 7*7 }} ' + "x" * 10_000
)


@cache
def incident() -> dict[str, Any]:
    """One incident whole, as operators have it."""
    seen = troubled()
    return incident_object(seen.history.incidents[0], seen.board.platform, SPEECH, public=False)


def notice(event: str = "opened", external: str | None = None, text: str | None = None, **more: Any) -> Message:
    """A notice of an event. `text` stands wherever a text can; `more` are keys of the payload."""
    subject = text or "Checkout: errors (status 503)"
    body = text or f"Checkout: errors (status 503)\n\nSince 12:00 UTC.\n{LINKS['page']}"
    about = None if event in ("test", "summary") else dict(incident())
    if about is not None:
        about["cause"] = {**about["cause"], "module": text or "checkout", "code": text or "http.503"}
    if about is not None and text:
        about |= {"title": {"en": text}, "id": text, "modules": [{"id": text}], "updates": [{"body": {"en": text}}]}
    payload = {
        "event_id": text or f"evt-{event}-1",
        "dedup_key": text or (about["key"] if about else f"monitor:{event}"),
        "seq": 1,
        "attempt": 1,
        "event": event,
        "at": "2026-11-23T12:10:00.000Z",
        "incident": about,
        "why": "first",
        "text": {"en": body},
        "text_short": {"en": fitted(f"{event}: {subject}")},
        "links": LINKS,
        **more,
    }
    return Message(payload, event, "en", subject, body, external)


def section(kind: str, **keys: Any) -> SimpleNamespace:
    """A channel as the configuration gives it, from what somebody would write."""
    text = json.dumps({"version": 1, "channels": {"it": {"kind": kind, **keys}}})
    config = parse(text, "probes.yaml", {}, lambda path: Path(path).read_text())
    found = config.sections["channels"]["it"]
    return SimpleNamespace(**{"from_" if key == "from" else key: value for key, value in found.items()})


@asynccontextmanager
async def channel(kind: str, **keys: Any) -> AsyncIterator[Channel]:
    """An open channel."""
    found = CHANNELS[kind](section(kind, **keys))
    try:
        yield found
    finally:
        await found.close()
