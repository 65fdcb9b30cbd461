"""What an answer means, whatever comes back: taken, for now not, or never."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.channel import DeliveryFailed
from monitor.notify.receiver import LONGEST_PAUSE, pause, secrets_of
from tests.notify.conftest import Authority
from tests.notify.notices import channel, notice, section
from tests.notify.receiving import receiving, says
from tests.probers.misbehaving import WAYS, raw, redirect, served
from tests.processes.running import free_port

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
KEY = "k3y-that-nobody-may-see"


async def failure(url: str, **keys: object) -> DeliveryFailed:
    async with channel("webhook", url=url, **keys) as hook:
        with pytest.raises(DeliveryFailed) as caught:
            await hook.deliver(notice())
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_means_that_it_was_taken(status: int) -> None:
    """Receivers differ in which one they say."""
    async with receiving(says(status)) as receiver, channel("webhook", url=receiver.url) as hook:
        assert await hook.deliver(notice()) is None
        assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, False) for status in (408, 425, 429, 500, 501, 502, 503, 504, 599)),
        *((status, True) for status in (301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422, 451)),
    ],
)
async def test_what_passes_is_told_from_what_stays(status: int, permanent: bool) -> None:
    """A notice that will never be taken is dead at once; everything else is tried again."""
    async with receiving(says(status, "because")) as receiver:
        failed = await failure(receiver.url)
    assert failed.permanent is permanent
    assert str(status) in str(failed)


@pytest.mark.parametrize("location", ["http://[]@", "http://[", "http://user:secret@", ""])
async def test_a_redirect_to_no_address_is_a_redirect(location: str) -> None:
    """Dead at once like any other, and told without what it says."""
    async with served(redirect(location, "307 Temporary")) as server:
        failed = await failure(server.url())
    assert failed.permanent
    assert "redirects to nowhere (status 307)" in str(failed)


async def test_where_nobody_is_reached_is_told_once_and_in_words() -> None:
    """The host, the port and what the system says, without the library's own notation."""
    port = free_port()
    failed = await failure(f"https://127.0.0.1:{port}/hook")
    assert str(failed) == f"127.0.0.1 cannot be reached at port {port}: Connection refused"
    assert not failed.permanent
    unknown = str(await failure("https://nobody.invalid/hook"))
    assert unknown.startswith("nobody.invalid cannot be reached at port 443: ")
    assert unknown.count("nobody.invalid") == 1


SLOW = ("drips headers", "silent", "endless 100 Continue", "flood of 100 Continue")


@pytest.mark.parametrize(
    "way",
    [
        *SLOW,
        *("closes at once", "closes after the request", "closes amid the headers", "resets after accepting"),
        *("resets after the request", "SSH banner", "HTTP/0.9 answer", "binary noise", "TLS alert in plain"),
        *("status of four digits", "status that is no number", "negative content length", "endless header"),
        *("header line of 20 kB", "5,000 headers", "header without a colon", "status 101", "status 999"),
    ],
)
async def test_a_broken_receiver_is_a_passing_failure_within_the_time_limit(way: str) -> None:
    """Whatever it does to the connection, the channel is free again and the notice is kept."""
    began = time.monotonic()
    async with served(WAYS[way]) as server:
        failed = await failure(server.url(), timeout="300ms" if way in SLOW else "5s")
    assert not failed.permanent
    assert time.monotonic() - began < 3
    assert str(failed).startswith("127.0.0.1")
    assert len(str(failed)) < 400


@pytest.mark.parametrize("way", ["drips the body", "endless body", "resets amid the body", "gzip bomb", "not gzip"])
async def test_after_a_2xx_nothing_takes_the_delivery_back(way: str) -> None:
    """The status says that it was taken. A body that never ends is not waited for, and one of gigabytes not read."""
    async with served(WAYS[way]) as server, channel("webhook", url=server.url(), timeout="500ms") as hook:
        await hook.deliver(notice())
        assert server.connections == 1


async def test_a_flood_of_interim_answers_is_cut_off_at_once() -> None:
    """It would hold up everything else for as long as the channel waits; the few that servers send are no flood."""
    began = time.process_time()
    async with served(WAYS["flood of 100 Continue"]) as server:
        failed = await failure(server.url(), timeout="8s")
    assert str(failed) == "127.0.0.1 gave no HTTP answer: too many answers 1xx"
    assert not failed.permanent
    assert time.process_time() - began < 2
    few = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    async with served(raw(few)) as server, channel("webhook", url=server.url()) as hook:
        await hook.deliver(notice())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "gave no HTTP answer: Bad status line"),
        (b"HTTP/1.1 503 no\r\nSet-Cookie: key=open\r\n", "closed the connection before it had answered"),
        (b"", "closed the connection before it had answered"),
    ],
)
async def test_what_is_no_answer_is_not_told_as_a_status(answer: bytes, said: str) -> None:
    """Nor with what came of it until then."""
    async with served(raw(answer)) as server:
        told = str(await failure(server.url()))
    assert told.startswith(f"127.0.0.1 {said}")
    assert "400" not in told
    assert "key=open" not in told


