"""Series: everything that is published of one probe, written out when it changes and only joined at a scrape."""

from bisect import bisect_left
from collections.abc import Iterable

from monitor.core.expectation import Outcome, Result
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.metrics.exposition import Family, labels, line, number
from monitor.metrics.facts import SUCCESS, Facts, facts
from monitor.metrics.judged import judged

OBSERVATIONS = Family("monitor_observations_total", "counter", "Judged runs by outcome since the monitor began.")
DURATION = Family("monitor_observation_duration_seconds", "histogram", "How long runs took, over all places.")
OWN = (OBSERVATIONS, DURATION)

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Series:
    """One probe. A scrape reads it in another thread, so a text is only ever replaced whole."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.lines: dict[str, str] = {}  # of the judged view and of our own families, by name
        self._facts: dict[str, Facts] = {}
        self._counts = dict.fromkeys(((place, one) for place in probe.locations for one in Outcome), 0)
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0
        self._name()

    def reconfigured(self, probe: Probe) -> None:
        """The probe as configured now. Counters go on; what was seen of another target is forgotten."""
        same = (probe.instance, probe.kind, probe.ask) == (self.probe.instance, self.probe.kind, self.probe.ask)
        self.probe = probe
        self._facts = {place: seen for place, seen in self._facts.items() if same and place in probe.locations}
        self._counts = {(p, one): self._counts.get((p, one), 0) for p in probe.locations for one in Outcome}
        self._name()

    def _name(self) -> None:
        """Writes everything anew under the probe's labels."""
        probe = self.probe
        self.labels = labels(
            [("instance", probe.instance), ("module", probe.module), ("probe", probe.id), ("kind", probe.kind)]
        )
        self._short = labels([("module", probe.module), ("probe", probe.id)])
        self._success = [line("probe_success", self.labels, value) for value in (0, 1)]
        self.lines = self._own() | self._judged()

    def observed(self, observation: Observation, result: Result) -> None:
        """Takes in one more run."""
        place = observation.location
        if place not in self.probe.locations:
            return
        self._counts[place, result.outcome] += 1
        self._buckets[bisect_left(BOUNDS, observation.duration)] += 1
        self._sum += observation.duration
        self._facts = {**self._facts, place: facts(self.probe, observation, result)}
        self.lines = self._own() | self._judged()

    def _own(self) -> dict[str, str]:
        counted = [
            f'{OBSERVATIONS.name}{{{self._short},location="{place}",outcome="{outcome.value}"}} {count}\n'
            for (place, outcome), count in self._counts.items()
        ]
        measured, total = [], 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._buckets, strict=True):
            total += count
            measured.append(f'{DURATION.name}_bucket{{{self._short},le="{bound}"}} {total}\n')
        measured.append(line(f"{DURATION.name}_count", self._short, total))
        measured.append(line(f"{DURATION.name}_sum", self._short, round(self._sum, 6)))
        return {OBSERVATIONS.name: "".join(counted), DURATION.name: "".join(measured)}

    def _judged(self) -> dict[str, str]:
        places = [self._facts[place] for place in self.probe.locations if place in self._facts]
        found = dict(judged(places)) if places else {}
        found.pop(SUCCESS, None)  # a matter of the board, and so of the moment of the scrape
        return _written(found, self.labels)

    def success(self, status: Status | None) -> str:
        """`probe_success` of the judged view: 0 when settled as failing. Evidence is never settled: 0 when no place
        saw it succeed."""
        seen = list(self._facts.values())
        if not seen:
            return ""
        if self.probe.role == "verdict":
            return self._success[status is not Status.DOWN]
        return self._success[any(one[SUCCESS] for one in seen)]

    def by_place(self) -> Iterable[dict[str, str]]:
        """The lines of each place, by family."""
        for place, seen in self._facts.items():
            yield _written(seen, f"{self.labels},{labels([('location', place)])}")


def _written(found: Facts, shared: str) -> dict[str, str]:
    lines: dict[str, str] = {}
    for (name, own), value in found.items():
        text = f"{name}{{{shared}{',' + own if own else ''}}} {number(value)}\n"
        lines[name] = lines[name] + text if name in lines else text
    return lines
