"""Operators: their side over a real desk and a real store, for whoever tests what they see and do."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer

from monitor.circulation import Circulation
from monitor.config import Config
from monitor.config.planning import Planner
from monitor.core.board import Board
from monitor.core.effect import Happened, Keep, Refusal
from monitor.core.expectation import Outcome, Result
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.observation import Certificate, Failure, Http, Observation
from monitor.core.roster import Roster, with_ops_token
from monitor.core.site import Site
from monitor.desk import Desk
from monitor.figures import Figures
from monitor.mailroom import Mailroom
from monitor.pages.office import Office
from monitor.pages.translate import Speech
from monitor.pages.watch import Health, Watch
from monitor.plots import Plots
from monitor.store import Store, StoreFailed, open_store
from monitor.web.access import SESSIONS
from monitor.web.guesses import Guesses
from monitor.web.link import Links
from monitor.web.login import ATTEMPTS, ATTEMPTS_OF_ALL, GUESSES
from monitor.web.ops import OpsContext, ops_app
from monitor.web.session import Sessions
from tests.fakes import FakeClock
from tests.pages import pictures
from tests.ready import ready_file
from tests.store.past import NOON, after, incident, saved
from tests.stories.beats import module, platform
from tests.test_desk import RecordingHands
from tests.test_postman import Receiver

THEME = Path(__file__).parents[2] / "site"
SPEECH = Speech.load(("pt-BR", "en"), THEME)
TOKEN = "s3cret-ã"
HOLDER = {"Authorization": f"Bearer {TOKEN}"}
HOSTILE = "<script>alert(1)</script>"


def _alone(one: Incident) -> Incident:
    """The incident of one module that shares nothing with others."""
    return replace(one, cause=replace(one.cause, shared=None))


OPEN = _alone(incident("checkout"))
OLD = _alone(incident("catalog", NOON - timedelta(days=9), NOON - timedelta(days=9) + timedelta(hours=1)))
DRAFT = _alone(replace(incident("catalog", NOON + timedelta(seconds=5)), published_at=None))


@dataclass
class Side:
    """The operators' side, and a browser that keeps cookies and says where it comes from."""

    client: TestClient[Any, Any]
    desk: Desk
    store: Store
    sessions: Sessions
    time: list[float]
    asked: list[str]
    roster: Roster
    clock: FakeClock
    mailroom: Mailroom
    receiver: Receiver
    circulation: Circulation

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers=_spelt(headers), allow_redirects=False)

    async def post(self, path: str, fields: dict[str, Any], **headers: str) -> ClientResponse:
        return await self.client.post(path, data=fields, headers=_spelt(headers), allow_redirects=False)

    async def log_in(self, token: str = TOKEN, author: str = "Ana", **fields: str) -> ClientResponse:
        return await self.post("/healthcheck/login", {"token": token, "author": author, **fields})

    async def csrf(self, path: str = "/healthcheck/open") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', await (await self.get(path)).text())
        assert found is not None
        return found[1]

    async def stored(self, id: str) -> Incident:
        found = await self.store.incident(id)
        assert found is not None
        return found


class Sorting(RecordingHands):
    """Hands that ask nobody, and give what happens to the mailroom."""

    mailroom: Mailroom | None = None

    def happened(self, event: Happened, stored: bool) -> None:
        if self.mailroom is not None:
            self.mailroom.happened(event, stored)


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {"Accept-Language": "en", **{name.replace("_", "-"): text for name, text in headers.items()}}


def seen(probe: str) -> Keep:
    """A failed run with everything an answer can carry."""
    http = Http(503, {"retry-after": "30", "server": HOSTILE}, 211, f"busy {HOSTILE}", "1.1")
    run = Observation(after(50), "checkout", probe, "here", after(50), 0.041, {"connect": 0.01, "processing": 0.03})
    result = Result(Outcome.FAILED, "http.503", None, ("status 503, expected 200–299",))
    shown = Certificate(after(3 * 86400), f"CN={HOSTILE}", "CN=R3", "aa")
    whole = replace(run, address="10.0.0.1:443", http=http, failure=Failure("x.y", HOSTILE), certificate=shown)
    return Keep(replace(whole, values={HOSTILE: HOSTILE}), result)


def small() -> tuple[Board, History]:
    """Two modules; one open incident and a draft."""
    watched = platform(module("catalog"), module("checkout"))
    return Board(watched, incidents={one.id: one for one in (OPEN, DRAFT)}, began_at=NOON), History(
        incidents=(DRAFT, OPEN)
    )


