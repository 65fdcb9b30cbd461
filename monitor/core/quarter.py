"""Quarter: what a review says of one, as sentences that any language can be put to.

The first line is all of it in short; the same words stand on the page of the report.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from monitor.core.module import Platform, Priority
from monitor.core.text import Text
from monitor.core.wording import N_, URGENCY, Place, Sentence, names

WHOLE = N_("The whole report: {url}")  # where it stands
MISSED = N_("Objectives that were missed:")
PROMISES = {"response": N_("First answer"), "update": N_("Next word")}


def first(name: Text, period: str, ratio: Text, count: str) -> Sentence:
    """The whole of it in one line."""
    places: dict[str, Place] = {"plan": name, "quarter": quarter(period), "ratio": ratio, "count": count}
    return Sentence(N_("[REPORT] {plan}, {quarter}: available {ratio}, incidents: {count}"), places)


def short(name: Text, period: str, ratio: Text, count: str) -> Sentence:
    """The same for telephones and small displays."""
    places: dict[str, Place] = {"plan": name, "quarter": quarter(period), "ratio": ratio, "count": count}
    return Sentence(N_("Report {plan}, {quarter}: available {ratio}, incidents: {count}"), places)


def quarter(period: str) -> Sentence:
    """What `2026-Q3` is called."""
    year, _, number = period.partition("-Q")
    return Sentence(N_("Quarter {quarter} of {year}"), {"quarter": number, "year": year})


def stores(names: tuple[str, ...]) -> Sentence:
    """For whom it is."""
    return Sentence(N_("For {stores}."), {"stores": names})


def available(ratio: Text, coverage: Text) -> Sentence:
    """The figure of the platform."""
    said = N_(
        "The platform was available for {ratio} of the time of which something is known, {coverage} of all of it."
    )
    return Sentence(said, {"ratio": ratio, "coverage": coverage})


def earlier(ratio: Text) -> Sentence:
    """The figure before."""
    return Sentence(N_("In the quarter before it was {ratio}."), {"ratio": ratio})


def by_rule(ratio: Text) -> Sentence:
    """The figure by VTEX's own rule."""
    return Sentence(N_("By VTEX's ten-minute rule it was {ratio}."), {"ratio": ratio})


def objective(kept: bool, wanted: Text, used: Text | None) -> Sentence:
    """How the plan's objective was kept; `used` is the part of its error budget that is spent."""
    places: dict[str, Place] = {"wanted": wanted}
    if used is None:
        return Sentence(N_("Objective {wanted}: kept.") if kept else N_("Objective {wanted}: missed."), places)
    well = N_("Objective {wanted}: kept, {used} of the error budget spent.")
    ill = N_("Objective {wanted}: missed, {used} of the error budget spent.")
    return Sentence(well if kept else ill, {**places, "used": used})


def incidents(count: int, longest: Text | None) -> Sentence:
    """How many there were."""
    if not count:
        return Sentence(N_("No incident began."))
    if longest is None:
        return Sentence(N_("Incidents: {count}."), {"count": str(count)})
    said = N_("Incidents: {count}; the longest took {length} to recover from.")
    return Sentence(said, {"count": str(count), "length": longest})


def taken(detect: Text, recover: Text) -> Sentence:
    """How long half of them took at most."""
    said = N_("Median: {detect} to detect, {recover} to recover.")
    return Sentence(said, {"detect": detect, "recover": recover})


def service(one: Mapping[str, Any], limit: Text, worst: Text) -> Sentence:
    """How one promise was kept."""
    places: dict[str, Place] = {
        "promise": Sentence(PROMISES[one["promise"]]),
        "priority": Sentence(URGENCY[Priority(one["priority"])]),
        "limit": limit,
        "kept": str(one["kept"]),
        "count": str(one["incidents"]),
        "worst": worst,
    }
    said = N_("{promise}, {priority}, within {limit}: kept in {kept} of {count} incidents; longest wait {worst}.")
    return Sentence(said, places)


def missed(what: Place, ratio: Text, wanted: Text) -> Sentence:
    """A module or a group that missed its objective."""
    said = N_("{what}: available {ratio}, objective {wanted}")
    return Sentence(said, {"what": what, "ratio": ratio, "wanted": wanted})


def repeated(told: Iterable[Mapping[str, Any]], platform: Platform) -> Sentence:
    """What several incidents came from."""
    each = tuple(
        Sentence("{module} ({count})", {"module": names(platform, (one["module"],))[0], "count": str(one["incidents"])})
        for one in told
    )
    return Sentence(N_("Several incidents came from: {modules}."), {"modules": each})


def name_of(kind: str, id: str, platform: Platform) -> Place:
    """What has an objective: a module or a group; its id once it has left the configuration."""
    if kind == "group":
        return next((one.name for one in platform.groups if one.id == id), id)
    return names(platform, (id,))[0]
