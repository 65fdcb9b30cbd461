"""The pages as bytes: sound HTML, light, the same every time, and nothing in them from outside unescaped."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.pages.plain import legal
from monitor.pages.render import html_files
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.conftest import EVERY, THEME, published

HTML = "{http://www.w3.org/1999/xhtml}"
FOLDERS = {"pt-BR": "", "en": "en/", "es": "es/"}


def pages(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """The HTML pages by path."""
    for path, content in files.items():
        if path.endswith(".html"):
            yield path, content.decode()


def each_kind(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """One page of each kind in each language; those of one kind come from one template."""
    kinds = set()
    for path, text in pages(files):
        kind = re.sub(r"(components|modules|incidents|history)/[^/]+/", r"\1/*/", path)
        if kind not in kinds:
            kinds.add(kind)
            yield path, text


def parse(text: str) -> Element:
    """The tree of a page; raises for anything a strict reader stumbles over."""
    return html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True).parse(text)


def scripts_of(path: str) -> int:
    """How many files of script a page has: the Healthcheck has one for its filters, the codes one for their search."""
    return 2 if path.endswith(("healthcheck/index.html", "codes/index.html")) else 1


def packed(content: bytes) -> int:
    """Its size on the wire."""
    return len(gzip.compress(content, 6))


@pytest.mark.parametrize("state", EVERY)
def test_every_page_is_sound(state: str) -> None:
    """Strict HTML, one h1, headings in order, its language, landmarks, unique ids and no dead anchors."""
    for path, text in each_kind(published(state)):
        root = parse(text)
        language = next((tag for tag, folder in FOLDERS.items() if folder and path.startswith(folder)), "pt-BR")
        assert root.get("lang") == language, path
        levels = [int(one.tag[-1]) for one in root.iter() if re.fullmatch(re.escape(HTML) + r"h\d", one.tag)]
        assert levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False)), (path, levels)
        for landmark in ("header", "main", "nav", "footer"):
            assert root.find(f".//{HTML}{landmark}") is not None, (path, landmark)
        ids = [one.get("id") for one in root.iter() if one.get("id")]
        assert len(ids) == len(set(ids)), path
        anchors = {one.get("href", "")[1:] for one in root.iter(HTML + "a") if one.get("href", "").startswith("#")}
        assert anchors <= set(ids), (path, anchors - set(ids))


def test_every_page_exists_in_every_language() -> None:
    """And the language links keep the page."""
    files = published("troubled")
    pt = {path for path, _ in pages(files) if not path.startswith(("en/", "es/"))} - {"404.html"}

    assert {"index.html", "healthcheck/index.html", "about/index.html", "history/index.html"} <= pt
    assert {"history/2026-11/index.html", "modules/checkout/index.html", "components/cart/index.html"} <= pt
    for folder in ("en/", "es/"):
        assert {path for path in files if path.startswith(folder)} == {folder + path for path in pt}
    assert 'href="../../en/modules/checkout/"' in files["modules/checkout/index.html"].decode()
    assert 'href="../../../modules/checkout/"' in files["en/modules/checkout/index.html"].decode()


@pytest.mark.parametrize("state", ["troubled", "stormy", "young", "working"])
def test_links_lead_somewhere(state: str) -> None:
    """Every link of ours, wherever it stands, is a page or a file of this site or one written beside it."""
    files = published(state)
    for path, text in pages(files):
        if path == "404.html":
            continue
        for link in re.findall(r'(?:href|src)="(\.[^"]*)"', text):
            link, _, anchor = link.partition("#")
            parts = path.split("/")[:-1]
            for part in link.split("/")[:-1]:
                parts = parts if part == "." else parts[:-1] if part == ".." else [*parts, part]
            target = "/".join([*parts, link.split("/")[-1]]).lstrip("/")
            if target.endswith((".atom", ".rss", ".ics")):
                continue
            assert (target if target in files else f"{target.rstrip('/')}/index.html".lstrip("/")) in files, (
                path,
                link,
            )
            if anchor:
                assert f'id="{anchor}"' in files[f"{target.rstrip('/')}/index.html".lstrip("/")].decode(), (
                    path,
                    anchor,
                )


def test_the_page_of_lost_readers_links_from_the_root() -> None:
    """It is shown in place of any address; a site below a folder keeps its folder."""
    site = replace(pictures.SITE, url="https://example.com/status")
    text = html_files(replace(pictures.green(), site=site), Speech.load(("en",), THEME), THEME)["404.html"].decode()

    assert 'href="/status/history/"' in text
    assert 'href="./' not in text


def test_what_was_seen_is_set_apart_from_the_module_it_was_seen_at() -> None:
    """Without a mark between them the two read as one name."""
    text = next(
        body.decode() for name, body in published("troubled").items() if re.match(r"en/incidents/\w+/index.html$", name)
    )

    assert "<span>Promotions and taxes: overload or service switched off (status 503)</span>" in text


def test_search_engines_learn_the_other_languages() -> None:
    """Canonical and alternate links are absolute."""
    text = published("green")["es/healthcheck/index.html"].decode()

    assert '<link rel="canonical" href="https://status.example.com/es/healthcheck/">' in text
    assert '<link rel="alternate" hreflang="pt-BR" href="https://status.example.com/healthcheck/">' in text
    assert 'href="../../es/history.atom"' in text


def test_status_is_never_told_by_colour_alone() -> None:
    """Each component carries its word, its shape and its bars' words."""
    root = parse(published("stormy")["en/index.html"].decode())
    components = [one for one in root.iter(HTML + "div") if one.get("data-component-id")]

    assert len(components) == 18
    for one in components:
        mark = next(span for span in one.iter(HTML + "span") if "mark" in (span.get("class") or ""))
        assert "".join(mark.itertext()).strip()
        drawing = [svg for svg in one.iter() if svg.get("role") == "img"]
        assert len(drawing) == 1
        assert "days good" in (drawing[0].get("aria-label") or "")
    statuses = {one.get("data-component-id"): one.get("data-component-status") for one in components}
    assert statuses["admin"] == "major_outage"
    assert statuses["cart"] == "partial_outage"
    assert statuses["search"] == "degraded_performance"
    assert statuses["apis"] == "operational"


