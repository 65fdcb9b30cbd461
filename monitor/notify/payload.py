"""Payload: what a channel is given to send: the JSON of a notice, and its words in the channel's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.core import review
from monitor.core.digest import line_to_json
from monitor.core.gathering import lines_of
from monitor.core.headline import LINKS
from monitor.core.incident import Incident
from monitor.core.module import Platform, Status
from monitor.core.observation import moment, stamp
from monitor.core.outbox import Letter, Sending
from monitor.core.quarter import WHOLE
from monitor.core.rollup import ComponentStatus, component_status
from monitor.core.site import Site
from monitor.core.statement import incident_object
from monitor.core.stores import for_whom, store_to_json, stores_of
from monitor.core.text import in_language
from monitor.core.wording import Sentence
from monitor.notify.channel import Message, Touched
from monitor.notify.deadline import clock_of, of_clock
from monitor.notify.review import of_review, page_of
from monitor.notify.text import Speaker, lines, of_digest, of_incident, of_monitor

Acknowledge = Callable[[str, str, datetime], str | None]


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
    letter, speech = sending.letter, desk.speech
    gathered, reviewed = lines_of(letter), review.told_of(letter)
    if incident is not None:
        words = of_incident(sending.event, incident, desk.platform, desk.site, speech, now)
    elif gathered is not None:
        words = of_digest(gathered, desk.site, speech, now)
    elif reviewed is not None:
        words = of_review(reviewed, desk.platform, desk.site, speech)
    else:
        words = of_monitor(letter, speech)
    clock = clock_of(sending, incident, desk.platform)
    if clock is not None:
        words = of_clock(clock, moment(clock["due_at"]), words, desk.site, speech)
    stores = stores_of(letter.channel, incident, desk.platform, None if clock is None else clock["plan"])
    links = _links(letter, incident, desk, now)
    labels: Mapping[str, str] = LINKS
    if reviewed is not None:
        links = dict.fromkeys(LINKS) | {"page": page_of(reviewed, desk.site, language)}
        labels = {**LINKS, "page": WHOLE}
    payload = {
        "event_id": letter.event_id,
        "dedup_key": letter.incident,
        "seq": letter.seq,
        "attempt": letter.attempts,
        "event": sending.event,
        "at": stamp(letter.at),
        "incident": None if incident is None else incident_object(incident, desk.platform, speech, public=False),
        "why": letter.why if incident is not None else letter.why.partition(" ")[0],
        "text": words.first,
        "text_short": words.short,
        "links": links,
        "collapsed": _folded(sending),
        "digest": None if gathered is None else [line_to_json(one) for one in gathered],
        "review": reviewed,
        "clock": clock,
        "stores": [store_to_json(one) for one in stores],
    }
    told = language if language in words.first else next(iter(words.first), language)
    parts = (words.first, words.seen or {}, *words.below, lines(for_whom(stores, desk.platform), speech))
    labelled = [speech.every(Sentence(labels[name], {"url": url})).get(told, url) for name, url in links.items() if url]
    body = "\n\n".join(text for text in (*(each.get(told, "") for each in parts), "\n".join(labelled)) if text)
    public = "\n\n".join(each[told] for each in (words.first, *words.below) if each.get(told))
    touched = () if incident is None else _touched(incident, desk.platform, language)
    return Message(
        payload, sending.event, told, _one_line(words.first.get(told, "")), body, external, touched, public, stores
    )


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
