"""Every story of `recorded/` is judged as it says: what is expected happens, in time, and no module changes besides.

What a line does not say is not compared. Changes of an incident between its opening and its end may stand in a story
and need not; every change of a module, every opening, reopening and end of an incident and every blind place must.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import pytest

from monitor.core.codes import CODES
from monitor.core.effect import Gap, Moved, Saved
from monitor.core.incident import Change, Incident
from monitor.core.module import Status
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.replay import fitted, replay
from tests.stories.recordings import record
from tests.stories.written import DAY, FOLDER, Story, clock, load, moment

STORIES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
OPTIONAL = {Change.WORSENED, Change.EASED, Change.CAUSE_CHANGED, Change.MEMBER_ADDED, Change.MEMBER_CLEARED}


@dataclass(frozen=True)
class Line:
    """One event: when, who or which incident, what happened, and what is said of it."""

    at: float
    subject: str
    what: str
    said: dict[str, Any] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()

    def __str__(self) -> str:
        head, tail = (self.what, f"{self.subject}:") if self.what in set(Change) else (self.subject, self.what)
        more = (
            f"{key} {' '.join(sorted(one)) or 'nobody' if isinstance(one, frozenset) else one}"
            for key, one in self.said.items()
        )
        return f"{moment(self.at):%H:%M:%S} {head} {tail} {', '.join(more)}".rstrip(" :")

    def is_met_by(self, other: "Line", within: float) -> bool:
        """Whether another line is this event, and says all that this one says."""
        same = (self.subject, self.what) == (other.subject, other.what) and abs(self.at - other.at) <= within
        return same and all(_agree(key, said, other.said.get(key), within) for key, said in self.said.items())


def _agree(key: str, wanted: Any, got: Any, within: float) -> bool:
    if key == "since":
        return abs(clock(wanted) - clock(got)) <= within
    if key == "merged":  # into which one, the number of incidents tells
        return got is not None
    if key in ("root", "shared"):  # the value of what is shared need not be told
        return got is not None and (f"{got} ").startswith(f"{wanted} ")
    return bool(wanted == got)


def written(raw: Any) -> list[Line]:
    """The events that a line of a story expects: one, or the same of several modules."""
    text = raw if isinstance(raw, str) else ": ".join(next(iter(raw.items())))
    head, _, tail = text.partition(": ")
    at, *words = head.split()
    said: dict[str, Any] = {}
    if "since" in words:
        *words, _, said["since"] = words
    for clause in filter(None, tail.split(", ")):
        word, *more = clause.split()
        number = next((place for place, one in enumerate(more) if one.partition(":")[0] in CODES), len(more))
        said[word] = frozenset(more) - {"nobody"} if word == "affected" else " ".join(more[:number])
        said |= dict(zip(("code", "class"), more[number:], strict=False))
    if words[0] in set(Change):
        return [Line(clock(at), words[1], words[0], said)]
    return [Line(clock(at), subject, words[-1], said) for subject in words[:-1]]


def expected(story: Story) -> list[Line]:
    """All that a story expects, in its order."""
    return [line for raw in story.expect.get("events") or [] for line in written(raw)]


def told(incident: Incident, what: str, at: float) -> Line:
    """The line for a change of an incident."""
    cause = incident.cause
    said: dict[str, Any] = {}
    if incident.merged_into:
        said["merged"] = f"into {incident.merged_into}"
    elif cause.scope == "shared" and cause.shared:
        said["shared"] = f"{cause.shared['kind']} {cause.shared.get('value') or ''}".strip()
    elif cause.scope == "location":
        said["location"] = " ".join(cause.locations)
    elif cause.module:
        root = incident.member(cause.module)
        said["root"] = f"{cause.module} {root.status if root else ''}".strip()
    else:
        said["unsure"] = " ".join(one.module for one in cause.candidates)
    said |= {"code": cause.code, "class": str(cause.cls)}
    members = frozenset(member.module for member in incident.members)
    said["affected"] = members - {cause.module}
    said["since"] = f"{incident.started_at:%H:%M:%S}"
    if cause.trigger:
        said["trigger"] = " ".join(
            str(cause.trigger[key]) for key in ("kind", "module", "to") if cause.trigger.get(key)
        )
    return Line(at, incident.key.split(":")[1], what, said, members)


def happened(story: Story) -> Iterator[Line]:
    """What a replay of the recording tells, without each module's first answer."""
    begun: set[str] = set()
    runs = record(story)
    for now, _, effects in replay(fitted(story.platform, runs), runs, moment(story.end)):
        at = (now - DAY).total_seconds()
        for effect in effects:
            match effect:
                case Moved(move) if move.module in begun or move.after is not Status.UP:
                    since = {"since": f"{move.since:%H:%M:%S}"}
                    yield Line(at, move.module, str(move.after), since, frozenset({move.module}))
                case Moved(move):
                    begun.add(move.module)
                case Saved(incident, change) if change is not None:
                    yield told(incident, str(change), at)
                case Gap(location, until=until):
                    yield Line(at, location, "blind" if until is None else "sees")


def differences(story: Story, got: list[Line], wanted: list[Line]) -> list[str]:
    """Everything in which the two timelines, or what may never happen, disagree."""
    within, left, found = float(re.sub("s$", "", story.expect["within"])), list(got), []
    for line in wanted:
        met = next((one for one in left if line.is_met_by(one, within)), None)
        if met is None:
            found.append(f"missing: {line}")
        else:
            left.remove(met)
    found += [f"not in the story: {line}" for line in left if line.what not in OPTIONAL]
    touched = {module for line in got for module in line.touched}
    never = story.expect.get("never", [])
    found += [f"never: {module} was touched" for module in never if module in touched]
    opened = sum(line.what == Change.OPENED for line in got) - sum("merged" in line.said for line in got)
    if opened != story.expect["incidents"]:
        found.append(f"incidents: {opened} instead of {story.expect['incidents']}")
    return found


# The fast suite tells every fourth of them.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if place % 4 else []) for place, name in enumerate(STORIES)]
)
def test_a_recorded_story_is_judged_as_it_says(name: str) -> None:
    """Judged by the same steps as live, a recording gives the timeline that its story expects."""
    story = load(name)
    got, wanted = list(happened(story)), expected(story)
    if found := differences(story, got, wanted):
        columns = zip_longest(map(str, wanted), map(str, got), fillvalue="")
        width = max((len(str(line)) for line in wanted), default=8) + 2
        table = "\n".join(f"{left:{width}}{right}" for left, right in [("EXPECTED", "CAME OUT"), *columns])
        pytest.fail("\n".join([f"{name}: {len(found)} differences", *found, "", table]), pytrace=False)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_stays_on_its_stage(name: str) -> None:
    """What a story names exists in its configuration, and its expected lines stand in order of time."""
    story = load(name)
    known, hosts = set(story.platform.modules), {one.instance for one in story.platform.probes.values()}
    for fault in story.faults:
        assert set(fault.modules) <= known
        assert all(any(f"//{host}" in instance for instance in hosts) for host in fault.hosts)
        assert set(fault.locations) <= set(story.locations)
        assert story.start <= fault.at < fault.until
    lines = expected(story)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert set(story.expect.get("never", [])) <= known


def test_a_recording_is_the_same_every_time_and_survives_being_written_down() -> None:
    """The lines that are printed for `monitor replay` are exactly what is judged here."""
    story = load(STORIES[0])
    once = record(story)
    assert [observation_from_json(observation_to_json(one)) for one in once] == once == record(load(STORIES[0]))