def test_the_first_thing_in_the_page_is_what_fails() -> None:
    """Overall sentence, then the incident, then the components."""
    text = published("troubled")["index.html"].decode()
    order = [text.index(one) for one in ("<h1>", "data-incident-id", "data-component-id", 'id="recent"')]

    assert order == sorted(order)
    assert "há 12\u00a0min" in text


HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "line\nbreak\r\n\ttab",
    "\u202eright to left\u202c עברית العربية",
    "{{ 7 * 7 }} {% raw %} {module} %(ratio)s %s 100%",
    "</style><b>&amp; & ]]>",
    "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("text", [*HOSTILE[:2], *(pytest.param(one, marks=pytest.mark.slow) for one in HOSTILE[2:])])
def test_text_from_outside_is_only_text(text: str) -> None:
    """Names, titles and what people write change no markup, whatever they hold."""
    for path, page in each_kind(html_files(pictures.hostile(text), Speech.load(("pt-BR",), THEME), THEME)):
        root = parse(page)
        assert len(list(root.iter(HTML + "script"))) == scripts_of(path), path
        assert not list(root.iter(HTML + "img")), path
        assert not list(root.iter(HTML + "b")), path
        assert not [one for one in root.iter() for name in one.attrib if name.startswith("on")], path
        shown = " ".join("".join(root.itertext()).split())
        assert " ".join(text.split()) in shown, path


def test_what_no_page_can_hold_does_not_stop_the_publication() -> None:
    """Half a surrogate pair, control characters and code points that are no characters are left out."""
    seen = pictures.hostile("a\x00\x08\x85\ud800\udfff\ufdd0\ufffe\U0001ffffb")
    for path, page in each_kind(html_files(seen, Speech.load(("en",), THEME), THEME)):
        assert "ab" in "".join(parse(page).itertext()), path


@pytest.mark.parametrize("state", EVERY)
def test_secrets_stay_inside(state: str) -> None:
    """No address, excerpt, detail of evidence, runbook or id of a probe is ever published."""
    for path, content in published(state).items():
        assert pictures.SECRET.encode() not in content, path


def test_every_page_is_light() -> None:
    """The home page fits in one round trip, the script in a few packets."""
    for state in pictures.STATES:
        files = published(state)
        for folder in FOLDERS.values():
            assert packed(files[f"{folder}index.html"]) <= 10_000, state  # 14 KB is the promise, this the alarm
        for path, content in files.items():
            assert packed(content) <= 14_000, (state, path)
    scripts = {path: packed(content) for path, content in published("green").items() if path.endswith(".js")}
    assert max(scripts.values()) <= 3_000
    assert sum(scripts.values()) <= 4_000  # 6 KB is the promise


def test_nothing_is_fetched_from_elsewhere_and_no_script_is_inline() -> None:
    """One file of script or two, one icon, all ours; style and drawings are in the page."""
    for path, text in pages(published("troubled")):
        fetched = re.findall(r'(?:src|srcset)="([^"]*)"|<link rel="(?:icon|stylesheet)"[^>]*href="([^"]*)"', text)
        assert len(fetched) == 1 + scripts_of(path), path
        assert all("assets/" in (one or other) for one, other in fetched)
        assert "@import" not in text
        assert "url(" not in text
        assert not re.search(r"<script(?![^>]*src=)", text), path
        assert " style=" not in text, path


def test_same_picture_same_bytes(speech: Speech) -> None:
    """Also when nothing is remembered from the time before."""
    assert html_files(pictures.stormy(), speech, THEME) == html_files(
        pictures.stormy(), Speech.load(speech.languages, THEME), THEME
    )


def test_a_minute_later_only_the_updated_line_differs(speech: Speech) -> None:
    """Pages of unchanged facts keep their bytes; the home page changes in one line."""
    before = pictures.green()
    assert before.data_until is not None
    later = timedelta(seconds=60)
    after = replace(before, now=before.now + later, data_until=before.data_until + later)
    one, two = html_files(before, speech, THEME), html_files(after, speech, THEME)
    changed = {path for path in one if one[path] != two[path]}

    assert changed == {"index.html", "en/index.html", "es/index.html"}
    for path in changed:
        lines = zip(one[path].splitlines(), two[path].splitlines(), strict=True)
        (different,) = [line for line, other in lines if line != other]
        assert b'id="updated"' in different


def test_assets_are_named_after_their_bytes() -> None:
    """So they can be kept for ever."""
    files = published("green")
    names = [path for path in files if path.startswith("assets/")]

    assert sorted(re.sub(r"\.[0-9a-f]{10}\.", ".", name) for name in names) == [
        "assets/codes.js",
        "assets/favicon.svg",
        "assets/healthcheck.js",
        "assets/refresh.js",
    ]
    for name in names:
        page = "codes" if name.startswith("assets/codes.") else "healthcheck"
        assert name in files[f"{page}/index.html"].decode()


@given(
    st.text(st.characters(codec=None), max_size=40), st.sampled_from(["", "\n", "\u00a0", "\ufffe", "\ud800", "\x85"])
)
def test_only_characters_that_no_page_can_hold_are_left_out(text: str, more: str) -> None:
    """However they are looked for, and nothing else goes with them."""
    bad = re.compile(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
        + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
        + "]"
    )
    assert legal(text + more) == bad.sub("", text + more)
