"""Answers in tickets become answers of their incidents, once: by schedule and by command, over a real store."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from aiohttp import web
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.config.parse import parse
from monitor.core.board import Board
from monitor.core.effect import Happened
from monitor.core.incident import Act
from monitor.core.intent import Notice
from monitor.core.observation import stamp
from monitor.core.service import answered_at
from monitor.desk import Desk
from monitor.notify import CHANNELS
from monitor.store import Store, StoreFailed, open_store
from monitor.ticketing import Ticketing
from tests.fakes import FakeClock
from tests.notify.receiving import Got, receiving
from tests.notify.test_replies import AGENT, SHOP, USERS, audit, comment
from tests.store.past import incident, saved
from tests.store.test_outbox import delivered
from tests.test_desk import RecordingHands
from tests.web.test_incidents import alone

FILE = """\
version: 1
site: {{languages: [en]}}
monitor: {{ops: "127.0.0.1:1"}}
plans: [{{id: gold, name: Gold, response: {{urgent: 1h}}}}]
stores: [{{id: acme, plan: gold, channels: [tickets]}}]
channels:
  tickets: {{kind: zendesk, url: "{url}", username: agent@shop.example, token: zd-t0ken-secret}}
modules:
  - {{id: checkout, probes: [{{id: home, url: "http://127.0.0.1:9/", allow_private: true}}]}}
"""
NOW = datetime.now(UTC).replace(microsecond=0)
ONE = replace(alone(incident("checkout", NOW - timedelta(minutes=30))), acts=(), acknowledged_at=None, updates=())
FIRST, SECOND = NOW - timedelta(minutes=20), NOW - timedelta(minutes=5)


class Account:
    """One ticket, in which the shop asks and people answer: once, and again when somebody says so."""

    def __init__(self) -> None:
        self.answers = [FIRST]

    def __call__(self, got: Got) -> web.Response:
        if got.path.endswith("/tickets/show_many"):
            return web.json_response({"tickets": [{"id": 12, "updated_at": stamp(self.answers[-1])}]})
        if got.path.endswith("/users/show_many"):
            return web.json_response({"users": USERS})
        asked = audit(1, stamp(FIRST - timedelta(minutes=1)) or "", comment("Well?", SHOP), author=SHOP)
        told = [audit(2 + n, stamp(at) or "", comment("Yes.", AGENT)) for n, at in enumerate(self.answers)]
        return web.json_response({"audits": [asked, *told], "meta": {"has_more": False}})


async def filled(folder: Path, url: str) -> Store:
    """A store with an incident whose ticket is known."""
    (folder / "probes.yaml").write_text(FILE.format(url=url))
    (folder / "data").mkdir()
    store = await open_store(f"sqlite:///{folder / 'data' / 'monitor.db'}")
    notice = Notice(NOW, "first", ONE.id, "tickets")
    await store.commit([saved(ONE), Happened(ONE, 1, "opened", NOW, (notice,))])
    (letter,) = await store.outbox.waiting()
    assert await store.outbox.settle(replace(delivered(letter, NOW, None), external="acme=12"), (), None)
    return store


def acts_of(one: object) -> list[Act]:
    """What was answered in tickets."""
    return [act for act in getattr(one, "acts", ()) if act.what == "replied"]


async def test_by_schedule_each_answer_counts_once(tmp_path: Path) -> None:
    """Also after a restart; a later one is told besides."""
    there = Account()
    async with receiving(there) as zendesk:
        store, clock = await filled(tmp_path, zendesk.url), FakeClock(NOW)
        config = parse(FILE.format(url=zendesk.url), "probes.yaml", {}, lambda path: "")
        board = replace(Board(config.platform, began_at=NOW), incidents={ONE.id: ONE})
        desk = Desk(board, store, RecordingHands(), clock, troubles=StoreFailed)
        writer = asyncio.create_task(desk.write())

        for fresh in (1, 0, 1):
            channel = CHANNELS["zendesk"](SimpleNamespace(**config.sections["channels"]["tickets"]))
            ticketing = Ticketing(store, clock, lambda channel=channel: {"tickets": channel}, desk.hear)
            assert await ticketing.look() == fresh
            assert await ticketing.look() == 0
            await channel.close()
            if not fresh:
                there.answers.append(SECOND)
        kept = desk.board.incidents[ONE.id]
        assert [act.detail["at"] for act in acts_of(kept)] == [stamp(FIRST), stamp(SECOND)]
        assert {(act.by, act.detail["plan"], act.detail["ticket"]) for act in acts_of(kept)} == {
            ("tickets", "gold", "12")
        }
        assert answered_at(kept, "gold") == FIRST
        assert acts_of(await store.incident(ONE.id)) == acts_of(kept)
        writer.cancel()
        await store.close()


async def test_by_command_as_well(tmp_path: Path) -> None:
    """Without a running monitor; said again nothing is new. What cannot be read is told."""
    there = Account()
    async with receiving(there) as zendesk:
        await (await filled(tmp_path, zendesk.url)).close()

        async def typed(*words: str) -> Result:
            where = ["--config", str(tmp_path / "probes.yaml"), "--data", str(tmp_path / "data")]
            return await asyncio.to_thread(CliRunner().invoke, main, ["tickets", "import", *words, *where])

        for printed in ("tickets: 1, new answers: 1\n", "tickets: 1, new answers: 0\n"):
            done = await typed()
            assert (done.exit_code, done.output) == (0, printed)
        there.answers.append(SECOND)
        assert (await typed("--status", "resolved")).output == "tickets: 0, new answers: 0\n"
        assert (await typed("--status", "open")).output == "tickets: 1, new answers: 1\n"
    broken = await typed()
    assert broken.exit_code == 1
    assert "tickets: " in broken.output
    (tmp_path / "probes.yaml").write_text("version: 1\nmodules: [{id: checkout}]\n")
    assert (await typed()).exit_code == 2
    store = await open_store(f"sqlite:///{tmp_path / 'data' / 'monitor.db'}")
    assert [act.detail["at"] for act in acts_of(await store.incident(ONE.id))] == [stamp(FIRST), stamp(SECOND)]
    await store.close()
