"""Series: everything that is published of one probe.

The loop only notes what was seen; a scrape writes it out, in its own thread, and keeps the text until something else is
seen. What one thread hands to the other is replaced whole, never changed.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monitor.core.expectation import Outcome, Result
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.metrics.exposition import Family, clean, encoded, exemplar, labels, line, number
from monitor.metrics.facts import FAMILIES, SUCCESS, Facts, facts
from monitor.metrics.judged import judged

OBSERVATIONS = Family("monitor_observations_total", "counter", "Judged runs by outcome since the monitor began.")
DURATION = Family("monitor_observation_duration_seconds", "histogram", "How long runs took, over all places.")
OWN = (OBSERVATIONS, DURATION)

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OUTCOMES = tuple(Outcome)

Row = tuple[bytes, ...]  # the samples of one probe, family by family

_BEGAN = OBSERVATIONS.name.removesuffix("_total") + "_created"
_COLUMN = {family.name: index for index, family in enumerate(FAMILIES)}
_BUCKETS = tuple(f'le="{bound}"}}' for bound in (*BOUNDS, "+Inf"))
_OUTCOMES = tuple(f'"{outcome.value}"}}' for outcome in OUTCOMES)


@dataclass(frozen=True, slots=True)
class Run:
    """One judged run, and the incident its module was in by then."""

    seen: Observation
    result: Result
    incident: str | None = None


class Example(NamedTuple):
    """What an exemplar tells of a run, its moment as Unix time. The run itself would stay with its headers and its
    excerpt, one for every bucket: kilobytes a probe, and the more the longer the monitor runs."""

    incident: str | None
    code: str | None
    location: str
    duration: float
    at: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What was seen of a probe. `since` is when each place began to be counted, as Unix time, and `counts` its runs by
    outcome; `buckets` are runs by duration, not added up, each with the last of its `examples`."""

    since: Mapping[str, float]
    began: float
    counts: Mapping[str, tuple[int, ...]]
    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    sum: float = 0.0
    examples: tuple[Example | None, ...] = (None,) * (len(BOUNDS) + 1)
    last: Mapping[str, Run] = field(default_factory=dict)

    def of(self, places: Iterable[str], now: float, forget: bool) -> "Tally":
        """The same for other places; with `forget` without what was seen last."""
        places = tuple(places)
        return replace(
            self,
            since={place: self.since.get(place, now) for place in places},
            counts={place: self.counts.get(place, (0,) * len(OUTCOMES)) for place in places},
            last={} if forget else {place: run for place, run in self.last.items() if place in places},
        )


