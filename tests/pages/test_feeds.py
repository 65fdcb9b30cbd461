"""Feeds and badges: strict parsers, ids that never change, names from anywhere."""

from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from monitor.core.incident import Stage, Update
from monitor.pages.badges import COLOURS, LABEL, badge, badge_files
from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.pictures import NOW, STATES

THEME = Path(__file__).parents[2] / "site"
SPEECH = Speech.load(("pt-BR", "en", "es"), THEME)
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = '<script>alert("1")</script>\x00\x08\x1b[31m ]]> & é 🛒 \ufffe'


def feeds(seen: Picture) -> dict[str, str]:
    return {name: body.decode() for name, body in feed_files(seen, SPEECH).items()}


def entries(text: str) -> dict[str, ElementTree.Element]:
    feed = ElementTree.fromstring(text)
    return {entry.findtext(f"{ATOM}id") or "": entry for entry in feed.iter(f"{ATOM}entry")}


@pytest.mark.parametrize("state", [*STATES, "hostile"])
def test_every_xml_file_is_well_formed(state: str) -> None:
    seen = pictures.hostile(HOSTILE) if state == "hostile" else STATES[state]()
    for name, body in {**feed_files(seen, SPEECH), **badge_files(seen, SPEECH)}.items():
        if not name.endswith((".ics", ".txt")):
            ElementTree.fromstring(body)


def test_every_language_has_its_feeds() -> None:
    names = set(feeds(pictures.green()))
    for root in ("", "en/", "es/"):
        assert {f"{root}history.atom", f"{root}history.rss", f"{root}maintenance.ics"} <= names
        assert f"{root}components/cart.atom" in names


def test_an_atom_feed_has_what_readers_need() -> None:
    feed = ElementTree.fromstring(feeds(pictures.troubled())["en/history.atom"])
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert feed.findtext(f"{ATOM}id") == "tag:status.example.com,2005:/en/history"
    assert feed.findtext(f"{ATOM}updated") == "2026-11-23T15:06:10.000Z"
    assert links == {
        "alternate": "https://status.example.com/en/",
        "self": "https://status.example.com/en/history.atom",
    }
    one = feed.find(f"{ATOM}entry")
    assert one is not None
    assert one.findtext(f"{ATOM}title") == "Promotions and taxes: overload or service switched off (status 503)"
    content = one.findtext(f"{ATOM}content") or ""
    assert content.index("<strong>Identified</strong>") < content.index("<strong>Investigating</strong>")


def test_a_new_update_edits_the_entry_and_keeps_its_id() -> None:
    seen = pictures.troubled()
    one = seen.history.incidents[0]
    said = Update(NOW, Stage.MONITORING, "said", author="person", body={"en": "A fix is out."})
    told = replace(one, stage=Stage.MONITORING, updates=(*one.updates, said))
    later = replace(seen, board=replace(seen.board, incidents={told.id: told}))
    before, after = entries(feeds(seen)["history.atom"]), entries(feeds(later)["history.atom"])
    assert list(before) == list(after)
    id = f"tag:status.example.com,2005:Incident/{one.id}"
    assert before[id].findtext(f"{ATOM}published") == after[id].findtext(f"{ATOM}published")
    assert before[id].findtext(f"{ATOM}updated") != after[id].findtext(f"{ATOM}updated")
    assert "A fix is out." in (after[id].findtext(f"{ATOM}content") or "")


def test_time_alone_changes_no_feed() -> None:
    seen = pictures.troubled()
    assert feed_files(replace(seen, now=seen.now + timedelta(minutes=3)), SPEECH) == feed_files(seen, SPEECH)


def test_hostile_text_arrives_as_text() -> None:
    feed = feeds(pictures.hostile(HOSTILE))["history.atom"]
    entry = next(iter(entries(feed).values()))
    assert entry.findtext(f"{ATOM}title") == '<script>alert("1")</script>[31m ]]> & é 🛒 '
    assert "<script" not in feed
    assert "&lt;script&gt;" in (entry.findtext(f"{ATOM}content") or "")  # HTML inside, and escaped there as well


