"""`monitor replay`: a recording judged again, one event a line. No network, no store, the same code as `run`."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from monitor.config import Config
from monitor.config.file import theme_dir
from monitor.core.effect import Effect, Gap, Moved, Saved
from monitor.core.module import Platform
from monitor.core.observation import Observation, moment, observation_from_json, stamp
from monitor.core.replay import fitted, replay
from monitor.core.statement import incident_object
from monitor.pages.translate import Speech


class Unreadable(Exception):
    """The recording cannot be judged; the text says where and why."""


def replay_file(config: Config, source: str, until: str | None) -> int:
    """Prints what is decided. Exit status 0; 2 when the recording or the time cannot be read."""
    try:
        end = _time(until)
        observations = _read(source, config.platform)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    platform = fitted(config.platform, observations)
    speech = Speech.load(config.site.languages, theme_dir(config.site.theme))
    told = sys.stdout.write
    for now, _, effects in replay(platform, observations, end):
        for event in events_of(effects, platform, speech, now):
            told(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    return 0


def events_of(effects: Iterable[Effect], platform: Platform, speech: Speech, now: datetime) -> Iterator[dict[str, Any]]:
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
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            raw = json.loads(line)
            one = observation_from_json(raw)
        except RecursionError:
            raise Unreadable(f"{place}: nested too deeply for an observation") from None
        except KeyError as error:
            raise Unreadable(f"{place}: not an observation: it has no {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise Unreadable(f"{place}: not an observation: {error}") from None
        _check(one, place, platform)
        yield one


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
