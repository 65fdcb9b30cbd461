"""Redirects are followed by hand: how many, where to, and what is taken along."""

from typing import Any

import pytest

from monitor.core.clause import Clause
from monitor.core.expectation import Expect
from monitor.core.target import Network
from monitor.probers import Reach

from .authorities import NAME, Authorities
from .looking import probe_of, reaching, seen
from .misbehaving import WAYS, answer, by_path, redirect, served

HOPS = by_path(root=redirect("/b"), b=redirect("/c?x=1", "307 Temporary Redirect"), c=answer(b'{"ok": true}'))


async def test_phases_are_summed_and_redirects_counted(reach: Reach) -> None:
    """The last answer is the one that counts."""
    async with served(HOPS) as server:
        observation, result = await seen(reach, probe_of(server.url()))

    assert result.code is None
    assert observation.http is not None
    assert (observation.http.status, observation.http.redirects) == (200, 2)
    assert server.connections == 3
    assert list(observation.phases) == ["resolve", "connect", "processing", "transfer"]
    assert sum(observation.phases.values()) <= observation.duration


@pytest.mark.parametrize(("follow", "code"), [(2, None), (1, "http.redirect_loop")])
async def test_only_so_many_are_followed(reach: Reach, follow: int, code: str | None) -> None:
    """Past the limit it is a loop, and the one refused is counted too."""
    async with served(HOPS) as server:
        observation, result = await seen(reach, probe_of(server.url(), follow=follow))

    assert result.code == code
    assert observation.http is not None
    assert observation.http.redirects == 2


async def test_follow_0_takes_the_redirect_for_the_answer(reach: Reach) -> None:
    """Redirects switched off: the status is judged like any other."""
    async with served(HOPS) as server:
        observation, result = await seen(reach, probe_of(server.url(), follow=0))

    assert result.code == "content.assertion"
    assert observation.http is not None
    assert observation.http.status == 302


async def test_an_expected_redirect_is_not_followed(reach: Reach) -> None:
    """Whoever expects a 302 wants to look at it."""
    expect = Expect(status=((302, 302),), header=(("location", (Clause("equals", "/b"),)),))
    async with served(HOPS) as server:
        _, result = await seen(reach, probe_of(server.url(), expect))

    assert result.code is None
    assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        ("301 Moved", "GET", b""),
        ("302 Found", "GET", b""),
        ("303 See Other", "GET", b""),
        ("307 Temporary Redirect", "POST", b'{"a":1}'),
        ("308 Permanent Redirect", "POST", b'{"a":1}'),
    ],
)
async def test_what_becomes_of_a_post(reach: Reach, status: str, method: str, body: bytes) -> None:
    """As every browser does: the first three ask again with GET, the others repeat the whole request."""
    async with served(by_path(root=redirect("/next", status), next=answer())) as server:
        await seen(
            reach,
            probe_of(server.url(), method="POST", body=b'{"a":1}', headers=(("Content-Type", "application/json"),)),
        )

    last = server.requests[-1]
    assert last.startswith(f"{method} /next ".encode())
    assert last.partition(b"\r\n\r\n")[2] == body
    assert (b"application/json" in last) == (method == "POST")


SECRETS = (
    ("Authorization", "Bearer one-two-three"),
    ("X-VTEX-API-AppKey", "vtexappkey-four"),
    ("X-VTEX-API-AppToken", "five-six"),
    ("X-Plain", "kept"),
)


@pytest.mark.parametrize(("host", "kept"), [("localhost", False), ("127.0.0.1", True)])
async def test_secrets_stay_with_their_host(reach: Reach, host: str, kept: bool) -> None:
    """Another host gets the request without the headers that were meant for this one."""
    async with (
        served(answer()) as other,
        served(by_path(root=redirect(f"http://{host}:{other.port}/next"))) as server,
    ):
        _, result = await seen(reach, probe_of(server.url(), headers=SECRETS, allow_hosts=("localhost",)))

    assert result.code is None
    for name, value in SECRETS[:3]:
        assert (f"{name}: {value}".encode() in other.requests[0]) == kept
    assert b"X-Plain: kept" in other.requests[0]


