"""Calm: a good run of a probe about which all is well, by far the most frequent case, judged on the shortest way.

Nothing but the track of the probe moves then, and nothing is decided. `step` does the same on the long way, of which
this is the part that is left: `tests/core/test_calm.py` compares the two.
"""

from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from monitor.core.anew import replace
from monitor.core.board import Board, Vantage
from monitor.core.expectation import Outcome, Result
from monitor.core.marks import BACKEND
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.track import Track, learned_well
from monitor.core.vantage import is_private

REMEMBERED_RUNS = 4  # scheduled times by which a run that is handed in twice is told

# What is held against a probe, or was until just now; `is_notable` and what `learn` would look at.
_HELD = attrgetter(
    *("score", "slow_score", "partial_score", "blocked_score", "value", "usual", "usual_slow", "undo"),
    *("bad_since", "slow_since", "partial_since", "baselines"),
)
