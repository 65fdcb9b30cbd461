"""Circular: what leaves for subscribers: a mail with its way out, or the body of a call. Never a word of a subscriber's
own, and nothing that does not stand on the public page.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import Any, Protocol

from monitor.core.announcement import work_object
from monitor.core.bulletin import Edition, Subject
from monitor.core.circular import ASKED, CONFIRM, OTHERWISE, TO_CONFIRM, TO_END, first_line, paragraphs
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.core.site import Site
from monitor.core.statement import incident_object
from monitor.core.subscriber import Subscriber
from monitor.core.text import Text
from monitor.core.wording import Sentence
from monitor.notify import statuspage
from monitor.notify.channel import Message
from monitor.notify.mail import mail
from monitor.notify.text import Speaker
from monitor.notify.webhook import signature

WORK = {"verifying": "verifying", "in_progress": "in_progress", "completed": "completed", "cancelled": "completed"}


class Scribe(Speaker, Protocol):
    """Puts spans of time to a language as well."""

    def moment(self, language: str, at: datetime, zone: str) -> str:
        """A date and a time with its zone."""
        ...

    def span(self, language: str, begins: datetime, ends: datetime, zone: str) -> str:
        """From then till then."""
        ...


class Tickets(Protocol):
    """Addresses that only whoever was sent them knows."""

    def confirm_url(self, id: str) -> str:
        """Where a subscription is confirmed."""
        ...

    def leave_url(self, id: str) -> str:
        """Where it is ended."""
        ...

    def key_of(self, id: str) -> bytes:
        """What calls to this subscriber are signed with."""
        ...


@dataclass(frozen=True, slots=True)
class Bureau:
    """Where circulars are written."""

    site: Site
    platform: Platform
    speech: Scribe
    tickets: Tickets


def message_of(edition: Edition, subject: Subject, one: Subscriber, bureau: Bureau, now: datetime) -> Message:
    """What one subscriber is told of an edition."""
    site, speech = bureau.site, bureau.speech
    language = one.language if one.language in site.languages else site.languages[0]
    line = speech.every(first_line(edition, subject, bureau.platform, *_times(subject, bureau, now)))
    texts = [speech.every(one)[language] for one in paragraphs(edition, subject, bureau.platform)]
    way = "" if language == site.languages[0] else f"{language.lower()}/"
    page, leave = f"{site.url}/{way}incidents/{edition.subject}/", bureau.tickets.leave_url(one.id)
    payload = {
        "event_id": edition.event_id,
        "dedup_key": edition.subject,
        "seq": edition.step,
        "first_seq": edition.since + 1,
        "attempt": one.attempts + 1,
        "event": edition.event,
        "at": stamp(subject.updates[-1].at),
        **_object(subject, bureau),
        "text": line,
        "links": {"page": page, "unsubscribe": leave},
    }
    why = Sentence(TO_END, {"site": site.name})
    end = f"{speech.every(why)[language]}\n{leave}"
    body = "\n\n".join(filter(None, (line[language], *texts, page, end)))
    return Message(payload, edition.event, language, " ".join(line[language].split()), body)


def _object(subject: Subject, bureau: Bureau) -> dict[str, Any]:
    """What it is about, as our own JSON has it."""
    if isinstance(subject, Maintenance):
        return {"incident": None, "maintenance": work_object(subject, bureau.platform, bureau.speech)}
    return {"incident": incident_object(subject, bureau.platform, bureau.speech, public=True), "maintenance": None}


def _times(subject: Subject, bureau: Bureau, now: datetime) -> tuple[Text, Text, Text]:
    """When it began, how long it took, and from when till when, by language."""
    site, speech = bureau.site, bureau.speech
    if isinstance(subject, Maintenance):
        begins, ends = subject.planned_from, subject.planned_until
    else:
        begins = subject.started_at
        ends = now if subject.is_open else subject.ended_at or subject.resolved_at or now
    seconds = max(0.0, (ends - begins).total_seconds())
    return (
        {one: speech.moment(one, begins, site.timezone) for one in site.languages},
        {one: speech.duration(one, seconds) for one in site.languages},
        {one: speech.span(one, begins, ends, site.timezone) for one in site.languages},
    )


def question(one: Subscriber, bureau: Bureau) -> Message:
    """What is asked of an address before anything is told to it."""
    site, speech, url = bureau.site, bureau.speech, bureau.tickets.confirm_url(one.id)
    language = one.language if one.language in site.languages else site.languages[0]

    def said(text: str) -> str:
        return speech.every(Sentence(text, {"site": site.name}))[language]

    subject = said(CONFIRM)
    body = f"{subject}\n\n{said(ASKED)} {said(TO_CONFIRM)}\n\n{url}\n\n{said(OTHERWISE)}"
    payload = {"event_id": f"confirm-{one.id}", "links": {"confirm": url}}
    return Message(payload, "confirm", language, subject, body)


# -- by mail ----------------------------------------------------------------------------------------------------------


class Whole(EmailPolicy):
    """Writes an address in a header as it stands, however long: broken into encoded words no mail program finds it. And
    a subject either in ASCII or encoded from its first word to its last, so that no space is lost or doubled."""

    def fold(self, name: str, value: str) -> str:
        """One header, with its end of line."""
        if name.lower() == "list-unsubscribe":
            return f"{name}: {value}{self.linesep}"
        if name.lower() == "subject" and not value.isascii():
            return f"{name}: {Header(str(value), 'utf-8', 75, name).encode(linesep=self.linesep)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same as bytes."""
        return self.fold(name, value).encode("ascii", "surrogateescape")


