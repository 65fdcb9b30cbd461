"""The real program mails the report of the last quarter over a real mail server, once."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.core.detector import Transition
from monitor.core.module import Status
from monitor.core.period import before, quarter_of
from monitor.store import open_store
from tests.notify.posts import post
from tests.processes.running import eventually, get
from tests.processes.stations import Station

PLANS = """
plans: [{id: gold, name: {en: Gold}, quarterly_review: true, objective: 99%}]
stores: [{id: acme, name: Acme, plan: gold, channels: [mail]}]
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_last_quarter_is_mailed_once_whatever_ends_the_process(tmp_path: Path) -> None:
    """By a monitor that was not there when it ended; killed while the server has it, and started twice more."""
    zone = ZoneInfo("America/Sao_Paulo")
    quarter = before(quarter_of(datetime.now(UTC), zone), zone)
    (tmp_path / "data").mkdir()
    store = await open_store(f"sqlite:///{tmp_path}/data/monitor.db")
    at = quarter.since + timedelta(days=3)
    known = [
        Transition("files", Status.UNKNOWN, Status.UP, quarter.since, quarter.since),
        Transition("files", Status.UP, Status.DOWN, at, at),
        Transition("files", Status.DOWN, Status.UP, at + timedelta(hours=2), at + timedelta(hours=2)),
    ]
    await store.seed(known, [], [])
    await store.close()
    async with post() as server:
        mail = f"mail: {{kind: email, server: {server.server}, security: none, from: m@shop.test, to: [ana@acme.test]}}"
        station = Station(tmp_path, [mail])
        station.file.write_text(station.file.read_text() + PLANS)
        async with station.running() as one:
            await eventually(lambda: server.mails, 60, "the report is mailed")
            one.tell(signal.SIGKILL)
            await one.process.wait()
        for _ in range(2):
            async with station.running() as one:
                told = f"http://127.0.0.1:{station.ops}/api/ops/v1/outbox"

                def delivered(told: str = told) -> bool:
                    letters = json.loads(get(told)[1])["letters"]
                    return [(one["why"], one["state"]) for one in letters] == [("review", "delivered")]

                await eventually(delivered, 60, "it is written down as delivered")
                page = f"http://127.0.0.1:{station.page}/reports/{quarter.name}/"
                await eventually(lambda page=page: get(page)[0] == 200, 30, "the report that it leads to is there")
                assert await one.leave() == 0
    ids = {one["Message-ID"] for one in server.mails}
    assert len(ids) == 1  # whoever is killed between the server's word and the disk asks again, under the same id
    assert len(server.mails) <= 2
    written = server.mails[0]
    body = written.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\u00a0", " ")
    assert written["Subject"].startswith("[REPORT] Gold, Quarter ")
    assert "For Acme." in text
    assert "Objective 99 %: kept" in text
    assert f"http://127.0.0.1:{station.page}/reports/{quarter.name}/" in text
