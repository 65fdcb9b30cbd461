"""Acknowledge links: what they say, that nobody else can make one, and what the page behind them does and does not."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.web.link import LASTS, Claim, Flaw, Links, link_for, read
from monitor.web.mine import MOST
from tests.store.past import after
from tests.web.operators import HOSTILE, OLD, OPEN, Side, serving
from tests.web.people import EVERYBODY

SECRET = b"s" * 32
TIMES = st.datetimes(after(-(10**8)).replace(tzinfo=None), after(10**9).replace(tzinfo=None), timezones=st.just(UTC))
CLAIMS = st.builds(Claim, st.text(max_size=40), st.text(st.characters(codec="utf-8"), max_size=100), TIMES)


@given(CLAIMS.map(lambda one: Claim(one.incident.encode("utf-8", "replace").decode(), one.to, one.until)))
def test_a_token_says_what_was_put_into_it_until_it_ends(claim: Claim) -> None:
    """Safe in an address, to the second."""
    token = link_for(SECRET, claim)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", token)
    until = claim.until.replace(microsecond=0)
    assert read(SECRET, token, until - timedelta(seconds=1)) == Claim(claim.incident, claim.to, until)
    assert read(SECRET, token, until) is Flaw.EXPIRED


@given(st.integers(0), st.characters(codec="ascii"), st.text(max_size=300))
def test_nobody_else_makes_a_token(place: int, letter: str, text: str) -> None:
    """Neither by changing one letter of ours, nor from nothing, nor under another secret."""
    token = link_for(SECRET, Claim("k3f09a", "pager", after(60)))
    at = place % len(token)
    changed = f"{token[:at]}{letter}{token[at + 1 :]}"
    for wrong in (changed, token + letter, text, f"{text}.{token.partition('.')[2]}"):
        assert wrong == token or read(SECRET, wrong, after(0)) is Flaw.WRONG
    assert read(b"t" * 32, token, after(0)) is Flaw.WRONG


def test_an_address_needs_somewhere_to_lead() -> None:
    """And is the same for the same notice, so that one that is sent again is word for word the same."""
    assert Links(SECRET, None).acknowledge_url("k3f09a", "pager", after(0)) is None
    links = Links(SECRET, "https://ops.example/below")
    address = links.acknowledge_url("k3f09a", "pager", after(0))
    assert address is not None
    assert address.startswith("https://ops.example/below/acknowledge/")
    assert address == links.acknowledge_url("k3f09a", "pager", after(0))
    claim = Claim("k3f09a", "pager", after(0) + LASTS)
    assert links.read(address.rpartition("/")[2], after(10)) == claim


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, None, roster=EVERYBODY) as one:
        yield one


def link(incident: str = OPEN.id, to: str = "pager", seconds: float = 3600) -> str:
    return f"/acknowledge/{link_for(SECRET, Claim(incident, to, after(seconds)))}"


async def test_to_look_changes_nothing_and_the_button_does(side: Side) -> None:
    """Scanners of mails follow every link; a person presses. No login, no cookie, whoever else asks."""
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await side.get(link(), **headers)
        text = await answer.text()
        assert (answer.status, "It is mine" in text, "Nobody's yet" in text) == (200, True, True)
        assert "Set-Cookie" not in answer.headers
        assert "csrf" not in text
    async with side.client.head(link()) as answer:
        assert answer.status == 200
    assert (await side.stored(OPEN.id)).acts == ()
    answer = await side.post(link(), {"author": "Bia"})
    assert (answer.status, answer.headers["Location"]) == (303, "?done=acknowledge")
    assert [(act.what, act.by) for act in (await side.stored(OPEN.id)).acts] == [("acknowledged", "Bia (pager)")]
    text = await (await side.get(f"{link()}?done=acknowledge")).text()
    assert ("Bia (pager)" in text, "<button" in text) == (True, False)


async def test_the_first_one_has_it(side: Side) -> None:
    """Two press at once, one of them without a name: one act, and both read whose it is."""
    answers = await asyncio.gather(side.post(link(), {}), side.post(link(to="mail"), {"author": "Bia"}))
    assert [answer.status for answer in answers] == [303, 303]
    (act,) = (await side.stored(OPEN.id)).acts
    assert act.by in ("pager", "Bia (mail)")
    assert f"· {act.by}" in await (await side.get(link())).text()


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [("/acknowledge/x", 404, "This link does not lead anywhere."),
     ("/acknowledge/" + "x" * 5000, 404, "This link does not lead anywhere."),
     (link("nobody-knows"), 404, "This link does not lead anywhere."),
     (link(seconds=1), 410, "This link has expired.")],
    ids=["wrong", "long", "of nothing", "expired"],
)  # fmt: skip
async def test_a_link_that_is_worth_nothing_tells_nothing(side: Side, path: str, status: int, says: str) -> None:
    """A plain sentence, to look and to press."""
    for answer in (await side.get(path), await side.post(path, {"author": "Bia"})):
        text = await answer.text()
        assert (answer.status, says in text) == (status, True)
        assert OPEN.id not in text
        assert "checkout" not in text.lower()
    assert (await side.stored(OPEN.id)).acts == ()


async def test_what_is_over_is_said_to_be(side: Side) -> None:
    """Nothing is left to press, and nothing happens to whoever presses all the same."""
    answer = await side.get(link(OLD.id))
    assert (answer.status, "It is over" in await answer.text()) == (200, True)
    answer = await side.post(link(OLD.id), {})
    text = await answer.text()
    assert (answer.status, "It is over" in text, "<button" in text) == (409, True, False)
    assert (await side.stored(OLD.id)).acts == OLD.acts


async def test_what_was_typed_is_only_text(side: Side) -> None:
    """Also in the name of whom it was sent to; and a name has its length."""
    assert HOSTILE not in await (await side.get(link(to=HOSTILE))).text()
    assert (await side.post(link(), {"author": "x" * 101})).status == 400
    await side.post(link(to=HOSTILE), {"author": HOSTILE})
    assert HOSTILE not in await (await side.get(link())).text()


async def test_the_button_has_its_limit(side: Side) -> None:
    """Nobody keeps the desk busy with it."""
    statuses = [(await side.post("/acknowledge/x", {})).status for _ in range(MOST + 1)]
    assert statuses == [404] * MOST + [429]
    assert (await side.post(link(), {})).headers["Retry-After"] in ("60", "61")


@pytest.mark.parametrize(("language", "says"), [("pt-BR", "É meu"), ("en", "It is mine")])
async def test_the_page_speaks_the_reader_s_language(side: Side, language: str, says: str) -> None:
    """By what the browser prefers."""
    assert says in await (await side.get(link(), Accept_Language=language)).text()
