"""Hooks: what changed is carried elsewhere by a command, and nothing waits for it."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import courier
from monitor.config import Hook
from monitor.courier import Courier, in_order
from monitor.pages.publish import Publisher
from tests.programs import path_of

PAGE = b"<!doctype html><p>" + b"all is well. " * 40
# Notes every run: whether it was of everything, and its paths.
NOTES = """
import os, sys
paths = sys.stdin.buffer.read()
end = b"\\0" if b"\\0" in paths else b"\\n"
with open(sys.argv[1], "ab") as notes:
    notes.write((os.environ["MONITOR_WHOLE"] or "0").encode() + b" " + b",".join(paths.split(end)[:-1]) + b"\\n")
"""


class Yard:
    """A publisher, a courier that carries what it publishes, and the notes of a command."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.notes = directory / "notes"
        self.public = directory / "public"
        self.runs: list[tuple[str, bool]] = []
        self.publisher = Publisher(directory)
        self.courier = Courier(self.public, lambda hook, well: self.runs.append((hook, well)))

    def noting(self, before: str = "", **more: object) -> Hook:
        """A hook that takes notes, after doing something else first."""
        return self.hook(sys.executable, "-c", before + NOTES, str(self.notes), **more)

    def hook(self, *command: str, id: str = "mirror", timeout: float = 20, nul: bool = False) -> Hook:
        """A hook."""
        return Hook(id, command, timedelta(seconds=timeout), nul)

    def publish(self, **files: bytes) -> None:
        """Pages by name; `a_b` is `a/b.html`."""
        named = {f"{name.replace('_', '/')}.html": body for name, body in files.items()}
        self.courier.published(self.publisher.publish(named))

    def noted(self) -> list[tuple[bool, list[str]]]:
        """Each run: whether of everything, and the paths."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [(line[0] == "1", line[2:].split(",")) for line in lines]

    @asynccontextmanager
    async def at_work(self, *hooks: Hook) -> AsyncIterator[None]:
        """With these hooks running."""
        self.courier.use(hooks)
        task = asyncio.create_task(self.courier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for something to become true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what it waits for happens in other processes
            await asyncio.sleep(0.01)


async def test_everything_at_first_then_what_changed_and_what_is_gone(yard: Yard) -> None:
    """With the compressed form beside each; a path that is not there any more is one to remove."""
    yard.publish(index=PAGE, old=PAGE)
    async with yard.at_work(yard.noting()):
        yard.publish(index=PAGE, old=PAGE, about=PAGE)
        await until(lambda: len(yard.runs) == 1)
        yard.publish(index=PAGE + b"2", about=PAGE)
        await until(lambda: len(yard.runs) == 2)
        yard.publish(index=PAGE + b"2", about=PAGE)  # nothing new, no run
        await asyncio.sleep(0.3)
    names = ("about.html", "index.html", "old.html")
    everything = [form for name in names for form in (name, f"{name}.gz")]
    changed = [form for name in ("index.html", "old.html") for form in (name, f"{name}.gz")]
    assert yard.noted() == [(True, everything), (False, changed)]
    assert yard.runs == [("mirror", True), ("mirror", True)]


async def test_what_changes_during_a_run_is_carried_by_one_later_run(yard: Yard) -> None:
    """However many publications there are, and never two runs at once."""
    lock = yard.directory / "lock"
    alone = f"import os, time; os.mkdir({str(lock)!r}); time.sleep(0.5); os.rmdir({str(lock)!r})\n"
    async with yard.at_work(yard.noting(alone)):
        yard.publish(a=PAGE)
        await until(lock.exists)
        for number in range(5):
            yard.publish(a=PAGE, **{f"b{number}": PAGE})
        await until(lambda: len(yard.runs) == 2)
        await asyncio.sleep(0.3)
    assert [whole for whole, _ in yard.noted()] == [True, False]
    assert {path for path in yard.noted()[1][1] if path.endswith("html")} == {f"b{n}.html" for n in range(5)}
    assert all(well for _, well in yard.runs)


async def test_a_failure_is_told_once_and_tried_again_with_everything(
    yard: Yard, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what is out there by then. No secret is told, whatever the command says."""
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.05)
    monkeypatch.setenv("MIRROR_PASSWORD", "hunter2-hunter2")
    caplog.set_level(logging.INFO)
    broken = yard.directory / "broken"
    broken.touch()
    failing = (
        f"import os, sys\nif os.path.exists({str(broken)!r}):\n"
        "    sys.exit('first line\\ncannot log in with ' + os.environ['MIRROR_PASSWORD'] + ' ' + sys.argv[1][:0])\n"
    )
    async with yard.at_work(yard.noting(failing)):
        yard.publish(a=PAGE)
        await until(lambda: len(yard.runs) >= 3)
        yard.publish(a=PAGE, b=PAGE)
        broken.unlink()
        await until(lambda: ("mirror", True) in yard.runs)
    assert yard.noted()[0] == (True, ["a.html", "a.html.gz", "b.html", "b.html.gz"])
    assert [record.getMessage() for record in caplog.records] == [
        "hook mirror failed and is tried again: exit status 1: cannot log in with ***",
        "hook mirror works again",
    ]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        pytest.param(["/nonexistent/command"], "cannot be started: No such file or directory", id="missing"),
        pytest.param(["/"], "cannot be started: Permission denied", id="a folder"),
        pytest.param(["false"], "exit status 1: and said nothing", id="silent"),
        pytest.param(["sh", "-c", "kill -9 $$"], "exit status -9: and said nothing", id="killed"),
    ],
)
async def test_a_command_that_does_not_work_is_told_by_its_reason(
    yard: Yard, caplog: pytest.LogCaptureFixture, command: list[str], why: str
) -> None:
    """And by the name of the hook; its arguments may hold secrets."""
    async with yard.at_work(yard.hook(*command, id="s3")):
        yard.publish(a=PAGE)
        await until(lambda: bool(yard.runs))
    (record,) = caplog.records
    assert record.getMessage() == f"hook s3 failed and is tried again: {'it ' if 'started' in why else ''}{why}"


