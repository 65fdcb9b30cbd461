"""The mqtt prober: does a broker take a message and send it back?

It connects, subscribes to a topic that nobody else has, publishes a word there and waits for it. Version 5 is spoken,
since only there a broker says why it refuses; one that does not know it is asked in 3.1.1, once more the first time.
Why no client library stands here: `docs/decisions/0010-the-mqtt-probe-speaks-for-itself.md`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from secrets import token_hex

from yarl import URL

from monitor.core.target import MqttTarget
from monitor.probers import packet as packets
from monitor.probers import websocket
from monitor.probers.failure import Stopped
from monitor.probers.packet import GOODBYE, MESSAGE, SUBSCRIBED, TAKEN, V3, V5, WELCOME, Line, Packet
from monitor.probers.reach import Reach
from monitor.probers.run import Run
from monitor.probers.stream import ended_as, opened

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_MOST = 1000  # packets of a run: a flood of them would keep the event loop busy
_SUBSCRIPTION, _PUBLICATION = 1, 2  # numbers of our two packets


async def look(run: Run, reach: Reach) -> None:
    """One message there and back."""
    target = run.probe.ask
    if not isinstance(target, MqttTarget):
        raise Stopped("self.config", "the probe has no broker")
    try:
        url = URL(target.url)
    except ValueError as error:
        raise Stopped("self.config", f"{target.url} is not an address that can be asked: {error}") from error
    known = reach.spoken.get(target.url)
    for version in (V3, V5) if known == V3 else (V5, V3):
        run.late = None
        async with _connected(run, reach, target, url) as line:
            if await _Talk(run, target, url, line, version).round_trip(unsure=known is None and version == V5):
                reach.spoken[target.url] = version
                return
        run.note("the broker does not speak this version, it is asked in the other one")
    raise Stopped("self.config", "the broker speaks neither MQTT 5 nor 3.1.1")


# -- what is said -----------------------------------------------------------------------------------------------------


class _Talk:
    """One conversation over one connection."""

    def __init__(self, run: Run, target: MqttTarget, url: URL, line: Line, version: int) -> None:
        self._run = run
        self._line = line
        self._version = version
        self._name = token_hex(4)
        self._topic = f"{target.topic.rstrip('/')}/{self._name}"
        self._username = target.username if target.username is not None else url.user
        self._password = target.password if target.password is not None else url.password
        self._seen = 0
        self._doing = "before the welcome"

    async def round_trip(self, unsure: bool) -> bool:
        """Whether the message came back; False when the broker does not speak this version. Raises Stopped.

        `unsure`: it was never heard to. Some brokers that do not just close the connection.
        """
        self._run.enter("processing")
        keepalive = min(65_535, int(self._run.probe.timeout.total_seconds()) + 10)
        self._wait_for("connected, but no welcome (CONNACK)", "http.ttfb_timeout")
        name = f"vtex-monitor-{self._name}"
        await self._send(packets.connect(self._version, name, keepalive, self._username, self._password))
        try:
            reason = packets.reason_of(await self._next(WELCOME), self._version)
        except Stopped as stopped:
            if unsure and stopped.code == "http.closed":
                return False
            raise
        if reason in packets.OTHER_VERSION:
            return False
        if reason:
            raise packets.refused("to let us in", reason)
        self._run.byte_came()
        self._run.note(f"welcomed, in MQTT {'5' if self._version == V5 else '3.1.1'}")
        self._doing = "after the welcome"
        self._wait_for("welcomed, but the subscription was not confirmed (SUBACK)")
        await self._send(packets.subscribe(self._version, _SUBSCRIPTION, self._topic))
        if (reason := packets.reason_of(await self._next(SUBSCRIBED), self._version, _SUBSCRIPTION)) >= 0x80:
            raise packets.refused(f"to subscribe to {self._topic}", reason if self._version == V5 else 0x87)
        self._run.note(f"subscribed to {self._topic}")
        await self._exchange()
        self._run.finish()
        with suppress(Stopped):  # the message is back; who has hung up by now has done all that was asked
            await self._send(packets.GOODBYE_PACKET)
        return True

    async def _exchange(self) -> None:
        """Publishes, and waits until the message is taken and has come back, in whichever order."""
        self._wait_for("the message was neither taken nor sent back (no PUBACK)")
        payload = self._name.encode()
        await self._send(packets.publish(self._version, _PUBLICATION, self._topic, payload))
        taken = back = False
        while not (taken and back):
            came = await self._next(TAKEN, MESSAGE)
            if came.kind == TAKEN:
                reason = packets.reason_of(came, self._version, _PUBLICATION)
                if reason >= 0x80:
                    raise packets.refused(f"to publish to {self._topic}", reason)
                taken = True
                self._run.note(f"the broker took the message (reason {reason:#04x})")
                why = " and said that nobody listens" if reason == packets.NOBODY_LISTENS else ""
                self._wait_for(f"the broker took the message{why}, but did not send it back")
                continue
            topic, number, content = packets.message_of(came, self._version)
            if number:
                await self._send(packets.acknowledge(number))
            await asyncio.sleep(0)
            if (topic, content) == (self._topic, payload):
                back = True
                self._run.note("the message came back")
                self._wait_for("the message came back, but was not acknowledged (no PUBACK)")

    def _wait_for(self, what: str, code: str = "http.transfer_timeout") -> None:
        """What it means if the time limit strikes from now on."""
        self._run.late = Stopped(code, f"{what} within {self._run.probe.timeout.total_seconds():g} s")

    async def _send(self, data: bytes) -> None:
        with ended_as(self._doing):
            await self._line.send(data)

    async def _next(self, *wanted: int) -> Packet:
        """The next packet of a wanted kind; what a broker may say besides is passed over. Raises Stopped."""
        while self._seen < _MOST:
            self._seen += 1
            with ended_as(self._doing):
                came = await packets.read(self._line)
            if came.kind in wanted:
                return came
            if came.kind == GOODBYE:
                if reason := packets.reason_of(came, self._version):
                    raise packets.refused("to go on", reason)
                raise Stopped("http.closed", f"the broker said goodbye {self._doing}")
            if WELCOME in wanted:
                raise packets.not_mqtt(f"it began with a packet of kind {came.kind}")
            await asyncio.sleep(0)  # a flood has its next packet ready at once: others want their turn too
        raise packets.not_mqtt(f"more than {_MOST:,} packets and not the one that was asked for")


# -- what it goes over ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _connected(run: Run, reach: Reach, target: MqttTarget, url: URL) -> AsyncIterator[Line]:
    """A connection to the broker, plain or in TLS, by itself or inside a WebSocket."""
    host, port = url.raw_host, url.explicit_port or _PORTS.get(url.scheme)
    if not host or not port:
        raise Stopped("self.config", f"{target.url} names no broker")
    tls = url.scheme in ("mqtts", "wss")
    async with opened(run, reach, host, port, tls=tls, allow_private=target.allow_private) as streams:
        yield await websocket.asked(run, streams, url) if url.scheme in ("ws", "wss") else _Stream(*streams)


class _Stream:
    """A plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.readexactly = reader.readexactly
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
