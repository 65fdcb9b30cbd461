"""`monitor plan`: what a reload would add, remove and rename, and what becomes of each history."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.commands.common import told
from monitor.config import Config, ConfigError
from monitor.config.file import load
from monitor.core.changeover import Change, Kind, changeover
from monitor.core.history import Memory
from monitor.core.observation import stamp
from monitor.data import database_url
from monitor.store import open_store
from monitor.store.address import sqlite_path

BACK = timedelta(days=3660)  # further back no history begins
SIGNS: Mapping[Kind, str] = {"added": "+", "removed": "-", "renamed": ">", "kept": "="}


async def plan(file: str, data: Path, as_json: bool) -> int:
    """Prints a line for everything that changes, and a sum; 0, or 2 with what is wrong on stderr.

    Raises StoreUnusable or StoreFailed for a database that cannot be read; where there is none, everything is new.
    """
    try:
        config = load(file)
    except ConfigError as error:
        print(told(error), file=sys.stderr)
        return 2
    memory, since = await _known(config, data)
    changes = changeover(config.platform, memory, since)
    for line in _json(changes) if as_json else _lines(changes):
        print(line)
    return 0


async def _known(config: Config, data: Path) -> tuple[Memory, dict[str, datetime]]:
    """What is remembered, and when the history of each module begins."""
    now = datetime.now(UTC)
    url = database_url(config, data)
    if _is_missing(url):
        return Memory(), {}
    store = await open_store(url, readonly=True)
    try:
        memory = await store.recall(now - config.platform.tuning.reopen)
        history = await store.history(now - BACK, now)
    finally:
        await store.close()
    return memory, {id: moves[0].since for id, moves in history.transitions.items() if moves}


def _is_missing(url: str) -> bool:
    path = sqlite_path(url)
    return path is not None and not path.exists()


def _lines(changes: Sequence[Change]) -> Iterable[str]:
    for one in changes:
        if one.kind != "kept":
            name = one.id if one.was is None else f"{one.was} -> {one.id}"
            yield f"{SIGNS[one.kind]} {name}: {_fate(one)}"
    modules = Counter(one.kind for one in changes if "/" not in one.id)
    probes = Counter(one.kind for one in changes if "/" in one.id)
    told = [f"{modules[kind]} {kind}" for kind in SIGNS]
    yield f"modules: {', '.join(told)}; probes: {probes['added']} added, {probes['removed']} removed"


def _fate(one: Change) -> str:
    """What becomes of it, as a sentence without its name."""
    if "/" in one.id:
        if one.off is not None:
            return f"switched off ({one.off})"
        return "a new probe" if one.kind == "added" else "leaves its module"
    history = f"its history since {one.since:%Y-%m-%d}" if one.since else "what is known of it"
    incident = f"; open incident {one.incident}" if one.incident else ""
    match one.kind:
        case "added":
            return "a new module, unknown until its first results"
        case "renamed":
            return f"{history} goes on under the new id" + (incident and f"{incident} keeps its address")
        case _:
            return f"leaves; {history} stays stored and comes back with its id or an alias" + (
                incident and f"{incident} {'ends' if one.ends else 'goes on without it'}"
            )


def _json(changes: Iterable[Change]) -> Iterable[str]:
    for one in changes:
        yield json.dumps({**asdict(one), "since": stamp(one.since)}, ensure_ascii=False)
