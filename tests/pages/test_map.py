"""The map of dependencies and the filters as views, and what of them stands in the page."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.board import Version
from monitor.core.module import Status
from monitor.pages.dashboard import board_view
from monitor.pages.facts import Facts
from monitor.pages.healthcheck import HealthcheckView, healthcheck
from monitor.pages.lens import Lens
from monitor.pages.map import LETTERS, LINES, MANY, MapView, lines_of
from monitor.pages.picture import Picture
from monitor.pages.render import Press, Printer
from monitor.pages.watch import Watch
from tests.pages import maps, pictures
from tests.pages.conftest import THEME, loaded
from tests.pages.test_render import packed


def view_of(seen: Picture, language: str = "en") -> HealthcheckView:
    """The dashboard."""
    return healthcheck(Lens(Facts(seen), loaded(), language))


def map_of(seen: Picture) -> MapView:
    """Its map."""
    found = view_of(seen).map
    assert found is not None
    return found


@cache
def press() -> Press:
    """The theme, made ready once."""
    return Press(THEME)


def page_of(seen: Picture, language: str = "en") -> str:
    """The dashboard alone, as it is published."""
    lens = Lens(Facts(seen), loaded(), language)
    return Printer(lens, press()).page("healthcheck", "healthcheck/", partial(healthcheck, lens)).decode()


def starts(path: str) -> int:
    """How many pieces a path has."""
    return path.count("M")


def test_the_cause_stands_out_and_says_what_it_explains() -> None:
    """In words as well; the failure travels along the edges between the members and no others."""
    found = map_of(pictures.troubled())
    told = {one.id: (one.role, one.told) for one in found.nodes}
    assert told["promotions"] == ("root", "Promotions and taxes: Unhealthy. Cause of the open incident")
    assert told["checkout"] == ("affected", "Checkout: Unhealthy. Affected by Promotions and taxes")
    assert told["pricing"] == ("", "Pricing: Healthy")
    assert found.explained == ("Promotions and taxes explains: Checkout and Subscriptions.",)
    # promotions → checkout → subscriptions, which stand in neighbouring layers
    assert starts(found.strong) == 2
    assert set(re.findall(r"M\d+ \d+", found.strong)).isdisjoint(re.findall(r"M\d+ \d+c", found.back))


def test_the_drawing_stays_the_same_while_its_marks_change() -> None:
    """Where a module stands depends on the configuration alone."""
    calm, hit = map_of(pictures.green()), map_of(pictures.stormy())
    assert [(one.id, one.left, one.top) for one in calm.nodes] == [(one.id, one.left, one.top) for one in hit.nodes]
    assert (calm.width, calm.height, calm.strong) == (hit.width, hit.height, "")
    assert {one.mark.kind for one in calm.nodes} == {"ok"}


def test_a_cause_that_is_not_named_explains_nothing() -> None:
    """Its members fail, and no line says why."""
    found = map_of(pictures.picture([pictures.incident("oms", pictures.NOW, affected=["workflow"], named=False)]))
    assert (found.strong, found.explained) == ("", ())
    assert {one.role for one in found.nodes} == {""}


def test_a_failure_travels_through_what_nobody_measures() -> None:
    """From the cause over a module of unknown status to one that fails."""
    seen = maps.picture_of(maps.shipped_platform(), "license-manager", ("sales-app",))
    assert view_of(seen).modules[0].id == "license-manager"
    found = map_of(seen)
    assert found.strong
    assert found.explained == ("License Manager explains: Sales App.",)


@pytest.mark.parametrize(
    "affected", [(), ("module-0200", "module-0201"), tuple(f"module-{n:04}" for n in range(4, 200))]
)
def test_of_very_many_modules_the_map_shows_what_matters(affected: tuple[str, ...]) -> None:
    """What fails first, then what stands next to it, and it says so."""
    found = map_of(maps.picture_of(maps.platform_of(300), "module-0003", affected))
    shown = {one.id for one in found.nodes}
    assert len(shown) <= MANY
    assert {"module-0003", *affected[:60]} <= shown
    assert re.fullmatch(r"The map shows \d+ of 300 modules: those that fail .*", found.note.replace("\xa0", " "))


def test_of_very_many_modules_that_are_well_the_map_shows_none() -> None:
    """And says why."""
    found = map_of(maps.picture_of(maps.platform_of(300)))
    assert (found.nodes, found.calm) == ((), "")
    assert "none now" in found.note


def test_without_dependencies_there_is_no_map() -> None:
    """Nor a link to one."""
    seen = maps.picture_of(maps.platform_of(5))
    assert view_of(seen).map is None
    assert "#dependency_map" not in page_of(seen)


def test_operators_see_the_cause_of_a_draft_and_readers_do_not() -> None:
    """The map of each side tells what that side may know."""
    seen = maps.struck()
    drafts = {id: replace(one, published_at=None) for id, one in seen.board.incidents.items()}
    board = replace(seen.board, incidents=drafts)
    watch = Watch(seen.site, board, seen.history, seen.now)
    public = Picture(seen.site, board, seen.history, seen.now)
    ours = board_view(Lens(Facts(public), loaded(), "en"), watch).map
    assert ours is not None
    assert [one.id for one in ours.nodes if one.role == "root"] == ["rates-and-benefits"]
    assert not [one.id for one in map_of(public).nodes if one.role]


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_every_name_fits_into_its_box(name: str) -> None:
    """In two lines, cut where need be."""
    lines = lines_of(name)
    assert len(lines) <= LINES
    assert all(len(line) <= LETTERS for line in lines)
    assert "".join(lines).replace(" ", "").rstrip("…") in "".join(name.split()) + "…"


def test_names_that_fit_stay_whole() -> None:
    """Broken between words only."""
    assert lines_of("Promotions and taxes") == ("Promotions and", "taxes")
    assert lines_of("Checkout") == ("Checkout",)
    assert lines_of("Arquivos e imagens (File System)") == ("Arquivos e", "imagens (File…")


# --- what a box says


def test_a_box_tells_what_an_answer_takes_now_and_usually() -> None:
    """Now is the median of this hour or the one before; what is older is not now."""
    seen = pictures.green()
    one = next(one for one in view_of(seen).modules if one.id == "search")
    latency = seen.history.latency["search"]
    assert (one.now, one.p50) == tuple(f"{value:.0f}\xa0ms" for value in (latency.points[-1][1], latency.p50_ms))
    old = tuple((at - timedelta(hours=2), value) for at, value in latency.points)
    history = replace(seen.history, latency={**seen.history.latency, "search": replace(latency, points=old)})
    stale = next(one for one in view_of(replace(seen, history=history)).modules if one.id == "search")
    assert (stale.now, stale.p50) == ("–", one.p50)


def test_a_box_tells_the_last_change_of_version() -> None:
    """What it is, since when, and what it was; of the first version no change is known."""
    seen = pictures.green()
    probes = {id: next(iter(seen.board.platform.modules[id].probes)).key for id in ("search", "catalog")}
    since = pictures.NOW - timedelta(hours=2)
    versions = {
        probes["search"]: Version("search-v2", since, "search-v1"),
        probes["catalog"]: Version("catalog-v7", since),
    }
    text = (
        page_of(replace(seen, board=replace(seen.board, versions=versions))).replace("\xa0", " ").replace("\u202f", " ")
    )
    moment = '<time datetime="2026-11-23T13:15:20.000Z">10:15 UTC-3</time>'
    assert f"Version search-v2, since {moment}, before search-v1" in text
    assert "Version catalog-v7</span>" in text


# --- filters


def test_every_box_carries_what_filters_go_by() -> None:
    """The groups of its components, its status, and what each place sees."""
    text = page_of(pictures.troubled())
    box = re.search(r'<article[^>]*data-module-id="checkout"[^>]*>', text)
    assert box is not None
    assert 'data-groups="buying"' in box[0]
    assert 'data-module-status="down"' in box[0]
    assert 'data-seen="sao-paulo:down virginia:down frankfurt:down"' in box[0]
    assert '<option value="buying">Buying</option>' in text
    assert '<option value="down">Unhealthy</option>' in text
    assert '<option value="virginia">virginia</option>' in text


def test_without_script_there_is_nothing_to_narrow_down_with() -> None:
    """And no module is hidden."""
    text = page_of(pictures.troubled())
    assert re.search(r'<div class="filter"[^>]* hidden', text)
    assert not re.search(r"<article[^>]* hidden", text)


def test_very_many_boxes_stand_on_shelves_in_the_same_order() -> None:
    """Every module once, what fails first."""
    seen = maps.picture_of(maps.platform_of(200), "module-0150")
    text = page_of(seen)
    ids = re.findall(r'data-module-id="([^"]+)"', text)
    assert ids == [one.id for one in view_of(seen).modules]
    assert len(set(ids)) == 200
    assert text.count('class="boxes shelf"') == 9
    assert 'class="boxes shelf"' not in page_of(pictures.troubled())


# --- weight and colours


def test_the_page_of_the_shipped_modules_is_light() -> None:
    """Forty-four of them with map, filters and what fails."""
    assert packed(page_of(maps.struck(), "pt-BR").encode()) <= 17_000


def test_the_wall_is_as_dark_as_the_dark_page() -> None:
    """The same names with the same values."""
    sheets = [(THEME / "assets" / name).read_text() for name in ("style.css", "healthcheck.css")]
    dark = re.search(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}", sheets[0], re.S)
    wall = re.search(r"#wall:target \{\s*color-scheme: dark;(.*?)\}", sheets[1], re.S)
    assert dark is not None
    assert wall is not None
    assert wall[1].split() == dark[1].split()


def test_statuses_are_those_of_the_board() -> None:
    """Not of the incident."""
    found = {one.id: one.mark.kind for one in map_of(pictures.degraded()).nodes}
    assert (found["search"], found["catalog"]) == ("slow", "ok")
    assert pictures.degraded().board.status("search") is Status.DEGRADED
