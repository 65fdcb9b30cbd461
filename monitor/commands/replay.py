"""`monitor replay`: a recording judged again, one event a line. No network, no store, the same code as `run`."""

import gc
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO

from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.config.findings import shown
from monitor.config.recurrence import starts
from monitor.core.codes import CODES
from monitor.core.effect import Effect, Gap, Happened, Moved, Saved, Summed
from monitor.core.intent import Notice, Withheld
from monitor.core.module import Platform
from monitor.core.observation import Observation, moment, observation_from_json, stamp
from monitor.core.replay import fitted, replay
from monitor.core.statement import incident_object
from monitor.pages.translate import Speech


class Unreadable(Exception):
    """The recording cannot be judged; the text says where and why."""


def replay_file(config: Config, source: str, until: str | None) -> int:
    """Prints what is decided. Exit status 0; 2 when the recording or the time cannot be read."""
    gc.set_threshold(200_000, 50, 100)  # a recording is many records and no cycles: looking for some takes a tenth
    try:
        end = _time(until)
        observations = _read(source, config.platform)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    platform = fitted(config.platform, observations)
    speech = Speech.load(config.site.languages, theme_dir(config.site.theme))
    begins = observations[0].at if observations else datetime.min.replace(tzinfo=UTC)
    last = max((one.ended_at for one in observations), default=begins)
    plan = [(window, starts(window, begins, max(end or last, last))) for window in config.windows]
    for now, _, effects in replay(platform, observations, end, plan):
        for event in _events(effects, platform, speech, now):
            sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    return 0


def _said(one: Notice | Withheld) -> dict[str, Any]:
    told = {"at": stamp(one.at), "why": one.why, "incident_id": one.incident}
    if isinstance(one, Notice):
        return {"event": "notice", **told, "channel": one.channel}
    return {"event": "withheld", **told}


def _events(effects: Iterable[Effect], platform: Platform, speech: Speech, now: datetime) -> Iterator[dict[str, Any]]:
    """The events that these effects are, in order."""
    for effect in effects:
        match effect:
            case Moved(transition):
                yield {
                    "event": "transition",
                    "at": stamp(transition.at),
                    "module": transition.module,
                    "from": transition.before.value,
                    "to": transition.after.value,
                    "since": stamp(transition.since),
                }
            case Saved(incident, change, at) if change is not None:
                merged = {} if incident.merged_into is None else {"merged_into": incident.merged_into}
                yield {
                    "event": "incident",
                    "change": change.value,
                    "at": stamp(at),
                    **merged,
                    "incident": incident_object(incident, platform, speech, public=False),
                }
            case Happened():
                yield from map(_said, effect.said)
            case Summed(channel, at):
                yield {"event": "notice", "at": stamp(at), "why": "digest", "incident_id": None, "channel": channel}
            case Gap(location, since, until, code):
                yield {
                    "event": "blind",
                    "at": stamp(now),
                    "location": location,
                    "since": stamp(since),
                    "until": stamp(until),
                    "code": code,
                }


def _time(text: str | None) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        raise Unreadable(f"--until {text} is not a time: write it as 2026-11-23T12:00:00Z") from None


def _read(source: str, platform: Platform) -> list[Observation]:
    if source == "-":
        return list(_lines(sys.stdin, "stdin", platform))
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as file:
            return list(_lines(file, source, platform))
    except OSError as error:
        raise Unreadable(
            f"{source} cannot be read ({error.strerror}): name a file that `monitor record` wrote"
        ) from None


def _lines(file: TextIO, name: str, platform: Platform) -> Iterator[Observation]:
    strange: set[str] = set()
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            one = observation_from_json(json.loads(line.removeprefix("\ufeff") if number == 1 else line))
        except RecursionError:
            raise Unreadable(f"{place}: nested too deeply for an observation") from None
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{place}: not an observation: {error}") from None
        _check(one, place, platform)
        for code in sorted(_unknown_codes(one) - strange):
            near = get_close_matches(code[:60], CODES, 1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            print(
                f"{place}: {shown(code)} is no code that is known here: nobody is blamed for it{meant}", file=sys.stderr
            )
            strange.add(code)
        yield one


def _unknown_codes(one: Observation) -> set[str]:
    """Codes of failures, of a run and of its steps, that come from a newer version, or from a slip of the pen."""
    failures = [one.failure, *(step.seen.failure for step in one.steps or () if step.seen is not None)]
    return {failure.code for failure in failures if failure is not None and failure.code.partition(":")[0] not in CODES}


def _check(one: Observation, place: str, platform: Platform) -> None:
    """What the configuration must know of an observation."""
    if one.location not in platform.locations:
        raise Unreadable(f"{place}: location `{one.location}` is not in `locations` of the configuration")
    if one.module is None:
        return
    if one.module not in platform.modules:
        raise Unreadable(f"{place}: module `{one.module}` is not in the configuration")
    if (one.module, one.probe) not in platform.probes:
        raise Unreadable(f"{place}: module `{one.module}` has no probe `{one.probe}` in the configuration")
