"""Pair: two monitors that share a PostgreSQL and tell one receiver, each over a wire of its own to the database."""

import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.processes.running import Program, eventually, get
from tests.processes.stations import Hook, Station, hook
from tests.processes.troubled import Target, target
from tests.proxy import Proxy, proxied


class One:
    """One of the two: where it listens, what it is, and its wire to the database."""

    def __init__(self, station: Station, wire: Proxy) -> None:
        self.station, self.wire = station, wire
        self.running: Program | None = None

    @property
    def process(self) -> Program:
        assert self.running is not None
        return self.running

    def leads(self) -> bool:
        """Whether it says so."""
        return get(f"http://127.0.0.1:{self.station.ops}/-/leader")[0] == 200

    def stands_by(self) -> bool:
        """Whether it says that it could take over now."""
        status, said = get(f"http://127.0.0.1:{self.station.ops}/-/ready")
        return status == 200 and "standing by" in said

    def freeze(self) -> None:
        self.process.tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.tell(signal.SIGCONT)


class Pair:
    """Both, their target and their receiver. `took` are the seconds of each takeover."""

    def __init__(self, receiver: Hook, target: Target, both: tuple[One, One]) -> None:
        self.receiver, self.target, self.both = receiver, target, both
        self.took: list[float] = []

    def other(self, one: One) -> One:
        return self.both[one is self.both[0]]

    async def leader(self, within: float = 60) -> One:
        """The one that leads, once one does."""
        return await eventually(lambda: next((one for one in self.both if one.leads()), None), within, "somebody leads")

    async def taken_over(self, by: One, since: float) -> None:
        """It leads, and how long that took."""
        await eventually(by.leads, 60, "the other one leads")
        self.took.append(time.monotonic() - since)

    def said(self, word: str) -> list[str]:
        """The ids of notices of an event."""
        return [one["event_id"] for one in self.receiver.at("/chat") if one["event"] == word]


@asynccontextmanager
async def pair(
    folder: Path, database: str, parts: int = 0, prepare: Callable[[Station], None] = lambda station: None
) -> AsyncIterator[Pair]:
    """Both run: the first one leads, the other one stands by. They watch one module, or so many parts of the target;
    `prepare` writes into the configuration of each what else there is."""
    port, name = int(database.rpartition(":")[2].partition("/")[0]), database.rpartition("/")[2]
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(hook())
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        both: list[One] = []
        for side in ("one", "two"):
            wire = await stack.enter_async_context(proxied(port))
            here = folder / side
            here.mkdir()
            url = f"postgresql://monitor@127.0.0.1:{wire.port}/{name}"
            station = Station(here, [channel], interval="5s", more=f', database: "{url}"')
            if both:
                station.target = both[0].station.target
                station.use([channel])
            watch(station, parts)
            prepare(station)
            both.append(One(station, wire))
        asked = await stack.enter_async_context(target(both[0].station.target))
        found = Pair(receiver, asked, (both[0], both[1]))
        for one in both:
            one.running = await stack.enter_async_context(one.station.running())
            stack.callback(_thawed, one)
            await eventually(lambda one=one: one.leads() or one.stands_by(), 60, "it leads or stands by")
        yield found
        print(f"takeovers in seconds: {' '.join(f'{one:.1f}' for one in found.took)}")


def watch(station: Station, parts: int) -> None:
    """Puts so many modules in the place of the one, each a part of the target; none: it stays."""
    if not parts:
        return
    url = f"http://127.0.0.1:{station.target}/part"
    probe = '{{id: home, url: "{url}-{n}", allow_private: true, interval: 5s, timeout: 4s}}'
    modules = "".join(f"  - id: part-{n}\n    probes: [{probe.format(url=url, n=n)}]\n" for n in range(parts))
    text = re.sub(r"  - id: files\n    probes: .*\n", modules, station.file.read_text())
    station.file.write_text(text)


def _thawed(one: One) -> None:
    """A frozen process would not hear that it is to end."""
    if one.process.process.returncode is None:
        os.kill(one.process.process.pid, signal.SIGCONT)
