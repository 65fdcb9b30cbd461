"""`monitor db` and the portable dump: what goes out of one database comes into another, all of it or nothing."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.commands import db
from monitor.core.history import Memory
from monitor.store import open_store
from monitor.store.schema import HEAD
from tests.store.past import FAILED, NOON, after, incident, run, saved, trouble

Said = pytest.CaptureFixture[str]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    return f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def filled(url: str) -> None:
    """A past with something in every table, and characters that not every database likes."""
    store = await open_store(url)
    odd = run(after(2), FAILED, "ação\U0001f525")
    await store.commit([*trouble(), run(after(1)), odd, run(NOON, module=None), saved(incident("payments", after(9)))])
    await store.close()


async def everything(url: str) -> object:
    """All that a store gives back."""
    store = await open_store(url, readonly=True)
    try:
        runs = [
            await store.observations(module, since=NOON, until=after(99), limit=99)
            for module in ("checkout", "ação\U0001f525", None)
        ]
        return await store.recall(NOON), await store.history(NOON, after(60)), runs
    finally:
        await store.close()


async def test_a_dump_moves_between_databases(url: str, tmp_path: Path) -> None:
    """From either kind to either kind, and the dump of the copy is the dump of the original, byte for byte."""
    await filled(url)
    first, second, copy = tmp_path / "first", tmp_path / "second", f"sqlite:///{tmp_path}/copy.db"
    assert await db.export(url, first) == 0
    assert await db.import_(copy, first) == 0
    assert await everything(copy) == await everything(url)
    assert await db.export(copy, second) == 0
    assert await asyncio.to_thread(first.read_bytes) == await asyncio.to_thread(second.read_bytes)
    assert await db.check(copy) == 0


async def test_a_dump_comes_into_either_kind(url: str, tmp_path: Path) -> None:
    """And the store goes on from it: numbers that count up are not in the way."""
    source = f"sqlite:///{tmp_path}/source.db"
    await filled(source)
    await db.export(source, tmp_path / "dump")
    assert await db.import_(url, tmp_path / "dump") == 0
    store = await open_store(url)
    await store.commit([*trouble(), *trouble("search", after(30))])
    assert len((await store.recall(NOON)).modules) == 2
    await store.close()


async def test_a_dump_is_lines_that_other_tools_read(tmp_path: Path) -> None:
    """A header, one object a row with documents as JSON, and the count; for its owner's eyes only."""
    url, output = f"sqlite:///{tmp_path}/monitor.db", tmp_path / "dump.jsonl"
    await filled(url)
    assert await db.export(url, output) == 0
    lines = [json.loads(line) for line in (await asyncio.to_thread(output.read_text)).splitlines()]
    assert lines[0] == {"monitor_dump": 1, "schema": HEAD}
    assert lines[-1] == {"rows": len(lines) - 2}
    incidents = [line["row"]["document"] for line in lines[1:-1] if line["table"] == "incidents"]
    assert [one["key"] for one in incidents if "payments" in one["key"]] == [incident("payments", after(9)).key]
    assert os.stat(output).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[:-1], "the dump is not whole"),
        (lambda lines: [*lines[:3], *lines[4:]], "the dump is not whole"),
        (lambda lines: [*lines[:3], lines[3][:20]], "line 4 is not one of a dump"),
        (lambda lines: [*lines[:3], "\udcff" + lines[3]], "line 4 is not one of a dump"),
        (lambda lines: lines[1:], "this is no dump of the monitor"),
        (lambda lines: [], "the dump is not whole"),
        (lambda lines: [lines[0].replace(HEAD, "0000"), *lines[1:]], "the dump has schema 0000"),
        (lambda lines: [lines[0], lines[1].replace("conditions", "sqlite_master"), *lines[2:]], "line 2 is not one"),
    ],
    ids=[
        "cut at a line",
        "a line missing",
        "cut in a line",
        "not UTF-8",
        "no header",
        "empty",
        "other schema",
        "unknown table",
    ],
)
async def test_a_dump_that_is_not_whole_is_refused_whole(
    tmp_path: Path, spoil: object, said: str, capsys: Said
) -> None:
    """Half a past is worse than none: it looks like one."""
    url, copy = f"sqlite:///{tmp_path}/monitor.db", f"sqlite:///{tmp_path}/copy.db"
    dump = tmp_path / "dump"
    await filled(url)
    await db.export(url, dump)
    lines = (await asyncio.to_thread(dump.read_text)).splitlines(keepends=True)
    spoilt = "".join(spoil(lines)).encode(errors="surrogateescape")  # type: ignore[operator]
    await asyncio.to_thread(dump.write_bytes, spoilt)
    assert await db.import_(copy, dump) == 1
    assert said in capsys.readouterr().err
    store = await open_store(copy)
    assert await store.recall(NOON) == Memory()
    await store.close()


