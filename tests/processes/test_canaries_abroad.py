"""Canaries abroad: what targets, brokers, name servers, certificates and status pages say, with what acts in it, and
everything that leaves the real program for others: mails, broker, calls, subscribers. None of it acts there."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import aiomqtt
import pytest
from aiohttp import web
from dnslib import QTYPE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from tests.notify.posts import Post, post
from tests.probers.authorities import Authorities
from tests.probers.brokers import mosquitto
from tests.probers.corpus import whole
from tests.probers.misbehaving import raw, served
from tests.processes.running import eventually, free_port, get, program
from tests.processes.test_canaries import ACTS, TURNS, acting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CALLS = "<!channel> <https://evil.example/|here> @everyone [x](javascript:pwned) \r\nBcc: evil@example.com\r\n"
ODD = "\x00\u2028To: evil@example.com\u2029\x85\x0b\x0c\r=cmd|'/C calc'!A0"
HOSTILE = f"CANARY {ACTS} {TURNS} {CALLS}{ODD}"
TOKEN, KEY = "s3cret-token-Zx9abc", "s3cret-header-Zx9abc"
ROUTE, DESK = "s3cret-route-Zx9abc", "s3cret-desk-Zx9abc"
SECRETS = {"OPS": TOKEN, "KEY": KEY, "ROUTE": ROUTE, "DESK": DESK}
ENDS = frozenset("\x1b\x07\x00\u202e\u2028\u2029\x85\x0b\x0c")
MODULES = ("answers", "certificate", "names", "port", "page", "numbers", "broker")
PATHS = {
    "/hook",
    "/status",
    "/slack",
    "/api/v2/alerts",
    "/apprise",
    "/enqueue",
    "/",
    "/subscriber/notice",
    "/subscriber/status",
}
PATHS |= {"vtex-status/notices", "headers", "/zendesk/api/v2/tickets"}
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Importance"}
HEADERS |= {"X-Auto-Response-Suppress", "X-Monitor-Event", "X-Monitor-Incident", "MIME-Version", "Content-Type"}
HEADERS |= {"List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence"}
TOPICS = re.compile(r"vtex-status/(monitor|notices|(modules|incidents)/[a-z0-9-]+)")


class _Zone(BaseResolver):
    """Every name has one text."""

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        reply = request.reply()
        reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT([HOSTILE.encode()[:250]]), ttl=1))
        return reply


@contextmanager
def names() -> Iterator[int]:
    """The port of a name server that says what acts."""
    server = DNSServer(_Zone(), port=0, address="127.0.0.1", logger=_Quiet())
    server.start_thread()
    try:
        yield server.server.server_address[1]
    finally:
        server.stop()
        server.server.server_close()


class _Quiet:
    def __getattr__(self, name: str) -> object:
        return lambda *_: None


class Abroad:
    """Whoever is told, and what they got: calls by their path, mails, and what a broker was given by its topic."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.published: list[tuple[str, bytes]] = []
        self.url = ""
        self.mail = Post()

    async def call(self, request: web.Request) -> web.Response:
        """Taken, and answered as each service answers."""
        body = await request.read()
        self.calls.append((request.path, dict(request.headers), body))
        if request.path.startswith("/subscriber") and b'"challenge"' in body:
            return web.json_response({"challenge": json.loads(body)["challenge"]})
        if request.path == "/slack":
            return web.Response(text="ok")
        if "tickets" in request.path or "users" in request.path:
            return web.json_response({"ticket": {"id": 7, "status": "open"}, "tickets": [], "results": []})
        return web.json_response({"status": "success", "dedup_key": "x"})

    async def read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self.published.append((message.topic.value, bytes(message.payload)))  # type: ignore[arg-type]


@asynccontextmanager
async def abroad(broker: int) -> AsyncIterator[Abroad]:
    found, app = Abroad(), web.Application()
    app.router.add_route("*", "/{tail:.*}", found.call)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with post() as found.mail, aiomqtt.Client("127.0.0.1", broker) as client:
        await client.subscribe("#", qos=1)
        reading = asyncio.create_task(found.read(client))
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            await runner.cleanup()


def page_of(url: str) -> bytes:
    """A status page on which everything acts."""
    said = {"name": HOSTILE, "status": "investigating", "impact": "major", "id": "x", "shortlink": f"{url}/{ACTS}"}
    said |= {"created_at": "2026-01-01T00:00:00Z", "incident_updates": [{"body": HOSTILE, "status": "investigating"}]}
    one = {"id": "c", "name": HOSTILE, "status": "major_outage"}
    return whole(json.dumps({"page": {"name": HOSTILE}, "components": [one], "incidents": [said]}).encode())


