"""E-mail: over real SMTP, as safe as configured, to everybody once."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import pytest

from monitor.notify.channel import Channel, DeliveryFailed, Message
from tests.notify.conftest import Authority
from tests.notify.notices import EVENTS, HOSTILE, LINKS, channel, notice
from tests.notify.posts import Post, post
from tests.probers.misbehaving import raw, served

MAIL = {"from": "Status VTEX ção <status@shop.example>", "to": ["ann@shop.example", "bob@shop.example"]}
LOGIN = {"username": "status", "password": "right-password"}


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    """A server's certificate that `ca_file` vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("localhost").configure_cert(context)
    return context


async def failure(message: Message | None = None, **keys: Any) -> DeliveryFailed:
    async with channel("email", **{**MAIL, "timeout": "3s", **keys}) as email:
        with pytest.raises(DeliveryFailed) as caught:
            await email.deliver(message or notice())
    return caught.value


@asynccontextmanager
async def mailing(**keys: Any) -> AsyncIterator[tuple[Post, Channel]]:
    """A mail server, and an open channel to it."""
    async with post(**keys) as there, channel("email", server=there.server, security="none", **MAIL) as email:
        yield there, email


async def mailed(message: Message) -> Any:
    async with mailing() as (there, email):
        assert await email.deliver(message) is None
        assert len(there.mails) == 1
        return there.mails[0]


# -- what leaves -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS)
async def test_a_notice_is_a_mail_with_text_and_html(event: str) -> None:
    """Each event, in both forms, with every address of ours."""
    found = await mailed(notice(event))
    text, html = found.get_body(("plain",)).get_content(), found.get_body(("html",)).get_content()

    assert found["Subject"] == "Checkout: errors (status 503)"
    assert str(found["From"]) == "Status VTEX ção <status@shop.example>"
    assert str(found["To"]) == "ann@shop.example, bob@shop.example"
    assert found["Date"].datetime.tzinfo is not None
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["X-Monitor-Event"] == event
    for url in filter(None, LINKS.values()):
        assert text.count(url) == 1
        assert html.count(f'href="{url.replace("&", "&amp;")}"') == 1
    assert "Since 12:00 UTC." in text
    assert '<html lang="en">' in html


async def test_mails_of_an_incident_hang_together_and_each_keeps_its_id() -> None:
    """Sent again a mail has the id it had, so that mail programs show it once, and one incident as one conversation."""
    opened, again, resolved = [await mailed(notice(event)) for event in ("opened", "opened", "resolved")]
    assert opened["Message-ID"] == again["Message-ID"] != resolved["Message-ID"]
    assert opened["References"] == resolved["References"] == resolved["In-Reply-To"]
    assert opened["Message-ID"].endswith("@shop.example>")


TAGS = {*("html", "lang", "head", "meta", "charset", "name", "content", "title", "body", "style", "h1", "p", "a")} | {
    *("href", "br"),
}


