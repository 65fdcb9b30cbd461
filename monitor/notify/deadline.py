"""Deadline: what a notice says of the clock of a plan: which part of its limit has passed, and when it is due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.core import deadline
from monitor.core.headline import due
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.core.outbox import Sending
from monitor.core.service import clocks
from monitor.core.short import fitted
from monitor.core.site import Site
from monitor.notify.text import Speaker, Words

Told = Mapping[str, Any]


def clock_of(sending: Sending, incident: Incident | None, platform: Platform) -> Told | None:
    """What a notice about a clock tells, as its JSON has it; None for any other, and where the plan has gone."""
    about = deadline.told_of(sending.letter.why)
    if about is None or incident is None:
        return None
    plan, promise, percent = about
    found = (one for one in clocks(platform.plans, incident) if (one.plan, one.kind) == (plan, promise))
    if (clock := next(found, None)) is None:
        return None
    return {
        "plan": plan,
        "name": dict(clock.name),
        "promise": promise,
        "priority": clock.priority.value,
        "limit_seconds": round(clock.limit.total_seconds()),
        "percent": percent,
        "breached": percent >= deadline.SHARES[-1],
        "since": stamp(clock.since),
        "due_at": stamp(clock.at(1)),
    }


def of_clock(told: Told, due_at: datetime | None, words: Words, site: Site, speech: Speaker) -> Words:
    """The words of an incident, with the clock in front of them."""
    every = site.languages
    zone = site.timezone
    sentence = due(
        told,
        at={tag: "–" if due_at is None else speech.moment(tag, due_at, zone) for tag in every},
        limit={tag: speech.duration(tag, told["limit_seconds"]) for tag in every},
        share={tag: speech.percent(tag, told["percent"] / 100, 0) for tag in every},
    )
    first = speech.every(sentence)
    short = {tag: fitted(f"{text} {words.short.get(tag, '')}".strip()) for tag, text in first.items()}
    return Words(first, short, (words.first, *words.below), words.seen)
