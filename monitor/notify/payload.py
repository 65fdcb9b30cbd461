"""Payload: what a channel is given to send: the JSON of a notice, and its words in the channel's language."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from monitor.core.headline import headline, trial, unreachable
from monitor.core.incident import Incident
from monitor.core.module import Platform, Status, Text, in_language
from monitor.core.observation import stamp
from monitor.core.outbox import Letter, Sending
from monitor.core.rollup import ComponentStatus, component_status
from monitor.core.site import Site
from monitor.core.statement import incident_object
from monitor.core.wording import Sentence, summary
from monitor.notify.channel import Message, Touched

OWN = "self:"  # what the ids of notices that are about no incident begin with
Acknowledge = Callable[[str, str, datetime], str | None]


class Speaker(Protocol):
    """Puts sentences and times to every language of the site."""

    def every(self, sentences: Sentence | Iterable[Sentence]) -> dict[str, str]:
        """The text by language tag."""
        ...

    def clock(self, language: str, at: datetime, zone: str) -> str:
        """The time of day with its zone."""
        ...

    def duration(self, language: str, seconds: float) -> str:
        """A length of time."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Where notices are written: what the site is called and where, where operators find theirs, and how to speak.

    `acknowledge_url` gives the link by which whoever reads says mine; None where there is none.
    """

    site: Site
    platform: Platform
    speech: Speaker
    ops_url: str | None = None
    acknowledge_url: Acknowledge = lambda incident, channel, at: None


def message_of(
    sending: Sending, incident: Incident | None, language: str, desk: Desk, now: datetime, external: str | None = None
) -> Message:
    """The message that says a letter, and those folded into it. Without an incident it is about the monitor itself."""
    letter = sending.letter
    if incident is None:
        lines, more = desk.speech.every(_own(letter)), dict.fromkeys(desk.site.languages, "")
    else:
        lines = desk.speech.every(_headline(sending.event, incident, desk, now))
        more = desk.speech.every(summary(incident, desk.platform))
    links = _links(letter, incident, desk, now)
    payload = {
        "event_id": letter.event_id,
        "dedup_key": letter.incident,
        "seq": letter.seq,
        "attempt": letter.attempts,
        "event": sending.event,
        "at": stamp(letter.at),
        "incident": None if incident is None else incident_object(incident, desk.platform, desk.speech, public=False),
        "why": letter.why if incident is not None else letter.why.partition(" ")[0],
        "text": lines,
        "links": links,
        "collapsed": _folded(sending),
    }
    touched = () if incident is None else _touched(incident, desk.platform, language)
    told = language if language in lines else next(iter(lines), language)
    addresses = "\n".join(url for url in links.values() if url)
    body = "\n\n".join(part for part in (lines.get(told, ""), more.get(told, ""), addresses) if part)
    return Message(payload, sending.event, told, _one_line(lines.get(told, "")), body, external, touched)


def _touched(incident: Incident, platform: Platform, language: str) -> tuple[Touched, ...]:
    """The components it touches. What it does not name counts as well: others tell of that."""
    failing = {
        one.module: one.status for one in incident.members if incident.is_open and one.until is None and one.seen
    }
    found = []
    for component in (platform.components[id] for id in incident.components if id in platform.components):
        modules = {id: failing.get(id, Status.UP) for id in component.modules}
        status = component_status(component, modules) or ComponentStatus.OPERATIONAL
        found.append(Touched(component.id, in_language(component.name, language), status.value))
    return tuple(found)


def _own(letter: Letter) -> Sentence:
    if letter.event == "test":
        return trial(letter.channel)
    _, count, reason = letter.why.split(" ", 2)
    return unreachable(letter.incident.removeprefix(OWN), count, reason)


def _headline(event: str, incident: Incident, desk: Desk, now: datetime) -> Sentence:
    ended = incident.ended_at or incident.resolved_at or now
    ends = now if incident.is_open else ended
    return headline(
        event,
        incident,
        desk.platform,
        since=_clock(incident.started_at, desk),
        lasted=_lasted((ends - incident.started_at).total_seconds(), desk),
        until=_clock(ends, desk),
    )


def _clock(at: datetime, desk: Desk) -> Text:
    return {language: desk.speech.clock(language, at, desk.site.timezone) for language in desk.site.languages}


def _lasted(seconds: float, desk: Desk) -> Text:
    return {language: desk.speech.duration(language, max(0.0, seconds)) for language in desk.site.languages}


def _links(letter: Letter, incident: Incident | None, desk: Desk, now: datetime) -> dict[str, str | None]:
    """Where to look and what to do; None where there is nothing."""
    ops = desk.ops_url
    if incident is None:
        dashboard = None if ops is None else f"{ops}/healthcheck/outbox"
        return {"page": None, "dashboard": dashboard, "runbook": None, "acknowledge": None}
    public = incident.published_at is not None and desk.site.url
    root = desk.platform.modules.get(incident.root or "")
    return {
        "page": f"{desk.site.url}/incidents/{incident.id}/" if public else None,
        "dashboard": None if ops is None else f"{ops}/healthcheck/incidents/{incident.id}",
        "runbook": None if root is None else root.runbook,
        "acknowledge": desk.acknowledge_url(incident.id, letter.channel, now) if incident.is_open else None,
    }


def _folded(sending: Sending) -> Mapping[str, Any] | None:
    """What this message says besides its own event, from when till when; None where it says only that."""
    if not sending.folded:
        return None
    return {
        "events": [one.event for one in sending.folded],
        "event_ids": [one.event_id for one in sending.folded],
        "first_at": stamp(sending.folded[0].at),
        "last_at": stamp(sending.letter.at),
    }


def _one_line(text: str) -> str:
    """A subject: no line may end inside it."""
    return " ".join(text.split())
