"""The press: what it tells of a publication, and what it does when one cannot be made."""

import asyncio
import fcntl
import gc
import json
import logging
import subprocess
import sys
import weakref
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import press
from monitor.config.file import theme_dir
from monitor.core.board import Board, Condition
from monitor.core.history import Latency
from monitor.core.module import Status
from monitor.core.site import Site
from monitor.pages.picture import Picture
from monitor.pages.publish import Publisher
from monitor.pages.translate import Speech
from monitor.pages.truth import Kind
from monitor.press import Pace, Press, Scene
from monitor.store import StoreFailed
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
        self.press = Press(Publisher(directory), MemoryStore(), self.clock, self._scene)
        self.press.speak(Speech.load(self.site.languages, theme_dir(self.site.theme)))

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
    stage.press.speak(Speech.load(stage.site.languages, theme_dir(stage.site.theme)))
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


async def test_what_left_the_configuration_leaves_the_site(stage: Stage) -> None:
    """Nobody goes on reading how a module was when it was looked at last."""
    before = stage.board.platform
    modules = {**before.modules, "outlet": replace(before.modules["cdn"], id="outlet", probes=())}
    stage.board = replace(stage.board, platform=replace(before, modules=modules))
    for _ in range(2):
        await stage.publish()
    pages = [stage.public / name for name in ("modules/outlet/index.html", "badge/modules/outlet.svg")]
    assert all(page.exists() for page in pages)
    stage.board = replace(stage.board, platform=before)
    await stage.publish()
    assert not any(page.exists() for page in pages)


