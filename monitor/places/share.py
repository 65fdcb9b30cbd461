"""Share: what a place has to know of the configuration. Its own probes and what asking them takes, and nothing else:
no channel, no other place, no secret that none of its probes needs.

It is written as what the core made of `probes.yaml`, not as that file: nothing is read twice, or differently.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

import re2

from monitor.config import Config, Settings
from monitor.config.patterns import compiled
from monitor.core import expectation, target
from monitor.core.clause import Clause
from monitor.core.module import Module, Platform
from monitor.core.probe import Probe, Role, Step
from monitor.core.target import Network, SideVerdict
from monitor.places.seal import Refused

KNOWN: Mapping[str, type] = {
    one.__name__: one
    for one in (
        *(Probe, Role, Step, Clause, expectation.Expect, expectation.Fresh, Network, SideVerdict),
        *(target.HttpTarget, target.TcpTarget, target.TlsTarget, target.DnsTarget, target.PrometheusTarget),
        *(target.MqttTarget, target.PageTarget, target.StepTarget, target.HeartbeatTarget),
    )
}
# What stands for what JSON has no word for: `{"~NAME": …}`.
CLASS, TUPLE, SECONDS, BYTES, PATTERN, TABLE = "~class", "~tuple", "~seconds", "~bytes", "~pattern", "~table"


@dataclass(frozen=True, slots=True)
class Told:
    """A share that was read: what to do, and the authorities to trust beside the system's, as PEM."""

    config: Config
    authorities: str | None = None


class Shares:
    """The shares of one configuration."""

    def __init__(self, config: Config, authorities: str | None = None) -> None:
        """`authorities` is the text of `monitor.ca_file`."""
        self._config = config
        self._authorities = authorities
        self._written: dict[tuple[str, str], Any] = {}

    def of(self, location: str) -> dict[str, Any]:
        """What the place of that name has to know, as JSON."""
        modules = self._config.platform.modules
        asked = {
            key: probe
            for key, probe in self._config.platform.probes.items()
            if probe.off is None and location in probe.locations
        }
        share = {
            "probes": [self._probe(probe) for probe in asked.values()],
            "verdicts": [
                [*key, [written(one) for one in sides]]
                for key in asked
                if (sides := modules[key[0]].verdicts.get(key[1], ()))
            ],
            "network": written(replace(self._config.network, ca_file=None)),
            "authorities": self._authorities,
        }
        held = "\0".join(_texts(share))
        return {**share, "secrets": sorted(one for one in self._config.secrets if one in held)}

    def _probe(self, probe: Probe) -> Any:
        """Written once, for as many places as it has."""
        if probe.key not in self._written:
            self._written[probe.key] = written(probe)
        return self._written[probe.key]


def told(share: Mapping[str, Any], location: str, folder: Path) -> Told:
    """What a share says to the place it is for; authorities are expected in the folder. Raises Refused for one that
    says what is not known here, as that of a newer core may."""
    try:
        probes = tuple(_one(raw, Probe) for raw in _list(share["probes"]))
        sides = {
            (str(module), str(id)): tuple(_one(raw, SideVerdict) for raw in _list(found))
            for module, id, found in map(_list, _list(share["verdicts"]))
        }
        network, authorities = _one(share["network"], Network), share["authorities"]
        own: dict[str, list[Probe]] = {}
        for probe in probes:
            own.setdefault(probe.module, []).append(probe)
        verdicts: dict[str, dict[str, tuple[SideVerdict, ...]]] = {id: {} for id in own}
        for (module, id), found in sides.items():
            verdicts[module][id] = found
        secrets = frozenset(map(str, _list(share["secrets"])))
        if not isinstance(authorities, str | None):
            raise TypeError("authorities are text")
    except (LookupError, TypeError, ValueError, AttributeError, re2.error) as error:
        raise Refused("form", f"is the core of a newer version? ({type(error).__name__})") from None
    network = replace(network, ca_file=str(authorities_in(folder, authorities)) if authorities else None)
    modules = {id: Module(id, {}, probes=tuple(found), verdicts=verdicts[id]) for id, found in own.items()}
    platform = Platform(modules, locations={location: "default"}, canaries=len(network.canaries))
    return Told(Config(platform, settings=Settings(location=location), network=network, secrets=secrets), authorities)


