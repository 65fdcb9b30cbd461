"""Receiver: the other end of a channel that speaks HTTP. One request, one answer, and what the answer means.

A 2xx means that it took the message. 408, 425, 429, 5xx and everything of the network pass by themselves; another
4xx, and a redirect, which is never followed, stay until somebody changes the configuration. An answer is read up to a
cap, and what is told of it is one line without the channel's secrets.
"""

import asyncio
import errno
import json
import os
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
from yarl import URL

from monitor.internet import url_of
from monitor.mask import Mask
from monitor.notify.channel import DeliveryFailed

PASSING = frozenset({408, 425, 429})
LARGEST_ANSWER = 256 * 1024  # bytes read of an answer
LONGEST_PAUSE = timedelta(hours=72)  # as long as anybody wants to hear of anything
SAID = 200  # characters told of an answer
_KEYS = ("secret", "password", "token", "routing_key")
MOST_INTERIM = 128  # answers 1xx before the one that counts: a flood of them would keep the event loop busy
BODY_TIME = 5.0  # seconds that the body of an answer may take once its status is known


class Section(Protocol):
    """What the configuration says of every channel that speaks HTTP."""

    url: str
    timeout: timedelta
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status, and the beginning of its body."""

    status: int
    text: str

    def json(self) -> Any:
        """The body as JSON, None when it is none."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.text)
        return None


def secrets_of(section: object, more: Iterable[str] = ()) -> Mask:
    """Hides what of a channel nobody may see: passwords, keys, values of headers, and the way in its addresses."""
    found = [*more, *(str(value) for key in _KEYS if (value := getattr(section, key, None)))]
    for value in getattr(section, "headers", {}).values():
        found += [value, *value.split()[1:]]
    urls = getattr(section, "url", ())
    for text in [urls] if isinstance(urls, str) else urls:
        found += _ways(text)
    return Mask(found)


def _ways(text: str) -> Iterable[str]:
    """An address, and what in it may be a key: a user's password, parts of the path and values of the query."""
    yield text
    with suppress(ValueError):
        url = URL(text)
        yield from filter(None, (url.password, url.raw_password))
        yield from (part for part in (*url.parts, *url.raw_parts, *url.query.values()) if len(part) >= 8)


def trust(ca_file: str | None) -> ssl.SSLContext:
    """The authorities of the system, and those of a file beside them."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class Reply(aiohttp.ClientResponse):
    """As aiohttp's, but with few answers 1xx before it: a flood of them would hold up the event loop."""

    async def start(self, connection: Any) -> "Reply":
        """Raises ClientResponseError when there are too many of them."""
        protocol, left = connection.protocol, MOST_INTERIM
        read = protocol.read

        async def counted() -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise aiohttp.http_exceptions.HttpProcessingError(code=400, message="too many answers 1xx")
            return await read()

        protocol.read = counted
        await super().start(connection)
        return self