async def test_a_store_that_holds_something_takes_no_dump(tmp_path: Path, capsys: Said) -> None:
    """Two pasts do not mix."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    await filled(url)
    await db.export(url, tmp_path / "dump")
    assert await db.import_(url, tmp_path / "dump") == 1
    assert "import into a new one" in capsys.readouterr().err


async def test_a_running_monitor_is_exported(tmp_path: Path, capsys: Said) -> None:
    """To standard output, from one moment; nothing but the dump is in the pipe."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    await filled(url)
    store = await open_store(url)
    assert await db.export(url, Path("-")) == 0
    await store.close()
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out.splitlines()[-1])["rows"] == len(out.splitlines()) - 2


async def test_upgrade_makes_a_database_and_check_finds_it_well(tmp_path: Path, capsys: Said) -> None:
    """Both say so in a line."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    assert await db.upgrade(url) == 0
    assert await db.check(url) == 0
    assert capsys.readouterr().out == f"schema {HEAD}\nall is well\n"


async def test_an_output_that_cannot_be_written_is_told(tmp_path: Path, capsys: Said) -> None:
    """In a sentence, and nothing is left behind."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    await filled(url)
    assert await db.export(url, tmp_path / "missing" / "dump") == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert await db.export(url, str(tmp_path)) == 1
    assert "Is a directory" in capsys.readouterr().err
    assert not [name for name in await asyncio.to_thread(os.listdir, tmp_path) if not name.startswith("monitor.db")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
async def test_a_disk_that_fills_up_in_the_middle_is_told(url: str, capsys: Said) -> None:
    """Rows are still being read then, and the database has to let go of them."""
    await filled(url)
    store = await open_store(url)
    await store.commit([run(after(10 + number / 10)) for number in range(200)])
    await store.close()
    assert await db.export(url, "/dev/full") == 1
    assert capsys.readouterr().err == "[Errno 28] No space left on device\n"


def test_whoever_has_read_enough_hears_of_no_trouble(tmp_path: Path) -> None:
    """`monitor db export | head` is no failure."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    past = [run(after(number / 10)) for number in range(1000)]

    async def fill() -> None:
        store = await open_store(url)
        await store.commit(past)
        await store.close()

    asyncio.run(fill())
    (tmp_path / "probes.yaml").write_text("version: 1\n")
    command = [sys.executable, "-m", "monitor", "db", "export"]
    data = ["--data", str(tmp_path), "--config", str(tmp_path / "probes.yaml")]
    with subprocess.Popen([*command, *data], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


async def test_a_pipe_is_written_to_and_a_link_stays_one(tmp_path: Path) -> None:
    """Whatever stands at the output's name keeps its kind: nothing is put in the place of a device."""
    url, pipe = f"sqlite:///{tmp_path}/monitor.db", tmp_path / "pipe"
    link, target = tmp_path / "link", tmp_path / "target"
    await filled(url)
    os.mkfifo(pipe)
    os.symlink(target, link)
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a reader, so that opening the other end does not wait
    try:
        assert await db.export(url, pipe) == 0
        piped = os.read(handle, 1 << 16)
    finally:
        os.close(handle)
    assert await db.export(url, link) == 0
    assert await asyncio.to_thread(target.read_bytes) == piped
    assert await asyncio.to_thread(pipe.is_fifo)
    assert await asyncio.to_thread(link.is_symlink)


@pytest.mark.parametrize("command", [db.check, lambda url: db.export(url, Path("-"))], ids=["check", "export"])
async def test_a_missing_database_is_one_sentence_and_status_1(tmp_path: Path, command: object, capsys: Said) -> None:
    """No trace of a traceback, and no empty database either."""
    assert await command(f"sqlite:///{tmp_path}/none.db") == 1  # type: ignore[operator]
    assert capsys.readouterr().err.startswith("there is no database at")
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_a_missing_dump_is_one_sentence_and_status_1(tmp_path: Path, capsys: Said) -> None:
    """And makes no database."""
    assert await db.import_(f"sqlite:///{tmp_path}/new.db", tmp_path / "nothing") == 1
    assert capsys.readouterr().err.endswith("nothing: No such file or directory\n")
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_check_tells_what_is_wrong(tmp_path: Path, capsys: Said) -> None:
    """One line each, and status 1."""
    import sqlite3

    url = f"sqlite:///{tmp_path}/monitor.db"
    await filled(url)
    with sqlite3.connect(tmp_path / "monitor.db") as other:
        other.execute("UPDATE tracks SET document = '{}'")
    other.close()
    assert await db.check(url) == 1
    assert "tracks: the row checkout, http, here cannot be read" in capsys.readouterr().out
