"""Feeds as feed readers see them: two parsers from PyPI, the rules of RFC 4287, and hostile text in every field."""

import re
from calendar import timegm
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import atoma
import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from monitor.pages.plain import legal
from monitor.pages.translate import Speech
from tests.depth import examples
from tests.pages import pictures
from tests.pages.pictures import NOW, STATES, incident, picture

SPEECH = Speech.load(("pt-BR", "en", "es"), Path(__file__).parents[2] / "site")
ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
URL = "https://status.example.com"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NASTY = '<script>alert("1")</script>\x00\x0b\x1b ]]> & &amp; <!-- \u202ertl\u202c \ufffe \ud800 \udfff \u2028 \x85 é 🛒'


def feeds(seen: Picture, ending: str) -> dict[str, bytes]:
    return {name: body for name, body in feed_files(seen, SPEECH).items() if name.endswith(ending)}


def text_of(element: ElementTree.Element, name: str) -> str:
    """The one child of that name: exactly one is allowed."""
    (found,) = element.findall(ATOM + name)
    return found.text or ""


@pytest.fixture(scope="module", params=[*STATES, "hostile"])
def seen(request: pytest.FixtureRequest) -> Picture:
    return pictures.hostile(NASTY) if request.param == "hostile" else STATES[request.param]()


def test_atom_feeds_keep_the_rules_of_rfc_4287(seen: Picture) -> None:
    """One id, title and date each, ids unique, links to the page and to itself, an author, the newest entry first."""
    ids = set()
    for name, body in feeds(seen, ".atom").items():
        feed = ElementTree.fromstring(body)
        assert feed.tag == f"{ATOM}feed"
        language = next((tag for tag in ("en", "es") if name.startswith(f"{tag}/")), "pt-BR")
        assert feed.get(LANG) == language, name
        ids.add(text_of(feed, "id"))
        assert text_of(feed, "id").startswith("tag:status.example.com,2005:/")
        assert text_of(feed, "title")
        assert feed.findtext(f"{ATOM}author/{ATOM}name")
        links = [(link.get("rel"), link.get("href")) for link in feed.findall(f"{ATOM}link")]
        page = name.removesuffix("history.atom") if name.endswith("history.atom") else name.removesuffix(".atom") + "/"
        assert links == [("alternate", f"{URL}/{page}"), ("self", f"{URL}/{name}")]
        entries = feed.findall(f"{ATOM}entry")
        for one in entries:
            assert text_of(one, "title")
            assert RFC3339.fullmatch(text_of(one, "updated"))
            assert RFC3339.fullmatch(text_of(one, "published"))
            assert text_of(one, "published") <= text_of(one, "updated") <= text_of(feed, "updated")
            ((relation, page),) = [(link.get("rel"), link.get("href")) for link in one.findall(f"{ATOM}link")]
            assert relation == "alternate"
            assert (page or "").startswith(
                f"{URL}/{name.partition('/')[0] + '/' if name[2:3] == '/' else ''}incidents/"
            )
        assert len({text_of(one, "id") for one in entries}) == len(entries)
        published = [text_of(one, "published") for one in entries]
        assert published == sorted(published, reverse=True)
    assert len(ids) == 3 * 19


def test_feedparser_finds_nothing_wrong(seen: Picture) -> None:
    """Strictly parsed (`bozo` is what it calls a feed it had to guess at), with dates, links and ids."""
    for name, body in (feeds(seen, ".atom") | feeds(seen, ".rss")).items():
        parsed: Any = feedparser.parse(body, response_headers={"content-type": "application/xml; charset=utf-8"})
        assert not parsed.bozo, (name, parsed.get("bozo_exception"))
        assert parsed.version == ("atom10" if name.endswith(".atom") else "rss20")
        assert parsed.feed.title
        assert parsed.feed.link.startswith(URL)
        moments = [timegm(one.published_parsed) for one in parsed.entries]
        assert moments == sorted(moments, reverse=True)
        assert all(one.link.startswith(URL) and one.id and one.summary for one in parsed.entries)
        assert not re.search(r"<(?!/?(?:p|small|br|strong)\b)", " ".join(one.summary for one in parsed.entries)), name


def test_atoma_agrees(seen: Picture) -> None:
    """A second reader, typed and strict about what RFC 4287 requires."""
    for name, body in feeds(seen, "history.atom").items():
        atom = atoma.parse_atom_bytes(body)
        rss = atoma.parse_rss_bytes(feed_files(seen, SPEECH)[name.replace(".atom", ".rss")])
        assert [one.title.value for one in atom.entries] == [item.title for item in rss.items]
        assert [one.published.replace(microsecond=0) for one in atom.entries] == [item.pub_date for item in rss.items]
        assert [one.links[0].href for one in atom.entries] == [item.guid for item in rss.items]
        assert [one.content.value for one in atom.entries] == [item.description for item in rss.items]


def test_rss_says_where_it_lives_and_links_are_permanent(seen: Picture) -> None:
    for name, body in feeds(seen, ".rss").items():
        channel = ElementTree.fromstring(body).find("channel")
        assert channel is not None
        assert [one.attrib for one in channel.findall(f"{ATOM}link")] == [
            {"rel": "self", "type": "application/rss+xml", "href": f"{URL}/{name}"}
        ]
        assert [len(channel.findall(one)) for one in ("title", "link", "description", "pubDate")] == [1, 1, 1, 1]
        guids = [one.find("guid") for one in channel.iter("item")]
        assert all(one is not None and one.get("isPermaLink") == "true" for one in guids)
        assert len({one.text for one in guids if one is not None}) == len(guids)


def test_entries_stand_in_the_order_in_which_they_were_published() -> None:
    """Trouble that began earlier can be found later."""
    early = incident("search", NOW - timedelta(hours=2))
    late = incident("oms", NOW - timedelta(hours=1))
    early = replace(early, published_at=NOW - timedelta(minutes=5), updates=())
    parsed = feedparser.parse(feeds(picture([early, late]), ".atom")["history.atom"])
    assert [one.id.rpartition("/")[2] for one in parsed.entries] == [early.id, late.id]


@given(text=st.text(max_size=40))
@settings(max_examples=examples(40), deadline=None)
def test_any_text_in_any_field_leaves_a_feed_that_parses(text: str) -> None:
    """Names, titles, updates and reports, whatever they hold: control characters, halves of pairs, markup."""
    files = feed_files(pictures.hostile(text), SPEECH)
    for name in ("history.atom", "en/history.rss", "es/components/cart.atom"):
        assert not feedparser.parse(files[name]).bozo
    entry = ElementTree.fromstring(files["history.atom"]).find(f"{ATOM}entry")
    assert entry is not None
    expected = re.sub("\r\n?", "\n", legal(text))
    assert (entry.findtext(f"{ATOM}title") or "") == expected


def test_a_feed_without_entries_is_dated_from_the_first_thing_known() -> None:
    feed = ElementTree.fromstring(feeds(pictures.flawless(), ".atom")["components/cart.atom"])
    assert datetime.fromisoformat(text_of(feed, "updated")) == NOW - timedelta(days=200)
    nothing = ElementTree.fromstring(feeds(pictures.newborn(), ".atom")["history.atom"])
    assert datetime.fromisoformat(text_of(nothing, "updated")) == datetime(1970, 1, 1, tzinfo=UTC)
