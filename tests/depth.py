"""Depth: how many examples a property is tried with. The fast suite tries an eighth of the number beside each; with
`MONITOR_TEST_DEPTH=3 pytest -m property` all of them get 24 times as many.
"""

import os

DEPTH = float(os.environ.get("MONITOR_TEST_DEPTH", "0.125"))


def examples(count: int) -> int:
    """So many, at the depth of this run."""
    return max(2, round(count * DEPTH))
