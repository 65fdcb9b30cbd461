"""Lasting: a connection to an MQTT broker for as long as somebody keeps it, made anew after each break.

MQTT 5 where the broker offers it; nothing beyond 3.1.1 is needed. What a connection is for, its two kinds say: the
channel of notices, and the link between places.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from random import random
from typing import Any, Protocol

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from yarl import URL

from monitor.connection import FOREIGN, LARGEST, PORTS, Connection, NoWelcome, code_of, first_of, said_of, tls_of

log = logging.getLogger(__name__)
_QUIET = logging.getLogger("monitor.lasting.library")
_QUIET.setLevel(logging.CRITICAL)  # what it says of a broken connection is told here, once

KEEPALIVE = 10  # seconds; a broker that is silent is noticed within two of them
PATIENCE = 10.0  # seconds for any answer of the broker
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before the next try to connect
HELD = 10.0  # seconds a connection has to last to count as one
MOST_WAITING = 1000  # messages that came in


class Address(Protocol):
    """Where the broker is, and who we are there. Name and password stand in `url` or beside it."""

    @property
    def url(self) -> str: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password(self) -> str | None: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def cert_file(self) -> str | None: ...
    @property
    def key_file(self) -> str | None: ...


class LinkFailed(Exception):
    """It did not get to the broker; the text says why. The same may be published again."""


class Lasting(ABC):
    """Keeps a connection while `keep` runs. `trouble` says why there is none.

    `session` is for how many seconds the broker keeps what comes while nobody is here, 0: not at all. `asks` is what
    a broker of MQTT 5 is asked for besides. `most_waiting` messages that came in are held, 0: all of them; the library
    throws away what is more. None is larger than `largest` bytes, and `kept` of each are handed on, None: all. Without
    `verify` the broker may show any certificate.
    """

    def __init__(
        self,
        address: Address,
        *,
        session: int,
        asks: Mapping[str, int],
        most_waiting: int = MOST_WAITING,
        largest: int = LARGEST,
        kept: int | None = None,
        verify: bool = True,
    ) -> None:
        self.online = asyncio.Event()
        self.trouble: str | None = "not connected yet"
        self._address = address
        self._url = URL(address.url)
        self._name = f"{self._url.host}:{self._url.explicit_port or PORTS[self._url.scheme]}"
        self._session = session
        self._asks = asks
        self._most_waiting = most_waiting
        self._largest, self._kept = largest, kept
        self._verify = verify
        self._version = aiomqtt.ProtocolVersion.V5
        self._known = False  # which version it speaks
        self._client: Connection | None = None
        self._unanswered = asyncio.Event()
        self._wanted = asyncio.Event()  # now is worth a try to connect

    @abstractmethod
    def _identity(self) -> str:
        """Our name, which nobody else has: a broker takes two clients of one name for the same one, and throws the
        first out."""

    @abstractmethod
    def _will(self) -> aiomqtt.Will | None:
        """What the broker says for us when we are gone."""

    @abstractmethod
    async def _begin(self, client: Connection) -> None:
        """Everything can be read that is to be, before the connection counts as one."""

    @abstractmethod
    def _jobs(self, client: Connection) -> Iterable[Coroutine[Any, Any, None]]:
        """What goes on as long as the connection does."""

    async def keep(self) -> None:
        """Keeps a connection, until cancelled."""
        pause, now = FIRST_PAUSE, asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                async with await self._opened() as client:
                    self._known, self._client = True, client
                    await self._tend(client)
            except* (aiomqtt.MqttError, LinkFailed, OSError, ValueError, TimeoutError) as errors:
                self._broken(first_of(errors))
            except* Exception as errors:
                log.error("broker %s: not foreseen", self._name, exc_info=errors)
                self._broken(first_of(errors))
            finally:
                self.online.clear()
                self._client = None
            _still_wanted()
            if now() - began > HELD:
                pause = FIRST_PAUSE
            with suppress(TimeoutError):
                async with asyncio.timeout(pause * (0.5 + random() / 2)):
                    await self._wanted.wait()
            self._wanted.clear()
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _said(self, topic: str, payload: bytes, retain: bool, properties: Properties | None = None) -> int:
        """Published at QoS 1: the reason code that the broker gives it. Raises LinkFailed."""
        if self._client is None:
            raise LinkFailed(f"no connection to the broker: {self.trouble}")
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._client.say(topic, payload, retain, properties)
        except TimeoutError:
            self._unanswered.set()
            self.online.clear()
            raise LinkFailed(f"the broker did not acknowledge within {PATIENCE:g} s") from None
        except aiomqtt.MqttError as error:
            self.online.clear()
            raise LinkFailed(said_of(error)) from None

    async def _opened(self) -> Connection:
        address, url = self._address, self._url
        tls = None
        if url.scheme in ("mqtts", "wss"):
            files = address.ca_file, address.cert_file, address.key_file
            tls = await asyncio.to_thread(tls_of, *files, self._verify)
        session: dict[str, Any] = {"clean_session": not self._session}
        if self._version is aiomqtt.ProtocolVersion.V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            for name, value in self._asks.items():
                setattr(properties, name, value)
            if self._session:
                properties.SessionExpiryInterval = self._session
            session = {"clean_start": not self._session, "properties": properties}
        return Connection(
            url.host or "",
            url.explicit_port or PORTS[url.scheme],
            username=address.username if address.username is not None else url.user,
            password=address.password if address.password is not None else url.password,
            identifier=self._identity(),
            protocol=self._version,
            will=self._will(),
            transport="websockets" if url.scheme in ("ws", "wss") else "tcp",
            websocket_path=url.raw_path_qs if url.scheme in ("ws", "wss") else None,
            timeout=PATIENCE,
            keepalive=KEEPALIVE,
            max_queued_incoming_messages=self._most_waiting,
            largest=self._largest,
            kept=self._kept,
            tls_context=tls,
            logger=_QUIET,
            **session,
        )

    async def _tend(self, client: Connection) -> None:
        """What a connection is for. Returns by an exception only."""
        await self._begin(client)
        if self.trouble is not None:
            log.info("broker %s: connected", self._name)
        self.trouble = None
        self.online.set()
        self._unanswered.clear()
        async with asyncio.TaskGroup() as group:
            for job in self._jobs(client):
                group.create_task(job)
            await self._unanswered.wait()
            raise LinkFailed("the broker does not acknowledge")  # it would take only so many on one connection

    def _broken(self, error: BaseException) -> None:
        """Says so once; a broker that never answered in this version may speak the other one."""
        said = said_of((self._client and self._client.fault) or error)
        if self.online.is_set() or self.trouble != said:
            log.warning("broker %s: %s", self._name, said)
        self.trouble = said
        foreign = isinstance(error, aiomqtt.MqttCodeError) and code_of(error.rc or 0) in FOREIGN
        if not self._known and (foreign or isinstance(error, NoWelcome)):
            versions = aiomqtt.ProtocolVersion
            self._version = versions.V311 if self._version is versions.V5 else versions.V5


def _still_wanted() -> None:
    """Raises CancelledError where a broken connection and our end came together: a group of tasks that has errors to
    tell says nothing of having been cancelled (CPython until 3.13)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
