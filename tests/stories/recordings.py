"""Turns a story of `recorded/` into the recording that a monitor would have made of it: the same for ever, run by run.

A story is a YAML file. `platform` names a file of `recorded/platforms/`, to which the story's own `config` is added;
`bodies` are the healthy answers by module, `versions` the applications that answer. A fault strikes `modules`, `hosts`
or, without either, everything, at some or all `locations`, in a `ratio` of the runs, and `answers` with one of

    503                     that status; with headers: `429 retry-after 30`; with an error code: `500 saying CHK0233`;
                            `502 from the gateway`: the application behind it never saw the request
    refused  timeout 10s    the exchange fails; any code of docs/judgement.md will do: `tcp.timeout 10s`
    slow 3s                 as ever, but late; `slow 1s to 12s` gets worse
    stands still            as ever, but `{now}` in the body is the moment at which the fault began
    silence                 no run is recorded
    {status: …, body: …, header: {…}}

Runs come every interval at each location. A failure brings extra runs, at once, every 5 s and, past a minute and a
half, every 10 s, within a budget; and it has the canaries asked, which only fail when a fault says `canaries: fail`.
To judge one by hand: `python -m tests.stories.recordings STORY --config`, without the option its recording.
"""

import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import jmespath

from monitor.config.parse import parse
from monitor.config.table import plain
from monitor.config.yaml12 import compose
from monitor.core.codes import HARMLESS
from monitor.core.expectation import Outcome, judge
from monitor.core.marks import BACKEND
from monitor.core.module import Platform
from monitor.core.observation import CANARY, Certificate, Failure, Http, Observation, observation_to_json, stamp
from monitor.core.probe import Probe, host_of
from monitor.core.replay import fitted

FOLDER = Path(__file__).parent / "recorded"
DAY = datetime(2026, 11, 23, tzinfo=UTC)
FAILURES = {
    "refused": "tcp.refused",
    "reset": "http.reset",
    "timeout": "http.ttfb_timeout",
    "unreachable": "tcp.unreachable",
    "nxdomain": "dns.nxdomain",
    "servfail": "dns.servfail",
    "expired": "tls.cert_expired",
}
CANARIES = ("1.1.1.1:443", "9.9.9.9:443", "8.8.4.4:443")
CALM, HASTE, CANARY_PAUSE = 60.0, 90.0, 5.0


@dataclass(frozen=True)
class Fault:
    """Something that is wrong for a while; times are seconds from midnight."""

    at: float
    until: float
    answers: Mapping[str, Any]
    modules: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    ratio: float = 1.0
    canaries: str = "answer"

    def strikes(self, probe: Probe, place: str, at: float, chance: random.Random) -> bool:
        """Whether a run meets it."""
        meant = probe.module in self.modules or host_of(probe) in self.hosts or not (self.modules or self.hosts)
        near = not self.locations or place in self.locations
        return meant and near and self.at <= at < self.until and (self.ratio == 1 or chance.random() < self.ratio)


@dataclass(frozen=True)
class Story:
    """A story as written. `text` is its configuration."""

    name: str
    text: str
    platform: Platform
    locations: tuple[str, ...]
    start: float
    end: float
    faults: tuple[Fault, ...]
    bodies: Mapping[str, Any]
    versions: Mapping[str, str]
    canaries: tuple[str, ...]
    expect: Mapping[str, Any]


def load(name: str) -> Story:
    """The story of this name."""
    raw = _read(FOLDER / f"{name}.yaml")
    base = _read(FOLDER / "platforms" / f"{raw['platform']}.yaml") if "platform" in raw else {}
    config = {**base.get("config", {}), **raw.get("config", {})}
    config["modules"] = base.get("config", {}).get("modules", []) + raw.get("config", {}).get("modules", [])
    places = raw["locations"]
    config |= {"version": 1, "locations": [{"id": place, "domain": place} for place in places]}
    config["defaults"] = {**config.get("defaults", {}), "locations": places}
    text = json.dumps(config, indent=1, ensure_ascii=False)
    return Story(
        name=name,
        text=text,
        platform=parse(text, name, {}, _no_file).platform,
        locations=tuple(places),
        start=clock(raw["from"]),
        end=clock(raw["until"]),
        faults=tuple(_fault(one) for one in raw["faults"]),
        bodies={**base.get("bodies", {}), **raw.get("bodies", {})},
        versions={**base.get("versions", {}), **raw.get("versions", {})},
        canaries=CANARIES if raw.get("canaries") else (),
        expect=raw["expect"],
    )


