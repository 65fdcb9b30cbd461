"""`monitor record`: live observations, one a line, in the form that `replay` reads.

It follows the running monitor over its ops side. Where none runs it looks by itself, extra runs and canaries included,
and judges along only to know when they are due.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from aiohttp import ClientError, ClientSession, ClientTimeout

from monitor.clock import SystemClock
from monitor.commands.errand import Stranger, ops_token, ops_url, require_ours
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.effect import Observed, Reconfigured, Storable, Ticked
from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.core.observation import Observation, observation_to_json
from monitor.core.search import Search
from monitor.desk import Desk
from monitor.lookout import Lookout
from monitor.probers import Reach

LARGEST = 64 * 1024 * 1024  # bytes of a file before the next one is begun
KEPT = 9  # older files beside it, the newest is FILE.1


class Refused(Exception):
    """The running monitor does not let us follow; the text says why and what to do."""


class Tape:
    """Where lines go: standard output, or a file that begins anew when it is full, the older ones kept beside it."""

    def __init__(self, output: str | None, largest: int = LARGEST) -> None:
        self._path = None if output in (None, "-") else Path(str(output))
        self._largest = largest
        self._file: TextIO = sys.stdout if self._path is None else self._path.open("a", encoding="utf-8")

    def write(self, line: str) -> None:
        """Appends one line, whole, at once. Raises OSError."""
        if self._path is not None and self._file.tell() >= self._largest:
            self._file.close()
            _rotate(self._path)
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(line + "\n")
        self._file.flush()

    def close(self) -> None:
        """Lets go of the file; what could not be written was told already."""
        if self._path is not None:
            with suppress(OSError):
                self._file.close()


def _rotate(path: Path) -> None:
    for number in range(KEPT, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)


async def record(config: Config, data: Path, output: str | None) -> int:
    """Records until SIGTERM or SIGINT. Exit status 0; 1 when the running monitor refuses us, or the file our lines."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        tape = Tape(output)
    except OSError as error:
        print(f"{output} cannot be written ({error.strerror}): choose another --output", file=sys.stderr)
        return 1
    work = asyncio.create_task(_record(config, data, tape.write))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopping):
        task.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await work
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise  # whoever read has enough: no trouble to tell of
    except OSError as error:
        print(
            f"{output} cannot be written ({error.strerror or error}): make room, or record elsewhere", file=sys.stderr
        )
        return 1
    finally:
        tape.close()
    return 0


async def _record(config: Config, data: Path, write: Callable[[str], None]) -> None:
    lines = await _following(config, data)
    if lines is None:
        await _looking(config, write)
        return
    async for line in lines:
        write(line)
    raise Refused("the running monitor has stopped: start `monitor record` again to go on by itself")


async def _following(config: Config, data: Path) -> AsyncIterator[str] | None:
    """The lines of the running monitor; None when none answers."""
    token = ops_token(config)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    session = ClientSession(timeout=ClientTimeout(total=None, sock_connect=3), headers=headers)
    try:
        require_ours(config, data)
        answer = await session.get(f"{ops_url(config)}/api/ops/v1/observations", allow_redirects=False)
    except (ClientError, TimeoutError, Stranger):
        await session.close()
        return None
    if answer.status == 404:
        await session.close()
        return None  # something else listens there
    if answer.status != 200:
        await session.close()
        raise Refused(f"the running monitor answers {answer.status}: set MONITOR_OPS_TOKEN to its token")

    async def lines() -> AsyncIterator[str]:
        try:
            async for line in answer.content:
                if text := line.decode("utf-8", "replace").strip():
                    yield text
        except ClientError:
            return
        finally:
            await session.close()

    return lines()


class _NoStore:
    """Remembers nothing."""

    async def commit(self, effects: Sequence[Storable]) -> None:
        """Nothing is stored."""

    async def incident(self, id: str) -> Incident | None:
        """There is none."""
        return None

    async def incidents(self, search: Search) -> list[Incident]:
        """There are none."""
        return []

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]]:
        """There are none."""
        return []

    async def entry(self, request: str) -> Entry | None:
        """There is none."""
        return None


async def _looking(config: Config, write: Callable[[str], None]) -> None:
    """Looks by itself until cancelled; judges along, and does what judging asks for."""
    clock = SystemClock()

    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def seen(observation: Observation) -> None:
        try:
            write(line_of(observation))
        except OSError as error:
            if not broken.done():
                broken.set_exception(error)
        desk.hand_in(Observed(observation))

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            desk.hand_in(Ticked())

    async with Reach.open(config.network, config.secrets, clock, config.settings.location) as reach:
        lookout = Lookout(config, reach, clock, seen)
        desk = Desk(Board(config.platform), _NoStore(), lookout, clock)
        desk.take(Reconfigured(config.platform))
        jobs = [asyncio.create_task(job(), name=job.__name__) for job in (desk.sit, desk.write, lookout.walk, tick)]
        try:
            await asyncio.gather(broken, *jobs)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


def line_of(observation: Observation) -> str:
    """One observation as a line."""
    return json.dumps(observation_to_json(observation), ensure_ascii=False, separators=(",", ":"))
