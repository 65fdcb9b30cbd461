"""`monitor demo`: one command, a first page, a story."""

import json
import time
from pathlib import Path

import pytest

from tests.processes.running import eventually, free_port, get, program

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]


@pytest.mark.parametrize("fast", [False, True], ids=["as told", "ten times faster"])
async def test_the_first_fault_is_on_the_page_with_its_code(tmp_path: Path, fast: bool) -> None:
    """First page and addresses within 10 s; within 25 s of it one module's incident, with its code; SIGTERM ends it."""
    page, ops = free_port(), free_port()
    arguments = ["demo", "--port", str(page), "--ops-port", str(ops), *(["--fast"] if fast else [])]
    began = time.monotonic()
    async with program(*arguments, log=tmp_path / "log") as demo:
        home = f"http://127.0.0.1:{page}/"
        await eventually(lambda: get(home)[0] == 200, 10, "the first page")
        first = time.monotonic()
        await eventually(lambda: home in demo.output, 10 - (first - began), "the printed addresses")

        def struck() -> list[dict[str, object]]:
            incidents = json.loads(get(f"{home}api/v1/incidents.json")[1])["incidents"]
            return [one for one in incidents if one["resolved_at"] is None]

        incidents = await eventually(struck, 25 - (time.monotonic() - first), "the first incident")
        assert len(incidents) == 1
        assert [m["id"] for m in incidents[0]["modules"]] == ["file-system"]
        for path in ("", "en/", "es/"):
            assert "http.503" in get(home + path)[1]
        assert await demo.leave() == 0
    assert "Traceback" not in demo.output