def test_rss_items_are_dated_and_their_guid_is_their_link() -> None:
    channel = ElementTree.fromstring(feeds(pictures.troubled())["history.rss"]).find("channel")
    assert channel is not None
    items = channel.findall("item")
    assert len(items) == 5
    for item in items:
        assert item.findtext("guid") == item.findtext("link")
        assert parsedate_to_datetime(item.findtext("pubDate") or "").tzinfo is not None


def test_a_component_feed_holds_its_own_incidents_only() -> None:
    files = feeds(pictures.troubled())
    assert len(entries(files["components/price-calculation.atom"])) == 1
    assert len(entries(files["components/images.atom"])) == 0


def test_badges_speak() -> None:
    files = badge_files(pictures.troubled(), SPEECH)
    for name in ("overall", "modules/checkout", "components/cart"):
        for suffix in ("", "/uptime"):
            svg = ElementTree.fromstring(files[f"badge/{name}{suffix}.svg"])
            title = svg.findtext("{http://www.w3.org/2000/svg}title")
            assert svg.get("role") == "img"
            assert title
            assert svg.get("aria-label") == title


def test_a_badge_carries_the_word_of_its_status() -> None:
    english = Speech.load(("en",), THEME)
    files = badge_files(pictures.troubled(), english)
    assert "Checkout: Unhealthy" in files["badge/modules/checkout.svg"].decode()
    assert "Images and files: Operational" in files["badge/components/images.svg"].decode()
    assert "No data" in badge_files(pictures.newborn(), english)["badge/overall/uptime.svg"].decode()


@pytest.mark.parametrize("colour", [*COLOURS.values(), LABEL])
def test_white_text_on_a_badge_can_be_read(colour: str) -> None:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def test_every_module_and_component_has_a_badge_and_its_uptime_beside_it() -> None:
    seen = pictures.troubled()
    platform = seen.board.platform
    whats = [
        "overall",
        *(f"modules/{id}" for id in platform.modules),
        *(f"components/{id}" for id in platform.components),
    ]
    assert set(badge_files(seen, SPEECH)) == {f"badge/{what}{end}.svg" for what in whats for end in ("", "/uptime")}


def test_while_blind_no_badge_is_green_for_what_was_good() -> None:
    svg = badge_files(pictures.blind(), Speech.load(("en",), THEME))["badge/overall.svg"].decode()
    assert "VTEX Status: Last known: All Systems Operational" in svg
    assert COLOURS["ok"] not in svg
    assert COLOURS["none"] in svg


def widths(label: str) -> tuple[int, int]:
    """Of the whole badge, and of the room for its label."""
    svg = ElementTree.fromstring(badge(label, "ok", "ok"))
    text = svg.find("{*}g/{*}text")
    assert text is not None
    return int(svg.get("width") or ""), int(text.get("textLength") or "")


@pytest.mark.parametrize(
    ("text", "natural"),  # as DejaVu Sans draws it at 11 px
    [("VTEX Status", 67.3), ("Illinois", 34.9), ("Interrupção parcial", 104.0), ("Promotions & Taxes", 107.5),
     ("Interrupc\u0327a\u0303o parcial", 104.0), ("状态页面", 44.0), ("MMMWWW@@%", 93.6)],
)  # fmt: skip
def test_a_badge_is_as_wide_as_its_words(text: str, natural: float) -> None:
    """Narrow, wide and square letters, accents of their own and those that stand on others."""
    whole, label = widths(text)
    assert abs(label - natural) <= 3
    assert whole == label + 10 + 13 + 10  # "ok", and 5 px on either side of both


def test_what_cannot_be_drawn_takes_no_room() -> None:
    assert widths("a\u200b\u202e\x00\ud800\ufffe b") == widths("a b")


def test_a_long_name_stays_a_badge() -> None:
    svg = ElementTree.fromstring(badge("x" * 5000, "ok", "ok"))
    assert int(svg.get("width") or "") < 900
