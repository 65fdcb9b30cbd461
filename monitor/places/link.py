"""Link: one connection to the broker for as long as somebody keeps it, made anew after each break.

MQTT 5 where the broker offers it; nothing beyond 3.1.1 is needed. What is published at QoS 1 is awaited with the reason
code that the broker gives it: a topic one may not write to is told instead of lost, and so is one that nobody reads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from yarl import URL

from monitor.config import Broker
from monitor.connection import (
    FOREIGN,
    PORTS,
    REFUSED,
    Connection,
    NoWelcome,
    code_of,
    first_of,
    reason_of,
    said_of,
    tls_of,
)
from monitor.places.seal import MOST_SEALED

log = logging.getLogger(__name__)
_QUIET = logging.getLogger("monitor.places.link.library")
_QUIET.setLevel(logging.CRITICAL)  # what it says of a broken connection is told here, once

KEEPALIVE = 10  # seconds; a broker that is silent is noticed within two of them
PATIENCE = 10.0  # seconds for any answer of the broker
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before the next try to connect
HELD = 10.0  # seconds a connection has to last to count as one
MOST_WAITING = 1000  # messages that came in
LARGEST = 2 * MOST_SEALED  # bytes of a message, its topic and all included, that a broker of MQTT 5 is not to exceed
NOBODY = 0x10  # the reason code by which MQTT 5 says that nobody reads what was published


class LinkFailed(Exception):
    """It did not get to the broker; the text says why. The same may be published again."""


class NotAllowed(LinkFailed):
    """The broker lets nobody of our name write there."""


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came in. `done` tells the broker so, where the link leaves that to whoever receives."""

    topic: str
    payload: bytes
    retained: bool
    done: Callable[[], None]


Receive = Callable[[Came], Awaitable[None]]