async def test_a_redirect_is_not_followed_to_another_host() -> None:
    """Notices and their signatures go where the operator said and nowhere else."""
    async with receiving() as elsewhere, served(redirect(f"{elsewhere.url}/{KEY}", "307 Temporary")) as server:
        failed = await failure(server.url(path=f"/{KEY}"))
    assert elsewhere.got == []
    assert failed.permanent
    assert "redirects to 127.0.0.1 (status 307)" in str(failed)
    assert KEY not in str(failed)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("30", 30), ("0", 0), (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120), ("soon", None), ("", None)],
)
async def test_retry_after_is_read_as_seconds_and_as_a_date(after: str, seconds: int | None) -> None:
    """A date is compared with the receiver's own clock, which may be wrong."""
    answer = says(429, Retry_After=after, Date=format_datetime(NOW, usegmt=True))
    async with receiving(answer) as receiver:
        failed = await failure(receiver.url)
    assert failed.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert not failed.permanent


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_retry_after_is_too_odd(after: str, date: str) -> None:
    """Whatever stands there gives a pause between nothing and a day, or none."""
    found = pause({"Retry-After": after, "Date": date}, NOW)
    assert found is None or timedelta(0) <= found <= LONGEST_PAUSE


@pytest.mark.parametrize("text", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_receiver_cannot_silence_a_channel_for_more_than_a_day(text: str) -> None:
    """It may be wrong, or not ours."""
    assert pause({"Retry-After": text}, NOW) == LONGEST_PAUSE


def test_a_date_that_is_past_asks_for_no_pause() -> None:
    """Nothing waits for what has been."""
    assert pause({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, NOW) == timedelta(0)


async def test_reasons_hold_no_secret_and_nothing_that_acts() -> None:
    """A receiver that repeats what it was sent shows nobody the keys of the channel."""

    def echo(got: object) -> web.Response:
        return web.Response(status=500, text=f"\x1b[31m{KEY} \u202e{got!r}\n<script>")

    async with receiving(echo) as receiver:
        failed = await failure(f"{receiver.url}/hook/{KEY}?key={KEY}", secret=KEY, headers={"x-key": f"Bearer {KEY}"})
    assert KEY not in str(failed)
    assert str(failed).isprintable()
    assert len(str(failed)) < 300


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "https://user:p4ssw0rd@h/", "headers": {"authorization": "Basic p4ssw0rd"}},
        {"url": "https://h/services/p4ssw0rd"},
        {"url": "https://h/?token=p4ssw0rd"},
        {"url": "https://h/", "secret": "p4ssw0rd"},
    ],
)
def test_what_a_channel_hides(keys: dict[str, object]) -> None:
    """Wherever a key can stand in its configuration."""
    assert "p4ssw0rd" not in secrets_of(section("webhook", **keys))("it said p4ssw0rd")


async def test_a_certificate_that_nobody_vouches_for_stops_the_notice(authority: Authority) -> None:
    """For now: certificates are renewed. Nothing is sent before."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("localhost").configure_cert(server)
    async with receiving(tls=server) as receiver:
        failed = await failure(receiver.url)
        assert not failed.permanent
        assert "certificate is not trusted" in str(failed)
        assert receiver.got == []
        async with channel("webhook", url=receiver.url, ca_file=authority.ca_file) as hook:
            await hook.deliver(notice())
        assert len(receiver.got) == 1


async def test_a_certificate_of_another_name_stops_it_too(authority: Authority) -> None:
    """Even from an authority that is trusted."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("other.test").configure_cert(server)
    async with receiving(tls=server) as receiver:
        failed = await failure(receiver.url, ca_file=authority.ca_file)
        assert receiver.got == []
    assert "certificate is not trusted" in str(failed)


async def test_nobody_there_is_a_passing_failure() -> None:
    """Refused connections, names that do not exist, authorities that went away."""
    for url in ("http://127.0.0.1:9/", "http://no-such-host.invalid/"):
        failed = await failure(url, timeout="5s")
        assert not failed.permanent


async def test_requests_share_no_cookies_and_no_connection() -> None:
    """Two notices are two visits: a connection that was kept may be dead when it is needed."""
    answer = says(200, Set_Cookie="session=1; Path=/")
    async with receiving(answer) as receiver, channel("webhook", url=receiver.url) as hook:
        await hook.deliver(notice())
        await hook.deliver(notice())
        assert [got.headers.get("Cookie") for got in receiver.got] == [None, None]
        assert receiver.last.headers["Connection"] == "close"
