"""Connection: the library's client, with what it leaves out: the reason code of each acknowledgement, a broker that
hangs up before its welcome, and a socket that is gone by the time it is watched.
"""

import asyncio
from typing import Any, Self

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, WebsocketConnectionError
from paho.mqtt.properties import Properties

from monitor.loop import apart


class NoWelcome(aiomqtt.MqttError):
    """The broker hung up instead of welcoming us, as one does that does not know our version of the protocol."""


class Connection(aiomqtt.Client):
    """A client that keeps the reason code of each acknowledgement; the library throws it away."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._answers: dict[int, asyncio.Future[int]] = {}

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


def code_of(reason: Any) -> int:
    """A reason code as a number."""
    return int(getattr(reason, "value", reason))
