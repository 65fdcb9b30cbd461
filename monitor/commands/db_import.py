"""`monitor db import --from`: the past of another monitor, or of another status page. Exit status 0 or 1; 2 for a
mapping to a module that there is none of. Importing the same once more adds nothing."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from monitor.commands.db import progress
from monitor.config import Config
from monitor.core.detector import Transition
from monitor.core.imported import Beat, Count, incident_of, moves_of, named, seen, unknown_names, watched
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.uptime import Span
from monitor.data import database_url, leading
from monitor.store import Store, StoreFailed, StoreUnusable, open_store

LARGEST = 200 * 1024**2  # bytes of a Statuspage file
STATS = {"stat_hourly": timedelta(hours=1), "stat_daily": timedelta(days=1)}  # of 2.0
SOME = 1000  # heartbeats between two looks at the progress
BEGINNING = datetime(1971, 1, 1, tzinfo=UTC)


def mapping_of(pairs: Iterable[str]) -> dict[str, str]:
    """`NAME=MODULE` as a mapping; a name may hold `=`, a module cannot. Raises UsageError for anything else."""
    found = {}
    for pair in pairs:
        name, sign, module = pair.rpartition("=")
        if not sign or not name.strip() or not module.strip():
            raise click.UsageError(f"--map takes NAME=MODULE, not `{pair[:100]}`")
        found[name.strip()] = module.strip()
    return found


class ImportFailed(Exception):
    """The file cannot be read as what it is said to be; nothing was stored."""


async def import_from(
    config: Config, data: Path, source: str, file: Path, mapping: Mapping[str, str], language: str, dry: bool
) -> int:
    """Reads a file of `statuspage` or `uptime-kuma` and stores what is new, or only says what it would."""
    wrong = [id for id in mapping.values() if id not in config.platform.modules]
    if wrong:
        close = get_close_matches(wrong[0], config.platform.modules, 1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        print(f"there is no module `{wrong[0][:100]}`{hint}", file=sys.stderr)
        return 2
    try:
        lines, incidents = _read(source, file, config.platform, mapping, language)
        store = await open_store(database_url(config, data), readonly=dry)
        try:
            async with nullcontext() if dry else leading(store, data, again=False):
                return await _store(store, lines, incidents, dry)
        finally:
            await store.close()
    except (ImportFailed, StoreFailed, StoreUnusable) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{file}: {error.strerror}", file=sys.stderr)
    return 1


Lines = dict[str, list[list[Span]]]  # by module, one of each monitor


def _read(
    source: str, file: Path, platform: Platform, mapping: Mapping[str, str], language: str
) -> tuple[Lines, list[Incident]]:
    if source == "statuspage":
        return {}, _statuspage(file, platform, mapping, language)
    return _kuma(file, platform, mapping), []


async def _store(store: Store, lines: Lines, incidents: list[Incident], dry: bool) -> int:
    history = await store.archive(BEGINNING)
    moves: list[Transition] = []
    for module, cuts in lines.items():
        fresh = moves_of(module, cuts, history.transitions.get(module, ()))
        if fresh:
            span = f"from {fresh[0].since:%Y-%m-%d %H:%M} to {fresh[-1].since:%Y-%m-%d %H:%M} UTC"
            print(f"{module}: {len(fresh)} changes of status, {span}")
        else:
            print(f"{module}: nothing new")
        moves += fresh
    stored = {one.id for one in history.incidents}
    new = [one for one in incidents if one.id not in stored]
    for one in new:
        named = ", ".join([member.module for member in one.members] or list(one.components)) or "nothing of ours"
        print(f"{one.started_at:%Y-%m-%d %H:%M} UTC  {next(iter((one.title or {}).values()), '')}  ({named})")
    if not dry:
        await store.seed(moves, new, [])
    verb = "would be added" if dry else "added"
    print(f"{len(moves)} changes of status and {len(new)} incidents {verb}")
    return 0


# -- Statuspage -------------------------------------------------------------------------------------------------------


def _statuspage(file: Path, platform: Platform, mapping: Mapping[str, str], language: str) -> list[Incident]:
    if file.stat().st_size > LARGEST:
        raise ImportFailed(f"{file} is larger than {LARGEST // 1024**2} MiB: split its incidents over several files")
    try:
        whole = json.loads(file.read_text("utf-8"))
        raws = whole["incidents"] if isinstance(whole, dict) else whole
        if not isinstance(raws, list) or not all(isinstance(one, dict) for one in raws):
            raise TypeError("there is no list of incidents")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImportFailed(f"{file} is no incidents.json of Statuspage ({type(error).__name__}: {error})") from None
    found, unknown, open_still = [], dict[str, None](), 0
    for number, raw in enumerate(raws, 1):
        try:
            one = incident_of(raw, platform, mapping, language)
        except (ValueError, OverflowError) as error:
            raise ImportFailed(f"{file}: incident {number} cannot be read: {error}") from None
        open_still += one is None
        if one is not None:
            found.append(one)
            unknown |= dict.fromkeys(unknown_names(raw, platform, mapping))
    if open_still:
        print(f"left out: {open_still} that are not over", file=sys.stderr)
    _tell_unknown(unknown, platform)
    return found


def _tell_unknown(names: Iterable[str], platform: Platform) -> None:
    for name in names:
        close = get_close_matches(name.lower(), platform.modules, 1, 0.4)
        hint = f" (--map '{name[:60]}={close[0]}'?)" if close else f" (--map '{name[:60]}=MODULE')"
        print(f"nothing of ours is called `{name[:60]}`{hint}", file=sys.stderr)


# -- Uptime Kuma ------------------------------------------------------------------------------------------------------


def _kuma(file: Path, platform: Platform, mapping: Mapping[str, str]) -> Lines:
    if not file.is_file():
        raise ImportFailed(f"{file} is no file")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            monitors = list(database.execute("SELECT id, name, type, interval FROM monitor ORDER BY id"))
            wanted: dict[int, tuple[str, timedelta]] = {}
            unknown = []
            for id, name, kind, interval in monitors:
                module = named(str(name), platform, mapping) or mapping.get(str(id))
                if module is not None:
                    wanted[id] = module, timedelta(seconds=max(1, int(interval or 60)))
                elif kind != "group":
                    unknown.append(str(name))
            _tell_unknown(unknown, platform)
            lines: Lines = {}
            counted = {id: _watched(database, id, interval) for id, (_, interval) in wanted.items()}
            with progress("heartbeats read", None) as advance:
                for id, beats in groupby(_beats(database, advance), key=lambda pair: pair[0]):
                    if id in wanted:
                        module, interval = wanted[id]
                        lines.setdefault(module, []).append(seen((beat for _, beat in beats), interval, counted[id]))
            return lines
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        raise ImportFailed(f"{file} is no database of Uptime Kuma: {error}") from None


def _watched(database: sqlite3.Connection, id: int, interval: timedelta) -> list[tuple[datetime, datetime]]:
    """When a monitor of 2.0 was at work, of which only the beats that changed something are kept after a day."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    first, last = database.execute("SELECT min(time), max(time) FROM heartbeat WHERE monitor_id = ?", (id,)).fetchone()
    if first is None:
        return []
    counts = []
    for table, length in STATS.items():
        if table in tables:
            query = f"SELECT timestamp, up + down FROM {table} WHERE monitor_id = ?"
            for at, runs in database.execute(query, (id,)):
                counts.append(Count(datetime.fromtimestamp(int(at), UTC), length, int(runs)))
    return watched(counts, interval, _moment(first), _moment(last))


def _moment(written: Any) -> datetime:
    at = datetime.fromisoformat(str(written))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _beats(database: sqlite3.Connection, advance: Callable[[int], None]) -> Iterator[tuple[int, Beat]]:
    """Every beat of every monitor, in order of time."""
    query = "SELECT monitor_id, time, status FROM heartbeat ORDER BY monitor_id, time, id"
    row: tuple[int, Any, Any]
    for number, row in enumerate(database.execute(query), 1):
        if number % SOME == 0:
            advance(SOME)
        yield row[0], Beat(_moment(row[1]), int(row[2]))
