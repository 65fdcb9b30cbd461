"""Leadership: whether this monitor leads, of those that share a store. The others stand by, and one of them takes over
when the leader is gone. Where nobody else can have the store we lead, and nothing is asked.

Nothing that decides depends on what is believed here: whoever does not lead any more is refused by the store with each
write. This only says when to begin, when to stop, and who is meant.
"""

import asyncio
import logging
from contextlib import suppress

from monitor.clock import Clock
from monitor.store import TROUBLES, Leases, Superseded

log = logging.getLogger(__name__)

LEASE = 8.0  # seconds that the lead lasts: a takeover takes a little longer
RENEW_EVERY = 2.0
LOOK_EVERY = 1.0
LEAVE = 1.0  # seconds that a stop waits until the others know


class Leadership:
    """`holder` is how the others call us. `leads` says whether we took the lead and have not heard that somebody else
    did, `leader` who has it, `others` how many others there are, `trouble` why nobody can be asked."""

    def __init__(self, leases: Leases | None, holder: str, clock: Clock) -> None:
        self.leads = False
        self.leader: str | None = None
        self.others = 0
        self.trouble: str | None = None
        self._leases = leases
        self._holder = holder
        self._clock = clock
        self._renewed_at = 0.0
        self._is_new = True

    @property
    def shared(self) -> bool:
        """Whether others may have the store."""
        return self._leases is not None

    @property
    def is_alone(self) -> bool:
        """Whether nobody could have taken over: what the store does not take may be said without it."""
        return self._leases is None or (self.leads and not self.others and not self._leases.lost.is_set())

    @property
    def is_valid(self) -> bool:
        """Whether nobody else leads for sure: by our own clock, which goes on while the machine sleeps."""
        if self._leases is None or self.is_alone:
            return True
        return self.leads and not self._leases.lost.is_set() and self._clock.boot() - self._renewed_at < LEASE

    async def take(self) -> bool:
        """Takes the lead where nobody has it; whether we lead now. Only the first time also from one of our own name,
        which is gone: the data directory is ours."""
        if self._leases is None or self.leads:
            self.leads = True
            return True
        began = self._clock.boot()
        try:
            self.leads = await self._leases.take(self._holder, LEASE, again=self._is_new)
            self._is_new = False
            if self.leads:
                self._renewed_at, self.leader = began, self._holder
                self.others = 1  # until we know
                self.others = await self._leases.renew(LEASE)
                log.info("we lead: %s; standing by: %d", self._holder, self.others)
            else:
                lease = await self._leases.look(self._holder, LEASE)
                if lease is not None and lease.holder != self.leader:
                    self.leader = lease.holder
                    log.info("standing by: %s leads", lease.holder)
        except TROUBLES as error:
            if self.trouble is None:
                log.warning("who leads cannot be asked: %s", error)
            self.trouble = str(error)
            return self.leads
        self._answered()
        return self.leads

    async def stand_by(self) -> None:
        """Returns once we lead."""
        while not await self.take():  # noqa: ASYNC110 (what is waited for is another process)
            await asyncio.sleep(LOOK_EVERY)

    async def keep(self) -> None:
        """Keeps the lead; returns once somebody else has it. While the store does not answer nobody can take it who
        does not reach it, and whoever does is the one who leads."""
        while self._leases is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_EVERY):
                    await self._leases.lost.wait()
            began = self._clock.boot()
            try:
                self.others = await self._leases.renew(LEASE)
                self._renewed_at = began
            except Superseded:
                self.leads, self.leader = False, None
                log.warning("somebody else leads: standing by from now on")
                return
            except TROUBLES as error:
                if self.trouble is None:
                    log.warning("the lead cannot be renewed: %s", error)
                self.trouble = str(error)
                continue
            self._answered()
        await asyncio.Event().wait()

    async def leave(self) -> None:
        """Whoever stands by may lead at once."""
        if self._leases is None:
            return
        self.leads = False
        try:
            async with asyncio.timeout(LEAVE):
                await self._leases.leave(self._holder)
        except (TimeoutError, *TROUBLES) as error:
            log.warning("the others learn by themselves that we are gone: %s", error or "no answer in time")

    def told(self) -> tuple[bool, str | None]:
        """Whether we lead for sure, and who does; None where nobody is known to, or nobody else could."""
        return self.is_valid and self.leads, self.leader

    def _answered(self) -> None:
        if self.trouble is not None:
            log.info("who leads can be asked again")
        self.trouble = None
