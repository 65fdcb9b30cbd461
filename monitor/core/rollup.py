"""Roll-up: from modules to public components, from components to one sentence.

The words and the rules are those of the Statuspage v2 interface, which widgets and bots already understand;
page, badge, both APIs and metrics all read these functions.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from monitor.core.incident import Incident, Stage
from monitor.core.module import FAILING, Component, Status


class ComponentStatus(StrEnum):
    """Condition of a component, in the words of Statuspage v2."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"


WORST = list(ComponentStatus)  # from best to worst

RANK = ["none", "maintenance", "minor", "major", "critical"]
PHRASE = {"minor": "Minor Service Outage", "major": "Partial System Outage", "critical": "Major System Outage"}


def worst(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """The worst of several; operational for none."""
    return max(statuses, key=WORST.index, default=ComponentStatus.OPERATIONAL)


def component_status(
    component: Component, modules: Mapping[str, Status], planned: Collection[str] = ()
) -> ComponentStatus | None:
    """What a visitor feels. None when nothing is known of any of its modules: no data is never "operational".

    All modules that are known are down: a major outage. Some: a partial one. Modules with `planned` work leave the
    count; the work shows where the others are well.
    """
    every = [id for id in component.modules if modules.get(id, Status.UNKNOWN) is not Status.UNKNOWN]
    if not every:
        return None
    known = [modules[id] for id in every if id not in planned or modules[id] is Status.UP]
    if any(id in planned for id in component.modules) and not any(status in FAILING for status in known):
        return ComponentStatus.MAINTENANCE
    down = known.count(Status.DOWN)
    if down == len(known):
        return ComponentStatus.MAJOR
    if down:
        return ComponentStatus.PARTIAL
    return ComponentStatus.DEGRADED if Status.DEGRADED in known else ComponentStatus.OPERATIONAL


def top_level(statuses: Sequence[ComponentStatus], active_impacts: Iterable[str] = ()) -> tuple[str, str]:
    """(indicator, description) of the whole page, in the words of Statuspage v2.

    Components under maintenance leave the count, so planned work never hides an outage elsewhere.
    `active_impacts` are those of incidents under investigation or identified; they can only lift the verdict.
    """
    counted = [s for s in statuses if s is not ComponentStatus.MAINTENANCE]
    n = len(counted)
    major = counted.count(ComponentStatus.MAJOR)
    partial = counted.count(ComponentStatus.PARTIAL)
    degraded = counted.count(ComponentStatus.DEGRADED)
    if n and major == n:
        verdict = ("critical", "Major System Outage")
    elif major or (n and partial == n):
        verdict = ("major", "Partial System Outage")
    elif partial:
        verdict = ("minor", "Minor Service Outage")
    elif n and degraded == n:
        verdict = ("minor", "Degraded System Service")
    elif degraded:
        verdict = ("minor", "Partially Degraded Service")
    elif len(statuses) > n:
        verdict = ("maintenance", "Service Under Maintenance")
    else:
        verdict = ("none", "All Systems Operational")
    lifted = max(active_impacts, key=RANK.index, default="none")
    if RANK.index(lifted) > RANK.index(verdict[0]):
        return lifted, PHRASE[lifted]
    return verdict


def active_impacts(incidents: Iterable[Incident]) -> list[str]:
    """Impacts that lift the verdict on the whole page: of incidents that are being worked on. What only one place sees
    is trouble of ours, and lifts nothing."""
    working = (Stage.INVESTIGATING, Stage.IDENTIFIED)
    return [one.impact for one in incidents if one.is_open and one.stage in working and not one.is_regional]


def impact_of(statuses: Sequence[ComponentStatus | None]) -> str:
    """Impact of an incident from the components it touches: `minor` at least."""
    indicator, _ = top_level([s for s in statuses if s is not None])
    return max(indicator, "minor", key=RANK.index)
