"""Crawlers: what they ask a site for: which pages there are in which languages, and whom to tell of a hole in it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from monitor.core.alias import aliases_of
from monitor.core.observation import stamp
from monitor.pages.cells import cell
from monitor.pages.facts import Facts
from monitor.pages.feeds import DECLARATION, under_of
from monitor.pages.news import updated_at
from monitor.pages.picture import Picture
from monitor.pages.plain import xml
from monitor.pages.translate import Speech

MOST = 50_000  # addresses a sitemap may hold
WHERE = ("security", "tickets", "help_center")  # links that lead to somebody who hears of a hole, the best first
CONTACTS = ("https://", "mailto:", "tel:")  # RFC 9116, 2.5.3
SPACES = "http://www.sitemaps.org/schemas/sitemap/0.9", "http://www.w3.org/1999/xhtml"


def crawler_files(picture: Picture, speech: Speech, published: Iterable[str]) -> dict[str, bytes]:
    """`robots.txt`, `sitemap.xml` of the pages among the published paths, and `security.txt` where `site.links` has a
    contact for it."""
    return picture.cells.only(lambda: lay_crawlers(Facts(picture), speech, published))


def lay_crawlers(facts: Facts, speech: Speech, published: Iterable[str]) -> None:
    """Lays them down."""
    picture, cells = facts.seen, facts.cells
    cells.put("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {picture.site.url}/sitemap.xml\n".encode())
    published, dates = list(published), _dates(facts)
    if not cells.as_before("sitemap.xml", (published, dates)):
        former = {f"modules/{old}/" for old in aliases_of(facts.platform)}
        pages = [page for page in _pages(speech, published) if page not in former]
        cells.put("sitemap.xml", _sitemap(picture.site.url, speech, pages, dates).encode("utf-8", "replace"))
    cells.keep("sitemap.xml")
    links = picture.site.links
    contact = next((links[one] for one in WHERE if links.get(one, "").startswith(CONTACTS)), None)
    if contact is not None:
        cells.put(".well-known/security.txt", _security(contact, picture, speech).encode("utf-8", "replace"))


def _pages(speech: Speech, published: Iterable[str]) -> list[str]:
    """Pages of the default language, by path below the root."""
    others = tuple(under for language in speech.languages if (under := under_of(language, speech)))
    ends = ("/index.html",)
    return [
        path[: -len("index.html")]
        for path in published
        if (path.endswith(ends) or path == "index.html") and not path.startswith(others)
    ]


def _sitemap(url: str, speech: Speech, pages: Sequence[str], dates: Mapping[str, datetime]) -> str:
    """Every page in every language, each with the others; pages of incidents and months with the date they changed."""
    roots = tuple((language, f"{url}/{under_of(language, speech)}") for language in speech.languages)
    entries = (_entries(roots, page, dates.get(page)) for page in pages[: MOST // len(roots)])
    head = f'<urlset xmlns="{SPACES[0]}" xmlns:xhtml="{SPACES[1]}">'
    return DECLARATION + "\n".join([head, *entries, "</urlset>", ""])


@lru_cache(maxsize=4096)
def _entries(roots: tuple[tuple[str, str], ...], page: str, changed_at: datetime | None) -> str:
    changed = f"<lastmod>{stamp(changed_at)}</lastmod>" if changed_at is not None else ""
    places = [(language, xml(root + page)) for language, root in roots]
    same = "".join(
        f'<xhtml:link rel="alternate" hreflang="{xml(language)}" href="{place}"/>'
        for language, place in (*places, ("x-default", places[0][1]))
    )
    return "\n".join(f"<url><loc>{place}</loc>{changed}{same}</url>" for _, place in places)


@cell
def _dates(facts: Facts) -> dict[str, datetime]:
    """When pages changed, where that is known to the second: by path below the root of a language."""
    found = {f"incidents/{id}/": updated_at(one) for id, one in facts.incidents.items()}
    found |= {f"incidents/{id}/": one.updated_at for id, one in facts.works.items()}
    for first in facts.first_days:
        if incidents := facts.incidents_of_month(first):
            found[f"history/{first:%Y-%m}/"] = max(map(updated_at, incidents))
    return found


def _security(contact: str, picture: Picture, speech: Speech) -> str:
    """RFC 9116. It expires on the first day of a month half a year ahead, so that the file changes once a month."""
    month = picture.now.year * 12 + picture.now.month - 1 + 6
    expires = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(speech.languages)}",
    ]
    if picture.site.url.startswith("https://"):
        lines.append(f"Canonical: {picture.site.url}/.well-known/security.txt")
    return "".join(" ".join(line.split()) + "\n" for line in lines)
