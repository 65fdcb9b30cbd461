"""Turns a written story into the recording that a monitor would have made of it: the same for ever, run by run.

Runs come every interval at each location. A failure brings extra runs, at once, every 5 s and, past a minute and a
half, every 10 s, within a budget; and it has the canaries asked, which only fail when a fault says `canaries: fail`.
To judge one by hand: `python -m tests.stories.recordings STORY --config`, without the option its recording.
"""

import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain, islice
from typing import Any

import jmespath

from monitor.core.codes import HARMLESS
from monitor.core.expectation import Outcome, judge
from monitor.core.marks import BACKEND
from monitor.core.observation import CANARY, Certificate, Failure, Http, Observation, observation_to_json, stamp
from monitor.core.probe import Probe, host_of
from tests.stories.written import DAY, FAILURES, Story, load, moment

CALM, HASTE, CANARY_PAUSE = 60.0, 90.0, 5.0


def record(story: Story) -> list[Observation]:
    """The recording, in order of completion."""
    runs = list(_runs(story))
    failed = [(one.ended_at, one.location) for one, bad in runs if bad]
    every = [one for one, _ in runs] + list(_canaries(story, failed))
    return sorted(every, key=lambda one: (one.ended_at, one.module or "", one.probe, one.location, one.address or ""))


def _runs(story: Story) -> Iterator[tuple[Observation, bool]]:
    """Every run with whether it failed, as the grid and earlier failures have it asked."""
    chance = random.Random(f"{story.name} {story.seed or ''}".strip())
    due: dict[tuple[str, str, str], float] = {}
    for asked, probe in story.platform.probes.items():
        interval, phase = probe.interval.total_seconds(), chance.random()
        for number, place in enumerate(story.locations):
            due[*asked, place] = story.start + (phase + number / len(story.locations)) % 1 * interval
    suspected: dict[tuple[str, str], tuple[float, float]] = {}  # first and last failure
    tokens, refilled, rate = 60.0, story.start, 1 + 0.1 * len(due) / 30
    while (at := min(due.values())) < story.end:
        key = next(key for key, when in due.items() if when == at)
        probe, place = story.platform.probes[key[:2]], key[2]
        due[key] = at + probe.interval.total_seconds()
        one = _answer(story, probe, place, at + chance.random() * 0.08, chance)
        if one is None:
            continue
        said = judge(one, probe.expect)
        bad = said.outcome is Outcome.FAILED and said.blame not in HARMLESS
        yield one, bad
        first, last = suspected.get(key[:2], (at, at - 2 * CALM))
        if bad:
            first = first if at - last <= CALM else at
            suspected[key[:2]] = first, at
        if at - suspected.get(key[:2], (0, at - 2 * CALM))[1] > CALM:
            continue
        tokens, refilled = min(60.0, tokens + (at - refilled) * rate), at
        sooner = at + one.duration + 0.3
        wanted = {other: sooner for other in due if other[:2] == key[:2] and first == at and bad}
        wanted.setdefault(key, max(sooner, at + (5 if at - first < HASTE else 10)))
        for other, when in wanted.items():
            if when < due[other] and tokens >= 1:
                due[other], tokens = when, tokens - 1


def _answer(story: Story, probe: Probe, place: str, at: float, chance: random.Random) -> Observation | None:
    """What one run brings back, faults laid upon one another in the order of the story; None for silence."""
    host = host_of(probe)
    said: dict[str, Any] = {"status": probe.expect.status[0][0], "body": story.bodies.get(probe.module, {"fine": True})}
    headers = {"content-type": "application/json"}
    if probe.module in story.versions:
        headers[BACKEND] = story.versions[probe.module]
    took, still = 0.03 + 0.06 * chance.random(), at
    for fault in story.faults:
        if not fault.strikes(probe, place, at, chance):
            continue
        said |= {**fault.answers, "ended": fault.at}
        headers |= fault.answers.get("header", {})
        if "slow" in said:
            begin, end = said["slow"]
            took = begin + (end - begin) * (at - fault.at) / (fault.until - fault.at)
        still = fault.at if "still" in said else still
    if "silence" in said:
        return None
    if took >= probe.timeout.total_seconds():
        said |= {"failure": FAILURES["timeout"], "seconds": probe.timeout.total_seconds()}
    digest = sha256(host.encode())
    first, second, third = islice(digest.digest(), 3)
    code = said.get("failure")
    common: dict[str, Any] = {"module": probe.module, "probe": probe.id, "location": place}
    common |= {"at": moment(at), "scheduled_at": moment(at)}
    common["address"] = None if code and code.startswith("dns.") else f"18.{first}.{second}.{third}:443"
    if code:
        end = moment(said.get("ended", at))
        leaf = Certificate(end, f"CN={host}", "CN=Invented Authority", digest.hexdigest())
        certificate = leaf if code == FAILURES["expired"] else None
        duration = round(said.get("seconds", 0.02), 3)
        return Observation(duration=duration, failure=Failure(code), certificate=certificate, **common)
    text = json.dumps(said["body"]).replace("{now}", stamp(moment(still)) or "")
    sides = story.platform.modules[probe.module].verdicts.get(probe.id, ())
    paths = chain(probe.expect.paths, *(side.expect.paths for side in sides))
    values = {path: jmespath.search(path, json.loads(text)) for path in paths}
    kept = {name: str(value) for name, value in headers.items() if value is not None}
    http = Http(said["status"], kept, len(text), text[:2000])
    return Observation(duration=round(took, 3), http=http, values=values, **common)


def _canaries(story: Story, failed: list[tuple[datetime, str]]) -> Iterator[Observation]:
    """The canaries' runs: twice a minute, and whenever a run has failed."""
    grid = [(moment(at), place) for place in story.locations for at in range(int(story.start), int(story.end), 30)]
    asked: dict[str, datetime] = {}
    for at, place in sorted(grid + failed):
        if not story.canaries or at - asked.get(place, DAY) < timedelta(seconds=CANARY_PAUSE):
            continue
        asked[place] = at
        seconds = (at - DAY).total_seconds()
        cut = any(
            f.canaries == "fail" and f.at <= seconds < f.until and place in (f.locations or (place,))
            for f in story.faults
        )
        for number, name in enumerate(story.canaries):
            begun = at + timedelta(milliseconds=1 + number)
            facts: dict[str, Any] = {"failure": Failure("tcp.unreachable")} if cut else {"http": Http(200)}
            yield Observation(begun, None, CANARY, place, begun, 0.05, address=name, **facts)


def main(name: str, *options: str) -> None:
    """Prints the recording of a story, one observation a line; with `--config` the configuration it belongs to."""
    story = load(name)
    if "--config" in options:
        print(story.text)
        return
    for one in record(story):
        print(json.dumps(observation_to_json(one), ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:] or sys.exit("name a story of tests/stories/recorded, such as deploy-fault"))
