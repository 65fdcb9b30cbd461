"""The operators' API as it describes itself, asked by schemathesis: examples, borders, and what makes no sense."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from tests.processes.running import eventually, free_port, get, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# It knows nothing of a body that is too long, which is an answer as good as any to one that makes no sense.
SETTINGS = """
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "4XX"]
"""
# What fits its schema may still be refused: a cursor of somebody else, a key that was used, a state that has passed.
LEFT_OUT = ("--exclude-checks", "positive_data_acceptance", "--exclude-path", "/events")
BOUNDS = ("--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--generation-deterministic")


async def test_no_answer_is_missing_in_the_description_and_none_is_a_failure_of_ours(tmp_path: Path) -> None:
    """No 5xx, no status, type, header or object that is not described; what does not fit its schema is refused."""
    page, ops = free_port(), free_port()
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    arguments = ("demo", "--port", str(page), "--ops-port", str(ops), "--data", str(tmp_path / "data"))
    async with program(*arguments, log=tmp_path / "log") as demo:
        await eventually(lambda: get(f"http://127.0.0.1:{ops}/-/ready")[0] == 200, 30, "the ops side")
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{ops}/api/ops/v1/openapi.json"),
            *(*LEFT_OUT, "--exclude-path", "/api/ops/v1/observations"),
            # Two workers can meet in Python 3.11's parser, which then raises SystemError (cpython #106905).
            *(*BOUNDS, "--continue-on-failure", "--workers", "1", "--request-timeout", "20", "--no-color"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await asked.communicate()
        lines = [line[:300] for line in said.decode(errors="replace").splitlines()]
        assert asked.returncode == 0, "\n".join(lines[-150:])
        raw = socket.create_connection(("127.0.0.1", ops))
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n")
        assert b" 400 " in await asyncio.to_thread(raw.recv, 100)
        raw.close()
        assert await demo.leave() == 0
    assert "Traceback" not in demo.output
