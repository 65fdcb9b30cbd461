"""Connection: the library's client, with what it leaves out: the reason code of each acknowledgement, a broker that
hangs up before its welcome, a socket that is gone by the time it is watched, and an end of what a broker may send.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Self

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, WebsocketConnectionError
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from monitor.loop import apart

PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
# Reason codes by which brokers say that they do not understand our version of the protocol, from 5 on or before it.
FOREIGN = frozenset({0x01, 0x80, 0x81, 0x82, 0x84})
REFUSED = 0x80  # the first of the reason codes that say no
SMALL = 4096  # bytes of a packet that brings no message, and of what stands beside a message: 30 us for each seven
LARGEST = 4 << 20  # bytes of a message; the largest of ours that a broker gives back has one or two million


class NoWelcome(aiomqtt.MqttError):
    """The broker hung up instead of welcoming us, as one does that does not know our version of the protocol."""


class Connection(aiomqtt.Client):
    """A client that keeps the reason code of each acknowledgement; the library throws it away.

    No message is larger than `largest` bytes: the broker that sends one loses the connection. `kept` bytes of each are
    handed on, None: all.
    """

    def __init__(self, *given: Any, largest: int = LARGEST, kept: int | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._largest, self._kept = largest, kept
        self.fault: aiomqtt.MqttError | None = None  # what the broker did that ended it, where we did that
        client: Any = self._client
        self._receive, self._handle = client._sock_recv, client._packet_handle
        client._sock_recv, client._packet_handle = self._receive_bounded, self._handle_bounded

    def _receive_bounded(self, size: int) -> bytes:
        """What the socket has, unless it is part of a packet that is too large: the library would wait for 256 MB."""
        packet: Any = self._client._in_packet
        message = packet["command"] >> 4 == PacketTypes.PUBLISH
        if size > (self._largest if message else SMALL):
            raise self._too_much(f"a packet of {size:,} bytes")
        data: bytes = self._receive(size)
        return data

    def _handle_bounded(self) -> MQTTErrorCode:
        """As the library, which takes 0.3 s for 64 kB of what may stand beside a message."""
        packet: Any = self._client._in_packet
        message = packet["command"] >> 4 == PacketTypes.PUBLISH
        size = _beside(packet["packet"], packet["command"]) if message else 0
        if size > SMALL and self._client.protocol == MQTTProtocolVersion.MQTTv5:
            self._too_much(f"a message with {size:,} bytes beside it")
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        found: MQTTErrorCode = self._handle()
        return found

    def _too_much(self, what: str) -> OSError:
        """The connection ends, and this is why."""
        self.fault = aiomqtt.MqttError(f"the broker sends {what}")
        for ending in (self._connected, self._disconnected):
            if not ending.done():
                ending.set_exception(self.fault)
        return OSError(what)

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        message.payload = message.payload[: self._kept]
        super()._on_message(client, userdata, message)

    async def __aenter__(self) -> Self:
        """Connects in a thread of its own: a broker that does not answer would hold one of the few that all share."""
        try:
            await apart(super()._client_connect)
        except (OSError, WebsocketConnectionError) as error:
            raise aiomqtt.MqttError(str(error)) from None
        return await super().__aenter__()

    def _client_connect(self) -> None:
        """Done already."""

    async def say(self, topic: str, payload: bytes, retain: bool, properties: Properties | None) -> int:
        """Publishes at QoS 1; the reason code of the broker. Raises MqttError when the connection ends before."""
        info = self._client.publish(topic, payload, 1, retain, properties)
        if info.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc, "could not publish")
        answer = asyncio.get_running_loop().create_future()
        self._answers[info.mid] = answer
        try:
            await asyncio.wait({answer, self._disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise aiomqtt.MqttError("the connection ended before the broker acknowledged")
            return int(answer.result())
        finally:
            self._answers.pop(info.mid, None)

    def mention(self, topic: str, payload: bytes) -> None:
        """Publishes at QoS 0."""
        self._client.publish(topic, payload, 0)

    def acknowledge_by_hand(self) -> None:
        """From now on the broker is told that a message arrived only by what `done` gives."""
        self._client.manual_ack_set(True)

    def done(self, message: aiomqtt.Message) -> Callable[[], None]:
        """What tells the broker that a message need not be given again. It may be called when nobody listens."""
        return lambda: None if message.qos == 0 else self._acknowledge(message)

    def _acknowledge(self, message: aiomqtt.Message) -> None:
        self._client.ack(message.mid, message.qos)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        if not self._connected.done():  # the library would wait for a welcome until its time is up
            self._connected.set_exception(NoWelcome("the broker closed the connection before its welcome"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        for ended in (self._connected, self._disconnected):
            if ended.done() and not ended.cancelled():
                ended.exception()  # seen, also when nobody waits for it any more

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """The library remembers the number of the socket, which may belong to another one by then."""
        self._loop.call_soon_threadsafe(self._write_to, client, sock)

    def _write_to(self, client: Any, sock: Any) -> None:
        if client.socket() is sock and sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        try:
            client.loop_write()
        except Exception as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any = None) -> None:
        waiting = self._answers.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(code_of(reason_code))


def _beside(packet: bytearray, command: int) -> int:
    """How many bytes of properties a message of MQTT 5 says it has; 0 where that cannot be read."""
    place = 2 + int.from_bytes(packet[:2]) + (2 if command & 0x06 else 0)
    size = 0
    for shift, digit in enumerate(packet[place : place + 4]):
        size |= (digit & 0x7F) << 7 * shift
        if not digit & 0x80:
            break
    return size


def code_of(reason: Any) -> int:
    """A reason code as a number."""
    return int(getattr(reason, "value", reason))


def reason_of(code: int) -> str:
    """A reason code in words."""
    return {0x87: "not authorized", 0x90: "topic name invalid", 0x97: "quota exceeded"}.get(code, f"reason {code:#04x}")


def first_of(errors: BaseException) -> BaseException:
    """The first of a group of errors, or the one that it is."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


def said_of(error: BaseException) -> str:
    """Why, in a line; it names no password, since the library holds those apart."""
    told = " ".join(str(error).split()) or type(error).__name__
    return told[:200]


def tls_of(ca_file: str | None, cert_file: str | None, key_file: str | None, verify: bool = True) -> ssl.SSLContext:
    """Trusts the system's authorities and those of a file. Reads files: not for the event loop."""
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is not None:
        context.load_default_certs()
    if cert_file is not None:
        context.load_cert_chain(cert_file, key_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
