"""Version: which application answers a probe, and when that changed: a change just before a fault may be its cause."""

import re
from dataclasses import replace
from datetime import timedelta

from monitor.core.board import Board, Version
from monitor.core.effect import Versioned
from monitor.core.marks import BACKEND, answered_by_cache
from monitor.core.observation import Observation

ROLLING = timedelta(minutes=10)  # in which old and new version of one application answer in turns

_NUMBER = re.compile(r"[-@/]?v?[0-9]")


def with_version(board: Board, observation: Observation) -> tuple[Board, list[Versioned]]:
    """The board with the version that an answer names; cached answers and those of another application tell nothing."""
    seen = observation.http.headers.get(BACKEND) if observation.http else None
    if seen is None or observation.module is None:
        return board, []
    key = (observation.module, observation.probe)
    known = board.versions.get(key)
    if known is not None:
        if seen == known.name or (seen == known.before and observation.at - known.since < ROLLING):
            return board, []
        if _application(seen) != _application(known.name):
            return board, []
    if answered_by_cache(observation):
        return board, []
    version = Version(seen[:200], observation.at, known.name if known else None)
    return replace(board, versions={**board.versions, key: version}), [Versioned(*key, version)]


def _application(name: str) -> str:
    return _NUMBER.split(name, maxsplit=1)[0]
