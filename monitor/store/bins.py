"""Bins: stored runs and hours put into the bins of a window, in the same way for every store."""

import json
from collections.abc import Iterable
from datetime import datetime

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.series import Bin, Grid
from monitor.store.rows import Stored, bin_of, instant

Counted = dict[tuple[str, str], dict[datetime, Bin]]  # by (probe, location), then by the start of the bin


def count_runs(counted: Counted, rows: Iterable[Stored], grid: Grid) -> None:
    """Adds rows of `observations` that were not discarded."""
    for row in rows:
        document = json.loads(row["document"])
        blame = None if row["blame"] is None else Blame(row["blame"])
        result = Result(Outcome(row["outcome"]), row["code"], blame, edge_only=document.get("edge_only", False))
        bins, start = counted.setdefault((row["probe"], row["location"]), {}), grid.bin_of(instant(row["at"]))
        bins[start] = bins.get(start, Bin()).add(result, row["duration"], document.get("phases") or {})


def count_hours(counted: Counted, rows: Iterable[Stored], grid: Grid) -> None:
    """Adds rows of `rollups`."""
    for row in rows:
        bins, start = counted.setdefault((row["probe"], row["location"]), {}), grid.bin_of(instant(row["hour"]))
        bins[start] = bins[start].merge(bin_of(row)) if start in bins else bin_of(row)
