"""Feeds: incidents as Atom and RSS in every language, and the calendar of planned work.

The id of an entry never changes: a new update changes its date and text, so a reader shows an edit and not a new item.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from monitor.core.announcement import WORK_STAGE, components_of, work_body, work_message, work_title
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.observation import stamp
from monitor.core.text import in_language
from monitor.core.wording import N_, Sentence, title, update_body
from monitor.pages import words
from monitor.pages.calendar import calendar
from monitor.pages.cells import cell, key_of
from monitor.pages.facts import Facts
from monitor.pages.found import Key
from monitor.pages.news import by_publication, newest, updated_at
from monitor.pages.picture import Picture
from monitor.pages.plain import xml
from monitor.pages.translate import Speech

NEWEST = 50
SCHEDULED_EVENT = "THIS IS A SCHEDULED EVENT"  # what programs look for in a Statuspage's feed, in every language
HISTORY, PLANNED = N_("Incident history"), N_("Planned maintenance")  # an f-string hides a message from the catalogues
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def feed_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Every feed, and the calendar."""
    facts = Facts(picture)
    return picture.cells.only(lambda: lay_feeds([Writer(facts, speech, language) for language in speech.languages]))


def lay_feeds(writers: Iterable["Writer"]) -> None:
    """Lays down those of several languages."""
    for writer in writers:
        writer.lay()


def under_of(language: str, speech: Speech) -> str:
    """The folder of a language, with its slash; the default one lives at the root."""
    return "" if language == speech.default else f"{language.lower()}/"


@dataclass(frozen=True, slots=True)
class Entry:
    """An incident, or planned work, as a reader of feeds gets it; `body` is HTML."""

    id: str
    published: datetime
    updated: datetime
    title: str
    body: str


