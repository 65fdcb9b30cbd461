"""`monitor db`: migrations, integrity and a portable dump. Each command returns its exit status, 0 or 1."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.store import StoreFailed, StoreUnusable, open_store

STANDARD = Path("-")  # standard output or input instead of a file


async def upgrade(url: str) -> int:
    """Brings the schema to this version; makes the database when there is none."""
    return await _tell(lambda: _upgrade(url))


async def check(url: str) -> int:
    """Reads everything there is and prints what is wrong with it."""
    return await _tell(lambda: _check(url))


async def export(url: str, output: str | Path) -> int:
    """Writes every table as JSON lines, all of one moment; the monitor may be running."""
    return await _tell(lambda: _export(url, Path(output)))


async def import_(url: str, input: str | Path) -> int:
    """Reads such a file into a new database, all of it or nothing."""
    return await _tell(lambda: _import(url, Path(input)))


async def _tell(command: Callable[[], Awaitable[int]]) -> int:
    from monitor.store.dump import DumpError

    try:
        return await command()
    except (StoreFailed, StoreUnusable, DumpError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        raise  # whoever read has enough: no trouble to tell of
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
    return 1


async def _upgrade(url: str) -> int:
    from monitor.store.schema import HEAD

    store = await open_store(url)
    await store.close()
    print(f"schema {HEAD}")
    return 0


async def _check(url: str) -> int:
    store = await open_store(url, readonly=True)
    try:
        problems = await store.check()
    finally:
        await store.close()
    for problem in problems:
        print(problem)
    if problems:
        return 1
    print("all is well")
    return 0


class _Unwritten(Exception):
    """Ends a dump that nobody takes any more."""


async def _export(url: str, output: Path) -> int:
    from monitor.store.connect import open_sql
    from monitor.store.dump import count, dump

    store = await open_sql(url, readonly=True)
    try:
        with _written(output) as file, progress("exported", await count(store)) as advance:
            lines = dump(store)
            async for line in lines:
                try:
                    file.write(line)
                except OSError:
                    with suppress(_Unwritten):  # closing it would not do: SQLAlchemy lets go of no rows then
                        await lines.athrow(_Unwritten())
                    raise
                advance(1)
    finally:
        await store.close()
    return 0


async def _import(url: str, input: Path) -> int:
    from monitor.store.connect import open_sql
    from monitor.store.dump import load

    # Bytes that are no UTF-8 become escapes that are no JSON, so the dump is refused at that very line.
    opened = input.open(encoding="utf-8", errors="backslashreplace") if input != STANDARD else nullcontext(sys.stdin)
    with opened as file:
        store = await open_sql(url)
        try:
            with progress("imported", None) as advance:
                rows = await load(store, file, advance)
        finally:
            await store.close()
    print(f"{rows} rows", file=sys.stderr)
    return 0


@contextmanager
def _written(output: Path) -> Iterator[TextIO]:
    """A file that gets its name once it is whole: a dump that was cut off is not mistaken for a backup.

    A pipe or a device is written to as it is: renaming would put a file in its place.
    """
    if output == STANDARD:
        yield sys.stdout
        return
    output = output.resolve()  # a link stays one
    if output.exists() and not output.is_file():
        with output.open("w", encoding="utf-8") as file:
            yield file
        return
    draft = output.with_name(output.name + ".part")
    try:
        with open(draft, "w", encoding="utf-8", opener=_private) as file:
            yield file
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    """Excerpts of answers are in a dump as they are in the database, which is its owner's only."""
    return os.open(path, flags, 0o600)


@contextmanager
def progress(verb: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Rows done, on a terminal; silent in a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(verb, total=total)
        yield lambda rows: bar.advance(task, rows)
