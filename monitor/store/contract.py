"""Contract: what every store can do, and how it says that it cannot.

Exception
├── StoreFailed     our surroundings: disk full, locked, unreachable; the same call may succeed later
│   └── Superseded  another monitor leads by now: it never will, for us
└── StoreUnusable   for good: damaged, from a newer version, taken by another process; a person has to act
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from monitor.core.board import Version
from monitor.core.bulletin import Bulletin
from monitor.core.daily import Lines, Totals
from monitor.core.detector import Transition
from monitor.core.effect import Keep, Storable
from monitor.core.entry import Entry, Sought
from monitor.core.expectation import Result
from monitor.core.history import History, Memory
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.outbox import Letter, Place
from monitor.core.outcome import Course
from monitor.core.search import Search
from monitor.core.series import Bin, Grid
from monitor.core.subscriber import Subscriber
from monitor.store.rollup import Rollup


class StoreFailed(Exception):
    """The store could not do it now. Nothing of the call was stored, and the same call may be made again."""


class Superseded(StoreFailed):
    """Another monitor leads by now; nothing of the call was stored, and nothing will be as long as it does."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: another monitor leads by now")


class StoreUnusable(Exception):
    """The store cannot be used until a person does what the message says."""


TROUBLES = (StoreFailed, StoreUnusable)  # what a call may raise that is no bug of ours


@dataclass(frozen=True, slots=True)
class Claim:
    """What goes with a letter: the incident as it was at the event, and what the service calls it; None: not known."""

    incident: Incident | None
    external: str | None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads, under which fencing number, and for how many seconds yet; less than none when it has ended."""

    holder: str
    fence: int
    rest: float


class Leases(Protocol):
    """Who leads, of several monitors that share a store; errors as of the store. From `look` or `take` on each write of
    the store raises Superseded, and stores nothing, unless we lead; `lost` is set by the first one after we did."""

    lost: asyncio.Event

    async def look(self, holder: str, seconds: float) -> Lease | None:
        """Who leads; None where nobody ever did. For so many seconds it is known that `holder` stands by."""
        ...

    async def take(self, holder: str, seconds: float, *, again: bool = False) -> bool:
        """Takes the lead for so many seconds where nobody has it; whether we have it now. `again`: also when the one
        who has it bears the same name."""
        ...

    async def renew(self, seconds: float) -> int:
        """Keeps the lead for so many seconds from now on; how many others stand by. Raises Superseded."""
        ...

    async def leave(self, holder: str) -> None:
        """Gives up the lead, or standing by; whoever stands by may have it at once."""
        ...


class Outbox(Protocol):
    """The letters of a store. They come in with the facts they are about, by `Store.commit`; errors as there."""

    async def begin(self, owner: str = "") -> list[Letter]:
        """Ends the claims of whoever had the store before: all of them where nobody else can have it now, else those
        whose tokens begin with the name of their owner. Gives, as dead letters, those in no state that there is: to be
        given up."""
        ...

    async def waiting(self) -> list[Letter]:
        """Everything that is not delivered or given up, the oldest first. What of that cannot be read is a dead letter
        of what is left, to be given up as well."""
        ...

    async def claim(self, letter: Letter, token: str, now: datetime, folded: Sequence[Letter] = ()) -> Claim | None:
        """Takes a letter to send it, as it is given, and those that it says as well. None when one of them is not there
        to be taken or somebody has it, or when an earlier one of the same incident still waits for the channel."""
        ...

    async def settle(self, letter: Letter, folded: Sequence[Letter], token: str | None) -> bool:
        """Stores what became of a letter under its claim, and of those it said as well; False: the claim is gone.
        What else was taken under that claim may be taken by others again.

        Without a token: of one that was sent while nothing could be claimed.
        """
        ...

    async def post(self, letters: Sequence[Letter]) -> None:
        """Stores new letters; those that are known stay as they are."""
        ...

    async def post_once(self, letters: Mapping[str, Sequence[Letter]], now: datetime) -> list[str]:
        """Stores new letters by what they are posted for, each of these names once and for ever; gives the names that
        were new."""
        ...

    async def posted(self, names: Collection[str]) -> set[str]:
        """Which of these names letters were posted for."""
        ...

    async def revive(self, letter: Letter) -> bool:
        """A dead letter waits again, as it is given; False when it is not dead."""
        ...

    async def letters(
        self, channel: str | None = None, state: str | None = None, *, limit: int, after: Place | None = None
    ) -> list[Letter]:
        """The newest letters first, those that stand behind a place."""
        ...

    async def courses(self, incidents: Sequence[str]) -> dict[str, Course]:
        """The events and letters of these incidents, by id; without those that have none."""
        ...

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many letters there are by channel and state."""
        ...


