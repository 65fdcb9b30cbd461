"""The mqtt channel: notices, and the state of everything as retained messages, on the topics of `docs/notices.md`.

Every message is published at QoS 1 and awaited, with the reason code that the broker gives it: a topic one may not
write to is told instead of lost. The states that are retained are published again after every break, so a broker that
forgot them has them back.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from socket import gethostname
from typing import Any, Protocol

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from monitor import lasting
from monitor.connection import LARGEST, REFUSED, Connection, code_of, reason_of
from monitor.core.identity import stable_id
from monitor.core.outbox import PAGES
from monitor.lasting import Lasting, LinkFailed
from monitor.notify import words
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import priority_of
from monitor.notify.discovery import entities, node_of
from monitor.notify.patience import ended
from monitor.notify.words import Acknowledged, Words

log = logging.getLogger(__name__)

KEPT = words.LARGEST + 1  # bytes of what came in: of a longer one nobody wants to know more than that
SESSION = 3600  # seconds for which a broker keeps what people published meanwhile
EXPIRY, EXPIRY_OTHERWISE = 24 * 3600, 72 * 3600  # seconds, pages and the rest, after which nobody wants a notice


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


class Mqtt(Lasting):
    """See Channel. `client` tells this channel of this monitor from every other one."""

    def __init__(self, section: Section) -> None:
        super().__init__(
            section, session=SESSION, asks={"MaximumPacketSize": LARGEST}, kept=KEPT, verify=section.verify
        )
        self.client = ""
        self._section = section
        self._prefix = section.prefix.rstrip("/")
        self._words = Words(self._topic("acknowledge"))
        self._hub = section.discovery and section.discovery.rstrip("/")
        self._states: dict[str, bytes] | None = None  # not known yet: nothing is cleared
        self._shown: dict[str, bytes] = {}
        self._told: set[str] = set()
        self._news = asyncio.Event()
        self._leaving = False
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
        if not self.online.is_set():
            self._wanted.set()  # a notice that is to leave now is worth a try to connect
        try:
            async with asyncio.timeout(lasting.PATIENCE / 2):
                await self.online.wait()
        except TimeoutError:
            raise DeliveryFailed(f"no connection to the broker: {self.trouble}") from None
        payload = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        topic = self._topic("notices")
        try:
            code = await self._said(topic, payload, False, self._properties(message))
        except LinkFailed as error:
            raise DeliveryFailed(str(error)) from None
        if code >= REFUSED:
            raise DeliveryFailed(_refusal(topic, code))
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
        if self._client is not None and self.online.is_set():
            with suppress(LinkFailed, TimeoutError):
                async with asyncio.timeout(1):
                    await self._said(self._topic("monitor"), b"offline", True)
        await ended(task, 2.0)

    # -- the connection ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._leaving = False
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.keep(), name=f"mqtt {self._name}")

    def _identity(self) -> str:
        return f"vtex-monitor-{stable_id(f'mqtt:{self._prefix}:{gethostname()}:{self.client}')}"

    def _will(self) -> aiomqtt.Will:
        return aiomqtt.Will(self._topic("monitor"), b"offline", qos=1, retain=True)

    async def _begin(self, client: Connection) -> None:
        await self._state(self._topic("monitor"), b"online")
        for topic in self._read_topics():
            answers = await client.subscribe(topic, qos=1)
            if (code := max(code_of(one) for one in answers)) >= REFUSED:
                log.warning("broker %s does not let us read %s (reason %#04x)", self._name, topic, code)
        self._shown = {}
        self._news.set()

    def _jobs(self, client: Connection) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._read(client), self._words.follow(), self._show()

    def _read_topics(self) -> list[str]:
        """Where people speak, and where states are retained that may have changed while nobody was here."""
        own = [self._topic(one) for one in ("acknowledge", "incidents/+", "modules/+", "monitor")]
        return [*own, f"{self._hub}/binary_sensor/{node_of(self._prefix)}/+/config"] if self._hub else own

    async def _show(self) -> None:
        """Publishes the states that differ from what the broker was last given."""
        while True:
            await self._news.wait()
            self._news.clear()
            wanted = self._states
            if wanted is None:
                continue
            for topic in [one for one in self._shown if one not in wanted]:
                await self._state(topic, b"")
                del self._shown[topic]
            for topic, payload in wanted.items():
                if self._shown.get(topic) != payload:
                    await self._state(topic, payload)
                    self._shown[topic] = payload

    async def _state(self, topic: str, payload: bytes) -> None:
        """A retained state. That it may not be written is told once, and keeps no notice from leaving."""
        if (code := await self._said(topic, payload, True)) >= REFUSED:
            if (refusal := _refusal(topic, code)) not in self._told:
                log.warning("broker %s: %s", self._name, refusal)
            self._told.add(refusal)

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
                    await self._state(topic, b"online")
            elif payload and topic not in (self._states or ()) and topic not in self._shown:
                self._shown[topic] = payload  # what ended while nobody was here is cleared
                self._news.set()
        raise LinkFailed("the connection ended")

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


def _refusal(topic: str, code: int) -> str:
    return f"the broker refuses {topic}: {reason_of(code)}"