class Link:
    """Keeps a connection while `keep` runs. Each message that comes in is given to `receive`, one at a time, in order.

    `filters` are read, by topic with their QoS. `session` is for how many seconds the broker keeps what comes while
    nobody is here, 0: not at all. `manual`: the broker is told of a message only by `Came.done`, and gives whatever it
    was not told of again. `at_most` messages are under way to us at a time, where the broker can be asked for that.
    `will` gives topic and payload of what the broker says for us when we are gone. `connected` runs at each connection
    once everything can be read.
    """

    def __init__(
        self,
        broker: Broker,
        client: str,
        receive: Receive,
        filters: Mapping[str, int],
        *,
        session: int = 0,
        manual: bool = False,
        at_most: int = 100,
        will: Callable[[], tuple[str, bytes]] | None = None,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.online = asyncio.Event()
        self.trouble: str | None = "not connected yet"
        self.unread: set[str] = set()  # topics that nobody reads, as far as the broker tells
        self.refused: dict[str, str] = {}  # topics that the broker keeps from us, and what it says
        self._broker = broker
        self._url = URL(broker.url)
        self._name = f"{self._url.host}:{self._url.explicit_port or PORTS[self._url.scheme]}"
        self._identity = client
        self._receive = receive
        self._filters = dict(filters)
        self._session = session
        self._manual = manual
        self._at_most = at_most
        self._will = will
        self._connected = connected
        self._version = aiomqtt.ProtocolVersion.V5
        self._known = False  # which version it speaks
        self._client: Connection | None = None
        self._unanswered = asyncio.Event()

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
            if now() - began > HELD:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + random() / 2))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns once the broker has it, at QoS 1. Raises LinkFailed, NotAllowed where the broker refuses it."""
        client = self._client
        if client is None:
            raise LinkFailed(f"no connection to the broker: {self.trouble}")
        try:
            async with asyncio.timeout(PATIENCE):
                code = await client.say(topic, payload, retain, None)
        except TimeoutError:
            self._unanswered.set()
            raise LinkFailed(f"the broker did not acknowledge within {PATIENCE:g} s") from None
        except aiomqtt.MqttError as error:
            raise LinkFailed(said_of(error)) from None
        if code >= REFUSED:
            self._told(topic, reason_of(code))
            raise NotAllowed(f"the broker refuses {topic}: {reason_of(code)}")
        if self.refused.pop(topic, None) is not None:
            log.info("broker %s takes %s again", self._name, topic)
        if code == NOBODY and topic not in self.unread and not retain:
            log.warning("broker %s: nobody reads %s", self._name, topic)
        (self.unread.add if code == NOBODY else self.unread.discard)(topic)

    def mention(self, topic: str, payload: bytes) -> None:
        """Publishes at QoS 0, if there is a connection: nobody knows whether it arrives."""
        if self._client is not None:
            self._client.mention(topic, payload)

    # -- the connection ----------------------------------------------------------------------------------------------

    async def _opened(self) -> Connection:
        broker, url = self._broker, self._url
        tls = None
        if url.scheme in ("mqtts", "wss"):
            tls = await asyncio.to_thread(tls_of, broker.ca_file, broker.cert_file, broker.key_file)
        session: dict[str, Any] = {"clean_session": not self._session}
        if self._version is aiomqtt.ProtocolVersion.V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = self._at_most
            properties.MaximumPacketSize = LARGEST
            if self._session:
                properties.SessionExpiryInterval = self._session
            session = {"clean_start": not self._session, "properties": properties}
        will = self._will() if self._will else None
        client = Connection(
            url.host or "",
            url.explicit_port or PORTS[url.scheme],
            username=broker.username if broker.username is not None else url.user,
            password=broker.password if broker.password is not None else url.password,
            identifier=self._identity,
            protocol=self._version,
            will=aiomqtt.Will(*will, qos=1) if will else None,
            transport="websockets" if url.scheme in ("ws", "wss") else "tcp",
            websocket_path=url.raw_path_qs if url.scheme in ("ws", "wss") else None,
            timeout=PATIENCE,
            keepalive=KEEPALIVE,
            # The library throws away what is more. By hand the broker would never give it again: it is asked not to.
            max_queued_incoming_messages=0 if self._manual else MOST_WAITING,
            tls_context=tls,
            logger=_QUIET,
            **session,
        )
        if self._manual:
            client.acknowledge_by_hand()
        return client

    async def _tend(self, client: Connection) -> None:
        """What a connection is for. Returns by an exception only."""
        for topic, qos in self._filters.items():
            answers = await client.subscribe(topic, qos=qos)
            if (code := max(code_of(one) for one in answers)) >= REFUSED:
                self._told(topic, f"{reason_of(code)}: it cannot be read")
            else:
                self.refused.pop(topic, None)
        if self.trouble is not None:
            log.info("broker %s: connected", self._name)
        self.trouble = None
        self.online.set()
        self._unanswered.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(client))
            if self._connected is not None:
                group.create_task(self._begin(self._connected))
            await self._unanswered.wait()
            raise LinkFailed("the broker does not acknowledge")  # it would take only so many on one connection

    async def _begin(self, connected: Callable[[], Awaitable[None]]) -> None:
        with suppress(NotAllowed):  # told already
            await connected()

    async def _read(self, client: Connection) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            came = Came(
                message.topic.value, payload, message.retain, client.done(message) if self._manual else _nothing
            )
            try:
                await self._receive(came)
            except LinkFailed:
                raise
            except Exception:
                log.exception("a message under %s was not understood", came.topic)
        raise LinkFailed("the connection ended")

    def _told(self, topic: str, why: str) -> None:
        """That the broker keeps a topic from us is loud, once: nothing that is meant for it will ever arrive."""
        if self.refused.get(topic) != why:
            log.error("broker %s refuses us %s: %s. Are its access rules right?", self._name, topic, why)
        self.refused[topic] = why

    def _broken(self, error: BaseException) -> None:
        """Says so once; a broker that never answered in this version may speak the other one."""
        said = said_of(error)
        if self.online.is_set() or self.trouble != said:
            log.warning("broker %s: %s", self._name, said)
        self.trouble = said
        foreign = isinstance(error, aiomqtt.MqttCodeError) and code_of(error.rc or 0) in FOREIGN
        if not self._known and (foreign or isinstance(error, NoWelcome)):
            versions = aiomqtt.ProtocolVersion
            self._version = versions.V311 if self._version is versions.V5 else versions.V5


def _nothing() -> None:
    """The broker was told already."""
