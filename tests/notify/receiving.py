"""Receivers on loopback that keep what they got, and answer as they are told."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from ssl import SSLContext
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator, FormatChecker
from multidict import CIMultiDict

from monitor.notify.channel import Channel
from tests.notify.notices import channel

SCHEMAS = Path(__file__).parent / "schemas"


@dataclass
class Got:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Cut(Exception):
    """The connection ends here, without an answer."""


Answering = Callable[[Got], web.Response]


@dataclass
class Receiving:
    """A running receiver."""

    url: str
    got: list[Got] = field(default_factory=list)

    @property
    def last(self) -> Got:
        return self.got[-1]


@asynccontextmanager
async def receiving(
    answering: Answering = lambda got: web.Response(), tls: SSLContext | None = None
) -> AsyncIterator[Receiving]:
    """A receiver that answers every request by this function."""
    receiver = Receiving("")

    async def handle(request: web.Request) -> web.Response:
        got = Got(request.method, request.path, dict(request.query), CIMultiDict(request.headers), await request.read())
        receiver.got.append(got)
        try:
            return answering(got)
        except Cut:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def facing(
    kind: str, answering: Answering = lambda got: web.Response(), path: str = "", **keys: Any
) -> AsyncIterator[tuple[Receiving, Channel]]:
    """An open channel and the receiver that it posts to."""
    async with receiving(answering) as receiver, channel(kind, url=receiver.url + path, **keys) as opened:
        yield receiver, opened


def says(status: int = 200, text: str = "", **headers: str) -> Answering:
    """Always the same answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda got: web.Response(status=status, text=text, headers=named)


def check(schema: str, value: Any) -> None:
    """Holds a value against a published schema, kept in `schemas/`."""
    validator(schema).validate(value)


@cache
def validator(schema: str) -> Draft202012Validator:
    """Reading it takes longer than using it."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{schema}.json").read_text()), format_checker=FormatChecker())
