"""The card of a shared link: what it shows, that every letter can be read, and that it changes with facts only."""

import os
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from monitor.pages.card import HEIGHT, WIDTH, Card, _drawable, _font, card, card_files, draw, fonts_of, territory
from monitor.pages.facts import Facts
from monitor.pages.picture import Picture
from monitor.pages.site import site_files
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME, loaded, published
from tests.pages.pictures import NOW, STATES, incident, picture


def image(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def colours(content: bytes) -> set[str]:
    found = image(content).convert("RGB").getcolors(WIDTH * HEIGHT) or []
    return {"#{:02x}{:02x}{:02x}".format(*rgb) for _, rgb in found if isinstance(rgb, tuple)}


def english(seen: Picture) -> Card:
    return card(Facts(seen), loaded(), "en")


@pytest.mark.parametrize("state", STATES)
def test_every_language_has_a_card_of_the_size_networks_want(state: str) -> None:
    files = card_files(STATES[state](), loaded(), THEME)
    assert list(files) == ["card.png", "en/card.png", "es/card.png"]
    for content in files.values():
        assert (image(content).format, image(content).size) == ("PNG", (1200, 630))
        assert len(content) < 60_000
    assert len(set(files.values())) == 3


def test_it_says_the_sentence_and_the_worst_of_what_goes_on() -> None:
    shown = english(pictures.stormy())
    assert (shown.brand, shown.host, shown.date) == ("VTEX Status", "status.example.com", "Nov 23, 2026")
    assert (shown.mark, shown.sentence) == ("down", "Major System Outage")
    assert [one.mark for one in shown.troubles] == ["down", "part", "part"]
    assert shown.troubles[0].title == "Promotions and taxes: overload or service switched off (status 503)"
    assert shown.troubles[0].since == "12:03\u00a0UTC-3"
    assert shown.more == "+ 1"
    assert english(pictures.green()).troubles == ()
    assert english(pictures.green()).mark == "ok"


def test_the_mark_stands_out_in_the_colour_of_the_theme() -> None:
    files = {state: card_files(STATES[state](), loaded(), THEME)["card.png"] for state in ("green", "stormy", "blind")}
    assert "#0a7a4e" in colours(files["green"])
    assert "#bd1c2f" in colours(files["stormy"])
    assert "#0a7a4e" not in colours(files["blind"])


def test_while_blind_nothing_is_claimed_to_be_well() -> None:
    shown = english(pictures.blind())
    assert (shown.mark, shown.sentence) == ("none", "Last known: All Systems Operational")


def test_trouble_of_another_day_is_dated() -> None:
    shown = english(picture([incident("oms", NOW - timedelta(days=3))]))
    assert shown.troubles[0].since == "Nov 20"


def test_unchanged_facts_give_unchanged_bytes_and_are_not_drawn_again() -> None:
    """A minute changes nothing, another day does."""
    seen = pictures.troubled()
    before, drawn = card_files(seen, loaded(), THEME), draw.cache_info().misses
    later = replace(seen, now=seen.now + timedelta(minutes=3), data_until=seen.now)
    assert card_files(later, loaded(), THEME) == before
    assert draw.cache_info().misses == drawn
    draw.cache_clear()
    assert card_files(seen, loaded(), THEME) == before
    tomorrow = replace(seen, now=seen.now + timedelta(days=1))
    assert card_files(tomorrow, loaded(), THEME)["card.png"] != before["card.png"]


@pytest.mark.parametrize("bold", [True, False])
def test_every_letter_of_every_language_can_be_drawn(bold: bool) -> None:
    """No box stands for a letter: whatever the catalogues and the names hold has a form in the shipped font."""
    font = _font(fonts_of(THEME), bold, 40)
    texts = [path.read_text("utf-8") for path in (THEME / "translations").rglob("*.po")]
    texts.append((THEME.parent / "probes.yaml").read_text("utf-8"))
    letters = {char for text in texts for char in text if char.isprintable() and not char.isspace()}
    letters |= set("çãõñéá¿…€ŁșЖα")
    assert {char for char in letters if _drawable(char, font) != char} == set()
    assert len({bytes(font.getmask(char)) for char in letters}) > 0.9 * len(letters)  # А and A look the same


def test_what_the_font_lacks_is_left_out() -> None:
    font = _font(fonts_of(THEME), True, 40)
    assert _drawable("a\u72b6\U0001f6d2\ud800\ufffe\x00 b\n c", font) == "a b c"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202e\x00\ud800", "\u72b6\u6001", "x" * 3000, " "])
def test_hostile_names_are_cut_to_the_card(text: str) -> None:
    for content in card_files(pictures.hostile(text), loaded(), THEME).values():
        assert image(content).size == (WIDTH, HEIGHT)


def test_a_long_name_ends_before_the_edge() -> None:
    content = card_files(pictures.hostile("W" * 200), loaded(), THEME)["card.png"]
    margin = image(content).convert("RGB").crop((WIDTH - 70, 13, WIDTH, HEIGHT))
    assert len(margin.getcolors() or []) == 1


def test_a_theme_without_fonts_still_has_a_card(tmp_path: Path) -> None:
    theme = shutil.copytree(THEME, tmp_path / "theme", ignore=shutil.ignore_patterns("fonts"))
    assert image(card_files(pictures.green(), loaded(), theme)["en/card.png"]).size == (WIDTH, HEIGHT)


def test_other_letters_in_the_theme_are_another_card(tmp_path: Path) -> None:
    theme = shutil.copytree(THEME, tmp_path / "theme")
    before = card_files(pictures.green(), loaded(), theme)
    shutil.copy(theme / "fonts" / "regular.otf", theme / "fonts" / "bold.otf")
    os.utime(theme / "fonts" / "bold.otf")
    assert card_files(pictures.green(), loaded(), theme) != before


@pytest.mark.parametrize(("language", "spelt"), [("pt-BR", "pt_BR"), ("en", "en_US"), ("es", "es_ES"), ("fr", "fr_FR"),
                                                 ("es-AR", "es_AR"), ("zh-Hans-CN", "zh_CN")])  # fmt: skip
def test_open_graph_has_its_own_spelling_of_languages(language: str, spelt: str) -> None:
    assert territory(language) == spelt


def meta(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', text):
        found.setdefault(name, []).append(unescape(content))
    return found


def test_every_page_names_the_card_of_its_language() -> None:
    """Title, text, address, languages, the picture with its size and words; the page of lost readers has none."""
    files = site_files(pictures.troubled(), Speech.load(LANGUAGES, THEME), THEME)
    for path, content in files.items():
        if not path.endswith(".html"):
            continue
        text = content.decode()
        found = meta(text)
        if path == "404.html":
            assert found == {}
            continue
        title = re.search(r"<title>([^<]*) · VTEX Status</title>", text)
        assert title is not None
        assert found["og:title"] == [unescape(title[1])]
        assert found["og:url"] == re.findall(r'<link rel="canonical" href="([^"]*)">', text)
        (card_address,) = found["og:image"]
        assert card_address.removeprefix("https://status.example.com/") in files
        assert (found["og:image:width"], found["og:image:height"]) == (["1200"], ["630"])
        assert found["og:image:alt"][0]
        assert found["twitter:card"] == ["summary_large_image"]
        assert found["og:description"][0]
        assert sorted([*found["og:locale"], *found["og:locale:alternate"]]) == ["en_US", "es_ES", "pt_BR"]


def test_a_hostile_title_stays_inside_its_attribute() -> None:
    assert meta(published("green")["en/index.html"].decode())["og:title"] == ["All Systems Operational"]
    files = site_files(pictures.hostile('"><script>x</script>'), Speech.load(("en",), THEME), THEME)
    page = next(body.decode() for path, body in files.items() if path.startswith("incidents/"))
    assert meta(page)["og:title"] == ['"><script>x</script>']
