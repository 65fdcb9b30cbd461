"""People's side of an incident, with the real monitor: commands over its ops side, and what a kill leaves."""

import asyncio
import json
import signal
import sys
from typing import Any

import pytest

from tests.processes.running import Monitor, Shop, eventually, get

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def typed(monitor: Monitor, *words: str, input: str = "") -> tuple[int, str, str]:
    """(exit status, stdout, stderr) of `monitor incident …`."""
    where = ("--config", str(monitor.file), "--data", str(monitor.folder / "data"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "incident", *words, *where),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(input.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def done(monitor: Monitor, *words: str, input: str = "") -> dict[str, Any]:
    status, out, err = await typed(monitor, *words, "--json", input=input)
    assert (status, err) == (0, "")
    return dict(json.loads(out))


def public(monitor: Monitor, id: str) -> dict[str, Any] | None:
    """The incident as readers see it; None while they do not."""
    status, body = get(f"http://127.0.0.1:{monitor.page}/api/v1/incidents/{id}.json")
    return json.loads(body) if status == 200 else None


def written(monitor: Monitor, id: str) -> list[str]:
    """What people wrote, as readers see it."""
    one = public(monitor, id) or {"updates": []}
    return [update["body"]["pt-BR"] for update in one["updates"] if update["author"] == "person"]


async def test_what_people_said_is_public_at_once_and_survives_a_kill_right_after_the_answer(
    monitor: Monitor, shop: Shop
) -> None:
    """Written while it runs, killed with the answer in hand, read without a monitor, and there again after a start."""
    async with monitor.start() as process:
        await monitor.until("up")
        await shop.shut()
        await monitor.until("down")
        id = monitor.incidents()[0]["id"]
        refused = await typed(monitor, "resolve", id)
        assert (refused[0], "still failing: files" in refused[2]) == (1, True)
        await done(monitor, "acknowledge", id[:6], "--author", "Ana Silva")
        await done(monitor, "edit", id, "--title", "Arquivos fora do ar", "--summary", "Um disco encheu.")
        said = await done(monitor, "update", id, "-m", "-", "--author", "Ana Silva", input="Olhamos.\nLogo mais.\n")
        await process.leave(signal.SIGKILL)
    assert (await done(monitor, "show", id))["updates"] == said["updates"]
    after = await done(monitor, "update", id, "-m", "Ainda olhamos.", "--confirm-cause")
    assert after["cause"]["state"] == "confirmed"
    async with monitor.start() as process:
        texts = ["Olhamos.\nLogo mais.", "Ainda olhamos."]
        await eventually(lambda: written(monitor, id) == texts, 20, "both are there")
        one = public(monitor, id)
        assert one is not None
        assert one["title"]["pt-BR"] == "Arquivos fora do ar"
        page = monitor.read(f"/incidents/{id}/")
        assert "<p>Olhamos.<br>Logo mais.</p>" in page
        assert "Ana Silva" not in page + json.dumps(one)
        await shop.open()
        await monitor.until("up", within=120)
        await done(monitor, "postmortem", id, "-m", "Foi o disco.")
        await eventually(lambda: (public(monitor, id) or {})["status"] == "postmortem", 10, "the postmortem is public")
        assert '<h2 id="postmortem">' in monitor.read(f"/incidents/{id}/")
        assert await process.leave() == 0
    assert "Traceback" not in process.output
    assert "Ana Silva" not in process.output


async def test_a_draft_is_public_once_its_time_has_come_or_a_person_says_so(monitor: Monitor, shop: Shop) -> None:
    """Down is shown as down from the first moment; the incident only later."""
    rules = "publish: {rules: [{match: {modules: [files]}, when: 12s}, {when: approved}]}\n"
    monitor.file.write_text(monitor.configuration() + rules)
    async with monitor.start() as process:
        await monitor.until("up")
        await shop.shut()
        await monitor.until("down")
        assert monitor.incidents() == []
        status, out, _ = await typed(monitor, "list", "--status", "draft", "--json")
        (draft,) = [json.loads(line) for line in out.splitlines()]
        assert (status, draft["published_at"]) == (0, None)
        await eventually(lambda: public(monitor, draft["id"]), 20, "its time has come")
        hand = await done(monitor, "open", "--title", "Lento", "-m", "Está lento.", "--module", "files", "--draft")
        await asyncio.sleep(1)
        assert public(monitor, hand["id"]) is None
        await done(monitor, "publish", hand["id"])
        await eventually(lambda: public(monitor, hand["id"]), 10, "a person has published it")
        assert await process.leave() == 0
    assert "Traceback" not in process.output
