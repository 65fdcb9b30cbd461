"""Link: what two places tell each other over a broker: messages that came in, and what is published.

What is published at QoS 1 is awaited with the reason code that the broker gives it: a topic one may not write to is
told instead of lost, and so is one that nobody reads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiomqtt

from monitor.config import Broker
from monitor.connection import REFUSED, Connection, code_of, reason_of
from monitor.lasting import MOST_WAITING, Lasting, LinkFailed
from monitor.places.seal import MOST_SEALED

log = logging.getLogger(__name__)

LARGEST = 2 * MOST_SEALED  # bytes of a message, its topic and all included, that a broker of MQTT 5 is not to exceed
ASK_AGAIN = 10.0  # seconds until a broker is asked again for what it does not let us read
NOBODY = 0x10  # the reason code by which MQTT 5 says that nobody reads what was published
UNSAID = 0x80  # the one of a refusal without a reason


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


class Link(Lasting):
    """Each message that comes in is given to `receive`, one at a time, in order.

    `filters` are read, by topic with their QoS. `manual`: the broker is told of a message only by `Came.done`, and
    gives whatever it was not told of again. `at_most` messages are under way to us at a time, where the broker can be
    asked for that. `will` gives topic and payload of what the broker says for us when we are gone. `connected` runs at
    each connection once everything can be read.
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
        asks = {"ReceiveMaximum": at_most, "MaximumPacketSize": LARGEST}
        # What the library throws away the broker would, by hand, never give again: it is asked not to.
        super().__init__(
            broker, session=session, asks=asks, most_waiting=0 if manual else MOST_WAITING, largest=LARGEST
        )
        self.unread: set[str] = set()  # topics that nobody reads, as far as the broker tells
        self.refused: dict[str, str] = {}  # topics that the broker keeps from us, and what it says
        self._barred: set[str] = set()  # filters that we may not read on this connection
        self._client_id = client
        self._receive = receive
        self._filters = dict(filters)
        self._manual = manual
        self._last_word = will
        self._connected = connected

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns once the broker has it, at QoS 1. Raises LinkFailed, NotAllowed where the broker refuses it."""
        code = await self._said(topic, payload, retain)
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

    def _identity(self) -> str:
        return self._client_id

    def _will(self) -> aiomqtt.Will | None:
        return aiomqtt.Will(*self._last_word(), qos=1) if self._last_word else None

    async def _opened(self) -> Connection:
        client = await super()._opened()
        if self._manual:
            client.acknowledge_by_hand()
        return client

    async def _begin(self, client: Connection) -> None:
        self._barred.clear()
        for topic in self._filters:
            await self._subscribe(client, topic)

    def _jobs(self, client: Connection) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._read(client)
        yield self._ask_again(client)
        if self._connected is not None:
            yield self._greet(self._connected)

    async def _subscribe(self, client: Connection, topic: str) -> None:
        answers = await client.subscribe(topic, qos=self._filters[topic])
        code = max(code_of(one) for one in answers)
        if code < REFUSED:
            if topic in self._barred:
                log.info("broker %s lets us read %s by now", self._name, topic)
            self._barred.discard(topic)
            self.refused.pop(topic, None)
        elif code == UNSAID and topic not in self._barred | self.refused.keys():
            log.warning("broker %s does not let us read %s and says no reason; it is asked again", self._name, topic)
            self._barred.add(topic)
        else:
            self._told(topic, f"{reason_of(code)}: it cannot be read")
            self._barred.add(topic)

    async def _ask_again(self, client: Connection) -> None:
        """What cannot be read now may be later: once the servers of a broker have elected a leader, or its access
        rules are right."""
        while self._barred:
            await asyncio.sleep(ASK_AGAIN)
            for topic in sorted(self._barred):
                await self._subscribe(client, topic)

    async def _greet(self, connected: Callable[[], Awaitable[None]]) -> None:
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


def _nothing() -> None:
    """The broker was told already."""