def stormy() -> tuple[Board, History]:
    """Twenty-five modules and four open incidents, one of them a draft."""
    picture = pictures.stormy()
    first = next(iter(picture.board.incidents.values()))
    draft = replace(first, published_at=None)
    incidents = {**picture.board.incidents, draft.id: draft}
    kept = tuple(incidents.get(one.id, one) for one in picture.history.incidents)
    return replace(picture.board, incidents=incidents), replace(picture.history, incidents=kept)


@asynccontextmanager
async def serving(
    tmp_path: Path,
    token: str | None,
    shown: tuple[Board, History] | None = None,
    port: int | None = None,
    roster: Roster | None = None,
    trusted_proxies: Sequence[str] = (),
) -> AsyncIterator[Side]:
    """The side of those who run a shop of which this is known."""
    board, history = shown or small()
    board = replace(board, platform=replace(board.platform, languages=("pt-BR", "en")))
    now = max([after(60), *(one.detected_at for one in history.incidents)])
    store, clock = await open_store(ready_file(tmp_path / "monitor.db")), FakeClock(now)
    await store.commit([saved(one) for one in (*history.incidents, OLD)])
    hands = Sorting()
    desk = Desk(board, store, hands, clock, watcher=hands, troubles=StoreFailed)
    config = Config(board.platform, sections={"channels": {"pager": {"kind": "kept", "language": "en"}}})
    receiver = Receiver()
    mailroom = hands.mailroom = Mailroom(
        config,
        store,
        clock,
        lambda: desk.board,
        desk.hear,
        lambda: SPEECH,
        kinds={"kept": lambda section: receiver},
    )
    writer = asyncio.create_task(desk.write())
    place = Site(languages=("pt-BR", "en"), subscribe_url="https://subscribe.example/subscribe")
    circulation = Circulation(
        Config(board.platform, site=place), store, clock, lambda: desk.board, lambda: SPEECH, b"s" * 32
    )
    circulation._ready.set()  # it knows everybody there is: nobody
    asked, time = list[str](), [1000.0]
    probe = board.platform.modules["checkout"].probes[0].id
    places = board.platform.modules["checkout"].probes[0].locations
    runs = {("checkout", probe, place): seen(probe) for place in places}

    site = Site(name="Shop & Co", languages=("pt-BR", "en"))

    def watch() -> Watch:
        health = Health(configuration="probes.yaml:3:1: x")
        return Watch(site, desk.board, history, clock.now(), after(55), runs, health)

    def again(id: str) -> list[str] | Refusal:
        asked.append(id)
        return [probe] if len(asked) < 2 else Refusal("conflict", "it was asked just now")

    def reloaded() -> list[str]:
        asked.append("reload")
        return []

    async def nobody() -> AsyncIterator[Observation]:
        return
        yield

    async def heard(module: str, probe: str) -> bool:
        return True

    async def planner() -> Planner:
        return Planner(Config(board.platform, site=site))

    context = OpsContext(
        board=lambda: desk.board,
        history=lambda: history,
        speech=lambda: SPEECH,
        find=desk.find,
        hear=desk.hear,
        roster=lambda: side.roster,
        perform=desk.perform,
        record=desk.record,
        incidents=desk.incidents,
        entries=desk.entries,
        runs=lambda: runs,
        planner=planner,
        clock=clock,
        metrics_page=lambda *_: b"",
        ready=lambda: None,
        reload=reloaded,
        follow=nobody,
        called=heard,
        probe=again,
        links=Links(b"s" * 32, "https://ops.example"),
        trusted_proxies=trusted_proxies,
        outgoing=mailroom,
        courses=mailroom.courses,
        subscriptions=circulation,
        roll=circulation,
        printer=Office(watch, lambda: SPEECH, lambda: THEME, THEME),
        series=Plots(store, clock, lambda: timedelta(days=7)).series,
        spent=Figures(store, clock, lambda: desk.board, lambda: site).spent,
    )
    app = ops_app(context)
    sessions = Sessions(lambda: time[0])
    app[SESSIONS] = sessions
    app[GUESSES] = Guesses(ATTEMPTS, ATTEMPTS_OF_ALL, lambda: time[0])
    server = TestServer(app, port=port)
    await server.start_server(shutdown_timeout=0.1)  # pages that listen would hold it for a minute
    try:
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            side = Side(
                client, desk, store, sessions, time, asked, roster or with_ops_token(token), clock, mailroom, receiver,
                circulation,
            )  # fmt: skip
            yield side
    finally:
        writer.cancel()
        await asyncio.wait({writer})
        await store.close()
