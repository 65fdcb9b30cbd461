"""Crawlers: what they ask a site for: which pages there are in which languages, and whom to tell of a hole in it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from monitor.core.observation import stamp
from monitor.pages.facts import Facts
from monitor.pages.feeds import DECLARATION, under_of
from monitor.pages.news import updated_at
from monitor.pages.picture import Picture
from monitor.pages.plain import xml
from monitor.pages.translate import Speech
from monitor.pages.works import with_pages

MOST = 50_000  # addresses a sitemap may hold
CONTACTS = ("https://", "mailto:", "tel:")  # RFC 9116, 2.5.3
SPACES = "http://www.sitemaps.org/schemas/sitemap/0.9", "http://www.w3.org/1999/xhtml"


def crawler_files(picture: Picture, speech: Speech, published: Iterable[str]) -> dict[str, bytes]:
    """`robots.txt`, `sitemap.xml` of the pages among the published paths, and `security.txt` where `site.links` has a
    contact for it."""
    texts = {
        "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {picture.site.url}/sitemap.xml\n",
        "sitemap.xml": _sitemap(picture, speech, published),
    }
    contact = picture.site.links.get("security", "")
    if contact.startswith(CONTACTS):
        texts[".well-known/security.txt"] = _security(contact, picture, speech)
    return {name: text.encode("utf-8", "replace") for name, text in texts.items()}


def _sitemap(picture: Picture, speech: Speech, published: Iterable[str]) -> str:
    """Every page in every language, each with the others; pages of incidents and months with the date they changed."""
    others = {under for language in speech.languages if (under := under_of(language, speech))}
    pages = [
        path.removesuffix("index.html") for path in published if path == "index.html" or path.endswith("/index.html")
    ]
    pages = [page for page in pages if f"{page.partition('/')[0]}/" not in others]
    dates = _dates(Facts(picture))
    roots = [(language, f"{picture.site.url}/{under_of(language, speech)}") for language in speech.languages]
    lines = [f'<urlset xmlns="{SPACES[0]}" xmlns:xhtml="{SPACES[1]}">']
    for page in pages[: MOST // len(roots)]:
        changed = f"<lastmod>{stamp(dates[page])}</lastmod>" if page in dates else ""
        places = [(language, xml(root + page)) for language, root in roots]
        same = "".join(
            f'<xhtml:link rel="alternate" hreflang="{xml(language)}" href="{place}"/>'
            for language, place in (*places, ("x-default", places[0][1]))
        )
        lines += [f"<url><loc>{place}</loc>{changed}{same}</url>" for _, place in places]
    return DECLARATION + "\n".join([*lines, "</urlset>", ""])


def _dates(facts: Facts) -> dict[str, datetime]:
    """When pages changed, where that is known to the second: by path below the root of a language."""
    found = {f"incidents/{id}/": updated_at(one) for id, one in facts.incidents.items()}
    found |= {f"incidents/{one.id}/": one.updated_at for one in with_pages(facts.picture)}
    for first, incidents in facts.months.items():
        if incidents:
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