class Subscribers(Protocol):
    """Who asked to be told, and what is new for the public; errors as of the store."""

    async def all(self) -> list[Subscriber]:
        """Everybody, those that never confirmed included, in the order in which they asked."""
        ...

    async def add(self, one: Subscriber) -> None:
        """Stores a new one."""
        ...

    async def keep(self, one: Subscriber) -> bool:
        """Stores how one is now; False when it is not there any more, and then it stays away."""
        ...

    async def confirm(self, one: Subscriber) -> bool:
        """The same, and whatever else is stored of the same address goes."""
        ...

    async def erase(self, ids: Sequence[str]) -> None:
        """Forgets these."""
        ...

    async def bulletins(self, after: int, since: datetime) -> list[Bulletin]:
        """Those with a greater number that are not older than a moment, in order of number."""
        ...

    async def newest(self) -> int:
        """The number of the newest bulletin, 0 when there is none."""
        ...

    async def sweep(self, before: datetime) -> None:
        """Forgets bulletins that are older, but never the newest."""
        ...


class Store(Protocol):
    """What every store keeps. Each method raises StoreFailed or StoreUnusable; both leave the store as it was."""

    @property
    def outbox(self) -> Outbox:
        """Its letters."""
        ...

    @property
    def subscribers(self) -> Subscribers:
        """Its subscribers."""
        ...

    @property
    def leases(self) -> Leases | None:
        """Who leads; None where no other process can have this store."""
        ...

    async def commit(self, effects: Sequence[Storable]) -> None:
        """Stores all of the effects or none of them. Storing the same effects once more changes nothing."""
        ...

    async def recall(self, resolved_since: datetime) -> Memory:
        """What a restart goes on from; of the resolved incidents, and of planned work that is over, what was so at this
        moment or later.

        `seen_at` is when the last run ended that said something of its module.
        """
        ...

    async def history(
        self,
        since: datetime,
        now: datetime,
        incidents: int = 200,
        probes: Collection[tuple[str, str]] | None = None,
        latency: bool = True,
    ) -> History:
        """What a publication shows of the time from `since` to `now`.

        `transitions` hold, besides those dated after `since`, the one that was true at `since` and the very first one.
        `incidents` says how many at most. `latency` covers 24 h of `probes`, keys (module, probe); all when None.
        Without `latency` it is not read.
        """
        ...

    async def archive(self, since: datetime) -> History:
        """The whole past from a moment on, for whoever reckons with it: every incident that was not over then,
        `transitions` and `maintenances` as in `history`, no latency and no silences."""
        ...

    async def reckoned(self, since: datetime, until: datetime, lines: Lines) -> tuple[History, Totals | None]:
        """What the figures of a window are made of, without incidents: what the whole days within it come to, as far as
        they are summed up, and the changes of status and planned work of the rest of it; without sums, of all of it."""
        ...

    async def close_days(self, platform: Platform, zone: tzinfo, now: datetime) -> int:
        """Sums up the days of a zone that are over by now and are not yet; says how many were, a line of each."""
        ...

    async def incident(self, id: str) -> Incident | None:
        """One incident, however old."""
        ...

    async def incidents(self, search: Search) -> list[Incident]:
        """The first of a search, and one more than its limit where there is one; newest first."""
        ...

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]]:
        """Lines of the audit log with their numbers, and one more than the limit where there is one; newest first."""
        ...

    async def entry(self, request: str) -> Entry | None:
        """The line for what was done by a request of that name."""
        ...

    async def observations(
        self, module: str | None, probe: str | None = None, *, since: datetime, until: datetime, limit: int
    ) -> list[tuple[Observation, Result]]:
        """The newest judged runs that began in since ≤ at < until, newest first. Module None: canaries."""
        ...

    async def bins(
        self, module: str, probes: Collection[str], places: Collection[str], grid: Grid
    ) -> dict[tuple[str, str], dict[datetime, Bin]]:
        """What was counted in each bin of a grid, by (probe, location); bins without a run may be absent.

        A grid of hours or longer is counted from rollups, a finer one from observations: while these are kept, both
        give the same.
        """
        ...

    async def versions(self, module: str, since: datetime) -> list[Version]:
        """The versions of a module that took the place of another at this moment or later, the oldest first."""
        ...

    async def rename(self, aliases: Mapping[str, str]) -> None:
        """Gives what is stored under an old module id (key) to the new id (value). Keys and ids of incidents stay."""
        ...

    async def sweep(self, now: datetime, keep_observations: timedelta, keep_rollups: timedelta) -> int:
        """Deletes observations and rollups past their time, little by little; says how many rows. What was told of an
        incident goes when that has been over for as long as rollups are kept, and a week at least."""
        ...

    async def check(self) -> list[str]:
        """What is wrong with the stored data, one sentence each; empty when all is well."""
        ...

    async def seed(
        self,
        transitions: Iterable[Transition],
        incidents: Iterable[Incident],
        rollups: Iterable[Rollup],
        runs: Iterable[Keep] = (),
    ) -> None:
        """Stores a made-up past in one go; the demo begins with it. `runs` are in the rollups already."""
        ...

    async def close(self) -> None:
        """Lets go of files and connections. May be called again."""
        ...
