"""Logging in, and what is kept of it: passwords are tried one after the other and not too often, sessions are seen and
ended. Real requests, real scrypt."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import ClassVar

import pytest

from monitor.core.roster import Password, Role, Roster, User
from monitor.web.guesses import LONGEST_LIST, MINUTE, Guesses
from monitor.web.login import ATTEMPTS, GUESSES, WAITING
from monitor.web.session import browser_of
from tests.web.operators import Side, serving
from tests.web.people import ANA, BARE, EVA, EVERYBODY, READER, ROBOT, SECRETS, bearing, cookie_of, csrf_of, log_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, None, roster=EVERYBODY) as one:
        yield one


@dataclass(frozen=True, slots=True)
class Watched(Password):
    """A password that remembers how often it was checked, and by how many at once."""

    now: ClassVar[list[int]] = []
    seen: ClassVar[list[int]] = []
    begun: ClassVar[Event] = Event()
    slow: float = field(default=0.0)

    def derived(self, said: str) -> bytes:
        self.now.append(1)
        self.seen.append(len(self.now))
        self.begun.set()
        time.sleep(self.slow)
        self.now.pop()
        return Password(4, 8, 1, self.salt, self.hash).derived(said)


def watched(slow: float = 0.0) -> Roster:
    Watched.seen.clear()
    Watched.begun.clear()
    kept = ANA.password
    return Roster((User("ana", Watched(kept.log_cost, kept.block, kept.lanes, kept.salt, kept.hash, slow), ANA.role),))


async def test_a_user_logs_in_and_no_cookie_that_was_there_before_is_worth_anything(side: Side) -> None:
    """Whoever planted a cookie in a browser does not get in with it afterwards; the old session has ended."""
    await log_in(side, "ana")
    first = cookie_of(side)
    planted = {"Cookie": "monitor_session=planted"}
    answer = await side.client.post(
        "/healthcheck/login", data={"name": "eva", "password": SECRETS["eva"]}, headers=planted, allow_redirects=False
    )
    assert answer.status == 303
    assert "planted" not in answer.headers["Set-Cookie"]
    answer = await log_in(side, "ana")
    assert cookie_of(side) != first
    side.client.session.cookie_jar.clear()
    assert (await side.get("/healthcheck", Cookie=f"monitor_session={first}")).status == 401
    assert (await side.get("/healthcheck", **planted)).status == 401


@pytest.mark.parametrize(("name", "said"), [("ana", "wrong"), ("ana", ""), ("nobody", "wrong"), ("ana", "x" * 2000)])
async def test_a_wrong_name_and_a_wrong_password_look_alike(side: Side, name: str, said: str) -> None:
    """Nobody learns which names there are; what was typed stands there again, but for the password."""
    answer = await log_in(side, name, said)
    text = await answer.text()
    assert (answer.status, "The name or the password is wrong." in text) == (401, True)
    assert f'value="{name}"' in text
    assert "Set-Cookie" not in answer.headers
    assert re.search(r'<input id="password"[^>]*value=', text) is None


async def test_a_name_that_nobody_has_takes_as_long_as_any(tmp_path: Path) -> None:
    """Something as dear as a password is checked for it all the same."""
    async with serving(tmp_path, None, roster=watched()) as side:
        for name in ("ana", "nobody"):
            assert (await log_in(side, name, "wrong")).status == 401
        assert Watched.seen == [1, 1]


async def test_an_accent_may_be_typed_in_either_way(side: Side) -> None:
    """As one letter, or as a letter and its mark."""
    assert (await log_in(side, "ana", SECRETS["ana"].replace("ã", "a\u0303"))).status == 303


async def test_tries_are_counted_for_a_name_from_wherever_they_come(side: Side) -> None:
    """An address of its own for each try is no way around; others log in meanwhile, and right ones count nothing."""
    guesses = side.client.app[GUESSES]
    for number in range(ATTEMPTS):
        guesses.take(f"at 203.0.113.{number}", "as ana")
    answer = await log_in(side, "ana")
    assert (answer.status, 0 < int(answer.headers["Retry-After"]) <= 61) == (429, True)
    for _ in range(ATTEMPTS + 1):
        assert (await log_in(side, "eva")).status == 303
    side.time[0] += MINUTE + 1
    assert (await log_in(side, "ana")).status == 303


@pytest.mark.parametrize(("trusted", "status"), [(("127.0.0.0/8",), 303), ((), 429)])
async def test_behind_a_proxy_of_ours_each_browser_has_its_own_tries(
    tmp_path: Path, trusted: tuple[str, ...], status: int
) -> None:
    """What anybody else says of where they come from is no way to get more of them."""
    async with serving(tmp_path, None, roster=EVERYBODY, trusted_proxies=trusted) as side:
        for number in range(ATTEMPTS):
            said = f"203.0.113.{number}, 198.51.100.1"
            assert (await log_in(side, f"nobody-{number}", "wrong", X_Forwarded_For=said)).status == 401
        assert (await log_in(side, "ana", X_Forwarded_For="198.51.100.1")).status == 429
        assert (await log_in(side, "ana", X_Forwarded_For="198.51.100.2")).status == status
        if status == 303:
            assert (await sessions(side))[0]["address"] == "198.51.100.2"


async def test_many_at_once_are_no_way_around(side: Side) -> None:
    """Each is counted before it is looked at."""
    answers = await asyncio.gather(*(log_in(side, "ana", f"wrong {number}") for number in range(20)))
    assert sorted(answer.status for answer in answers) == [401] * ATTEMPTS + [429] * (20 - ATTEMPTS)


async def test_a_flood_of_logins_is_checked_one_by_one(tmp_path: Path) -> None:
    """Each check takes 128 MiB: more than one at a time, and more than a few that wait, are not let happen."""
    async with serving(tmp_path, None, roster=watched(slow=0.02)) as side:
        guesses = side.client.app[GUESSES]
        guesses._each = guesses._all = 1000
        answers = await asyncio.gather(*(log_in(side, "ana", "wrong") for _ in range(40)))
        assert max(Watched.seen) == 1
        assert {answer.status for answer in answers} == {401, 429}
        assert sum(answer.status == 401 for answer in answers) >= WAITING


async def test_a_session_of_somebody_removed_meanwhile_does_not_begin(tmp_path: Path) -> None:
    """Removed while the password was checked."""
    roster = watched(slow=0.2)
    async with serving(tmp_path, None, roster=roster) as side:
        begun = asyncio.create_task(log_in(side, "ana"))
        assert await asyncio.to_thread(Watched.begun.wait, 10)
        side.roster = Roster((EVA,))
        assert (await begun).status == 401


# -- sessions ---------------------------------------------------------------------------------------------------------


async def sessions(side: Side, **headers: str) -> list[dict[str, object]]:
    async with side.client.get("/api/ops/v1/sessions", headers=headers) as answer:
        found: list[dict[str, object]] = (await answer.json())["sessions"]
        return found


async def test_people_see_and_end_their_own_sessions_operators_all(side: Side) -> None:
    """Who, since when, last seen, from where, with what; what is not one's own is as if it were not there."""
    await log_in(side, "ana", User_Agent=FIREFOX)
    side.client.session.cookie_jar.clear()
    await log_in(side, "eva", User_Agent="curl/8")
    side.time[0] += 60
    (own,) = await sessions(side)
    assert (own["name"], own["role"], own["how"], own["current"]) == ("eva", "viewer", "session", True)
    assert (own["address"], own["browser"]) == ("127.0.0.1", "curl")
    every = await sessions(side, **bearing(ROBOT), Cookie="x=y")
    assert [one["name"] for one in every] == ["eva", "ana"]
    assert every[1]["browser"] == "Firefox · Linux"
    assert (every[1]["since"], every[1]["seen_at"]) == ("2026-11-23T12:01:00.000Z", "2026-11-23T12:00:00.000Z")
    assert await sessions(side, **bearing(READER), Cookie="x=y") == []
    csrf = {"X-CSRF-Token": await csrf_of(side)}
    for id, status in ((every[1]["id"], 404), ("nope", 404), (own["id"], 204)):
        async with side.client.delete(f"/api/ops/v1/sessions/{id}", headers=csrf) as answer:
            assert answer.status == status
    assert [one["name"] for one in await sessions(side, **bearing(ROBOT), Cookie="x=y")] == ["ana"]


