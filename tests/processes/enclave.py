"""Enclave: a network of its own for the real program, made of a user and a network namespace, where the kernel lets us.

Public addresses live on its loopback and a web server answers at all of them; cables are pulled by taking them away.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes.running import Program, eventually

PORT = 8000
SERVER = """
import asyncio, pathlib, sys
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    await asyncio.sleep(float(pathlib.Path(sys.argv[1]).read_text()))
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "::", int(sys.argv[2]), backlog=1024)
    other = await asyncio.start_server(answer, "0.0.0.0", int(sys.argv[2]), backlog=1024)
    print("open", flush=True)
    await asyncio.gather(server.serve_forever(), other.serve_forever())
asyncio.run(main())
"""


class Enclave:
    """The namespace of a process that waits, and the folder of the monitor inside."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid, self.folder = pid, folder
        self.data, self.delay = folder / "data", folder / "delay"
        self.delay.write_text("0")
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def enter(self) -> tuple[str, ...]:
        """What runs a command inside."""
        return ("nsenter", "-t", str(self.pid), "-U", "-n", "--preserve-credentials")

    def do(self, *commands: str) -> None:
        """Runs these commands of a shell inside, one after the other."""
        for command in commands:
            done = subprocess.run([*self.enter, "sh", "-c", command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stderr}"

    async def serve(self) -> None:
        """A web server at every address of this network."""
        one = await asyncio.create_subprocess_exec(
            *self.enter, sys.executable, "-c", SERVER, str(self.delay), str(PORT), stdout=asyncio.subprocess.PIPE
        )
        self._processes.append(one)
        assert one.stdout is not None
        assert await one.stdout.readline() == b"open\n"

    @asynccontextmanager
    async def running(self, configuration: str, before: Sequence[str] = ()) -> AsyncIterator[Program]:
        """The program inside, from its first publication; `before` is a command that ends in calling it."""
        file = self.folder / "probes.yaml"
        file.write_text(configuration)
        with (self.folder / "log").open("ab") as output:
            command = (*before, sys.executable, "-m", "monitor", "run", "--config", str(file), "--data", str(self.data))
            process = await asyncio.create_subprocess_exec(*self.enter, *command, stdout=output, stderr=output)
        self._processes.append(process)
        await eventually(lambda: self.status() is not None, 60, "the page is out")
        yield Program(process, self.folder / "log")

    def _published(self, name: str) -> Any:
        file = self.data / "public/api/v1" / name
        try:
            return json.loads(file.read_text())
        except (OSError, ValueError):
            return None

    def status(self) -> Any:
        """What is published of now."""
        return self._published("status.json")

    def incidents(self) -> list[Any]:
        """Every incident that is published."""
        found: list[Any] = self._published("incidents.json")["incidents"]
        return found

    def statuses(self) -> dict[str, str]:
        """The status of each module."""
        return {one["id"]: one["status"] for one in self.status()["modules"]}

    def keep(self, process: asyncio.subprocess.Process) -> None:
        """One more process that ends with everything inside."""
        self._processes.append(process)

    async def leave(self) -> None:
        """Everything inside ends."""
        for one in self._processes:
            if one.returncode is None:
                one.kill()
                await one.wait()


@asynccontextmanager
async def enclave(folder: Path) -> AsyncIterator[Enclave]:
    """A network of its own, with loopback and nothing else; the test is skipped where there can be none."""
    for name in ("unshare", "nsenter", "ip"):
        if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"{name} is not installed")
    holder = await asyncio.create_subprocess_exec(
        *("unshare", "-rn", "sh", "-c", "ip link set lo up && echo in && exec sleep 1000"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    if await holder.stdout.readline() != b"in\n":
        await holder.wait()
        pytest.skip("this machine does not let us have a network of our own")
    one = Enclave(holder.pid, folder)
    try:
        yield one
    finally:
        await one.leave()
        holder.kill()
        await holder.wait()