def letter(message: Message, one: Subscriber, sender: str, site: Site, now: datetime) -> EmailMessage:
    """The mail to one subscriber, which a mail program can be told to end (RFC 8058)."""
    told = Message(
        {**message.payload, "event_id": f"{message.payload['event_id']}:{one.id}"},
        message.event,
        message.language,
        message.subject,
        message.body,
    )
    written = mail(told, sender, now)
    written.policy = Whole(linesep="\r\n")
    written["To"] = one.address
    del written["Importance"]
    leave = message.payload["links"].get("unsubscribe")
    if leave is None:
        del written["In-Reply-To"], written["References"]
        return written
    domain = parseaddr(sender)[1].rpartition("@")[2]
    written["List-ID"] = f"<status.{domain}>"
    written["List-Unsubscribe"] = f"<{leave}>"
    written["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    written["Precedence"] = "list"
    return written


# -- by call ----------------------------------------------------------------------------------------------------------


def secret_text(key: bytes) -> str:
    """A key as receivers configure it."""
    return f"whsec_{base64.b64encode(key).decode()}"


def challenge(one: Subscriber, bureau: Bureau) -> tuple[str, dict[str, Any]]:
    """A word that the receiver has to answer with, and the body that holds it, its secret and the other way."""
    word = base64.urlsafe_b64encode(bureau.tickets.key_of(f"challenge:{one.id}")).decode().rstrip("=")
    url = bureau.tickets.confirm_url(one.id)
    return word, {
        "type": "confirm",
        "site": bureau.site.name,
        "challenge": word,
        "confirm_url": url,
        "secret": secret_text(bureau.tickets.key_of(one.id)),
    }


def is_answer(text: str, word: str) -> bool:
    """Whether a receiver answered with the word: alone, or as `challenge` of a JSON object."""
    if text.strip() == word:
        return True
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("challenge") == word


def call(message: Message, one: Subscriber, bureau: Bureau) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a call that tells something."""
    if one.format == "notice":
        payload: Mapping[str, Any] = message.payload
    else:
        payload = _as_statuspage(message)
    return signed(payload, str(message.payload["event_id"]), bureau.tickets.key_of(one.id))


def signed(payload: Mapping[str, Any], id: str, key: bytes) -> tuple[bytes, dict[str, str]]:
    """Body and headers, signed as Standard Webhooks has it."""
    body, stamped = json.dumps(payload, separators=(",", ":")).encode(), int(time.time())
    headers = {
        "Idempotency-Key": id,
        "webhook-id": id,
        "webhook-timestamp": str(stamped),
        "webhook-signature": signature(key, id, stamped, body),
    }
    return body, headers


def _as_statuspage(message: Message) -> dict[str, Any]:
    """The same as subscribers of a Statuspage get it; planned work is an incident there that has a plan."""
    found = statuspage.body(message)
    found["meta"] = {**found["meta"], "unsubscribe": message.payload["links"]["unsubscribe"]}
    work = message.payload["maintenance"]
    if work is not None:
        found["incident"] |= {
            "id": work["id"],
            "name": work["title"].get(message.language, ""),
            "status": WORK.get(work["status"], "scheduled"),
            "impact": "maintenance",
            "created_at": work["announced_at"],
            "started_at": work["started_at"] or work["planned_from"],
            "scheduled_for": work["planned_from"],
            "scheduled_until": work["planned_until"],
            "resolved_at": work["ended_at"],
        }
    return found