class Series:
    """One probe, from a Unix time on."""

    def __init__(self, probe: Probe, now: float, tally: Tally | None = None) -> None:
        self.probe = probe
        self.labels = labels(
            [("instance", probe.instance), ("module", probe.module), ("probe", probe.id), ("kind", probe.kind)]
        )
        self._short = labels([("module", probe.module), ("probe", probe.id)])
        self._success = tuple(encoded(line(SUCCESS[0], self.labels, value)) for value in (0, 1))
        self._tally = tally or Tally({}, now, {}).of(probe.locations, now, forget=True)
        self._own: dict[bool, tuple[Tally, Row]] = {}
        self._judged: tuple[Tally, Row] | None = None
        self._placed: dict[str, tuple[Run, Row]] = {}

    def reconfigured(self, probe: Probe, now: float) -> "Series":
        """The probe as configured now. Counters go on; what was seen of another target is forgotten."""
        other = (probe.instance, probe.kind, probe.ask) != (self.probe.instance, self.probe.kind, self.probe.ask)
        return Series(probe, now, self._tally.of(probe.locations, now, forget=other))

    # --- on the loop

    def observed(self, run: Run) -> None:
        """Takes in one more run."""
        tally, place, took = self._tally, run.seen.location, run.seen.duration
        if place not in tally.counts:
            return
        counts, buckets, examples = list(tally.counts[place]), list(tally.buckets), list(tally.examples)
        counts[OUTCOMES.index(run.result.outcome)] += 1
        bucket = bisect_left(BOUNDS, took)
        buckets[bucket] += 1
        examples[bucket] = _example(run)
        self._tally = Tally(
            tally.since,
            tally.began,
            {**tally.counts, place: tuple(counts)},
            tuple(buckets),
            tally.sum + took,
            tuple(examples),
            {**tally.last, place: run},
        )

    def last(self, place: str) -> Run | None:
        """The last run at a place."""
        return self._tally.last.get(place)

    # --- in the thread of a scrape

    def row(self, openmetrics: bool) -> Row:
        """The families of `OWN`, then those of the judged view; `probe_success` is empty, as the board decides it."""
        tally = self._tally
        known = self._own.get(openmetrics)
        if known is None or known[0] is not tally:
            known = self._own[openmetrics] = (
                tally,
                (self._counted(tally, openmetrics), self._timed(tally, openmetrics)),
            )
        judged = self._judged
        if judged is None or judged[0].last is not tally.last:
            judged = self._judged = (tally, self._over_all(tally))
        return known[1] + judged[1]

    def _counted(self, tally: Tally, openmetrics: bool) -> bytes:
        lines = []
        for place, counts in tally.counts.items():
            shared = f'{{{self._short},location="{clean(place)}",outcome='
            for outcome, count in zip(_OUTCOMES, counts, strict=True):
                lines.append(f"{OBSERVATIONS.name}{shared}{outcome} {count}\n")
                if openmetrics:
                    lines.append(f"{_BEGAN}{shared}{outcome} {tally.since[place]:.3f}\n")
        return encoded("".join(lines))

    def _timed(self, tally: Tally, openmetrics: bool) -> bytes:
        lines, total, shared = [], 0, f"{DURATION.name}_bucket{{{self._short},"
        for bound, count, example in zip(_BUCKETS, tally.buckets, tally.examples, strict=True):
            total += count
            told = _exemplar(example) if openmetrics and example is not None else ""
            lines.append(f"{shared}{bound} {total}{told}\n")
        lines.append(f"{DURATION.name}_count{{{self._short}}} {total}\n")
        lines.append(f"{DURATION.name}_sum{{{self._short}}} {number(round(tally.sum, 6))}\n")
        if openmetrics:
            lines.append(f"{DURATION.name}_created{{{self._short}}} {tally.began:.3f}\n")
        return encoded("".join(lines))

    def _over_all(self, tally: Tally) -> Row:
        places = [self._facts(tally.last[place]) for place in self.probe.locations if place in tally.last]
        found = dict(judged(places)) if places else {}
        found.pop(SUCCESS, None)
        return _written(found, self.labels)

    def _facts(self, run: Run) -> Facts:
        return facts(self.probe, run.seen, run.result)

    def success(self, status: Status | None) -> bytes:
        """`probe_success` of the judged view: 0 when settled as failing. Evidence is never settled: 0 when no place
        saw it succeed."""
        seen = list(self._tally.last.values())
        if not seen:
            return b""
        if self.probe.role == "verdict":
            return self._success[status is not Status.DOWN]
        return self._success[any(run.result.outcome in (Outcome.PASSED, Outcome.SLOW) for run in seen)]

    def by_place(self) -> Iterable[Row]:
        """The families of `FAMILIES`, place by place."""
        for place, run in self._tally.last.items():
            known = self._placed.get(place)
            if known is None or known[0] is not run:
                text = _written(self._facts(run), f"{self.labels},{labels([('location', place)])}")
                known = self._placed[place] = (run, text)
            yield known[1]


def _example(run: Run) -> Example:
    seen = run.seen
    return Example(run.incident, run.result.code, seen.location, seen.duration, seen.ended_at.timestamp())


def _exemplar(one: Example) -> str:
    pairs = [("incident", one.incident), ("code", one.code), ("location", one.location)]
    return exemplar(pairs, one.duration, one.at)


def _written(found: Facts, shared: str) -> Row:
    row = [b""] * len(FAMILIES)
    for (name, own), value in found.items():
        about = f"{shared},{own}" if own else shared
        row[_COLUMN[name]] += f"{name}{{{about}}} {number(value)}\n".encode()
    return tuple(row)