class Writer:
    """Feeds of one site in one language, as cells."""

    def __init__(self, facts: Facts, speech: Speech, language: str) -> None:
        self.facts = facts
        self.site = facts.site
        self.platform = facts.platform
        self.speech = speech
        self.language = language
        self.under = under_of(language, speech)
        self.host = urlsplit(self.site.url).hostname or "localhost"
        self.name = ("feeds", language)
        self.cells = facts.cells
        self.cells.belong_to(self)

    def lay(self) -> None:
        """Lays them down."""
        self.cells.list(f"feeds/{self.language}", self.paths())
        name = f"{self.site.name} - {self.speech.gettext(self.language, PLANNED)}"
        plan = calendar(self.facts.seen, self.speech, self.language, self.under, name)
        self.cells.put(f"{self.under}maintenance.ics", _bytes(plan))

    @cell
    def paths(self) -> dict[str, Key]:
        """All but the calendar."""
        files = {"history.atom": key_of(Writer.history_atom, self), "history.rss": key_of(Writer.history_rss, self)}
        files |= {f"components/{id}.atom": key_of(Writer.component_atom, self, id) for id in self.facts.components}
        return {self.under + name: key for name, key in files.items()}

    @cell
    def _since(self) -> datetime:
        return self.facts.known_since() or EPOCH

    @cell
    def history_atom(self) -> bytes:
        """The newest incidents, and planned work, as Atom."""
        return _bytes(self.atom("history", self.under, self._heading(), self._history()))

    @cell
    def history_rss(self) -> bytes:
        """The same as RSS."""
        return _bytes(self.rss(self.under, self._heading(), self._history()))

    def _heading(self) -> str:
        return f"{self.site.name} - {self.speech.gettext(self.language, HISTORY)}"

    @cell
    def component_atom(self, id: str) -> bytes:
        """The same of a component, as Atom."""
        name = f"{self.site.name} - {in_language(self.platform.components[id].name, self.language)}"
        page = f"{self.under}components/{id}/"
        works = [one for one in self.facts.works_told() if id in components_of(one, self.platform)]
        entries = self._entries(self.facts.incidents_of_component(id), works)
        return _bytes(self.atom(f"components/{id}", page, name, entries))

    @cell
    def _history(self) -> tuple[Entry, ...]:
        return self._entries(self.facts.incidents.values(), self.facts.works_told())

    def _entries(self, incidents: Iterable[Incident], works: Iterable[Maintenance]) -> tuple[Entry, ...]:
        """The newest incidents and planned work together, the newest published first."""
        found = [
            Entry(one.id, _published_at(one), updated_at(one), self._say(title(one, self.platform)), self._body(one.id))
            for one in newest(by_publication(incidents), NEWEST)
        ]
        for one in works:
            name = self._say(work_title(one))
            found.append(Entry(one.id, one.announced_at, one.updated_at, name, self._plan(one)))
        return tuple(sorted(found, key=lambda entry: entry.published, reverse=True))

    def atom(self, name: str, page: str, heading: str, entries: Sequence[Entry]) -> str:
        """An Atom feed. `name` is its path below the language without the ending, `page` the page it belongs to."""
        updated = max((one.updated for one in entries), default=self._since())
        head = [
            f'<feed xml:lang="{xml(self.language)}" xmlns="http://www.w3.org/2005/Atom">',
            f"<id>tag:{xml(self.host)},2005:/{self.under}{xml(name)}</id>",
            f'<link rel="alternate" type="text/html" href="{xml(self.site.url)}/{xml(page)}"/>',
            f'<link rel="self" type="application/atom+xml" href="{xml(self.site.url)}/{self.under}{xml(name)}.atom"/>',
            f"<title>{xml(heading)}</title>",
            f"<updated>{stamp(updated)}</updated>",
            f"<author><name>{xml(self.site.name)}</name></author>",
        ]
        return DECLARATION + "\n".join([*head, *(self._entry(one) for one in entries), "</feed>", ""])

    def _entry(self, entry: Entry) -> str:
        return "\n".join(
            [
                "<entry>",
                f"<id>tag:{xml(self.host)},2005:Incident/{entry.id}</id>",
                f"<published>{stamp(entry.published)}</published>",
                f"<updated>{stamp(entry.updated)}</updated>",
                f'<link rel="alternate" type="text/html" href="{xml(self._page_of(entry))}"/>',
                f"<title>{xml(entry.title)}</title>",
                f'<content type="html">{xml(entry.body)}</content>',
                "</entry>",
            ]
        )

    def rss(self, page: str, heading: str, entries: Sequence[Entry]) -> str:
        """An RSS 2.0 feed; the guid of an item is the address of its incident."""
        updated = max((one.updated for one in entries), default=self._since())
        about = self.speech.gettext(self.language, N_("Incidents and planned maintenance"))
        address = f"{xml(self.site.url)}/{self.under}history.rss"
        head = [
            '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">',
            "<channel>",
            f"<title>{xml(heading)}</title>",
            f"<link>{xml(self.site.url)}/{xml(page)}</link>",
            f'<atom:link rel="self" type="application/rss+xml" href="{address}"/>',
            f"<description>{xml(about)}</description>",
            f"<language>{xml(self.language.lower())}</language>",
            f"<pubDate>{format_datetime(updated)}</pubDate>",
        ]
        return DECLARATION + "\n".join([*head, *(self._item(one) for one in entries), "</channel>", "</rss>", ""])

    def _item(self, entry: Entry) -> str:
        page = xml(self._page_of(entry))
        return "\n".join(
            [
                "<item>",
                f"<title>{xml(entry.title)}</title>",
                f"<description>{xml(entry.body)}</description>",
                f"<pubDate>{format_datetime(entry.published)}</pubDate>",
                f"<link>{page}</link>",
                f'<guid isPermaLink="true">{page}</guid>',
                "</item>",
            ]
        )

    def _say(self, sentences: Sentence | Iterable[Sentence]) -> str:
        return self.speech.say(self.language, sentences)

    def _page_of(self, entry: Entry) -> str:
        return f"{self.site.url}/{self.under}incidents/{entry.id}/"

    @cell
    def _body(self, id: str) -> str:
        """All updates, the newest first, as simple HTML: names and people's texts are escaped before they go in."""
        incident = self.facts.incident(id)
        return "".join(
            self._paragraph(one.at, words.STAGE[one.stage], self._say(update_body(one, incident, self.platform)))
            for one in reversed(incident.updates)
        )

    def _plan(self, work: Maintenance) -> str:
        """The same of planned work, its plan first."""
        span = self.speech.span(self.language, work.planned_from, work.planned_until, self.site.timezone)
        head = f"<p><strong>{SCHEDULED_EVENT} {escape(span)}</strong></p>"
        if work.message:
            head += f"<p>{'<br>'.join(escape(self._say(work_message(work))).splitlines())}</p>"
        updates = (
            self._paragraph(one.at, WORK_STAGE[one.stage], self._say(work_body(one))) for one in reversed(work.updates)
        )
        return head + "".join(updates)

    def _paragraph(self, at: datetime, stage: str, said: str) -> str:
        when = escape(self.speech.moment(self.language, at, self.site.timezone))
        body = "<br>".join(escape(said).splitlines())
        named = escape(self.speech.gettext(self.language, stage))
        return f"<p><small>{when}</small><br><strong>{named}</strong> - {body}</p>"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _published_at(incident: Incident) -> datetime:
    return incident.published_at or incident.detected_at
