"""Word: what a person says about incidents. What follows from it stands in `people.py`.

Texts come by language tag, as they were written; whether they can be read is found out when the word is heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.incident import Stage

Said = Mapping[str, str]  # language tag → text


@dataclass(frozen=True, slots=True)
class Write:
    """An entry in the timeline, at a stage; None: the stage it is at. At `resolved` it ends the incident, and the text
    may be missing; at `postmortem` it is what was learned afterwards. `confirm`: see Edit."""

    incident: str
    body: Said = field(default_factory=dict)
    stage: Stage | None = None
    confirm: str | bool = False


@dataclass(frozen=True, slots=True)
class Correct:
    """Another text for entry `number` of the timeline, counted from 1 for the oldest."""

    incident: str
    number: int
    body: Said


@dataclass(frozen=True, slots=True)
class Edit:
    """Another public wording: None leaves what is there, an empty text goes back to what the monitor says.

    `confirm`: the cause is sure; True for the one that is named, or the id of the module it comes from.
    """

    incident: str
    title: Said | None = None
    summary: Said | None = None
    impact: str | None = None
    confirm: str | bool = False


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Mine: somebody is working on it."""

    incident: str


@dataclass(frozen=True, slots=True)
class Lower:
    """A lower priority, for a reason that readers are told: what is stated does not fit the evidence."""

    incident: str
    priority: str
    reason: Said = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publish:
    """A draft becomes public."""

    incident: str


@dataclass(frozen=True, slots=True)
class Open:
    """An incident opened by hand, beside those of the monitor. `draft`: not public before somebody says so."""

    title: Said
    body: Said
    modules: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    impact: str = "minor"
    stage: Stage = Stage.INVESTIGATING
    started_at: datetime | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """That somebody answered in a `ticket` of a `store`, at a moment; empty: the ticket is of no store."""

    incident: str
    store: str
    ticket: str
    at: datetime


Word = Write | Correct | Edit | Acknowledge | Lower | Reply | Publish | Open
