"""The mqtt channel: notices, and the state of everything as retained messages, on the topics of `docs/notices.md`.

One connection for as long as the monitor runs, made anew after each break. Every message is published at QoS 1 and
awaited, with the reason code that the broker gives it: a topic one may not write to is told instead of lost. The states
that are retained are published again after every break, so a broker that forgot them has them back.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from random import random
from socket import gethostname
from typing import Any, Protocol

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from yarl import URL

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
from monitor.core.identity import stable_id
from monitor.core.outbox import PAGES
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import priority_of
from monitor.notify.discovery import entities, node_of
from monitor.notify.patience import ended
from monitor.notify.words import Acknowledged, Words

log = logging.getLogger(__name__)
_QUIET = logging.getLogger("monitor.notify.mqtt.library")
_QUIET.setLevel(logging.CRITICAL)  # what it says of a broken connection is told here, once

KEEPALIVE = 10  # seconds; a broker that is silent is noticed within two of them
PATIENCE = 10.0  # seconds for any answer of the broker
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds before the next try to connect
HELD = 10.0  # seconds a connection has to last to count as one
SESSION = 3600  # seconds for which a broker keeps what people published meanwhile
EXPIRY, EXPIRY_OTHERWISE = 24 * 3600, 72 * 3600  # seconds, pages and the rest, after which nobody wants a notice
MOST_MESSAGES = 1000  # of all that comes in, our own states among it


class Section(Protocol):
    """What the configuration says of it."""

    url: str
    prefix: str
    username: str | None
    password: str | None
    ca_file: str | None
    cert_file: str | None
    key_file: str | None
    verify: bool
    discovery: str | None
    language: str


class Refused(DeliveryFailed):
    """The broker lets nobody of our name write there."""


class Mqtt:
    """See Channel. `client` tells this channel of this monitor from every other one: a broker takes two
    clients of one id for the same one, and throws the first out."""

    def __init__(self, section: Section) -> None:
        self.client = ""
        self.trouble: str | None = "not connected yet"
        self._section = section
        self._url = URL(section.url)
        self._name = f"{self._url.host}:{self._url.explicit_port or PORTS[self._url.scheme]}"
        self._prefix = section.prefix.rstrip("/")
        self._words = Words(self._topic("acknowledge"))
        self._hub = section.discovery and section.discovery.rstrip("/")
        self._version = aiomqtt.ProtocolVersion.V5
        self._known = False  # which version it speaks
        self._states: dict[str, bytes] | None = None  # not known yet: nothing is cleared
        self._shown: dict[str, bytes] = {}
        self._told: set[str] = set()
        self._news = asyncio.Event()
        self._online = asyncio.Event()
        self._client: Connection | None = None
        self._unanswered = asyncio.Event()
        self._leaving = False
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def acknowledged(self) -> Acknowledged | None:
        """Who is told what people say under `acknowledge`; see Words."""
        return self._words.acknowledged

    @acknowledged.setter
    def acknowledged(self, acknowledged: Acknowledged | None) -> None:
        self._words.acknowledged = acknowledged

    async def deliver(self, message: Message) -> str | None:
        """Publishes a notice under `notices`."""
        self._start()
        if not self._online.is_set():
            self._wanted.set()  # a notice that is to leave now is worth a try to connect
        try:
            async with asyncio.timeout(PATIENCE / 2):
                await self._online.wait()
        except TimeoutError:
            raise DeliveryFailed(f"no connection to the broker: {self.trouble}") from None
        payload = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        properties = self._properties(message)
        await self._publish(self._topic("notices"), payload, retain=False, properties=properties)
        return None

    def show(self, states: Mapping[str, bytes]) -> None:
        """From now on these are the retained states, by topic below the prefix; what is in it no more is cleared."""
        found = entities(self._hub, self._prefix, states, self._section.language) if self._hub else {}
        self._states = {self._topic(topic): payload for topic, payload in states.items()} | found
        self._news.set()
        self._start()

    async def close(self) -> None:
        """Says goodbye, so that nobody takes it for a crash."""
        task, self._task, self._leaving = self._task, None, True
        if task is not None:
            await self._leave(task)

    async def _leave(self, task: asyncio.Task[None]) -> None:
        if self._client is not None and self._online.is_set():
            with suppress(DeliveryFailed, TimeoutError):
                async with asyncio.timeout(1):
                    await self._publish(self._topic("monitor"), b"offline", retain=True)
        await ended(task, 2.0)

    # -- the connection ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._leaving = False
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep(), name=f"mqtt {self._name}")

    async def _keep(self) -> None:
        """Keeps a connection, until cancelled."""
        pause, now = FIRST_PAUSE, asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                async with await self._opened() as client:
                    self._known, self._client = True, client
                    await self._tend(client)
            except* (aiomqtt.MqttError, DeliveryFailed, OSError, ValueError, TimeoutError) as errors:
                self._broken(first_of(errors))
            except* Exception as errors:
                log.error("broker %s: not foreseen", self._name, exc_info=errors)
                self._broken(first_of(errors))
            finally:
                self._online.clear()
                self._client = None
            if now() - began > HELD:
                pause = FIRST_PAUSE
            with suppress(TimeoutError):
                async with asyncio.timeout(pause * (0.5 + random() / 2)):
                    await self._wanted.wait()
            self._wanted.clear()
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _opened(self) -> Connection:
        section, url = self._section, self._url
        tls = (
            await asyncio.to_thread(tls_of, section.ca_file, section.cert_file, section.key_file, section.verify)
            if url.scheme in ("mqtts", "wss")
            else None
        )
        v5 = self._version is aiomqtt.ProtocolVersion.V5
        session: dict[str, Any] = {"clean_session": False}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION
            session = {"clean_start": False, "properties": properties}
        return Connection(
            url.host or "",
            url.explicit_port or PORTS[url.scheme],
            username=section.username if section.username is not None else url.user,
            password=section.password if section.password is not None else url.password,
            identifier=f"vtex-monitor-{stable_id(f'mqtt:{self._prefix}:{gethostname()}:{self.client}')}",
            protocol=self._version,
            will=aiomqtt.Will(self._topic("monitor"), b"offline", qos=1, retain=True),
            transport="websockets" if url.scheme in ("ws", "wss") else "tcp",
            websocket_path=url.raw_path_qs if url.scheme in ("ws", "wss") else None,
            timeout=PATIENCE,
            keepalive=KEEPALIVE,
            max_queued_incoming_messages=MOST_MESSAGES,
            tls_context=tls,
            logger=_QUIET,
            **session,
        )

    def _broken(self, error: BaseException) -> None:
        """Says so once; a broker that never answered in this version may speak the other one."""
        said = said_of(error)
        if self._online.is_set() or self.trouble != said:
            log.warning("broker %s: %s", self._name, said)
        self.trouble = said
        foreign = isinstance(error, aiomqtt.MqttCodeError) and code_of(error.rc or 0) in FOREIGN
        if not self._known and (foreign or isinstance(error, NoWelcome)):
            versions = aiomqtt.ProtocolVersion
            self._version = versions.V311 if self._version is versions.V5 else versions.V5

    async def _tend(self, client: Connection) -> None:
        """What a connection is for. Returns by an exception only."""
        await self._state(self._topic("monitor"), b"online", client)
        for topic in self._read_topics():
            answers = await client.subscribe(topic, qos=1)
            if (code := max(code_of(one) for one in answers)) >= REFUSED:
                log.warning("broker %s does not let us read %s (reason %#04x)", self._name, topic, code)
        self._shown = {}
        if self.trouble is not None:
            log.info("broker %s: connected", self._name)
        self.trouble = None
        self._news.set()
        self._online.set()
        self._unanswered.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(client))
            group.create_task(self._words.follow())
            group.create_task(self._show(client))
            await self._unanswered.wait()
            raise aiomqtt.MqttError("the broker does not acknowledge")  # it would take only so many on one connection

    def _read_topics(self) -> list[str]:
        """Where people speak, and where states are retained that may have changed while nobody was here."""
        own = [self._topic(one) for one in ("acknowledge", "incidents/+", "modules/+", "monitor")]
        return [*own, f"{self._hub}/binary_sensor/{node_of(self._prefix)}/+/config"] if self._hub else own

    async def _show(self, client: Connection) -> None:
        """Publishes the states that differ from what the broker was last given."""
        while True:
            await self._news.wait()
            self._news.clear()
            wanted = self._states
            if wanted is None:
                continue
            for topic in [one for one in self._shown if one not in wanted]:
                await self._state(topic, b"", client)
                del self._shown[topic]
            for topic, payload in wanted.items():
                if self._shown.get(topic) != payload:
                    await self._state(topic, payload, client)
                    self._shown[topic] = payload

    async def _state(self, topic: str, payload: bytes, client: Connection) -> None:
        """A retained state. That it may not be written is told once, and keeps no notice from leaving."""
        try:
            await self._publish(topic, payload, retain=True, client=client)
        except Refused as error:
            if str(error) not in self._told:
                log.warning("broker %s: %s", self._name, error)
            self._told.add(str(error))

    async def _read(self, client: Connection) -> None:
        """What comes in: words of people, and states that were retained before us."""
        async for message in client.messages:
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if topic == self._topic("acknowledge"):
                if not message.retain:  # a word is said once; one that was left there would be said at each connection
                    self._words.take(payload)
            elif topic == self._topic("monitor"):
                if payload == b"offline" and not self._leaving:  # some connection ended, and here we are
                    await self._state(topic, b"online", client)
            elif payload and topic not in (self._states or ()) and topic not in self._shown:
                self._shown[topic] = payload  # what ended while nobody was here is cleared
                self._news.set()
        raise aiomqtt.MqttError("the connection ended")

    # -- publishing --------------------------------------------------------------------------------------------------

    async def _publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        properties: Properties | None = None,
        client: Connection | None = None,
    ) -> None:
        """Returns once the broker has it. Raises DeliveryFailed with what the broker says."""
        to = client or self._client
        if to is None:
            raise DeliveryFailed(f"no connection to the broker: {self.trouble}")
        try:
            async with asyncio.timeout(PATIENCE):
                code = await to.say(topic, payload, retain, properties)
        except TimeoutError:
            self._unanswered.set()
            self._online.clear()
            raise DeliveryFailed(f"the broker did not acknowledge within {PATIENCE:g} s") from None
        except aiomqtt.MqttError as error:
            self._online.clear()
            raise DeliveryFailed(said_of(error)) from None
        if code >= REFUSED:
            raise Refused(f"the broker refuses {topic}: {reason_of(code)}")

    def _topic(self, topic: str) -> str:
        return f"{self._prefix}/{topic}"

    def _properties(self, message: Message) -> Properties | None:
        """What MQTT 5 says beside a message; 3.1.1 has nothing of the kind."""
        if self._version is not aiomqtt.ProtocolVersion.V5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = EXPIRY if priority_of(message) in PAGES else EXPIRY_OTHERWISE
        properties.ContentType = "application/json"
        properties.UserProperty = [("event_id", str(message.payload["event_id"]))]
        return properties
