"""Turns: one process, which leads or stands by. What it does when it leads is for the app to say; here is how it comes
to that, how it ends, and what it does otherwise.

Nothing is taken along from one turn to the next but what is stored: whoever leads begins as after a restart.
"""

import asyncio
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from monitor.clock import Clock
from monitor.config import Config
from monitor.data import database_url, listening, only_one, place_of
from monitor.jobs import guarded
from monitor.leadership import Leadership
from monitor.memory import few_arenas, loaded
from monitor.metrics import Metrics
from monitor.press import Press
from monitor.reloading import Reloading
from monitor.standby import Standby
from monitor.store import TROUBLES, Store, StoreFailed, open_store
from monitor.watchdog import Watchdog
from monitor.web.listen import listen
from monitor.web.ops import OpsContext, ops_app
from monitor.web.public import public_app

log = logging.getLogger(__name__)

SWITCH = 0.0001  # seconds a thread may keep the interpreter; at Python's 5 ms other work delays every answer of a probe
DRAIN = 6.0  # seconds in which a stop writes what waits
AGAIN = 1.0  # seconds until one who may lead and cannot tries once more

Jobs = Mapping[str, Callable[[], Awaitable[None]]]


class Turns(ABC):
    """`stop` ends it; `standby` is there while another one leads."""

    config: Config
    reloading: Reloading[Any]
    store: Store
    leadership: Leadership
    press: Press
    metrics: Metrics

    def __init__(self, data: Path, clock: Clock) -> None:
        self.data = data
        self.public_address: tuple[str, int] | None = None
        self.ops_address: tuple[str, int] | None = None
        self.stop = asyncio.Event()
        self.standby: Standby | None = None
        self.watchdog = Watchdog(lambda patience: self._stuck(patience))
        self._clock = clock
        self._anew = asyncio.Event()

    @abstractmethod
    async def _open(self, stack: AsyncExitStack) -> None:
        """Everything is there that leads, as it is stored."""

    @abstractmethod
    def _jobs(self) -> Jobs:
        """The loops of one who leads."""

    @abstractmethod
    def _context(self) -> OpsContext:
        """The ops side of one who leads."""

    @abstractmethod
    def _stuck(self, patience: float) -> str | None:
        """The part that has been at one piece of work for longer than so many seconds."""

    @abstractmethod
    async def _flush(self) -> None:
        """What waits for the store is written. Raises what the store raises."""

    @abstractmethod
    def _unwritten(self) -> int:
        """How much waits for it."""

    @abstractmethod
    async def _begin(self) -> None:
        """Everything listens and the first page is out."""

    async def run(self) -> None:
        """Runs until `stop` is set; then leaves within ten seconds with everything written.

        Raises StoreUnusable or AddressInUse when it cannot begin.
        """
        sys.setswitchinterval(SWITCH)
        few_arenas()
        loaded()
        async with AsyncExitStack() as stack:
            stack.enter_context(only_one(self.data))
            await self._serve_public(stack)  # the last publication is there again before anything else
            self.store = await open_store(database_url(self.config, self.data))
            stack.push_async_callback(self.store.close)
            self.leadership = Leadership(self.store.leases, place_of(self.data), self._clock)
            stack.push_async_callback(self.leadership.leave)
            while not self.stop.is_set():
                if await self.leadership.take():
                    await self._lead()
                else:
                    await self._follow()

    def begin_anew(self, config: Config) -> None:
        """Whoever stands by goes on with another configuration: it knows nothing that is not stored."""
        self.config = config
        self._anew.set()

    async def _lead(self) -> None:
        """Everything a monitor does, until it is stopped or somebody else leads."""
        keeping = asyncio.create_task(guarded("lead", self.leadership.keep), name="lead")
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack)
                async with self._at_work(stack, self._jobs(), self._context()):
                    await self._until_stopped(keeping)
        except StoreFailed as error:
            if not self.leadership.shared:
                raise
            log.error("cannot lead: %s", error)
            await self.leadership.leave()
            await asyncio.sleep(AGAIN)
        finally:
            keeping.cancel()

    async def _follow(self) -> None:
        """Shows what another monitor stores, until we lead, are stopped, or are configured anew."""
        self._anew.clear()
        async with AsyncExitStack() as stack:
            self.standby = Standby(self.config, self.data, self.store, self._clock, self.leadership)
            try:
                await self.standby.open(stack)
                self.press, self.metrics = self.standby.press, self.standby.metrics
                self.reloading.begin()
                jobs = {"configuration": self.reloading.watch, "watchdog": self.watchdog.run, **self.standby.jobs()}
                async with self._at_work(stack, jobs, self.standby.context()):
                    turn = asyncio.create_task(guarded("standby", self.leadership.stand_by), name="standby")
                    await self._until_stopped(turn, asyncio.create_task(self._anew.wait()))
            finally:
                self.standby = None

    @asynccontextmanager
    async def _at_work(self, stack: AsyncExitStack, jobs: Jobs, context: OpsContext) -> AsyncIterator[None]:
        """The loops run and the ops side is served meanwhile; what waits is written at the end."""
        tasks = [asyncio.create_task(guarded(name, job), name=name) for name, job in jobs.items()]
        try:
            await self._serve_ops(stack, context)
            self.watchdog.ready()
            yield
        finally:
            if self.stop.is_set():
                self.watchdog.stopping()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=DRAIN / 4)
            await self._drain()

    async def _serve_public(self, stack: AsyncExitStack) -> None:
        site, public = public_app(self.data / "public"), self.config.settings.public
        self.public_address = await listen(stack, site, public.host, public.port, "monitor.public")

    async def _serve_ops(self, stack: AsyncExitStack, context: OpsContext) -> None:
        ops = self.config.settings.ops
        self.ops_address = await listen(stack, ops_app(context), ops.host, ops.port, "monitor.ops")
        stack.enter_context(listening(self.data))

    async def _until_stopped(self, *turns: asyncio.Task[Any]) -> None:
        """Until we are to stop, or one of these says that our turn is over."""
        stopping = asyncio.create_task(self.stop.wait())
        first = asyncio.create_task(self.press.published.wait())
        await asyncio.wait({stopping, *turns, first}, return_when=asyncio.FIRST_COMPLETED)
        begin = asyncio.create_task(self._begin())
        await asyncio.wait({stopping, *turns}, return_when=asyncio.FIRST_COMPLETED)
        ended = (first, begin, stopping, *(turn for turn in turns if self.standby is not None))
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _drain(self) -> None:
        """Writes what waits; what the store still refuses by then is told. One who was superseded writes nothing. A
        publication is broken off where it takes longer: the last one stays."""
        try:
            async with asyncio.timeout(DRAIN):
                if self.standby is None and self.leadership.leads:
                    await self._flush()
                await self.press.finish()
        except (TimeoutError, *TROUBLES) as error:
            if waiting := self._unwritten():
                log.error("left with %d steps unwritten: %s", waiting, str(error) or "the store is too slow")
