"""A file of ten thousand modules: quick to check, small in memory, and read beside a loop that goes on."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.config.apart import Reading
from tests.machine import slowness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MODULES = 10_000
SECONDS = 4.0  # of processor, on the machine of the bounds twice what it takes
MEGABYTES = 200


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three megabytes, every module with a probe of its own and two others that it depends on."""
    canaries = ", ".join(f'"https://{name}.example.com/"' for name in "abc")
    lines = ["version: 1", f"monitor: {{canaries: [{canaries}]}}", "defaults: {interval: 5m}", "modules:"]
    for number in range(MODULES):
        needs = sorted({number // 2, number // 3} - {number})
        lines.append(
            f"""\
  - id: module-{number}
    name: {{pt-BR: "Módulo {number}", en: "Module {number}"}}
    depends_on: [{", ".join(f"module-{one}" for one in needs)}]
    probes:
      - id: home
        url: https://host-{number}.example.com/api/health?module={number}
        headers: {{X-Number: "key-{number}"}}
        expect: {{status: 200, contains: "ok-{number}", json: {{"a.b": {number}}}}}"""
        )
    file = tmp_path_factory.mktemp("large") / "probes.yaml"
    file.write_text("\n".join(lines) + "\n" + "# and what people write beside it\n" * 10_000)
    assert file.stat().st_size > 3_000_000
    return file


CHECK = """
import atexit, time
from monitor.cli import main

def tell():
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak.split()[1], time.process_time())

atexit.register(tell)
main()
"""


def test_it_is_checked_in_two_seconds_and_two_hundred_megabytes(large: Path) -> None:
    """The whole command, as somebody runs it before a reload. It tells its own peak: what the system says of a child
    begins with the memory of its parent."""
    command = [sys.executable, "-c", CHECK, "check", str(large)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    kilobytes, seconds = done.stdout.splitlines()[-1].split()
    took, peak = float(seconds), int(kilobytes) / 1024
    print(f"{took:.1f} s of processor, {peak:.0f} MB at the peak")
    assert peak < MEGABYTES
    assert took < SECONDS * slowness()


async def test_the_loop_goes_on_while_it_is_read(large: Path) -> None:
    """Between two turns of the loop nothing of the reading runs that holds it up: counted in turns, for a loaded
    machine stops both."""
    reading = asyncio.create_task(asyncio.to_thread(lambda: Reading(str(large)).config()))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert len((await reading).platform.modules) == MODULES
    assert turns > 20  # of the two hundred that two seconds have
