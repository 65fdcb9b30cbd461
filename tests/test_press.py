"""The press: what it tells of a publication, and what it does when one cannot be made."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.core.board import Board, Condition
from monitor.core.module import Status
from monitor.core.site import Site
from monitor.pages.truth import Kind
from monitor.press import Press, Scene
from monitor.store.memory import MemoryStore
from tests.fakes import FakeClock
from tests.pages import pictures
from tests.pages.pictures import NOW

SITE = replace(pictures.SITE, languages=("en",))


class Stage:
    """A press before a scene that changes."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(NOW)
        self.site: Site = SITE
        self.board: Board = pictures.flawless().board
        self.public = directory / "public"
        self.press = Press(directory, MemoryStore(), self.clock, self._scene)
        self.press.speak(self.site)

    def _scene(self) -> Scene:
        return Scene(self.site, self.board, self.clock.at)

    def strike(self, module: str, status: Status) -> None:
        """A module changes, and nobody opens or closes an incident."""
        self.board = replace(self.board, modules={**self.board.modules, module: Condition(status, self.clock.at)})

    async def publish(self) -> str:
        """The home page a quarter of a minute later."""
        self.clock.at += timedelta(seconds=15)
        await self.press.publish()
        return (self.public / "index.html").read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged since the last look."""
    found = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return found


async def test_a_contradiction_is_told_once_and_once_that_it_is_over(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log, and for whoever asks, for as long as it lasts."""
    caplog.set_level(logging.INFO)
    await stage.publish()
    stage.strike("search", Status.DOWN)
    for _ in range(2):
        assert "no incident tells of it yet" in await stage.publish()
    assert said(caplog) == [("WARNING", "what is published contradicts itself: outage_without_incident search")]
    assert [(one.kind, one.subject) for one in stage.press.contradictions] == [(Kind.OUTAGE_WITHOUT_INCIDENT, "search")]
    stage.strike("search", Status.UP)
    for _ in range(2):
        assert "no incident tells of it yet" not in await stage.publish()
    assert said(caplog) == [("INFO", "what is published agrees again: outage_without_incident search")]
    assert stage.press.contradictions == ()


async def test_another_site_is_made_from_nothing(stage: Stage) -> None:
    """Names, languages and modules are what everything stands on: a reload leaves nothing of the old behind."""
    await stage.publish()
    stage.site = replace(SITE, name="Our shops", languages=("es", "en"))
    stage.press.speak(stage.site)
    for page in ("index.html", "modules/cdn/index.html", "en/about/index.html", "history.rss", "badge/overall.svg"):
        await stage.publish()
        text = (stage.public / page).read_text()
        assert "Our shops" in text
        assert "VTEX Status" not in text
    platform = stage.board.platform
    renamed = replace(platform.modules["cdn"], name={"en": "Edge"})
    stage.board = replace(stage.board, platform=replace(platform, modules={**platform.modules, "cdn": renamed}))
    await stage.publish()
    for page in ("modules/cdn/index.html", "healthcheck/index.html", "badge/modules/cdn.svg", "api/v1/status.json"):
        assert "Edge" in (stage.public / page).read_text()


async def test_a_publication_after_nothing_writes_next_to_nothing(stage: Stage) -> None:
    """The line that tells the time of the data, and the files that carry it."""
    await stage.publish()
    before = {one: one.stat().st_ino for one in stage.public.resolve().rglob("*") if one.is_file()}
    await stage.publish()
    folder, known = stage.public.resolve(), set(before.values())
    fresh = [one for one in folder.rglob("*") if one.is_file() and one.stat().st_ino not in known]
    texts = {str(one.relative_to(folder)).removesuffix(".gz") for one in fresh}
    assert texts == {"index.html", "api/v1/status.json", "api/v1/uptime.json"}