@pytest.mark.parametrize(("which", "left", "location"), [("others", 2, "../sessions"), ("all", 1, "../login")])
async def test_a_person_ends_all_their_sessions(side: Side, which: str, left: int, location: str) -> None:
    """All others, or everywhere; those of somebody else go on."""
    for name in ("eva", "ana", "ana", "ana"):
        side.client.session.cookie_jar.clear()
        await log_in(side, name)
    page = await (await side.get("/healthcheck/sessions")).text()
    assert page.count("this browser") == 1
    answer = await side.post("/healthcheck/sessions/end", {"csrf": await csrf_of(side), "which": which})
    assert (answer.status, answer.headers["Location"]) == (303, location)
    assert len(await sessions(side, **bearing(ROBOT), Cookie="x=y")) == left


async def test_who_logs_in_by_the_bare_token_says_who_they_are(side: Side) -> None:
    """By a named token nobody can: it has a name."""
    for token, name in ((BARE, "Bia"), (ROBOT, "robot")):
        assert (await side.log_in(token.text, "Bia")).status == 303
        assert (await sessions(side))[0]["name"] == name
    assert (await side.log_in("wrong")).status == 401
    assert (await side.log_in("")).status == 401


@pytest.mark.parametrize(
    ("agent", "brief"),
    [(FIREFOX, "Firefox · Linux"), ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) Safari/605", "Safari · iPhone"),
     ("Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537 Edg/130", "Edge · Windows"), ("", ""),
     ("x\x00\n" * 100, "x" * 60)],
)  # fmt: skip
def test_a_browser_in_brief(agent: str, brief: str) -> None:
    """As it calls itself, short and without anything that could steer a terminal."""
    assert browser_of(agent) == brief


def test_what_is_remembered_of_tries_has_an_end() -> None:
    """However many addresses and names are tried."""
    now = [0.0]
    guesses = Guesses(5, 10**9, lambda: now[0])
    for number in range(LONGEST_LIST + 100):
        now[0] += 0.1
        guesses.take(f"at {number}")
    assert len(guesses._tried) <= LONGEST_LIST


def test_a_roster_without_users_has_nothing_to_compare_with() -> None:
    """And one with users compares with the dearest of them."""
    dear = replace(ANA.password, log_cost=6)
    assert Roster().decoy is None
    decoy = Roster((ANA, User("eva", dear, Role.VIEWER))).decoy
    assert decoy is not None
    assert decoy.work == dear.work