def taken_up(share: Mapping[str, Any], location: str, folder: Path, before: Config) -> Told:
    """A share that is read, with its authorities on the disk beside those that were in use before. Raises Refused, and
    OSError where the disk does not take them."""
    fresh = told(share, location, folder)
    wanted = fresh.config.network.ca_file
    if fresh.authorities is not None and wanted is not None:
        Path(wanted).write_text(fresh.authorities, encoding="utf-8")
    for old in folder.glob("authorities-*.pem"):
        if str(old) not in (wanted, before.network.ca_file):
            old.unlink(missing_ok=True)
    return fresh


def nothing(location: str) -> Config:
    """The configuration of a place that was told nothing yet."""
    return Config(Platform(locations={location: "default"}), settings=Settings(location=location))


def authorities_in(folder: Path, authorities: str) -> Path:
    """Where a place keeps what it is to trust; others have another name, so that nobody goes on with the old ones."""
    return folder / f"authorities-{sha256(authorities.encode()).hexdigest()[:16]}.pem"


# -- writing -----------------------------------------------------------------------------------------------------------


def written(value: Any) -> Any:
    """A value as JSON; what is as it would be anyhow is left out. Raises TypeError for what no share holds."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return {CLASS: type(value).__name__, "value": value.value}
        case str():
            return str(value)
        case timedelta():
            return {SECONDS: value.total_seconds()}
        case bytes():
            return {BYTES: b64encode(value).decode()}
        case tuple():
            return {TUPLE: [written(one) for one in value]}
        case list():
            return [written(one) for one in value]
        case Mapping():
            return {TABLE: [[str(key), written(one)] for key, one in value.items()]}
    if type(value).__name__ in KNOWN:
        found = ((one, getattr(value, one.name)) for one in fields(value))
        return {CLASS: type(value).__name__} | {one.name: written(it) for one, it in found if not _is_usual(one, it)}
    if isinstance(getattr(value, "pattern", None), str):
        return {PATTERN: value.pattern}
    raise TypeError(f"{type(value).__name__} is no part of a share")


def _is_usual(field: Field[Any], value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return field.default is not MISSING and type(value) is type(field.default) and bool(value == field.default)


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, that of bytes included."""
    match value:
        case str():
            yield value
        case {**pairs}:
            if isinstance(packed := pairs.get(BYTES), str):
                yield b64decode(packed).decode("utf-8", "replace")
            for one in pairs.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)


# -- reading -----------------------------------------------------------------------------------------------------------


def read(raw: Any) -> Any:
    """The inverse of `written`. Raises LookupError, TypeError or ValueError for anything that is not of it."""
    match raw:
        case None | bool() | int() | float() | str():
            return raw
        case list():
            return [read(one) for one in raw]
        case {"~class": str(name), **given}:
            known = KNOWN[name]
            if issubclass(known, Enum):
                return known(given["value"])
            return known(**{str(key): read(one) for key, one in given.items()})
        case {"~tuple": list(found)}:
            return tuple(read(one) for one in found)
        case {"~seconds": int(seconds) | float(seconds)}:
            return timedelta(seconds=seconds)
        case {"~bytes": str(packed)}:
            return b64decode(packed, validate=True)
        case {"~pattern": str(text)}:
            return compiled(text)
        case {"~table": list(pairs)}:
            return {str(key): read(one) for key, one in pairs}
    raise TypeError("no part of a share")


def _one(raw: Any, kind: type) -> Any:
    found = read(raw)
    if type(found) is not kind:
        raise TypeError(f"no {kind.__name__}")
    return found


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def canonical(share: Mapping[str, Any]) -> bytes:
    """The bytes by which two shares are the same."""
    return json.dumps(share, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")
