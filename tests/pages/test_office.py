"""The pages of operators with another theme, and with many modules."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from time import perf_counter

import pytest

from monitor.core.module import Module
from monitor.pages.office import Office
from monitor.pages.picture import Picture
from monitor.pages.watch import Watch
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME, loaded
from tests.pages.pictures import SECRET

ABOUT = {"base": "./", "users": False, "tokens": False, "may": True, "named": False,
         "by": None, "csrf": "c", "done": "", "incident": None, "refused": None,
         "typed": {}, "tried": None, "again": ""}  # fmt: skip


def watch(picture: Picture) -> Watch:
    return Watch(picture.site, picture.board, picture.history, picture.now, picture.data_until)


def office(seen: Watch, theme: Path = THEME) -> Office:
    return Office(lambda: seen, loaded, lambda: theme, THEME)


def test_a_theme_without_pages_for_operators_gets_the_built_in_ones(tmp_path: Path) -> None:
    """In the colours of the theme."""
    theme = copytree(THEME, tmp_path / "theme")
    rmtree(theme / "templates" / "ops")
    rmtree(theme / "ops")
    sheet = theme / "assets" / "style.css"
    sheet.write_text(sheet.read_text().replace("--bg: #f5f6f8", "--bg: #123456"))
    own = office(watch(pictures.stormy()), theme)
    page = (own.page("board", "en", ABOUT) or b"").decode()
    name = page.split('rel="stylesheet" href="./healthcheck/assets/')[1].split('"')[0]
    found = own.asset(name)
    assert found is not None
    assert b"#123456" in found[1]
    assert b".run" in found[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", pictures.STATES)
def test_every_state_has_its_page_in_every_language(state: str, language: str) -> None:
    """The board, and every incident of it; operators read what the public does not."""
    seen = watch(pictures.STATES[state]())
    own = office(seen)
    board = (own.page("board", language, ABOUT) or b"").decode()
    assert board.count("data-module-id") == 25
    for one in seen.incidents:
        page = (own.page("incident", language, {**ABOUT, "incident": one}) or b"").decode()
        assert (SECRET in page) is bool(one.cause.evidence or any(act.by for act in one.acts))
    assert own.page("module", language, {**ABOUT, "id": "nope"}) is None


def test_a_thousand_modules_are_printed_in_no_time() -> None:
    """Within a second or two, also on a slow machine."""
    seen = watch(pictures.stormy())
    first = next(iter(seen.board.platform.modules.values()))
    more = {f"m{number}": Module(f"m{number}", first.name) for number in range(1000)}
    board = replace(seen.board, platform=replace(seen.board.platform, modules={**seen.board.platform.modules, **more}))
    own = office(replace(seen, board=board))
    own.page("board", "en", ABOUT)
    began = perf_counter()
    page = own.page("board", "en", ABOUT) or b""
    print(f"{perf_counter() - began:.2f} s, {len(page)} bytes")
    assert perf_counter() - began < 3
    assert page.count(b"data-module-id") == 1025