class Tags(HTMLParser):
    """Names and attributes of what an HTML part is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}
        self.links += [value or "" for name, value in attrs if name == "href"]


async def test_hostile_text_makes_no_header_no_tag_and_no_link() -> None:
    """Whatever stands in a title: nobody else gets the mail, and nothing of it acts."""
    found = await mailed(notice(text=HOSTILE + " https://evil.example/"))
    assert found["Bcc"] is None
    assert len(found["Subject"]) <= 200
    assert {name.lower() for name in found} <= {
        *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"),
        *("x-auto-response-suppress", "content-language", "x-monitor-event", "x-monitor-incident", "importance"),
        *("mime-version", "content-type"),
    }
    tags = Tags(found.get_body(("html",)).get_content())
    assert tags.found <= TAGS
    assert set(tags.links) <= set(LINKS.values())
    for part in ("plain", "html"):
        content = found.get_body((part,)).get_content()
        assert "\u202e" not in content
        assert "\x00" not in content


async def test_what_is_urgent_is_marked_so() -> None:
    """And nothing else is."""
    urgent = await mailed(notice(incident={"priority": "urgent"}))
    assert urgent["Importance"] == "high"
    assert (await mailed(notice("resolved", incident={"priority": "urgent"})))["Importance"] is None
    assert (await mailed(notice()))["Importance"] is None


# -- how safe ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_with_tls_the_password_goes_through_it(security: str, tls: ssl.SSLContext, authority: Authority) -> None:
    """And only then."""
    async with post(security, tls) as there:
        keys = {**MAIL, **LOGIN, "ca_file": authority.ca_file, "security": security, "server": there.server}
        async with channel("email", **keys) as email:
            await email.deliver(notice())
    assert there.logins == [("status", "right-password", True)]
    assert len(there.mails) == 1


async def test_nothing_is_sent_in_plain_when_starttls_is_not_offered() -> None:
    """Neither the mail nor the password: somebody in between may have taken the offer away."""
    async with post() as there:
        failed = await failure(server=there.server, **LOGIN)
    assert not failed.permanent
    assert (there.logins, there.mails) == ([], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_that_nobody_vouches_for_gets_nothing(security: str, tls: ssl.SSLContext) -> None:
    """Its certificate may be renewed, so the mail is kept."""
    async with post(security, tls) as there:
        failed = await failure(server=there.server, security=security, **LOGIN)
    assert not failed.permanent
    assert (there.logins, there.mails) == ([], [])


async def test_a_wrong_password_is_a_permanent_failure_that_does_not_tell_it() -> None:
    """Somebody has to change it."""
    async with post() as there:
        failed = await failure(server=there.server, security="none", username="status", password="wr0ng-password")
    assert failed.permanent
    assert "535" in str(failed)
    assert "wr0ng-password" not in str(failed)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "permanent"),
    [
        ({"refuses": dict.fromkeys(MAIL["to"], "451 4.7.1 greylisted, come back")}, False),
        ({"refuses": dict.fromkeys(MAIL["to"], "550 5.1.1 no such user")}, True),
        ({"refuses": dict(zip(MAIL["to"], ["550 no such user", "451 later"], strict=True))}, False),
        ({"after_data": "452 4.3.1 disk is full"}, False),
        ({"after_data": "554 5.7.1 this is spam"}, True),
        ({"after_data": "600 spam, in a language of its own"}, False),
        ({"refuses": dict.fromkeys(MAIL["to"], "999 no such user")}, False),
    ],
    ids=["greylisting", "no such users", "one of each", "full disk", "spam", "no code", "no code for a receiver"],
)
async def test_what_a_mail_server_refuses_for_now_and_for_good(keys: dict[str, Any], permanent: bool) -> None:
    """4xx passes, 5xx stays, and its words are told; what is no code of SMTP refuses nothing for good."""
    async with post(**keys) as there:
        failed = await failure(server=there.server, security="none")
    assert failed.permanent is permanent
    assert there.mails == []
    assert any(word in str(failed) for word in ("greylisted", "no such user", "disk is full", "spam"))


async def test_greylisting_is_asked_again_only_for_whom_it_struck() -> None:
    """Whoever has the mail does not get it twice."""
    async with mailing(refuses={"bob@shop.example": "450 later"}) as (there, email):
        with pytest.raises(DeliveryFailed, match=r"bob@shop\.example: 450 later") as caught:
            await email.deliver(notice())
        there.refuses = {}
        await email.deliver(notice())
        await email.deliver(notice("resolved"))
    assert not caught.value.permanent
    assert [one.rcpt_tos for one in there.envelopes] == [["ann@shop.example"], ["bob@shop.example"], MAIL["to"]]


async def test_somebody_who_is_gone_does_not_keep_the_others_from_their_mail(caplog: pytest.LogCaptureFixture) -> None:
    """It is told in the log, and the notice counts as delivered."""
    async with mailing(refuses={"bob@shop.example": "550 5.1.1 gone"}) as (there, email):
        with caplog.at_level(logging.WARNING):
            await email.deliver(notice())
    assert there.envelopes[0].rcpt_tos == ["ann@shop.example"]
    assert "bob@shop.example: 550" in caplog.text


@pytest.mark.parametrize(
    "banner",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"554 5.7.1 go away\r\n",
        b"421 busy\r\n",
        b"220 x\r\n",
        b"\xff" * 9000,
        b"220-x\r\n" * 9000,
    ],
    ids=["closes", "ssh", "554", "421", "silent after the banner", "noise", "endless"],
)
async def test_a_server_that_speaks_no_smtp(banner: bytes) -> None:
    """Is a passing failure, unless it says in SMTP that it wants none of us."""
    async with served(raw(banner, ask=False)) as server:
        failed = await failure(server=f"127.0.0.1:{server.port}", security="none")
    assert failed.permanent is banner.startswith(b"554")
    assert "-1" not in str(failed)


async def test_a_mail_that_was_taken_is_delivered_whatever_the_server_does_then() -> None:
    """It is not sent a second time because nobody said good-bye."""
    async with mailing(hangs_up=True) as (there, email):
        await email.deliver(notice())
    assert len(there.mails) == 1


async def test_a_silent_server_ends_with_the_time_limit() -> None:
    """So do servers that drip."""

    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with served(drips) as server:
        failed = await failure(server=f"127.0.0.1:{server.port}", security="none", timeout="300ms")
    assert not failed.permanent
    assert "within 0.3 s" in str(failed)
