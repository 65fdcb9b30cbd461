"""Text: what a notice says, in every language: one line, the same for telephones, and what stands below."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitor.core.digest import MOST, Line
from monitor.core.headline import WITNESSES, digest, headline, short, told_of, trial, unreachable, unstored
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.outbox import Letter
from monitor.core.short import fitted
from monitor.core.site import Site
from monitor.core.text import Text
from monitor.core.wording import Place, Sentence, more_of, names, summary

OWN = "self:"  # what the ids of notices that are about no incident begin with
STORAGE = f"{OWN}:storage"  # … and of the one that the store refuses writes; no channel has such a name
WHOLE_MINUTES = 300.0  # seconds from which on nobody counts them
MOST_SEEN = 4  # sightings that are told


class Speaker(Protocol):
    """Puts sentences and times to every language of the site."""

    def every(self, sentences: Sentence | Iterable[Sentence]) -> dict[str, str]:
        """The text by language tag."""
        ...

    def clock(self, language: str, at: datetime, zone: str) -> str:
        """The time of day with its zone."""
        ...

    def moment(self, language: str, at: datetime, zone: str) -> str:
        """A date and a time with its zone."""
        ...

    def percent(self, language: str, ratio: float, decimals: int) -> str:
        """A share, never rounded up."""
        ...

    def duration(self, language: str, seconds: float) -> str:
        """A length of time."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """By language: the first line, the same in short, paragraphs below it, and those for operators alone."""

    first: Mapping[str, str]
    short: Mapping[str, str]
    below: tuple[Mapping[str, str], ...] = ()
    seen: Mapping[str, str] | None = None


def of_incident(
    event: str, incident: Incident, platform: Platform, site: Site, speech: Speaker, now: datetime
) -> Words:
    """What is said of an incident."""
    ends = now if incident.is_open else incident.ended_at or incident.resolved_at or now
    since, until = (_clock(at, site, speech) for at in (incident.started_at, ends))
    lasted = _lasted((ends - incident.started_at).total_seconds(), site, speech)
    first = speech.every(headline(event, incident, platform, since=since, lasted=lasted, until=until))
    small = _fitted(speech.every(short(event, incident, platform, since=since, lasted=lasted)))
    below = lines(summary(incident, platform), speech)
    return Words(first, small, (below,), _evidence(incident, platform, site, speech) if incident.is_open else None)


def of_monitor(letter: Letter, speech: Speaker) -> Words:
    """What the monitor says of itself."""
    if letter.event == "test":
        first = speech.every(trial(letter.channel))
    elif letter.incident == STORAGE:
        first = speech.every(unstored(letter.why.partition(" ")[2]))
    else:
        _, count, reason = letter.why.split(" ", 2)
        first = speech.every(unreachable(letter.incident.removeprefix(OWN), count, reason))
    return Words(first, _fitted(first))


def of_digest(gathered: list[Line], site: Site, speech: Speaker, now: datetime) -> Words:
    """What happened in a while."""
    told = gathered[:MOST]
    what: list[Place] = []
    for line in told:
        if line.what not in what:
            what.append(line.what)
    first = speech.every(digest(tuple(what), str(len(gathered))))
    each = [_line(one, site, speech, now) for one in told]
    if len(gathered) > MOST:
        each.append(more_of(str(len(gathered) - MOST)))
    return Words(first, _fitted(first), (lines(each, speech),))


def _line(line: Line, site: Site, speech: Speaker, now: datetime) -> Sentence:
    def at(moment: datetime) -> Text:
        zone = site.timezone
        spoken = speech.clock if now - moment < timedelta(hours=12) else speech.moment
        return {language: spoken(language, moment, zone) for language in site.languages}

    lasted = _lasted(((line.ended_at or now) - line.started_at).total_seconds(), site, speech)
    return told_of(line, at(line.started_at), None if line.ended_at is None else at(line.ended_at), lasted)


def _evidence(incident: Incident, platform: Platform, site: Site, speech: Speaker) -> dict[str, str] | None:
    """What was seen first of each kind and where, of the root before others."""
    new = {(e.module, e.probe, e.location, e.code, e.detail): e for e in reversed(incident.cause.evidence)}
    found = sorted(new.values(), key=lambda one: (one.module != incident.root, one.at))[:MOST_SEEN]
    if not found:
        return None
    each = [
        Sentence(
            "{at} {module}: {detail} ({code}, {probe}, {location})",
            {
                "at": _clock(one.at, site, speech),
                "module": names(platform, (one.module,))[0],
                "detail": one.detail or "-",
                "code": one.code,
                "probe": one.probe,
                "location": one.location,
            },
        )
        for one in found
    ]
    return lines((Sentence(WITNESSES), *each), speech)


def lines(sentences: Iterable[Sentence], speech: Speaker) -> dict[str, str]:
    """Each on a line of its own."""
    spoken = [speech.every(one) for one in sentences]
    languages = dict.fromkeys(language for one in spoken for language in one)
    return {language: "\n".join(filter(None, (one.get(language) for one in spoken))) for language in languages}


def _fitted(lines: Mapping[str, str]) -> dict[str, str]:
    return {language: fitted(text) for language, text in lines.items()}


def _clock(at: datetime, site: Site, speech: Speaker) -> Text:
    return {language: speech.clock(language, at, site.timezone) for language in site.languages}


def _lasted(seconds: float, site: Site, speech: Speaker) -> Text:
    told = seconds if seconds < WHOLE_MINUTES else seconds // 60 * 60
    return {language: speech.duration(language, max(0.0, told)) for language in site.languages}
