"""The public reports: made once an hour, kept while nothing changes them, the same figure as everywhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.module import Status
from monitor.core.site import Site
from monitor.pages.site import site_files
from monitor.reports import Reports
from monitor.store import StoreFailed
from monitor.store.memory import MemoryStore
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME, loaded
from tests.pages.pictures import NOW, SECRET

HOUR = timedelta(hours=1)
SITE = Site(timezone="America/Sao_Paulo")


class Shelf(MemoryStore):
    """A store that may be out of reach."""

    away = False

    async def archive(self, since: object) -> History:
        if self.away:
            raise StoreFailed("the disk is full")
        return await super().archive(since)  # type: ignore[arg-type]


async def stored() -> tuple[Shelf, Board]:
    """A store with the past of a picture."""
    seen = pictures.troubled()
    store = Shelf()
    moves = [move for some in seen.history.transitions.values() for move in some]
    await store.seed(moves, [*seen.history.incidents, *seen.board.incidents.values()], [])
    return store, seen.board


async def made(reports: Reports, store: MemoryStore, board: Board, later: timedelta) -> dict[str, object]:
    now = NOW + later
    history = await store.history(now - timedelta(days=92), now)
    return {one.whole.name: one for one in await reports.of(SITE, board, history, now)}


async def test_reports_are_made_at_full_hours_and_kept_when_they_are_over() -> None:
    """Within an hour all of them stand; in the next one only those under way are made again."""
    store, board = await stored()
    reports = Reports(store)
    first = await made(reports, store, board, timedelta(0))
    assert list(first)[:2] == ["2026-Q4", "2026-11"]
    same = await made(reports, store, board, timedelta(minutes=30))
    assert all(one is first[name] for name, one in same.items())
    later = await made(reports, store, board, HOUR)
    assert {name for name, one in later.items() if one is not first[name]} == {"2026-Q4", "2026-11"}


async def test_a_report_that_is_over_follows_its_facts() -> None:
    """What is decided later about that time is in it an hour later."""
    store, board = await stored()
    reports = Reports(store)
    first = await made(reports, store, board, timedelta(0))
    october = NOW.replace(month=10, day=5)
    await store.seed([pictures.went("checkout", (october, Status.DOWN))[0]], [], [])
    later = await made(reports, store, board, HOUR)
    changed = {name for name, one in later.items() if one is not first[name]}
    assert changed == {"2026-Q4", "2026-11", "2026-10"}


async def test_while_the_store_is_away_reports_stand() -> None:
    """As they were made last, and they come again."""
    store, board = await stored()
    reports = Reports(store)
    first = await made(reports, store, board, timedelta(0))
    store.away = True
    assert await made(reports, store, board, HOUR) == first
    store.away = False
    assert await made(reports, store, board, HOUR) != first


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return site_files(pictures.troubled(), loaded(), THEME)


def test_every_period_has_a_page_in_every_language(files: dict[str, bytes]) -> None:
    """Listed, linked from the history, told to crawlers; and nothing private on any of them."""
    for tag in LANGUAGES:
        root = "" if tag == "pt-BR" else f"{tag.lower()}/"
        names = [name for name in files if name.startswith(f"{root}reports/")]
        assert f"{root}reports/2026-11/index.html" in names
        assert f"{root}reports/2026-Q4/index.html" in names
        index = files[f"{root}reports/index.html"].decode()
        assert index.count('scope="row"') == len(names) - 1
        assert "reports/" in files[f"{root}history/index.html"].decode()
        assert not [name for name in names if SECRET.encode() in files[name]]
    assert b"/reports/2026-Q4/" in files["sitemap.xml"]


def test_what_is_over_keeps_its_bytes(files: dict[str, bytes]) -> None:
    """A day later October is the same page; November is another."""
    seen = pictures.troubled()
    later = NOW + timedelta(days=1)
    told = pictures.reports(seen.board.platform, seen.history, later)
    again = site_files(replace(seen, now=later, reports=told), loaded(), THEME)
    assert again["en/reports/2026-10/index.html"] == files["en/reports/2026-10/index.html"]
    assert again["en/reports/2026-11/index.html"] != files["en/reports/2026-11/index.html"]


def test_without_reports_nothing_leads_to_them() -> None:
    """As before the first full hour of a monitor."""
    files = site_files(pictures.green(), loaded(), THEME)
    assert not [name for name in files if "reports" in name]
    assert b"reports/" not in files["history/index.html"]
