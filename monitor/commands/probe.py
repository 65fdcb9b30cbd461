"""`monitor probe`: asks once, now, and shows what was seen and what it is judged to say.

Each probe is judged alone: no canaries, no history, no other module. What a single run cannot know, it does not say.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.clock import SystemClock
from monitor.config import Config
from monitor.core.board import Call
from monitor.core.expectation import Outcome, Result
from monitor.core.flow import judge_run
from monitor.core.heartbeat import HEARTBEAT
from monitor.core.observation import PHASES, Observation, observation_to_json
from monitor.core.probe import Probe, Role
from monitor.data import database_url
from monitor.probers import Reach, look
from monitor.store import StoreFailed, StoreUnusable, open_store

AT_ONCE = 20

Calls = Mapping[tuple[str, str], Call]

_COLUMNS = ("probe", "outcome", "code", "ms", *PHASES, "reason")
_STYLES = {Outcome.PASSED: "green", Outcome.SLOW: "yellow", Outcome.FAILED: "red", Outcome.UNKNOWN: "magenta"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One probe's run, judged, with the steps it took."""

    probe: Probe
    observation: Observation
    result: Result
    steps: list[str] = field(default_factory=list)


async def probe(config: Config, selectors: Sequence[str], as_json: bool, debug: bool, data: Path | None = None) -> int:
    """Runs the probes that the selectors name, all when there are none. `data` is where the running monitor keeps its
    store, from which the calls of heartbeats are read.

    Exit status: 0 when all passed, 1 when any did not, 2 when a selector names nothing or the network settings cannot
    be used. Evidence that is unknown counts as little here as anywhere.
    """
    probes = list(config.platform.probes.values())
    if nothing := _matching_nothing(config, probes, selectors):
        print(nothing, file=sys.stderr)
        return 2
    chosen = [one for one in probes if not selectors or any(_matches(one, selector) for selector in selectors)]
    for one in chosen if selectors else ():
        if one.off is not None:
            print(f"{_name(one)} is skipped: {one.off}", file=sys.stderr)
    asked = [one for one in chosen if one.off is None]
    if not asked and not selectors:
        print("no probe is on: there is nothing to ask", file=sys.stderr)
    try:
        seen = await _ask_all(config, asked, debug, await _calls(config, asked, data))
    except OSError as error:
        print(f"{error}: correct it under `monitor:` in {config.file or 'the configuration'}", file=sys.stderr)
        return 2
    if as_json:
        _print_json(seen)
    else:
        _print_table(seen, debug)
    return 0 if all(map(_is_well, seen)) else 1


def _is_well(one: Seen) -> bool:
    """Whether a run speaks against nothing; mere evidence that cannot be had does not either."""
    if one.probe.role is Role.EVIDENCE and one.result.outcome is Outcome.UNKNOWN:
        return True
    return one.result.outcome in (Outcome.PASSED, Outcome.SLOW)


def _name(probe: Probe) -> str:
    return f"{probe.module}/{probe.id}"


def _matches(probe: Probe, selector: str) -> bool:
    """`MODULE` takes all of its probes; a star takes what fits, across the slash too."""
    return fnmatchcase(probe.module, selector) or fnmatchcase(_name(probe), selector)


def _matching_nothing(config: Config, probes: Sequence[Probe], selectors: Sequence[str]) -> str | None:
    """The sentence for the first selector that names no probe."""
    known = sorted({one.module for one in probes} | {_name(one) for one in probes})
    for selector in selectors:
        if not any(_matches(one, selector) for one in probes):
            if selector in config.platform.modules:
                return f"module `{selector}` has no probes: write some under its `probes:`"
            near = get_close_matches(selector, known, n=1, cutoff=0.4)
            hint = f"did you mean `{near[0]}`?" if near else "`monitor probe` without a name runs all of them"
            return f"no probe matches `{selector}`: {hint}"
    return None


async def _ask_all(config: Config, probes: Sequence[Probe], debug: bool, calls: Calls | None) -> list[Seen]:
    """Every run, in the order of the configuration, a few at a time."""
    seats = asyncio.Semaphore(AT_ONCE)

    async def ask(probe: Probe, reach: Reach) -> Seen:
        steps: list[str] = []
        verdicts = config.platform.modules[probe.module].verdicts.get(probe.id, ())
        async with seats:
            observation = await look(
                probe, reach, trace=steps.append if debug else None, also=[verdict.expect for verdict in verdicts]
            )
        return Seen(probe, observation, judge_run(observation, probe), steps)

    async with Reach.open(config.network, config.secrets, SystemClock(), config.settings.location) as reach:
        reach.called = None if calls is None else calls.get
        return await asyncio.gather(*(ask(one, reach) for one in probes))


async def _calls(config: Config, probes: Sequence[Probe], data: Path | None) -> Calls | None:
    """The last call of each heartbeat, as the store has it; None where it cannot be known. Nobody has listened to one
    of which there is no recent run."""
    heartbeats = [one for one in probes if one.kind == HEARTBEAT]
    if not heartbeats or data is None:
        return None
    now = SystemClock().now()
    calls: dict[tuple[str, str], Call] = {}
    try:
        store = await open_store(database_url(config, data), readonly=True)
        try:
            known = (await store.recall(now)).calls
            for one in (one for one in heartbeats if one.key in known):
                since = now - config.platform.tuning.fresh_for(one)
                listening = await store.observations(*one.key, since=since, until=now, limit=1)
                calls[one.key] = Call(known[one.key], known[one.key] if listening else now)
        finally:
            await store.close()
    except (StoreFailed, StoreUnusable):
        return None
    return calls


def _print_json(seen: Sequence[Seen]) -> None:
    for one in seen:
        _print_steps(one, sys.stderr)
        result = {
            "outcome": one.result.outcome.value,
            "code": one.result.code,
            "blame": None if one.result.blame is None else one.result.blame.value,
            "reasons": list(one.result.reasons),
        }
        print(json.dumps(observation_to_json(one.observation) | {"result": result}, ensure_ascii=False))


def _print_table(seen: Sequence[Seen], debug: bool) -> None:
    rows = [_row(one) for one in seen]
    if not rows:
        return
    if sys.stdout.isatty() and not debug:
        _print_in_colour(seen, rows)
        return
    widths = [max(len(row[column]) for row in [_COLUMNS, *rows]) for column in range(len(_COLUMNS))]
    if not debug:
        print(_aligned(_COLUMNS, widths))
    for one, row in zip(seen, rows, strict=True):
        _print_steps(one, sys.stdout)
        print(_aligned(row, widths))


def _print_steps(one: Seen, stream: TextIO) -> None:
    if one.steps:
        print(_name(one.probe), *one.steps, sep="\n", file=stream)


def _row(one: Seen) -> tuple[str, ...]:
    phases = one.observation.phases
    return (
        _name(one.probe),
        one.result.outcome.value,
        one.result.code or "–",
        f"{one.observation.duration * 1000:.0f}",
        *(f"{phases[phase] * 1000:.0f}" if phase in phases else "–" for phase in PHASES),
        one.result.reasons[0] if one.result.reasons else "",
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = range(3, 4 + len(PHASES))
    return "  ".join(
        cell.rjust(width) if column in numbers else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _print_in_colour(seen: Sequence[Seen], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column, name in enumerate(_COLUMNS):
        table.add_column(name, justify="right" if 3 <= column < 4 + len(PHASES) else "left")
    for one, row in zip(seen, rows, strict=True):
        # Text, not markup: a reason quotes what a target sent.
        table.add_row(row[0], Text(row[1], style=_STYLES[one.result.outcome]), *map(Text, row[2:]))
    Console().print(table)
