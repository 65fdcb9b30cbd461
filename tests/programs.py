"""Programs of the machine that tests talk to. Without one a test is skipped with the reason; with
`$MONITOR_TEST_REQUIRE_ALL` set it fails.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def path_of(name: str) -> str:
    """Where the program is."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        (pytest.fail if os.environ.get("MONITOR_TEST_REQUIRE_ALL") else pytest.skip)(f"{name} is not installed")
    return path


def from_npm(folder: Path, package: str, version: str) -> Path:
    """Where a package of npm lies, installed into a folder of its own."""
    options = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
    command = (path_of("npm"), "install", *options, f"{package}@{version}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        said = f"{package} cannot be installed: {(done.stdout + done.stderr)[-300:]}"
        (pytest.fail if os.environ.get("MONITOR_TEST_REQUIRE_ALL") else pytest.skip)(said)
    return folder / "node_modules" / package


@contextmanager
def running(
    *command: str, log: Path, ready: Callable[[], bool], within: float = 20
) -> Iterator[subprocess.Popen[bytes]]:
    """The program while the block runs, from the moment it is ready, which takes so many seconds at most."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent)
    try:
        deadline = time.monotonic() + within
        while not ready():
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, f"{command[0]} is not ready: {log.read_text(errors='replace')}"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()