async def test_a_hung_one_is_killed_with_its_children(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    """Also one that left a child behind holding its output."""
    child = yard.directory / "child"
    hung = yard.hook("sh", "-c", f"sleep 600 & echo $! > {child}; wait", timeout=0.5)
    async with yard.at_work(hung):
        yard.publish(a=PAGE)
        await until(lambda: bool(yard.runs))
    assert yard.runs == [("mirror", False)]
    assert caplog.records[0].getMessage().endswith("it took longer than 0.5 s")
    await until(lambda: not _lives(int(child.read_text())))


async def test_stopping_leaves_nothing_running(yard: Yard) -> None:
    """In the middle of a run."""
    pid = yard.directory / "pid"
    async with yard.at_work(yard.hook("sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 600")):
        yard.publish(a=PAGE)
        await until(pid.exists)
    await until(lambda: not _lives(int(pid.read_text())))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_command_need_not_read_its_input_and_may_say_a_lot(yard: Yard) -> None:
    """A list longer than a pipe, megabytes of complaints: memory stays small and nothing hangs."""
    many = {f"page{number:05}": PAGE for number in range(3000)}
    talks = "import sys\nfor _ in range(3000): sys.stderr.write('x' * 1000 + '\\n')\n"
    async with yard.at_work(yard.hook("true", id="deaf"), yard.hook(sys.executable, "-c", talks, id="loud")):
        yard.publish(**many)
        await until(lambda: len(yard.runs) == 2)
    assert sorted(yard.runs) == [("deaf", True), ("loud", True)]


async def test_a_command_opens_its_input_and_the_place_of_its_complaints_by_name(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    """As scripts do that read `/dev/stdin` and complain to `/dev/stderr`."""
    script = f'cat /dev/stdin > "{yard.notes}"; echo "no such bucket" > /dev/stderr; exit 3'
    async with yard.at_work(yard.hook("sh", "-c", script)):
        yard.publish(a=PAGE)
        await until(lambda: yard.runs)
    assert yard.notes.read_text() == "a.html\na.html.gz\n"
    assert "exit status 3: no such bucket" in caplog.text


async def test_a_reload_changes_the_hooks(yard: Yard) -> None:
    """One that is the same goes on; a new one begins with everything."""
    keeps, goes = yard.noting(), yard.hook("true", id="goes")
    async with yard.at_work(keeps, goes):
        yard.publish(a=PAGE)
        await until(lambda: len(yard.runs) == 2)
        yard.courier.use([keeps, yard.noting(id="comes", nul=True)])
        yard.publish(a=PAGE, b=PAGE)
        await until(lambda: len(yard.runs) == 4)
    assert sorted(yard.runs) == [("comes", True), ("goes", True), ("mirror", True), ("mirror", True)]
    both = ["a.html", "a.html.gz", "b.html", "b.html.gz"]
    assert sorted(yard.noted()[1:]) == [(False, both[2:]), (True, both)]


async def test_what_another_process_published_is_carried_too(yard: Yard) -> None:
    """`monitor render` beside `monitor run`: nobody here knows what that changed."""
    async with yard.at_work(yard.noting()):
        yard.publish(a=PAGE)
        await until(lambda: len(yard.runs) == 1)
        Publisher(yard.directory).publish({"a.html": PAGE + b"2", "b.html": PAGE})
        yard.publish(a=PAGE + b"2", b=PAGE)
        await until(lambda: len(yard.runs) == 2)
    assert yard.noted()[1] == (True, ["a.html", "a.html.gz", "b.html", "b.html.gz"])


def test_pages_before_what_tells_readers_to_look_again() -> None:
    """Assets, pages, and the small files last."""
    paths = ["api/v1/status.json", "index.html", "assets/refresh.0123456789.js", "history.atom", "en/index.html"]
    assert in_order(paths) == [
        "assets/refresh.0123456789.js",
        "en/index.html",
        "history.atom",
        "index.html",
        "api/v1/status.json",
    ]


# --- the recipes of the documentation, for real


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files."""

    def files(folder: Path) -> dict[str, bytes]:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    return files(one.resolve()) == files(other)


async def test_the_rsync_recipe_keeps_a_mirror(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes, additions and removals, dates included."""
    path_of("rsync")
    mirror = yard.directory / "mirror"
    mirror.mkdir()
    monkeypatch.setenv("MIRROR", f"{mirror}/")
    (command,) = recipes("rsync")
    async with yard.at_work(yard.hook(*command)):
        yard.publish(index=PAGE, modules_cart_index=PAGE, old=PAGE)
        await until(lambda: len(yard.runs) == 1)
        assert same(yard.public, mirror)
        yard.publish(index=PAGE + b"2", modules_cart_index=PAGE, new=PAGE)
        await until(lambda: len(yard.runs) == 2)
    assert yard.runs == [("mirror", True), ("mirror", True)]
    assert same(yard.public, mirror)
    assert int((mirror / "new.html").stat().st_mtime) == int((yard.public / "new.html").stat().st_mtime)


def recipes(word: str) -> list[list[str]]:
    """The commands of `docs/hosting.md` that a hook's example there runs and that hold a word."""
    import yaml

    text = (Path(__file__).parents[1] / "docs" / "hosting.md").read_text()
    blocks = [block.partition("```")[0] for block in text.split("```yaml\n")[1:]]
    hooks = [hook for block in blocks for hook in yaml.safe_load(block).get("publish", {}).get("hooks", {}).values()]
    return [hook["command"] for hook in hooks if any(word in argument for argument in hook["command"])]
