"""Feeds: incidents as Atom and RSS in every language, the calendar of planned work, and what crawlers ask for.

The id of an entry never changes: a new update changes its date and text, so a reader shows an edit and not a new item.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from monitor.core.incident import Incident
from monitor.core.module import in_language
from monitor.core.observation import stamp
from monitor.core.wording import N_, title, update_body
from monitor.pages import words
from monitor.pages.cells import cell, given
from monitor.pages.facts import Facts
from monitor.pages.news import began_at, incidents_of, updated_at
from monitor.pages.picture import Picture
from monitor.pages.plain import xml
from monitor.pages.translate import Speech

NEWEST = 50
HISTORY, PLANNED = N_("Incident history"), N_("Planned maintenance")  # an f-string hides a message from the catalogues
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def feed_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Every feed, the calendar, `robots.txt`, `sitemap.xml`, and `security.txt` where a contact is configured."""
    incidents, facts = incidents_of(picture), Facts(picture)
    texts: dict[str, str] = {}
    for language in speech.languages:
        writer = _Writer(facts, speech, language)
        under = under_of(language, speech)
        texts[f"{under}history.atom"] = writer.history_atom()
        texts[f"{under}history.rss"] = writer.history_rss()
        for id in facts.components:
            texts[f"{under}components/{id}.atom"] = writer.component_atom(id)
        calendar_name = f"{picture.site.name} - {speech.gettext(language, PLANNED)}"
        texts[f"{under}maintenance.ics"] = calendar(calendar_name)
    texts["robots.txt"] = f"User-agent: *\nAllow: /\nSitemap: {picture.site.url}/sitemap.xml\n"
    texts["sitemap.xml"] = _sitemap(picture, speech, incidents)
    contact = picture.site.links.get("security")
    if contact:
        texts[".well-known/security.txt"] = _security(contact, picture, speech)
    return {name: text.encode("utf-8", "replace") for name, text in texts.items()}


def under_of(language: str, speech: Speech) -> str:
    """The folder of a language, with its slash; the default one lives at the root."""
    return "" if language == speech.default else f"{language.lower()}/"


class _Writer:
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

    @given
    def _since(self) -> datetime:
        return began_at(self.facts.picture) or EPOCH

    @cell
    def history_atom(self) -> str:
        """The newest incidents as Atom."""
        return self.atom("history", self.under, self._heading(), list(self.facts.incidents.values())[:NEWEST])

    @cell
    def history_rss(self) -> str:
        """The newest incidents as RSS."""
        return self.rss(self.under, self._heading(), list(self.facts.incidents.values())[:NEWEST])

    def _heading(self) -> str:
        return f"{self.site.name} - {self.speech.gettext(self.language, HISTORY)}"

    @cell
    def component_atom(self, id: str) -> str:
        """The newest incidents of a component as Atom."""
        name = f"{self.site.name} - {in_language(self.platform.components[id].name, self.language)}"
        page = f"{self.under}components/{id}/"
        return self.atom(f"components/{id}", page, name, self.facts.incidents_of_component(id)[:NEWEST])

    def atom(self, name: str, page: str, heading: str, incidents: Sequence[Incident]) -> str:
        """An Atom feed. `name` is its path below the language without the ending, `page` the page it belongs to."""
        updated = max((updated_at(one) for one in incidents), default=self._since())
        head = [
            f'<feed xml:lang="{xml(self.language)}" xmlns="http://www.w3.org/2005/Atom">',
            f"<id>tag:{xml(self.host)},2005:/{self.under}{xml(name)}</id>",
            f'<link rel="alternate" type="text/html" href="{xml(self.site.url)}/{xml(page)}"/>',
            f'<link rel="self" type="application/atom+xml" href="{xml(self.site.url)}/{self.under}{xml(name)}.atom"/>',
            f"<title>{xml(heading)}</title>",
            f"<updated>{stamp(updated)}</updated>",
            f"<author><name>{xml(self.site.name)}</name></author>",
        ]
        return DECLARATION + "\n".join([*head, *(self._entry(one.id) for one in incidents), "</feed>", ""])

    @cell
    def _entry(self, id: str) -> str:
        incident = self.facts.incident(id)
        return "\n".join(
            [
                "<entry>",
                f"<id>tag:{xml(self.host)},2005:Incident/{incident.id}</id>",
                f"<published>{stamp(incident.published_at)}</published>",
                f"<updated>{stamp(updated_at(incident))}</updated>",
                f'<link rel="alternate" type="text/html" href="{xml(self._page_of(incident))}"/>',
                f"<title>{xml(self._title(incident))}</title>",
                f'<content type="html">{xml(self._body(incident))}</content>',
                "</entry>",
            ]
        )

    def rss(self, page: str, heading: str, incidents: Sequence[Incident]) -> str:
        """An RSS 2.0 feed; the guid of an item is the address of its incident."""
        updated = max((updated_at(one) for one in incidents), default=self._since())
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
        return DECLARATION + "\n".join([*head, *(self._item(one.id) for one in incidents), "</channel>", "</rss>", ""])

    @cell
    def _item(self, id: str) -> str:
        incident = self.facts.incident(id)
        page = xml(self._page_of(incident))
        return "\n".join(
            [
                "<item>",
                f"<title>{xml(self._title(incident))}</title>",
                f"<description>{xml(self._body(incident))}</description>",
                f"<pubDate>{format_datetime(incident.published_at)}</pubDate>",
                f"<link>{page}</link>",
                f'<guid isPermaLink="true">{page}</guid>',
                "</item>",
            ]
        )

    def _title(self, incident: Incident) -> str:
        return self.speech.say(self.language, title(incident, self.platform))

    def _page_of(self, incident: Incident) -> str:
        return f"{self.site.url}/{self.under}incidents/{incident.id}/"

    def _body(self, incident: Incident) -> str:
        """All updates, the newest first, as simple HTML: names and people's texts are escaped before they go in."""
        paragraphs = []
        for update in reversed(incident.updates):
            at = self.speech.moment(self.language, update.at, self.site.timezone)
            stage = self.speech.gettext(self.language, words.STAGE[update.stage])
            said = self.speech.say(self.language, update_body(update, incident, self.platform))
            body = "<br>".join(escape(said).splitlines())
            paragraphs.append(f"<p><small>{escape(at)}</small><br><strong>{escape(stage)}</strong> - {body}</p>")
        return "".join(paragraphs)