class Receiver:
    """Sends requests in the name of one channel. `busy` are further statuses that this service means as passing,
    `secrets` what besides the configuration must not be told."""

    def __init__(self, section: Section, busy: Iterable[int] = (), secrets: Iterable[str] = ()) -> None:
        self.mask = secrets_of(section, secrets)
        self._limit = section.timeout.total_seconds()
        self._ca_file = section.ca_file
        self._busy = PASSING | set(busy)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer to one request, when it is a 2xx. Raises DeliveryFailed, at the latest when the channel's time
        is up."""
        host = url.host or ""
        try:
            answer, given = await self._exchange(method, url, body, headers)
        except TimeoutError:
            raise DeliveryFailed(f"{host} did not answer within {self._limit:g} s") from None
        except aiohttp.ClientConnectorCertificateError as error:
            said = self._said(error.certificate_error)
            raise DeliveryFailed(f"{host}: its certificate is not trusted: {said}") from None
        except aiohttp.ClientConnectorError as error:
            raise DeliveryFailed(f"{host} cannot be reached at port {url.port}: {self._unreached(error)}") from None
        except (aiohttp.InvalidURL, ValueError) as error:
            raise DeliveryFailed(f"{host}: the request cannot be made: {self._said(error)}", permanent=True) from None
        except aiohttp.ServerDisconnectedError:  # it holds whatever came until then
            raise DeliveryFailed(f"{host} closed the connection before it had answered") from None
        except aiohttp.ClientResponseError as error:  # aiohttp calls it a status 400, and nobody answered that
            raise DeliveryFailed(f"{host} gave no HTTP answer: {self._said(error.message)}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryFailed(f"{host}: {self._said(error)}") from None
        if 200 <= answer.status < 300:
            return answer
        raise self._failure(host, answer, given)

    async def post(self, url: URL, payload: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """The same for a POST of JSON."""
        return await self.send("POST", url, *as_json(payload, headers))

    async def close(self) -> None:
        """Closes what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Answer, Mapping[str, str]]:
        session = await self._open()
        asked = {"User-Agent": "vtex-monitor", "Accept-Encoding": "identity", **headers}
        async with asyncio.timeout(self._limit):
            response = await session.request(method, url, data=body, headers=asked, allow_redirects=False)
        try:
            text = await _beginning(response, min(self._limit, BODY_TIME))
        finally:
            response.close()
        return Answer(response.status, text), response.headers

    async def _open(self) -> aiohttp.ClientSession:
        """One session for all requests. Each has a connection of its own: one that was kept may be dead already, and a
        request that was sent into it must not be repeated."""
        if self._session is None:
            try:
                context = await asyncio.to_thread(trust, self._ca_file)
            except (OSError, ssl.SSLError) as error:
                raise DeliveryFailed(f"`ca_file` cannot be used: {self._said(error)}") from None
            if self._session is None:  # a test may have come in between
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None),  # `send` has the limit
                    auto_decompress=False,
                    response_class=Reply,
                )
                self._session._retry_connection = False  # aiohttp makes a PUT twice when the connection breaks
        return self._session

    def _failure(self, host: str, answer: Answer, given: Mapping[str, str]) -> DeliveryFailed:
        if 300 <= answer.status < 400:
            where = self.mask.line(_host_of(given.get("Location", "")) or "nowhere", SAID)
            said = f"{host} redirects to {where} (status {answer.status}); `url` must be the final address"
            return DeliveryFailed(said, permanent=True)
        said = self.mask.line(answer.text, SAID)
        passing = answer.status in self._busy or not 400 <= answer.status < 500
        return DeliveryFailed(
            f"{host} answered {answer.status}" + (f": {said}" if said else ""),
            permanent=not passing,
            retry_after=pause(given, datetime.now(UTC)) if passing else None,
        )

    def _unreached(self, error: aiohttp.ClientConnectorError) -> str:
        """In the words of the system where it has some: the library's name the address once more."""
        foreign = isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(error.os_error, ssl.SSLError)
        if not foreign and error.errno is not None and error.errno in errno.errorcode:
            return os.strerror(error.errno)
        return self.mask.line(error.strerror or "", SAID) or self._said(error.os_error)

    def _said(self, error: BaseException | str) -> str:
        return self.mask.line(str(error), SAID) or type(error).__name__


def as_json(payload: Any, headers: Mapping[str, str] | None = None) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a JSON request, in ASCII: half characters and all, whatever a text holds."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return body, {"Content-Type": "application/json", **(headers or {})}


def sent(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of the configuration; one whose value is empty is not sent."""
    return {name: value for name, value in headers.items() if value}


def pause(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What `Retry-After` asks for, as seconds or as a date, which the `Date` of the same answer is compared with."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    until = _date(text)
    if until is None:
        return None
    return min(max(until - (_date(headers.get("Date", "")) or now), timedelta(0)), LONGEST_PAUSE)


def _date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _host_of(location: str) -> str | None:
    with suppress(ValueError):
        return url_of(location).host
    return None


async def _beginning(response: aiohttp.ClientResponse, seconds: float) -> str:
    """The body up to the cap. What goes wrong after the status takes nothing back of what the status said."""
    kept = bytearray()
    with suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(seconds):
            async for chunk in response.content.iter_chunked(16384):
                kept += chunk
                if len(kept) >= LARGEST_ANSWER:
                    break
    return kept[:LARGEST_ANSWER].decode("utf-8", "replace")