async def targets(stack: AsyncExitStack, authorities: Authorities) -> dict[str, int]:
    """The port of each."""
    line = "".join(one for one in HOSTILE if one.isprintable() and one.isascii()).encode()
    answer = whole(HOSTILE.encode(), b"X-VTEX-Error: " + line + b"\x1b[31m\r\nServer: " + line)
    error = json.dumps({"status": "error", "errorType": HOSTILE, "error": HOSTILE}).encode()
    ways = {
        "answers": raw(answer),
        "port": raw(HOSTILE.encode()),
        "page": raw(page_of("http://evil.example")),
        "numbers": raw(whole(error).replace(b"200 OK", b"422 " + line)),
        "broker": raw(HOSTILE.encode()),
    }
    ports = {name: (await stack.enter_async_context(served(way))).port for name, way in ways.items()}
    secure = await stack.enter_async_context(served(raw(answer), authorities.context("self signed")))
    return ports | {"certificate": secure.port, "names": stack.enter_context(names())}


def configuration(ports: dict[str, int], page: int, ops: int, there: Abroad, broker: int) -> str:
    """Every kind of probe at whoever says what acts, every kind of channel, both sides of subscribers."""
    name = json.dumps(f"CANARY {ACTS} {CALLS}"[:200].replace("\r\n", " "))
    at = {one: f"127.0.0.1:{port}" for one, port in ports.items()}
    private = "allow_private: true"
    probes = {
        "answers": f'{{id: p, url: "http://{at["answers"]}/", headers: {{X-Key: "${{KEY}}"}}, {private}, '
        "expect: {contains: never}}",
        "certificate": f'{{id: p, kind: tls, address: "{at["certificate"]}", server_name: shop.test, {private}}}',
        "names": f'{{id: p, kind: dns, name: shop.test, type: TXT, server: "{at["names"]}", {private}, '
        "expect: {contains: never}}",
        "port": f'{{id: p, kind: tcp, address: "{at["port"]}", send: "x\\r\\n\\r\\n", {private}, '
        'expect: {matches: "^220"}}',
        "page": f'{{id: p, kind: statuspage, url: "http://{at["page"]}/", {private}}}',
        "numbers": f'{{id: p, kind: prometheus, url: "http://{at["numbers"]}", query: up, {private}}}',
        "broker": f'{{id: p, kind: mqtt, url: "mqtt://{at["broker"]}", {private}}}',
    }
    modules = "\n".join(f"  - {{id: {one}, name: {name}, probes: [{probes[one]}]}}" for one in MODULES)
    channels = {
        "pager": f'{{kind: mqtt, url: "mqtt://127.0.0.1:{broker}"}}',
        "mail": f'{{kind: email, server: "{there.mail.server}", security: none, from: a@shop.example, '
        "to: [ann@shop.example]}",
        "hook": f'{{kind: webhook, url: "{there.url}/hook"}}',
        "status": f'{{kind: webhook, url: "{there.url}/status", body: statuspage}}',
        "slack": f'{{kind: slack, url: "{there.url}/slack"}}',
        "alerts": f'{{kind: alertmanager, url: "{there.url}"}}',
        "pool": f'{{kind: apprise, url: ["json://{there.url[7:]}/apprise", "ntfy://{there.url[7:]}/alarms"]}}',
        "duty": f'{{kind: pagerduty, url: "{there.url}/enqueue", routing_key: "${{ROUTE}}"}}',
        "desk": f'{{kind: zendesk, url: "{there.url}/zendesk", username: a@shop.example, token: "${{DESK}}"}}',
    }
    return f"""\
version: 1
site: {{name: {name}, languages: [en, pt-BR], url: "http://127.0.0.1:{page}", subscribe_url: "http://127.0.0.1:{ops}"}}
monitor: {{public: "127.0.0.1:{page}", ops: "127.0.0.1:{ops}", ops_token: "${{OPS}}"}}
defaults: {{interval: 5s, timeout: 2s, confirm: 1s}}
components:
  - group: {{id: shop, name: {name}}}
    items: [{{id: all, name: {name}, modules: [answers]}}]
modules:
{modules}
subscribers: {{through: mail, allow_private: true}}
channels:
{chr(10).join(f"  {one}: {line}" for one, line in channels.items())}
notify: [{{steps: [{{to: [{", ".join(channels)}]}}]}}]
"""


def say(url: str, body: Any, key: str | None = None) -> str:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=10) as answer:
        return str(answer.read().decode())


def texts(there: Abroad) -> dict[str, str]:
    """Everything that was told, as whoever got it reads it: what JSON escapes stands there as it is meant."""
    found = {f"call {number} {path}": read(body) for number, (path, _, body) in enumerate(there.calls)}
    found |= {f"topic {number} {topic}": read(body) for number, (topic, body) in enumerate(there.published)}
    for where in [where for where in found if where.endswith(" /enqueue")]:
        found[where] = found[where].replace(ROUTE, "")  # the one place where it belongs
    for number, mail in enumerate(there.mail.mails):
        for part in mail.walk():
            if part.get_content_maintype() == "text":
                found[f"mail {number}.{part.get_content_subtype()}"] = part.get_content()
        found[f"mail {number} headers"] = "\n".join(f"{key}: {value}" for key, value in mail.items())
    return found


