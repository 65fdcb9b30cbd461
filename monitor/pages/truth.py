"""Truth: what a publication would say that does not hold together, found before it is out.

A page that contradicts itself is believed by nobody. Each check looks at the picture from another side than whoever
draws the page does. What is found is told to the operators and, in plain words, to the readers.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from monitor.core.incident import Stage
from monitor.core.maintenance import WorkStage
from monitor.core.module import Platform, Status
from monitor.core.rollup import ComponentStatus
from monitor.core.wording import N_
from monitor.pages.picture import Picture

LONG = timedelta(minutes=30)  # an open incident over nothing but working components is looked into by then
TOLD = 50  # incidents that the files of Statuspage v2 hold
LEAST_PROMISE = timedelta(minutes=2)  # a page is never called old before this
TROUBLE = (ComponentStatus.DEGRADED, ComponentStatus.PARTIAL, ComponentStatus.MAJOR)


class Kind(StrEnum):
    """What does not hold together; also the label of the metric."""

    OUTAGE_WITHOUT_INCIDENT = "outage_without_incident"
    INCIDENT_WITHOUT_OUTAGE = "incident_without_outage"
    OLD_DATA = "old_data"
    WORK_PAST_ITS_END = "work_past_its_end"
    VERDICT_AGAINST_COMPONENTS = "verdict_against_components"
    FILES_AGAINST_PAGE = "files_against_page"


SAID: dict[Kind, str] = {
    Kind.OUTAGE_WITHOUT_INCIDENT: N_("{name} is in trouble and no incident tells of it yet."),
    Kind.INCIDENT_WITHOUT_OUTAGE: N_("This incident is still open, although all it touches works again: {name}."),
    Kind.WORK_PAST_ITS_END: N_("This planned work is still under way, although its end has passed: {name}."),
    Kind.OLD_DATA: N_("The newest data is older than this page promises."),
    Kind.VERDICT_AGAINST_COMPONENTS: N_("The sentence at the top and the state of the components do not agree."),
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One finding. `subject` is the id of the component or incident it is about, empty where it is about the whole."""

    kind: Kind
    subject: str = ""
    since: datetime | None = None


def contradictions(picture: Picture) -> tuple[Contradiction, ...]:
    """Everything that does not hold together; nothing in a healthy life, whatever fails out there."""
    return tuple(found for check in CHECKS for found in check(picture))


def promise(platform: Platform) -> timedelta:
    """How old the newest data may be: as long as a run of the most frequent probe speaks of the present."""
    return max(LEAST_PROMISE, platform.fresh_for)


def _outages(picture: Picture) -> Iterable[Contradiction]:
    """A component in trouble of which no open incident has a failing module as a member. Members count and not the
    incident's list of components: a reload may have moved a module to another one. A draft is no contradiction."""
    board = picture.board
    told = {member.module for one in picture.known_open for member in one.members}
    for id, status in picture.components().items():
        if status not in TROUBLE:
            continue
        failing = [
            module
            for module in board.platform.components[id].modules
            if board.status(module) in (Status.DOWN, Status.DEGRADED)
        ]
        if not told.intersection(failing) and not picture.withheld.intersection(failing):
            yield Contradiction(Kind.OUTAGE_WITHOUT_INCIDENT, id, max(board.modules[one].since for one in failing))


def _incidents(picture: Picture) -> Iterable[Contradiction]:
    """An open incident, not merely watched, whose components have all worked for long."""
    board, statuses = picture.board, picture.components()
    for one in picture.known_open:
        touched = {*one.components, *board.platform.components_of(member.module for member in one.members)}
        known = [id for id in touched if id in statuses]
        if one.stage is Stage.MONITORING or one.is_regional or not known:
            continue
        if all(statuses[id] is ComponentStatus.OPERATIONAL for id in known):
            modules = {module for id in known for module in board.platform.components[id].modules}
            moments = [board.modules[id].since for id in modules if id in board.modules]
            since = max([*moments, *(update.at for update in one.updates), one.detected_at])
            if picture.now - since >= LONG:
                yield Contradiction(Kind.INCIDENT_WITHOUT_OUTAGE, one.id, since)


def _works(picture: Picture) -> Iterable[Contradiction]:
    """Planned work that should be over, as time ends it by itself."""
    for one in picture.works:
        if one.stage is WorkStage.IN_PROGRESS and picture.now - one.planned_until >= LEAST_PROMISE:
            yield Contradiction(Kind.WORK_PAST_ITS_END, one.id, one.planned_until)


def _age(picture: Picture) -> Iterable[Contradiction]:
    """Data older than the probes promise. Until the first run of this process is in, its start counts."""
    newest = picture.data_until or picture.board.began_at
    if newest is not None and picture.now - newest > promise(picture.board.platform):
        yield Contradiction(Kind.OLD_DATA, since=newest)


def _verdict(picture: Picture) -> Iterable[Contradiction]:
    """The sentence at the top is fine over trouble, or troubled over nothing."""
    indicator, _ = picture.overall()
    known = picture.last_known().values()
    fine = indicator in ("none", "maintenance", "unknown")
    trouble = any(status in TROUBLE for status in known)
    excused = any(not one.is_regional for one in picture.known_open)
    if (fine and trouble) or (not fine and not trouble and not excused):
        yield Contradiction(Kind.VERDICT_AGAINST_COMPONENTS)


CHECKS: tuple[Callable[[Picture], Iterable[Contradiction]], ...] = (_outages, _incidents, _works, _age, _verdict)


def files_against_page(picture: Picture, files: Mapping[str, bytes]) -> tuple[Contradiction, ...]:
    """Open incidents that the made files and pages do not tell alike. Found when the files are made, so the operators
    hear of it and not the readers."""
    unresolved = files.get("api/v2/incidents/unresolved.json")
    if unresolved is None:
        return ()  # nothing is known yet, and so there are no such files
    stages = _stages(unresolved)
    found = []
    for one in islice(picture.known.values(), TOLD):
        own, stage = files.get(f"api/v1/incidents/{one.id}.json"), one.stage.value if one.is_open else None
        told = None if own is None else _stage(own)
        if stages.get(one.id) != stage or told != one.stage.value or f"incidents/{one.id}/index.html" not in files:
            found.append(Contradiction(Kind.FILES_AGAINST_PAGE, one.id))
    return tuple(found)


@lru_cache(maxsize=4)
def _stages(unresolved: bytes) -> dict[str, str]:
    return {one["id"]: one["status"] for one in json.loads(unresolved)["incidents"]}


@lru_cache(maxsize=2 * TOLD)
def _stage(own: bytes) -> str:
    return str(json.loads(own)["status"])
