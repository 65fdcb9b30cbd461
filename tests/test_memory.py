"""Memory: what was freed is the system's again."""

import ctypes
import subprocess
import sys

import pytest

HELD = """
from pathlib import Path
from monitor.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes([n % 251]) * 2000 for n in range(40_000)]
blocks = blocks[::400]  # what stays, here and there, keeps the heap from shrinking by itself
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than GNU's")
def test_what_was_freed_between_what_stays_is_given_back() -> None:
    """80 MB in blocks of which every four-hundredth stays: most of it is left to other programs."""
    found = subprocess.run([sys.executable, "-c", HELD], check=True, capture_output=True, text=True, timeout=60)
    assert int(found.stdout) > 40_000_000