def read(body: bytes) -> str:
    """Every text in a JSON value, a line each; what is no JSON as it stands."""
    try:
        left, lines = [json.loads(body)], []
    except ValueError:
        return body.decode()
    while left:
        match left.pop():
            case str(text):
                lines.append(text)
            case dict(pairs):
                left += [*pairs, *pairs.values()]
            case list(several):
                left += several
    return "\n".join(lines)


def shown(ops: str, data: Path) -> dict[str, str]:
    """What operators and readers are shown of it."""
    paths = [f"/healthcheck/modules/{one}" for one in MODULES] + ["/healthcheck", "/healthcheck/outbox", "/metrics"]
    paths += [f"/api/ops/v1/modules/{one}" for one in MODULES]
    found = {f"{path}.html" if "/api/" not in path and path != "/metrics" else path: ask(ops + path) for path in paths}
    for file in (data / "public").rglob("*"):
        if file.is_file() and file.suffix in (".html", ".json", ".atom", ".rss", ".ics", ".svg"):
            found[f"public {file.relative_to(data / 'public')}"] = file.read_text()
    return found


def ask(url: str) -> str:
    status, body = get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert status == 200, url
    return body


async def subscribe(ops: str, there: Abroad) -> None:
    """One subscriber of each kind, all confirmed."""
    for body in (
        {"webhook": f"{there.url}/subscriber/notice"},
        {"webhook": f"{there.url}/subscriber/status", "format": "statuspage"},
        {"email": "eve@shop.example"},
    ):
        await asyncio.to_thread(say, f"{ops}/subscribe", body)
    (mail,) = await eventually(lambda: mails(there, "eve@shop.example"), 60, "the address is asked")
    link = re.search(r"http://\S+/subscribe/confirm/\S+", mail.get_body(("plain",)).get_content())
    assert link is not None
    assert get(link[0])[0] == 200


def mails(there: Abroad, to: str) -> list[Any]:
    return [mail for mail in there.mail.mails if mail["To"] == to]


async def test_nothing_that_acts_reaches_whoever_is_told(tmp_path: Path) -> None:
    """Every kind of channel, a broker, and subscribers of each kind: what they get is text, in its place, in one line
    where one line is meant; and no secret is in it. Nor is there in what operators and readers see of it."""
    authorities = Authorities(tmp_path)
    page, port = free_port(), free_port()
    ops, data = f"http://127.0.0.1:{port}", tmp_path / "data"
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(mosquitto(tmp_path, authorities))["plain"]
        there = await stack.enter_async_context(abroad(broker))
        ports = await targets(stack, authorities)
        file, log = tmp_path / "probes.yaml", tmp_path / "out"
        file.write_text(configuration(ports, page, port, there, broker))
        arguments = ("run", "--config", str(file), "--data", str(data), "--log-level", "debug")
        async with program(*arguments, log=log, **SECRETS) as one:
            await eventually(lambda: get(f"{ops}/-/healthy")[0] == 200, 60, "it listens")
            await subscribe(ops, there)
            said = {"title": " ".join(HOSTILE.split())[:200], "message": HOSTILE, "modules": ["answers"]}
            await asyncio.to_thread(say, f"{ops}/api/ops/v1/incidents", said, TOKEN)

            def all_told() -> bool:
                found = texts(there)
                told = {where.split()[-1] for where, text in found.items() if "CANARY" in text}
                receivers = {path for path in PATHS if path in told}
                return receivers == PATHS and len(mails(there, "eve@shop.example")) > 1

            await eventually(all_told, 60, "everybody is told")
            seen = await asyncio.to_thread(shown, ops, data)
            assert await one.leave() == 0
        found = texts(there)
        assert sum("CANARY" in text for text in found.values()) > 30
        assert "pwned=1" in seen["/healthcheck/modules/certificate.html"], "the certificate says whose it is"
        for where, text in (found | seen | {"log": log.read_text()}).items():
            assert not ENDS & set(text), where
            assert not [name for name, secret in SECRETS.items() if secret in text], where
            assert not where.endswith("html") or acting(text) == [], where
        placed(there)


def placed(there: Abroad) -> None:
    """What is told stands where it belongs: no topic, header, mention or link was made of it."""
    assert {topic for topic, _ in there.published if not TOPICS.fullmatch(topic)} == set()
    for mail, envelope in zip(there.mail.mails, there.mail.envelopes, strict=True):
        assert set(mail.keys()) <= HEADERS
        assert [len(mail.get_all(name)) for name in mail] == [1] * len(mail)
        assert envelope.rcpt_tos == [mail["To"]]
        assert "\n" not in mail["Subject"]
    for path, headers, body in there.calls:
        assert headers["Host"] == there.url[7:]
        if path == "/slack":
            assert re.findall(rb"<(?!http://127)[^>]*", body) == []
        if path in ("/status", "/subscriber/status") and b'"incident"' in body:
            updates = json.loads(body)["incident"]["incident_updates"]
            assert [one for one in updates if acting(f"<p>{one['body']}</p>")] == []
