"""Memo: the stored form of a track, what a restart needs of it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from monitor.core.observation import moment, stamp
from monitor.core.track import Baseline, Level, Sighting, Track, is_notable

# Told otherwise, or not at all.
_ELSEWISE = (
    *("sightings", "slow_sighting", "codes", "reprobe_at", "undo", "last"),
    *("raw", "raw_bad_since", "runs", "baselines"),
)
_INSTANTS = [f.name for f in fields(Track) if f.name not in _ELSEWISE and f.name.endswith(("_since", "_at"))]
_NUMBERS = [f.name for f in fields(Track) if f.name not in (*_ELSEWISE, *_INSTANTS)]


def track_to_json(track: Track) -> dict[str, Any]:
    """What a restart needs of a track; the pending re-probe and what could be undone are not kept.

    A track on which all is well is stored once and then no more, so when it was last heard is not told.
    """
    return {
        **{name: getattr(track, name) for name in _NUMBERS},
        **{name: stamp(getattr(track, name)) for name in _INSTANTS},
        "usable_at": stamp(track.usable_at) if is_notable(track) else None,
        "sightings": [_sighting_to_json(sighting) for sighting in track.sightings],
        "slow_sighting": None if track.slow_sighting is None else _sighting_to_json(track.slow_sighting),
        "codes": [list(pair) for pair in track.codes],
        "baselines": [[one.path, _level_to_json(one.usual), _level_to_json(one.other)] for one in track.baselines],
    }


def _level_to_json(level: Level | None) -> list[Any] | None:
    return None if level is None else [level.value, stamp(level.since), level.runs]


def _level_from_json(raw: list[Any] | None) -> Level | None:
    since = moment(raw[1]) if raw else None
    return None if raw is None or since is None else Level(raw[0], since, raw[2])


def _sighting_to_json(sighting: Sighting) -> list[Any]:
    told: list[Any] = [stamp(sighting.at), sighting.code, sighting.detail]
    more = [sighting.address, sighting.backend, list(sighting.names), sighting.certificate]
    return told if more == [None, False, [], None] else told + more


def _sighting_from_json(raw: list[Any]) -> Sighting:
    at = moment(raw[0])
    assert at is not None
    address, backend, names, certificate = raw[3:] or (None, False, (), None)
    return Sighting(at, raw[1], raw[2], address, backend, tuple(names), certificate)


def track_from_json(raw: Mapping[str, Any]) -> Track:
    """The inverse of `track_to_json`; what an older version did not know is as in a new track. Raises KeyError or
    ValueError for anything else."""
    known = Track()
    plain: dict[str, Any] = {name: raw.get(name, getattr(known, name)) for name in _NUMBERS}
    plain |= {name: moment(raw.get(name)) for name in _INSTANTS}
    return Track(
        **plain,
        sightings=tuple(_sighting_from_json(one) for one in raw["sightings"]),
        slow_sighting=None if raw["slow_sighting"] is None else _sighting_from_json(raw["slow_sighting"]),
        codes=tuple((code, count) for code, count in raw["codes"]),
        baselines=tuple(
            Baseline(path, _level_from_json(usual), _level_from_json(other))
            for path, usual, other in raw.get("baselines", ())
        ),
    )
