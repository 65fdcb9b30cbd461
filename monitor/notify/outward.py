"""Outward: calls to addresses that strangers named. They go to the Internet at large, over TLS, and nowhere else.

Every address is checked when it is dialled, and what was checked is what is dialled, so that a name which leads
somewhere else the second time gains nothing. Redirects are never followed.
"""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from monitor.internet import is_public
from monitor.notify.channel import DeliveryFailed
from monitor.notify.receiver import Answer, Receiver, Reply, trust

LIMIT = timedelta(seconds=10)


class Gone(DeliveryFailed):
    """The receiver says that there will never be anybody there again."""


class _Guarded(aiohttp.TCPConnector):
    """Connects to public addresses only."""

    async def _resolve_host(self, host: str, port: int, traces: Any = None) -> Any:
        found = await super()._resolve_host(host, port, traces)
        public = [one for one in found if is_public(ip_address(one["host"].partition("%")[0]))]
        if not public:
            raise OSError("its address is not one of the Internet at large")
        return public


class Outward(Receiver):
    """Posts to any address. `allow_private`: also to private and loopback ones, and without TLS."""

    def __init__(self, *, allow_private: bool = False, ca_file: str | None = None) -> None:
        super().__init__(SimpleNamespace(url="", timeout=LIMIT, ca_file=ca_file))
        self._allow_private = allow_private
        self._authorities = ca_file
        self._opening = asyncio.Lock()

    async def tell(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Posts JSON. Raises Gone where nobody will ever be, DeliveryFailed for everything else that is no 2xx."""
        return await self.send("POST", URL(url), body, {"Content-Type": "application/json", **headers})

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:  # many begin at once
            if self._session is None:
                self._session = await self._opened()
            return self._session

    async def _opened(self) -> aiohttp.ClientSession:
        try:
            context = await asyncio.to_thread(trust, self._authorities)
        except (OSError, ssl.SSLError):
            raise DeliveryFailed("`monitor.ca_file` cannot be used") from None
        connector = aiohttp.TCPConnector if self._allow_private else _Guarded
        return aiohttp.ClientSession(
            connector=connector(ssl=context, force_close=True, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # `send` has the limit
            auto_decompress=False,
            response_class=Reply,
        )

    def _failure(self, host: str, answer: Answer, given: Mapping[str, str]) -> DeliveryFailed:
        if answer.status == 410:
            return Gone("gone", permanent=True)
        return super()._failure(host, answer, given)
