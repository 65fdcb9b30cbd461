"""Courier: carries publications to where else they are served, by commands of the operator's own.

After a publication each hook is run with the paths that changed or are gone on its input, one after the other and
never two at once; what changes meanwhile is carried by the next run. Whatever a hook does, publications and probes
never wait for it. A list of everything is given at first and after a failure, when nobody knows what is out there.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from monitor.config import Hook
from monitor.pages.publish import Published, forms_of

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds before a failed run is repeated; doubled each time
GONE = 5.0  # seconds that a killed command may take to be gone
LONGEST_WORD = 300  # characters of what a command said last
SECRET_NAMES = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "COOKIE")
SHORTEST_SECRET = 4  # characters; masking less would mask the alphabet


class HookFailed(Exception):
    """A run did not do its work; the message says why in a few words."""


class Courier:
    """Runs the hooks. `ran` is told the name of a hook and whether its run did its work."""

    def __init__(self, public: Path, ran: Callable[[str, bool], None] = lambda hook, well: None) -> None:
        self._public = public
        self._ran = ran
        self._errands: dict[str, Errand] = {}
        self._changed = asyncio.Event()

    def use(self, hooks: Sequence[Hook]) -> None:
        """From now on these hooks are run; one that is the same as before goes on where it was."""
        kept = self._errands
        self._errands = {
            hook.id: known if (known := kept.get(hook.id)) is not None and known.hook == hook else self._errand(hook)
            for hook in hooks
        }
        self._changed.set()

    def _errand(self, hook: Hook) -> "Errand":
        return Errand(hook, self._public, lambda well: self._ran(hook.id, well))

    def published(self, done: Published) -> None:
        """A publication is in place."""
        for errand in self._errands.values():
            errand.add(done)

    async def run(self) -> None:
        """Runs hooks until cancelled; then none is left running."""
        tasks: dict[Errand, asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                wanted = set(self._errands.values())
                for errand in tasks.keys() - wanted:
                    tasks.pop(errand).cancel()
                for errand in wanted - tasks.keys():
                    tasks[errand] = asyncio.create_task(errand.run(), name=f"hook {errand.hook.id}")
                await self._changed.wait()
        finally:
            for task in tasks.values():
                task.cancel()
            if tasks:
                await asyncio.wait(tasks.values())


class Errand:
    """One hook with what it still has to carry: paths in the order they came, or everything."""

    def __init__(self, hook: Hook, public: Path, ran: Callable[[bool], None]) -> None:
        self.hook = hook
        self._public = public
        self._ran = ran
        self._paths: set[str] = set()
        self._everything = True
        self._news = asyncio.Event()
        self._failing = False

    def add(self, done: Published) -> None:
        """Something was published."""
        self._everything |= done.whole
        self._paths.update(done.changed, done.removed)
        if self._paths or self._everything:
            self._news.set()

    async def run(self) -> None:
        """Carries what there is, again and again, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            await self._news.wait()
            if await self._carry():
                pause = FIRST_PAUSE
                continue
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _carry(self) -> bool:
        """One run; whether it did its work. That it does not is told once, and that it does again."""
        whole, paths = self._everything, self._paths
        self._everything, self._paths = False, set()
        self._news.clear()
        try:
            folder = await asyncio.to_thread(self._public.resolve, strict=True)
            listed = await asyncio.to_thread(everything, folder) if whole else in_order(forms_of(paths))
            await _call(self.hook, listed, self._environment(folder, whole, len(listed)))
        except (HookFailed, OSError) as error:
            if not self._failing:
                about = {"hook": self.hook.id}
                log.error("hook %s failed and is tried again: %s", self.hook.id, error, extra={"about": about})
            self._failing = self._everything = True
            self._news.set()
            self._ran(False)
            return False
        if self._failing:
            log.info("hook %s works again", self.hook.id, extra={"about": {"hook": self.hook.id}})
        self._failing = False
        self._ran(True)
        return True

    def _environment(self, folder: Path, whole: bool, count: int) -> dict[str, str]:
        return {
            **os.environ,
            "MONITOR_PUBLIC": str(self._public),
            "MONITOR_PUBLICATION": folder.name.lstrip("0"),
            "MONITOR_PATHS": str(count),
            "MONITOR_WHOLE": "1" if whole else "",
        }


def everything(folder: Path) -> list[str]:
    """Every file of a publication. Blocks on the disk."""
    return in_order(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


def in_order(paths: Iterable[str]) -> list[str]:
    """As they are best carried: what pages need, pages, and last the small files that tell readers to look again."""
    return sorted(set(paths), key=lambda path: (not path.startswith("assets/"), path.startswith("api/"), path))


async def _call(hook: Hook, paths: Sequence[str], environment: Mapping[str, str]) -> None:
    """Runs the command to its end, or kills it with all its children. Raises HookFailed."""
    end = "\0" if hook.nul else "\n"
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *hook.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:  # it may run already, with children, before anybody here knows
        with suppress(OSError, ValueError):
            await _end(await starting)
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such command"
        raise HookFailed(f"it cannot be started: {reason}") from None
    said = asyncio.create_task(_last_words(process.stderr))
    try:
        async with asyncio.timeout(hook.timeout.total_seconds()):
            await _feed(process.stdin, "".join(path + end for path in paths).encode())
            status = await process.wait()
    except TimeoutError:
        raise HookFailed(f"it took longer than {hook.timeout.total_seconds():g} s") from None
    finally:
        await _end(process)
        await asyncio.wait({said}, timeout=1)
        said.cancel()
    if status:
        told = said.result() if said.done() and not said.cancelled() else ""
        word = _masked(told, environment) if told else "and said nothing"
        raise HookFailed(f"exit status {status}: {word}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills it and its children, those that outlive it included. Whoever is killed needs no long wait."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(GONE):
            await process.wait()


async def _feed(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    """Hands in the list; a command need not read it."""
    assert stream is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(data)
        await stream.drain()
    stream.close()
    with suppress(BrokenPipeError, ConnectionResetError):
        await stream.wait_closed()


async def _last_words(stream: asyncio.StreamReader | None) -> str:
    """The last line of what it wrote, however much that is."""
    assert stream is not None
    kept = b""
    while chunk := await stream.read(65536):
        kept = (kept + chunk)[-4096:]
    lines = kept.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[-LONGEST_WORD:]


def _masked(text: str, environment: Mapping[str, str]) -> str:
    """Without the values that look secret by their names; those of the configuration are masked by the log itself."""
    hidden = [
        value
        for name, value in environment.items()
        if len(value) >= SHORTEST_SECRET and any(word in name.upper() for word in SECRET_NAMES)
    ]
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, "***")
    return text