# --- calendar


def calendar(name: str) -> str:
    """The calendar of planned work. Nothing is planned yet; its zone keeps it valid, since RFC 5545 wants a component.

    A client that follows the address asks again twice a day.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//vtex-monitor//maintenance//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_calendar_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "BEGIN:VTIMEZONE",
        "TZID:Etc/UTC",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0000",
        "END:STANDARD",
        "END:VTIMEZONE",
        "END:VCALENDAR",
    ]
    return "".join(_folded(line) for line in lines)


def _calendar_text(text: str) -> str:
    kept = "".join(char for char in text if char >= " " or char == "\n")
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A content line with its break, no piece of it longer than 75 octets and no character cut in two."""
    pieces, piece, size = [], "", 0
    for char in line:
        width = len(char.encode("utf-8", "replace"))
        if size + width > 75:
            pieces.append(piece)
            piece, size = " ", 1
        piece += char
        size += width
    return "\r\n".join([*pieces, piece]) + "\r\n"


# --- for crawlers


def _sitemap(picture: Picture, speech: Speech, incidents: Iterable[Incident]) -> str:
    """Every lasting page in every language; incidents with the date of their last update."""
    platform = picture.board.platform
    pages: list[tuple[str, datetime | None]] = [(page, None) for page in ("", "healthcheck/", "history/", "about/")]
    pages += [(f"components/{id}/", None) for id in platform.components]
    pages += [(f"modules/{id}/", None) for id in platform.modules]
    pages += [(f"incidents/{one.id}/", updated_at(one)) for one in incidents]
    lines = ['<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    for language in speech.languages:
        root = f"{picture.site.url}/{under_of(language, speech)}"
        for page, at in pages:
            changed = f"<lastmod>{stamp(at)}</lastmod>" if at else ""
            lines.append(f"<url><loc>{xml(root + page)}</loc>{changed}</url>")
    return DECLARATION + "\n".join([*lines, "</urlset>", ""])


def _security(contact: str, picture: Picture, speech: Speech) -> str:
    """RFC 9116. It expires on the first day of a month half a year ahead, so that the file changes once a month."""
    month = picture.now.year * 12 + picture.now.month - 1 + 6
    expires = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    lines = [
        f"Contact: {contact if ':' in contact else f'mailto:{contact}'}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(speech.languages)}",
        f"Canonical: {picture.site.url}/.well-known/security.txt",
    ]
    return "".join(" ".join(line.split()) + "\n" for line in lines)
