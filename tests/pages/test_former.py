"""A module that was renamed is found under its former id as well: its page, its badges, its file of the API."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from monitor.core.board import Condition
from monitor.core.module import Status
from monitor.pages.picture import Picture
from monitor.pages.site import site_files
from tests.pages.conftest import THEME
from tests.pages.test_incremental import SPEECH, passes, shop

FILES = ("modules/{}/index.html", "en/modules/{}/index.html", "badge/modules/{}.svg", "badge/modules/{}/uptime.svg",
         "api/v1/modules/{}.json")  # fmt: skip
OLD = ("prices", "pricing")


def renamed(*former: str) -> Picture:
    """The promotions went by these ids before."""
    seen = shop()
    platform = seen.board.platform
    modules = {**platform.modules, "promotions": replace(platform.modules["promotions"], aliases=former)}
    return replace(seen, board=replace(seen.board, platform=replace(platform, modules=modules)))


def test_the_same_stands_under_a_former_id_and_follows_what_changes() -> None:
    """Byte for byte, so that links lead on and a page names its present address as the canonical one; crawlers hear of
    that one only."""
    seen = renamed(*OLD)
    files = site_files(seen, SPEECH, THEME)
    assert [one for one in FILES for old in OLD if files[one.format(old)] != files[one.format("promotions")]] == []
    assert b'rel="canonical" href="https://status.example.com/modules/promotions/"' in files[FILES[0].format("prices")]
    assert b"/modules/promotions/" in files["sitemap.xml"]
    assert not any(f"/modules/{old}/".encode() in files["sitemap.xml"] for old in OLD)

    was = dict(files)
    seen.cells.put_away()
    seen.cells.close()
    fresh = Condition(Status.UP if seen.board.status("promotions") is Status.DOWN else Status.DOWN, seen.now)
    board = replace(seen.board, modules={**seen.board.modules, "promotions": fresh})
    later = passes(timedelta(minutes=1))(replace(seen, board=board), Random(1))
    files = site_files(replace(later, before=seen.cells.found), SPEECH, THEME)
    assert [one for one in FILES for old in OLD if files[one.format(old)] != files[one.format("promotions")]] == []
    assert files[FILES[0].format("prices")] != was[FILES[0].format("prices")]