@pytest.mark.parametrize(
    ("location", "options", "code"),
    [
        ("http://localhost:{port}/next", {}, "http.redirect_unexpected"),
        ("http://localhost:{port}/next", {"allow_hosts": ("localhost",)}, None),
        ("http://a.localhost:{port}/next", {"allow_hosts": ("localhost",)}, "http.redirect_unexpected"),
        ("ftp://evil.example/", {}, "http.redirect_scheme"),
        ("mailto:somebody@example.com", {}, "http.redirect_scheme"),
        ("FILE:///etc/passwd", {}, "http.redirect_scheme"),
        ("http://user:secret@127.0.0.1:{port}/next", {}, None),
        ("//127.0.0.1:{port}/next", {}, None),
        ("next", {}, None),
        ("/next#fragment", {}, None),
        ("http://", {}, "http.redirect_unexpected"),
        ("http://[::1", {}, "http.redirect_unexpected"),
        ("http://[]@", {}, "http.redirect_unexpected"),
        (f"http://{'a' * 64}.localhost/", {"allow_hosts": ("*.localhost",)}, "http.redirect_unexpected"),
        (f"http://{'a.' * 130}localhost/", {"allow_hosts": ("*.localhost",)}, "http.redirect_unexpected"),
        ("http://[::1%25lo]:1/", {"allow_hosts": ("::1", "::1%lo", "::1%25lo")}, "tcp.refused"),
        ("//[::1]a@", {}, "http.redirect_unexpected"),
        ("http://127.0.0.1:99999/", {}, "http.redirect_unexpected"),
        ("http://127.0.0.1:0/", {}, "http.redirect_unexpected"),
        ("/account/sign-in", {}, "http.redirect_unexpected"),
    ],
)
async def test_where_to(reach: Reach, location: str, options: dict[str, Any], code: str | None) -> None:
    """The scheme is looked at before the host."""
    ways = {"next": answer(), "root": answer()}

    async def behave(reader: Any, writer: Any) -> None:
        to = location.format(port=server.port)
        await by_path(**(ways | {"root": redirect(to)}))(reader, writer)

    async with served(behave) as server:
        _, result = await seen(reach, probe_of(server.url(), **options))

    assert result.code == code, result.reasons
    assert not any(b"secret" in one or b"c2VjcmV0" in one for one in server.requests)


async def test_a_redirect_into_the_private_network_is_refused(authorities: Authorities) -> None:
    """A host that may be visited is still not visited at an address inside."""
    async with reaching(ca_file=authorities.ca_file) as reach, served(redirect("http://localhost/")) as server:
        reach.network = Network(connect_to=((f"shop.test:{server.port}", f"127.0.0.1:{server.port}"),))
        probe = probe_of(server.url("shop.test"), allow_private=False, allow_hosts=("localhost", "169.254.169.254"))
        _, to_name = await seen(reach, probe)
    async with reaching() as reach, served(redirect("http://169.254.169.254/latest/")) as server:
        reach.network = Network(connect_to=((f"shop.test:{server.port}", f"127.0.0.1:{server.port}"),))
        probe = probe_of(server.url("shop.test"), allow_private=False, allow_hosts=("localhost", "169.254.169.254"))
        _, to_metadata = await seen(reach, probe)

    assert (to_name.code, to_metadata.code) == ("http.redirect_unexpected", "http.redirect_unexpected")
    assert "loopback" in to_name.reasons[0]
    assert "link-local" in to_metadata.reasons[0]


async def test_from_https_down_to_http(authorities: Authorities) -> None:
    """What was asked in private is not repeated in public."""
    async with (
        served(WAYS["healthy"]) as plain,
        served(redirect(f"http://{NAME}:{plain.port}/"), authorities.context("good")) as server,
        reaching(ca_file=authorities.ca_file) as reach,
    ):
        ports = (server.port, plain.port)
        reach.network = Network(connect_to=tuple((f"{NAME}:{port}", f"127.0.0.1:{port}") for port in ports))
        observation, result = await seen(reach, probe_of(server.url(NAME, scheme="https")))

    assert result.code == "http.redirect_unexpected"
    assert plain.connections == 0
    assert observation.certificate is not None


async def test_cookies_live_for_one_run(reach: Reach) -> None:
    """A shop that sets one and redirects gets it back; the next run comes as a stranger."""
    way = by_path(root=redirect("/next", headers="Set-Cookie: segment=abc; Path=/\r\n"), next=answer())
    async with served(way) as server:
        for _ in range(2):
            await seen(reach, probe_of(server.url()))

    assert [b"Cookie: segment=abc" in one for one in server.requests] == [False, True, False, True]


async def test_a_thousand_cookies_are_not_carried_along(reach: Reach) -> None:
    """A small number of them is enough for any shop."""
    many = "".join(f"Set-Cookie: c{n}=1\r\n" for n in range(100))
    async with served(by_path(root=redirect("/next", headers=many), next=answer())) as server:
        _, result = await seen(reach, probe_of(server.url()))

    assert result.code is None
    assert server.requests[-1].count(b"=1") == 50
