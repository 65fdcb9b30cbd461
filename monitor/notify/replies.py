"""Replies: what people of the support said in a ticket, read from its history as Zendesk has it (ticket audits).

Only what the requester can read counts, from whoever is no requester; what we wrote ourselves is none. So one reply is
one comment, with the moment of its audit, whatever was changed in the ticket beside it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.core.observation import moment

REQUESTER = "end-user"  # the role of whoever only asks
OURS = re.compile(r"\[[0-9a-z]{12}-\d+\]\s*\Z")  # what each comment of ours ends with: the id of its event
PAGES = 20  # of a history that are read
PAGE = 20  # audits of one page, so that an answer stays small


@dataclass(frozen=True, slots=True)
class Reply:
    """That somebody answered in a ticket of a store, empty where it is of none; `audit` tells it from others."""

    store: str
    ticket: str
    audit: str
    at: datetime

    @property
    def request(self) -> str:
        """What names it, so that it is counted once however often it is read."""
        return f"ticket-{self.ticket}-{self.audit}"


@dataclass(frozen=True, slots=True)
class Comment:
    """A public comment: who wrote it when, and the audit that it came with."""

    author: int
    audit: str
    at: datetime


def comments_of(audits: Iterable[Any]) -> list[Comment]:
    """The public comments of a history but those of ours, which end with the id of their event in brackets."""
    found = []
    for audit in audits:
        events = audit.get("events") if isinstance(audit, dict) else None
        for event in events if isinstance(events, list) else ():
            if not isinstance(event, dict) or event.get("type") != "Comment" or event.get("public") is not True:
                continue
            author, at = event.get("author_id", audit.get("author_id")), _moment(audit.get("created_at"))
            number = audit.get("id")
            if isinstance(author, int) and isinstance(number, int) and at is not None and not _is_ours(event):
                found.append(Comment(author, str(number)[:30], at))
    return found


def staff_of(users: Iterable[Any]) -> frozenset[int]:
    """Who of them is no requester."""
    known = (one for one in users if isinstance(one, dict) and isinstance(one.get("id"), int))
    return frozenset(one["id"] for one in known if one.get("role") not in (None, REQUESTER))


def _is_ours(event: Mapping[str, Any]) -> bool:
    return OURS.search(str(event.get("body") or "")) is not None


def _moment(text: Any) -> datetime | None:
    try:
        return moment(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
