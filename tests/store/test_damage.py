"""A file that was changed behind our back, a log that was cut, a database under two names: said, and never silently
less than what was stored.
"""
# ruff: noqa: ASYNC240 - a test may wait for the disk

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.core.outbox import Letter, State
from monitor.store import StoreUnusable
from monitor.store.connect import open_sql
from monitor.store.schema import outbox
from tests.store.past import NOON, after, trouble
from tests.store.test_sqlite import modules, opened, written

MODULES = 12


async def filled(file: Path) -> None:
    """A database with a past of several modules, closed."""
    store = await opened(file)
    for number in range(MODULES):
        await store.commit(trouble(f"module-{number}"))
    await store.close()


async def read(file: Path) -> int:
    """How many modules are remembered, once everything that a start and a page need was read."""
    store = await opened(file)
    try:
        await store.history(NOON, after(60))
        assert len((await store.recall(NOON)).incidents) == MODULES
        return len(await modules(store))
    finally:
        await store.close()


async def flipped(file: Path, seed: int, times: int) -> int:
    """How many damages of a row of them were found; whatever was not found cost nothing that is read."""
    await filled(file)
    good, chance, told = file.read_bytes(), random.Random(seed), list[str]()
    for _ in range(times):
        bad, size = bytearray(good), chance.choice([1, 1, 2, 8, 64, 512])
        at = chance.randrange(len(bad) - size)
        for place in range(at, at + size):
            bad[place] ^= chance.choice([1, 0x80, 0xFF, chance.randrange(1, 256)])
        file.write_bytes(bad)
        try:
            assert await read(file) == MODULES
        except StoreUnusable as error:
            told.append(str(error))
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    for one in told:
        assert str(file) in one
        assert "backup" in one or "other tables" in one
    return len(told)


@pytest.mark.slow
async def test_flipped_bytes_are_told_or_cost_nothing(file: Path) -> None:
    """Anywhere in the file: a sentence that names it and asks for a backup, or all that was stored is there."""
    assert await flipped(file, 5, 25) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_many_flipped_bytes_are_told_or_cost_nothing(file: Path, seed: int) -> None:
    """The same at a thousand places."""
    assert await flipped(file, seed, 350) > 30


async def begun(folder: Path) -> tuple[Path, list[int]]:
    """A copy of a database and its log as a kill leaves them, and how long the log was after each commit."""
    store, lengths = await opened(folder / "running.db"), list[int]()
    log = folder / "running.db-wal"
    for number in range(MODULES):
        await store.commit(trouble(f"module-{number}"))
        lengths.append(log.stat().st_size)
    left = folder / "left.db"
    shutil.copy(folder / "running.db", left)
    shutil.copy(log, folder / "left.db-wal")
    await store.close()
    return left, lengths


@pytest.mark.slow
async def test_a_log_cut_anywhere_holds_every_commit_before_the_cut(tmp_path: Path) -> None:
    """What a power loss leaves of the log: all that was synchronized, and of the rest a part, or anything at all."""
    left, lengths = await begun(tmp_path)
    log = left.with_name("left.db-wal")
    whole, chance = log.read_bytes(), random.Random(11)
    database = left.read_bytes()
    first = next(number for number, length in enumerate(lengths) if length > lengths[0])
    for _ in range(12):
        last = chance.randrange(first, MODULES)
        begins, ends = lengths[last - 1], lengths[last]
        cut = chance.randrange(begins, ends)
        left.write_bytes(database)
        left.with_name("left.db-shm").unlink(missing_ok=True)
        log.write_bytes(whole[:cut] + chance.randbytes(chance.randrange(0, ends - cut)))
        store = await opened(left)
        assert len(await modules(store)) in (last, last + 1)
        assert await store.check() == []
        await store.close()


@pytest.mark.parametrize("place", ["magic", "page size", "salt", "sum", "frame", "page"])
async def test_a_log_damaged_in_the_middle_is_told(tmp_path: Path, place: str) -> None:
    """SQLite would stop reading there, and everything behind it would be gone without a word."""
    left, lengths = await begun(tmp_path)
    log = left.with_name("left.db-wal")
    raw = bytearray(log.read_bytes())
    at = {"magic": 1, "page size": 10, "salt": 17, "sum": 25, "frame": lengths[2] + 1}
    raw[at.get(place, lengths[2] + 24 + 100)] ^= 0xFF
    log.write_bytes(raw)
    with pytest.raises(
        StoreUnusable, match=r"is damaged: its log .* broken off before \d+ or more stored transactions"
    ):
        await opened(left)
    assert log.read_bytes() == bytes(raw)


async def test_a_damaged_last_commit_of_a_log_is_a_power_loss(tmp_path: Path) -> None:
    """It was perhaps never said to be stored: what is before it is there, and the monitor starts."""
    left, lengths = await begun(tmp_path)
    log = left.with_name("left.db-wal")
    raw = bytearray(log.read_bytes())
    raw[lengths[-2] + 24 + 100] ^= 0xFF
    log.write_bytes(raw)
    store = await opened(left)
    assert len(await modules(store)) == MODULES - 1
    await store.close()


