"""Written: a story of `recorded/` as it stands in its file, read.

A story is a YAML file. `platform` names a file of `recorded/platforms/`, to which the story's own `config` is added;
`bodies` are the healthy answers by module, `versions` the applications that answer. A fault strikes `modules`, `hosts`
or, without either, everything, at some or all `locations`, in a `ratio` of the runs, and `answers` with one of

    503                     that status; with headers: `429 retry-after 30`; with an error code: `500 saying CHK0233`;
                            `502 from the gateway`: the application behind it never saw the request
    refused  timeout 10s    the exchange fails; any code of docs/judgement.md will do: `tcp.timeout 10s`
    slow 3s                 as ever, but late; `slow 1s to 12s` gets worse
    version checkout-v5.2   as ever, from another version
    stands still            as ever, but `{now}` in the body is the moment at which the fault began
    silence                 no run is recorded
    {status: …, body: …, header: {…}}
"""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.config.parse import parse
from monitor.config.table import plain
from monitor.config.yaml12 import compose
from monitor.core.marks import BACKEND
from monitor.core.module import Platform
from monitor.core.probe import Probe, host_of

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
    """A story as written. `text` is its configuration; another `seed` moves every run a little."""

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
    seed: int = 0


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
        seed=raw.get("seed", 0),
    )


def clock(text: str) -> float:
    """Seconds from midnight of `12:10` or `12:10:20`."""
    return sum(int(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1), strict=False))


def moment(seconds: float) -> datetime:
    """The instant so many seconds after midnight."""
    return DAY + timedelta(milliseconds=round(seconds * 1000))


def _fault(raw: Mapping[str, Any]) -> Fault:
    known: dict[str, Any] = {key: tuple(raw[key]) for key in ("modules", "hosts", "locations") if key in raw}
    rest: dict[str, Any] = {key: raw[key] for key in ("ratio", "canaries") if key in raw}
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
        case ["version", version]:
            return {"header": {BACKEND: version}}
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
