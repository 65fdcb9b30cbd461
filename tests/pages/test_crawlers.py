"""What crawlers are told agrees with the pages, and every link on every page leads to something published."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from html import unescape
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from monitor.pages.crawlers import MOST, crawler_files
from monitor.pages.site import site_files
from tests.pages import pictures
from tests.pages.conftest import THEME, loaded
from tests.pages.pictures import NOW, STATES, incident, picture

URL = "https://status.example.com"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


@cache
def whole(state: str) -> dict[str, bytes]:
    return site_files(STATES[state](), loaded(), THEME)


def pages(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    for path, content in files.items():
        if path.endswith(".html") and path != "404.html":
            yield path, content.decode()


def mapped(sitemap: bytes) -> dict[str, ElementTree.Element]:
    return {one.findtext(f"{MAP}loc") or "": one for one in ElementTree.fromstring(sitemap)}


def alternates(entry: ElementTree.Element) -> dict[str, str]:
    return {one.get("hreflang", ""): one.get("href", "") for one in entry.findall(LINK)}


@pytest.mark.parametrize("state", ["stormy", "young", "newborn"])
def test_pages_and_sitemap_agree(state: str) -> None:
    """Every page is in the map under its canonical address, with the same other languages; nothing else is."""
    files, found = whole(state), {}
    for path, text in pages(files):
        (canonical,) = re.findall(r'<link rel="canonical" href="([^"]*)">', text)
        assert canonical == f"{URL}/{path.removesuffix('index.html')}"
        found[canonical] = dict(re.findall(r'<link rel="alternate" hreflang="([^"]*)" href="([^"]*)">', text))
        assert set(found[canonical]) == {"pt-BR", "en", "es", "x-default"}
        assert canonical in found[canonical].values()
        assert found[canonical]["x-default"] == found[canonical]["pt-BR"]
    entries = mapped(files["sitemap.xml"])
    assert {address: alternates(entry) for address, entry in entries.items()} == found
    for others in found.values():
        for address in others.values():
            assert found[address] == others  # they name each other, or search engines ignore all of them


@pytest.mark.parametrize("state", ["stormy", "young", "newborn"])
def test_every_link_leads_to_a_published_file(state: str) -> None:
    """Pages, feeds, icons, scripts, cards; and every `#` to something that has that id."""
    files = whole(state)
    ids: dict[str, set[str]] = {}
    links: dict[str, list[str]] = {}
    for path, content in files.items():
        if path.endswith(".html"):
            text = content.decode()
            ids[path] = set(re.findall(r' id="([^"]*)"', text))
            written = re.findall(r' (?:href|src)="([^"]*)"|property="og:image" content="([^"]*)"', text)
            links[path] = [unescape(one or other) for one, other in written]
    for path, addresses in links.items():
        for address in addresses:
            to = urlsplit(urljoin(f"{URL}/{path if path != '404.html' else ''}", address))
            if f"{to.scheme}://{to.netloc}" != URL:
                continue
            target = to.path.removeprefix("/") + ("index.html" if to.path.endswith("/") else "")
            assert target in files, (path, address)
            assert not to.fragment or to.fragment in ids[target], (path, address)


def test_a_page_that_changed_is_dated_by_its_change() -> None:
    seen = pictures.stormy()
    entries = mapped(whole("stormy")["sitemap.xml"])
    for one in seen.history.incidents:
        (told,) = {
            entries[f"{URL}/{under}incidents/{one.id}/"].findtext(f"{MAP}lastmod") for under in ("", "en/", "es/")
        }
        assert datetime.fromisoformat(told or "") == max(update.at for update in one.updates)
    november = [datetime.fromisoformat(one.findtext(f"{MAP}lastmod") or "") for address, one in entries.items()
                if address.endswith("/history/2026-11/")]  # fmt: skip
    assert november == [max(update.at for one in seen.history.incidents for update in one.updates)] * 3
    assert entries[f"{URL}/"].findtext(f"{MAP}lastmod") is None


def test_time_alone_does_not_change_the_map() -> None:
    seen = pictures.troubled()
    later = replace(seen, now=seen.now + timedelta(minutes=3), data_until=seen.now)
    paths = [path for path in whole("troubled")]
    assert crawler_files(later, loaded(), paths) == crawler_files(seen, loaded(), paths)


def test_a_sitemap_holds_no_more_than_it_may() -> None:
    paths = ["index.html", *(f"modules/m{number}/index.html" for number in range(17_000))]
    entries = mapped(crawler_files(pictures.flawless(), loaded(), paths)["sitemap.xml"])
    assert len(entries) <= MOST
    assert f"{URL}/es/" in entries
    assert len(entries) % 3 == 0  # every page that is there is there in every language


def test_robots_are_shown_the_sitemap() -> None:
    assert b"Sitemap: https://status.example.com/sitemap.xml\n" in whole("green")["robots.txt"]


@pytest.mark.parametrize("contact", ["mailto:security@example.com", "https://example.com/security"])
def test_security_txt_names_whom_to_tell(contact: str) -> None:
    """RFC 9116: a contact, and an end of validity less than a year away."""
    seen = replace(pictures.green(), site=replace(pictures.SITE, links={"security": contact}))
    text = crawler_files(seen, loaded(), [])[".well-known/security.txt"].decode()
    assert text.splitlines() == [
        f"Contact: {contact}",
        "Expires: 2027-05-01T00:00:00Z",
        "Preferred-Languages: pt-BR, en, es",
        "Canonical: https://status.example.com/.well-known/security.txt",
    ]


def test_without_a_contact_of_its_own_security_txt_leads_to_where_tickets_are_opened() -> None:
    """The shipped configuration names no other."""
    links = {"help_center": "https://example.com/help", "tickets": "https://example.com/tickets"}
    seen = replace(pictures.green(), site=replace(pictures.SITE, links=links))
    text = crawler_files(seen, loaded(), [])[".well-known/security.txt"].decode()
    assert text.startswith("Contact: https://example.com/tickets\n")


@pytest.mark.parametrize("contact", ["", "http://example.com/security", "someone"])
def test_without_a_contact_that_may_stand_there_is_no_security_txt(contact: str) -> None:
    """A web address in it has to be https."""
    seen = replace(pictures.green(), site=replace(pictures.SITE, links={"security": contact}))
    assert ".well-known/security.txt" not in crawler_files(seen, loaded(), [])


def test_a_hostile_address_leaves_the_map_well_formed() -> None:
    seen = replace(picture([incident("oms", NOW)]), site=replace(pictures.SITE, url='https://x.example/a&b<">'))
    assert len(mapped(crawler_files(seen, loaded(), ["index.html"])["sitemap.xml"])) == 3


def test_a_feed_reader_finds_the_feed_of_the_page_it_is_given() -> None:
    """The history everywhere, and on the page of a component its own feed as well."""
    for path, text in pages(whole("stormy")):
        found = re.findall(r'<link rel="alternate" type="application/atom\+xml" title="[^"]+" href="([^"]*)">', text)
        targets = [urlsplit(urljoin(f"{URL}/{path}", address)).path for address in found]
        root = "/" + (path.partition("/")[0] + "/" if path.startswith(("en/", "es/")) else "")
        component = re.fullmatch(r"(?:en/|es/)?components/([^/]+)/index\.html", path)
        own = [f"{root}components/{component[1]}.atom"] if component else []
        assert targets == [f"{root}history.atom", *own]