async def test_a_log_that_was_begun_anew_when_the_power_failed_is_no_damage(file: Path) -> None:
    """Its head is written, its first frame is not, and the old frames behind are in the database already."""
    store = await opened(file)
    for number in range(MODULES):
        await store.commit(trouble(f"module-{number}"))
    log = file.with_name(file.name + "-wal")
    before = log.read_bytes()
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    await store.commit(trouble("late"))
    after_it = log.read_bytes()
    copy.with_name("copy.db-wal").write_bytes(after_it[:32] + before[32:])
    await store.close()
    store = await opened(copy)
    assert len(await modules(store)) == MODULES
    await store.close()


async def test_an_old_log_that_was_begun_anew_is_no_damage(file: Path) -> None:
    """Frames of the time before a checkpoint stand behind the newest ones, under other salts."""
    store = await opened(file)
    for number in range(MODULES):
        await store.commit(trouble(f"module-{number}"))
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
    await store.commit(trouble("late"))
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    shutil.copy(file.with_name(file.name + "-wal"), copy.with_name("copy.db-wal"))
    await store.close()
    store = await opened(copy)
    assert len(await modules(store)) == MODULES + 1
    await store.close()


@pytest.mark.parametrize("kind", ["empty", "text", "image", "folder", "half"])
async def test_what_is_no_database_is_named_and_left_alone(file: Path, kind: str) -> None:
    """Never silently replaced by an empty one."""
    await written(file)
    whole = file.read_bytes()
    content = {"empty": b"", "text": b"not a database, but quite long\n" * 200, "image": b"\x89PNG" + bytes(9000)}
    file.unlink()
    if kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(content.get(kind, whole[: len(whole) // 2]))
    before = None if kind == "folder" else file.read_bytes()
    with pytest.raises(StoreUnusable, match=rf"{file}"):
        await opened(file)
    assert before is None or file.read_bytes() == before


@pytest.mark.parametrize("kind", ["symlink", "dangling", "relative", "folder"])
async def test_a_second_process_is_told_by_whatever_way_it_comes(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to the file, a link to its folder, a relative path: it is the same database."""
    (tmp_path / "real").mkdir()
    (tmp_path / "other").mkdir()
    file, path = tmp_path / "real" / "monitor.db", tmp_path / "other" / "link.db"
    if kind == "dangling":
        path.symlink_to(file)
        store = await opened(path)  # it is made where the link leads
        assert path.is_symlink()
        path = file
    else:
        store = await opened(file)
        if kind == "symlink":
            path.symlink_to(Path("..") / "real" / "monitor.db")
        elif kind == "folder":
            (tmp_path / "again").symlink_to(file.parent, target_is_directory=True)
            path = tmp_path / "again" / "monitor.db"
        else:
            monkeypatch.chdir(tmp_path / "other")
            path = Path("../real/monitor.db")
    await store.commit(trouble())
    with pytest.raises(StoreUnusable, match=f"is in use by process {os.getpid()}"):
        await opened(path)
    await store.close()
    store = await opened(path)
    assert await modules(store) == {"checkout"}
    await store.close()


async def test_a_database_with_two_names_is_refused(file: Path) -> None:
    """Each name has a log of its own, so the other one's last commits would be missing, and the file be torn."""
    await written(file)
    second = file.with_name("second.db")
    os.link(file, second)
    for one in (file, second):
        with pytest.raises(StoreUnusable, match="has a second name"):
            await opened(one)
    second.unlink()
    await (await opened(file)).close()


async def test_a_lock_file_that_a_killed_process_left_keeps_nobody_out(file: Path) -> None:
    """The lock ends with its process, whatever is written in the file."""
    await written(file)
    file.with_name("monitor.db.lock").write_text("process 1\n")
    await (await opened(file)).close()


async def test_rows_that_cannot_be_what_we_wrote_are_told_at_the_start(file: Path) -> None:
    """Text that is no text, JSON that is none, a word that nobody uses."""
    for broken in ("CAST(x'ff00fe' AS TEXT)", "'{\"score\": '", "'[]'", "'{}'"):
        file.unlink(missing_ok=True)
        await written(file)
        with closing(sqlite3.connect(file)) as other:
            other.execute(f"UPDATE incidents SET document = {broken}")
            other.commit()
        store = await open_sql(f"sqlite:///{file}")
        with pytest.raises(StoreUnusable, match=r"is damaged.*backup in its place"):
            await store.recall(NOON)
        await store.close()


async def test_letters_that_cannot_be_read_are_dead_and_told_column_by_column(file: Path) -> None:
    """SQLite keeps in a column whatever it is given: each of them may hold text that is no number, or bytes."""
    store = await opened(file)
    await store.outbox.post([Letter("inc", 1, "hook", "opened", "first", NOON), Letter("inc", 2, "hook", "", "", NOON)])
    await store.close()
    whole = file.read_bytes()
    for column in {*outbox.columns.keys()} - {"opens", "page", "claim_token"}:  # whatever stands there can be read
        file.write_bytes(whole)
        with closing(sqlite3.connect(file)) as other:
            other.execute(f"UPDATE outbox SET {column} = x'ff00fe' WHERE seq = 1")
            other.commit()
        store = await opened(file)
        found = [*await store.outbox.begin(), *await store.outbox.waiting()]
        broken = [one for one in found if one.state is State.DEAD]
        assert [one.last_error for one in broken] == [
            f"its row in the database cannot be read ({column} is b'\\xff\\x00\\xfe'); `monitor db check` shows what "
            "else is damaged"
        ]
        assert len(await store.outbox.letters(limit=9)) == 2
        (said,) = await store.check()
        assert said.startswith("outbox: the row")
        await store.close()