async def test_a_publication_is_out_of_memory_once_the_next_one_is_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anybody looking for rings of what holds itself: that is done every ten minutes."""
    pictures = list[weakref.ref[Picture]]()
    write = stage.press._write

    def watched(picture: Picture, *more: Any) -> Any:
        pictures.append(weakref.ref(picture))
        return write(picture, *more)

    monkeypatch.setattr(stage.press, "_write", watched)
    gc.disable()
    try:
        for status in (Status.UP, Status.DOWN, Status.UP):
            stage.strike("search", status)
            await stage.publish()
        for _ in range(500):  # the thread may be about to let go of the last one
            await asyncio.sleep(0.01)
            if not any(one() for one in pictures):
                break
        assert [one() is None for one in pictures] == [True, True, True]
    finally:
        gc.enable()


async def test_a_publication_after_nothing_writes_next_to_nothing(stage: Stage) -> None:
    """The files that tell the time of the data to the second, and once a minute the one that tells the minute."""
    await stage.publish()
    dated = {"index.html", "api/v1/status.json"}
    for texts in (dated, dated | {"api/v1/uptime.json"}, dated):  # at 15:15:50, 15:16:05, 15:16:20
        known = {one.stat().st_ino for one in stage.public.resolve().rglob("*") if one.is_file()}
        await stage.publish()
        folder = stage.public.resolve()
        fresh = [one for one in folder.rglob("*") if one.is_file() and one.stat().st_ino not in known]
        assert {str(one.relative_to(folder)).removesuffix(".gz") for one in fresh} == texts


@pytest.mark.parametrize(("limit", "most"), [("ANEW", 20), ("TURN", 0.005)])
async def test_news_of_many_is_where_all_look_before_it_is_on_the_page_of_each(
    limit: str, most: float, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home page, the Healthcheck and `status.json` wait for nobody; the rest follows with the next publications."""
    await stage.publish()
    monkeypatch.setattr(press, limit, most)
    modules = list(stage.board.platform.modules)
    for id in modules:
        stage.strike(id, Status.DOWN)

    def told() -> tuple[int, int]:
        """Of how many modules `status.json`, and the file of each, says that they are down."""
        status = json.loads((stage.public / "api/v1/status.json").read_text())
        files = [json.loads((stage.public / f"api/v1/modules/{id}.json").read_text()) for id in modules]
        return sum(one["status"] == "down" for one in status["modules"]), sum(one["status"] == "down" for one in files)

    await stage.publish()
    whole, single = told()
    assert (whole, stage.press.behind) == (len(modules), True)
    assert single < len(modules)
    for _ in range(len(modules) // 2 if limit == "ANEW" else 20 * len(modules)):
        if stage.press.behind:
            await stage.publish()
    assert told() == (len(modules), len(modules))


# --- a disk that does not do its part


async def test_a_disk_that_refuses_leaves_the_last_publication_and_is_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Also to whoever asks whether all is well; and that it is over."""
    caplog.set_level(logging.INFO)
    before = await stage.publish()
    place = stage.public.parent / ".publications"
    shelved = place.rename(place.with_name("shelved"))
    place.write_text("no folder")
    for _ in range(2):
        stage.clock.at += timedelta(seconds=15)
        await stage.press.publish()
        assert stage.press.trouble is not None
        assert "Not a directory" in stage.press.trouble
    assert [level for level, _ in said(caplog)] == ["ERROR"]
    place.unlink()
    shelved.rename(place)
    assert (stage.public / "index.html").read_text() == before
    assert await stage.publish() != before
    assert stage.press.trouble is None
    assert said(caplog) == [("INFO", "the site is published again")]


async def test_a_slow_disk_holds_up_nobody_and_is_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is another process that does not let go of the folder."""
    caplog.set_level(logging.INFO)
    before = await stage.publish()
    monkeypatch.setattr(press, "PATIENCE", 0.2)
    with (stage.public.parent / ".publications/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage.clock.at += timedelta(minutes=1)  # which the page tells
        publishing = asyncio.create_task(stage.publish())
        beats = 0
        while stage.press.trouble is None:
            await asyncio.sleep(0.01)
            beats += 1
        assert beats > 5
        assert (stage.public / "index.html").read_text() == before
        assert said(caplog) == [
            ("ERROR", "a publication is not done after 0.2 s: a disk that keeps it waiting, or little time")
        ]
    assert await publishing != before
    assert stage.press.trouble is None
    assert said(caplog) == [("INFO", "the site is published again")]


HANGS = """
import asyncio, fcntl, sys
from pathlib import Path
from monitor.pages.picture import Picture
from monitor.pages.publish import Publisher
from tests.test_press import Stage

async def main():
    directory = Path(sys.argv[1])
    stage = Stage(directory)
    lock = (directory / ".publications/lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    task = asyncio.create_task(stage.press.publish())
    await asyncio.sleep(1)
    task.cancel()
    print("leaving", flush=True)

asyncio.run(main())
"""


def test_a_disk_that_hangs_does_not_keep_the_program_from_leaving(tmp_path: Path) -> None:
    """The thread that waits for it is left behind."""
    done = subprocess.run([sys.executable, "-c", HANGS, str(tmp_path)], timeout=30, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("leaving\n", 0), done.stderr


async def test_a_store_that_does_not_answer_is_told_once_and_once_that_it_does(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The page goes on from memory meanwhile, with every publication."""
    caplog.set_level(logging.INFO, "monitor.press")
    await stage.publish()
    read = stage.press._store.history

    async def history(*given: Any, **named: Any) -> Any:
        raise StoreFailed("the store: gone")

    stage.press._store.history = history  # type: ignore[method-assign]
    for _ in range(3):
        await stage.publish()
    assert said(caplog) == [("WARNING", "publishing from memory, the store does not answer: the store: gone")]
    stage.press._store.history = read  # type: ignore[method-assign]
    for _ in range(2):
        await stage.publish()
    assert said(caplog) == [("INFO", "publishing what is stored again")]


async def test_latency_is_read_often_at_first_and_then_once_a_minute(stage: Stage) -> None:
    """As a minute begins. It moves with every run, so each publication would print most pages anew for a tenth of a
    millisecond."""
    asked: list[bool] = []
    read = stage.press._store.history

    async def history(*given: Any, latency: bool = True, **named: Any) -> Any:
        asked.append(latency)
        return await read(*given, latency=latency, **named)

    stage.press._store.history = history  # type: ignore[method-assign]
    for _ in range(21):  # a quarter of a minute each
        stage.press.nudge()
        await stage.publish()
    assert [place for place, one in enumerate(asked) if one] == [0, 1, 2, 6, 10, 14, 18]
    stage.board = replace(stage.board, platform=replace(stage.board.platform))
    await stage.publish()
    assert asked[-1]  # other modules


def test_latency_is_told_of_a_module_when_it_has_its_turn() -> None:
    """Of each within a beat; of one that nothing was told of, and of one of which there is nothing any more, too."""
    platform, now = pictures.flawless().board.platform, pictures.NOW
    ids = list(platform.modules)
    pace = Pace(platform, now)
    first = {id: Latency(p50_ms=1.0) for id in ids}
    pace.read(first, now)
    told = pace.tell({"gone": Latency()}, now)
    assert {id: told[id] for id in ids} == first
    pace.read({id: Latency(p50_ms=2.0) for id in ids}, now)
    seen = []
    for second in range(15, 61, 15):
        told = pace.tell(told, now + timedelta(seconds=second))
        seen.append(sum(told[id].p50_ms == 2.0 for id in ids))
    assert seen[0] < seen[1] < seen[-1] == len(ids)
    assert told.keys() == set(ids)
    assert pace.tell(told, now + timedelta(seconds=60)) is told


async def test_after_runs_alone_the_store_is_read_with_the_latency_only(stage: Stage) -> None:
    """Whatever else is news is decided here, so that nothing of it can be missed; others are heard within a minute."""
    asked = failing = 0
    read = stage.press._store.history

    async def history(*given: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == failing:
            raise TimeoutError
        return await read(*given, **named)

    async def reads() -> bool:
        before = asked
        await stage.publish()
        return asked > before

    stage.press._store.history = history  # type: ignore[method-assign]
    for _ in range(11):
        await stage.publish()
    assert [await reads() for _ in range(8)] == [False, False, False, True] * 2
    stage.press.nudge()
    assert await reads()
    stage.strike("search", Status.DOWN)
    assert await reads()
    assert not await reads()
    stage.press.nudge()
    failing = asked + 1
    assert await reads()
    failing = 0
    assert await reads()  # as it did not answer the last time


async def test_latency_that_was_read_stays_until_it_is_read_again(stage: Stage) -> None:
    """Nothing disappears from the page in between."""
    seen = pictures.flawless().history.latency
    read = stage.press._store.history

    async def history(*given: Any, latency: bool = True, **named: Any) -> Any:
        return replace(await read(*given, **named), latency=seen if latency else {})

    stage.press._store.history = history  # type: ignore[method-assign]
    for _ in range(6):
        await stage.publish()
        assert stage.press.history.latency == seen
        assert seen


async def test_what_a_large_publication_took_is_given_back_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a site that is new, or one of which much changed, and not after each small one: it has its price."""
    given = list[bool]()
    monkeypatch.setattr(press, "give_back", lambda: given.append(True))
    await stage.publish()
    assert given == [True]
    await stage.publish()
    assert given == [True]
