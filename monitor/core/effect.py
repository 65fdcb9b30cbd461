"""Effect: what a step asks the shell to do, and event: what the shell tells a step.

The storable effects of one step go into one transaction; the asking ones are performed after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.core.agenda import Plan, WorkAct
from monitor.core.board import Condition, Version
from monitor.core.detector import Transition
from monitor.core.digest import Digest, Line
from monitor.core.entry import Entry
from monitor.core.expectation import Result
from monitor.core.incident import Change, Incident
from monitor.core.intent import Intent
from monitor.core.maintenance import Maintenance, Window
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.silence import Scope, Silence
from monitor.core.text import Text
from monitor.core.told import Told
from monitor.core.track import Track
from monitor.core.word import Word


@dataclass(frozen=True, slots=True)
class Observed:
    """Event: a prober handed in what it saw. `carried`: an agent brought it from its place, maybe long afterwards."""

    observation: Observation
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Ticked:
    """Event: time went by. Sent once a second."""


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """Event: a new configuration is in force."""

    platform: Platform


@dataclass(frozen=True, slots=True)
class Lagging:
    """Event: a run has been under way for so long that one may begin to doubt."""

    module: str
    probe: str
    location: str


@dataclass(frozen=True, slots=True)
class Called:
    """Event: a module called one of its heartbeats."""

    module: str
    probe: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Event: from `since` to `until` a place could not look at all, as its machine slept or its clock was set.

    `shift` is by how much the clock was set.
    """

    location: str
    since: datetime
    until: datetime
    code: str
    shift: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stale:
    """Event: nothing is heard any more of a place that has an agent, the last time at `since`; `over`: it is again."""

    location: str
    since: datetime
    over: bool = False


@dataclass(frozen=True, slots=True)
class Ailing:
    """Event: something of our own does not work, by its `self.*` code; `over`: it works again."""

    code: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """Event: all standing windows as they repeat in the time to come."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Event: a person plans work that takes place at each of the starts."""

    window: Window
    starts: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Event: a person's word about planned work, or about a window that a person made. `until` is its new end."""

    id: str
    act: WorkAct
    until: datetime | None = None
    body: Text | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """Event: a person said something. `by` is who, `request` what names the request, as far as they were told.

    `known` is the incident as it is stored, for one that the board no longer holds. `seen` is how many acts the person
    saw of it: what somebody else did since then may stand in the way.
    """

    word: Word
    by: str | None = None
    request: str | None = None
    known: Incident | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Silenced:
    """Event: a person wants no notices of what `scope` means, until a moment at most seven days after `begins` (None:
    now). `everything`: they meant to name nothing. `by` and `request` are as in Spoken."""

    scope: Scope
    reason: str
    until: datetime
    begins: datetime | None = None
    everything: bool = False
    by: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Lifted:
    """Event: a person ends a silence. `by`, `request` and `known` are as in Spoken."""

    id: str
    by: str | None = None
    request: str | None = None
    known: Silence | None = None


PlanEvent = Planned | Scheduled | Ordered
Seen = Observed | Lagging | Called | Missed | Stale
Event = Seen | Ticked | Reconfigured | Ailing | Spoken | PlanEvent | Silenced | Lifted


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person makes the monitor do without an event: an act of the audit log, what it is about, its detail."""

    act: str
    subject: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """An event that a person caused, or a deed, with who they are and how it came. `how` is one of `entry.WAYS`,
    `address` where from; `request` names the request, `digest` tells whether another one says the same."""

    event: Spoken | Scheduled | Ordered | Silenced | Lifted | Deed
    how: str
    by: str | None = None
    address: str | None = None
    request: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Store a judged observation. `discarded`: it was made while its place could not see. `late`: it came too late to
    say anything of now; it counts for the time in which it was made, and nothing is decided by it."""

    observation: Observation
    result: Result
    discarded: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Remember:
    """Store a track, so that a restart goes on where it was. `track` None forgets it."""

    module: str
    probe: str
    location: str
    track: Track | None


@dataclass(frozen=True, slots=True)
class Settled:
    """Store the condition of a probe (`probe` set) or of a module (`probe` None)."""

    module: str
    probe: str | None
    condition: Condition


@dataclass(frozen=True, slots=True)
class Moved:
    """Store a transition."""

    transition: Transition


@dataclass(frozen=True, slots=True)
class Saved:
    """Store an incident as it is now; `change` says what just happened to it, None that only facts were added."""

    incident: Incident
    change: Change | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """Store an event of an incident, the `seq`-th one, and what is said of it to whom, or is not and why."""

    incident: Incident
    seq: int
    event: str
    at: datetime
    said: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class Informed:
    """Store who was told what of an incident, so that a restart goes on where it was."""

    incident: str
    told: Told


@dataclass(frozen=True, slots=True)
class Gathered:
    """Store what a channel is to hear in one message."""

    channel: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Summed:
    """Store the message that tells a channel what was gathered for it."""

    channel: str
    at: datetime
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Versioned:
    """Store that another version of an application answers a probe."""

    module: str
    probe: str
    version: Version


@dataclass(frozen=True, slots=True)
class Heard:
    """Store when a module last called a heartbeat. `at` None forgets it."""

    module: str
    probe: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Arranged:
    """Store planned work as it is now; `change` is the kind of its newest update, None that only facts were added."""

    work: Maintenance
    change: str | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """Store a window that a person plans to repeat. `window` None forgets it."""

    id: str
    window: Window | None


@dataclass(frozen=True, slots=True)
class Hushed:
    """Store a silence as it is now; `change` is `added`, `lifted` or `ended`, None that only facts were added."""

    silence: Silence
    change: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Store that a place could not see since a moment; `until` None while it lasts."""

    location: str
    since: datetime
    until: datetime | None = None
    code: str = "self.connectivity"


@dataclass(frozen=True, slots=True)
class Marked:
    """Store that everything is stored which an agent numbered up to `through` in one of its outboxes (`epoch`)."""

    location: str
    agent: str
    epoch: str
    through: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Audited:
    """Store a line of the audit log."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Ask:
    """Run a probe once more, `after` seconds from now, outside its schedule."""

    module: str
    probe: str
    location: str
    after: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Leave a probe alone at a place until a moment: its target asked for that."""

    module: str
    probe: str
    location: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AskCanaries:
    """Find out now whether a place can see anything at all."""

    location: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a person's word is not followed, in a sentence. `kind`: `unknown` where nothing has that id, `conflict` where
    it does not fit what is so now, `wrong` where it can never be followed, `away` where the same may be said again,
    `outdated` where somebody else was faster, `misused` where the name of the request belongs to another one."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Tell a person what became of a word: `id` of what it is about, or the refusal. `changed`: it was news. `detail`:
    what else there is to tell."""

    id: str = ""
    refusal: Refusal | None = None
    changed: bool = True
    detail: Mapping[str, Any] = field(default_factory=dict)


Fact = Keep | Remember | Settled | Moved | Saved | Versioned | Heard | Gap | Marked
Telling = Happened | Informed | Gathered | Summed
Storable = Fact | Telling | Arranged | Repeated | Hushed | Audited
Effect = Storable | Ask | AskCanaries | Hold | Answered


def answer_of(effects: Sequence[Effect]) -> Answered:
    """What a person is told by a step; every step that takes a word has one."""
    return next(effect for effect in effects if isinstance(effect, Answered))
