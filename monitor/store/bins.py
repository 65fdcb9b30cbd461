"""Bins: stored runs and hours put into the bins of a window, in the same way for every store."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.series import Bin, Grid, merged
from monitor.store.rows import Stored, bin_of, document_of, instant

Counted = dict[tuple[str, str], dict[datetime, Bin]]  # by (probe, location), then by the start of the bin


def count_runs(counted: Counted, rows: Iterable[Stored], grid: Grid) -> None:
    """Adds rows of `observations` that were not discarded."""
    for row in rows:
        document = document_of(row)
        blame = None if row["blame"] is None else Blame(row["blame"])
        result = Result(Outcome(row["outcome"]), row["code"], blame, edge_only=document.get("edge_only", False))
        bins, start = counted.setdefault((row["probe"], row["location"]), {}), grid.bin_of(instant(row["at"]))
        bins[start] = bins.get(start, Bin()).add(result, row["duration"], document.get("phases") or {})


def count_hours(counted: Counted, rows: Iterable[Stored], grid: Grid) -> None:
    """Adds rows of `rollups`."""
    found: defaultdict[tuple[tuple[str, str], datetime], list[Bin]] = defaultdict(list)
    for row in rows:
        found[((row["probe"], row["location"]), grid.bin_of(instant(row["hour"])))].append(bin_of(row))
    for (key, start), several in found.items():
        bins = counted.setdefault(key, {})
        bins[start] = merged([*several, bins[start]] if start in bins else several)