def clock(text: str) -> float:
    """Seconds from midnight of `12:10` or `12:10:20`."""
    return sum(int(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1), strict=False))


def moment(seconds: float) -> datetime:
    """The instant so many seconds after midnight."""
    return DAY + timedelta(milliseconds=round(seconds * 1000))


def record(story: Story) -> list[Observation]:
    """The recording, in order of completion."""
    runs = list(_runs(story))
    failed = [(one.ended_at, one.location) for one, bad in runs if bad]
    every = [one for one, _ in runs] + list(_canaries(story, failed))
    return sorted(every, key=lambda one: (one.ended_at, one.module or "", one.probe, one.location, one.address or ""))


def judged(story: Story) -> Platform:
    """The platform as a replay of the recording has it."""
    return fitted(story.platform, record(story))


def _runs(story: Story) -> Iterator[tuple[Observation, bool]]:
    """Every run with whether it failed, as the grid and earlier failures have it asked."""
    chance = random.Random(story.name)
    due: dict[tuple[str, str, str], float] = {}
    for key, probe in story.platform.probes.items():
        interval, phase = probe.interval.total_seconds(), chance.random()
        for number, place in enumerate(story.locations):
            due[*key, place] = story.start + (phase + number / len(story.locations)) % 1 * interval
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
        said |= fault.answers
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
        ended = Certificate(moment(still), f"CN={host}", "CN=Invented Authority", digest.hexdigest())
        expired = next((f.at for f in story.faults if f.answers.get("failure") == code and f.at <= at), at)
        ended = Certificate(moment(expired), ended.subject, ended.issuer, ended.sha256)
        certificate = ended if code == FAILURES["expired"] else None
        seconds = round(said.get("seconds", 0.02), 3)
        return Observation(duration=seconds, failure=Failure(code), certificate=certificate, **common)
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


def _fault(raw: Mapping[str, Any]) -> Fault:
    known = {key: tuple(raw[key]) for key in ("modules", "hosts", "locations") if key in raw}
    rest = {key: raw[key] for key in ("ratio", "canaries") if key in raw}
    return Fault(clock(raw["at"]), clock(raw["until"]), _answers(raw["answers"]), **known, **rest)


def _answers(said: Any) -> Mapping[str, Any]:
    """The facts that the words of a fault stand for."""
    if isinstance(said, Mapping):
        return said
    words = str(said).split()
    seconds = [float(number) for number in re.findall(r"([0-9.]+)s\b", str(said))]
    match words:
        case ["silence"]:
            return {"silence": True}
        case ["stands", "still"]:
            return {"still": True}
        case ["slow", *_]:
            return {"slow": (seconds[0], seconds[-1])}
        case [status, "saying", code]:
            return {"status": int(status), "body": {"error": {"code": code, "message": "unexpected"}}}
        case [status, "from", "the", "gateway"]:
            return {"status": int(status), "body": "bad gateway", "header": {BACKEND: None}}
        case [status, *pairs] if status.isdigit():
            header = dict(zip(pairs[::2], pairs[1::2], strict=True))
            return {"status": int(status), "body": {"message": "no"}, "header": header}
    return {"failure": FAILURES.get(words[0], words[0]), "seconds": seconds[0] if seconds else 0.02}


def _read(file: Path) -> Any:
    document = compose(file.read_text(encoding="utf-8"))
    assert not document.problems, (file.name, document.problems)
    return plain(document.root)


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


def main(name: str, *options: str) -> None:
    """Prints the recording of a story, one observation a line; with `--config` the configuration it belongs to."""
    story = load(name)
    if "--config" in options:
        print(story.text)
        return
    for one in record(story):
        print(json.dumps(observation_to_json(one), ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
