"""Packet: the few MQTT packets that a probe sends and understands, in version 5 and, by the same hand, in 3.1.1.

What a broker sends is read with a limit, and what is no packet is said to be none. Properties of version 5 are skipped.
"""

from dataclasses import dataclass
from typing import Protocol

from monitor.probers.failure import Stopped

V3, V5 = 4, 5  # as the protocol itself counts: 3.1.1 is level 4
LARGEST = 64 * 1024  # bytes of a packet that is read

WELCOME, MESSAGE, TAKEN, SUBSCRIBED, GOODBYE = 2, 3, 4, 9, 14  # CONNACK PUBLISH PUBACK SUBACK DISCONNECT

_WITH_FLAGS = (MESSAGE, 6)  # and PUBREL; all others have none, which tells them from text

NOBODY_LISTENS = 0x10  # a message was taken, and the broker knows no subscriber of its topic
OTHER_VERSION = (0x01, 0x84)  # a welcome that is none: in the words of 3.1.1 and of 5

# What a refusal says, where it does not say that the broker is in trouble. 3.1.1 counts from 2 to 5, 5 from 0x81 up.
_OURS = {
    **{2: "the client's name is not taken", 4: "the credentials are wrong", 5: "the credentials may not do this"},
    **{0x81: "the packet is not understood", 0x82: "the packet is against the rules", 0x85: "the name is not taken"},
    **{0x86: "the credentials are wrong", 0x87: "the credentials may not do this", 0x8A: "we are banned"},
    **{
        0x8C: "the credentials are of the wrong kind",
        0x8F: "the topic is not allowed",
        0x90: "the topic is not allowed",
    },
    **{
        0x95: "the packet is too large",
        0x98: "its operator has ended the connection",
        0x99: "the payload is not taken",
    },
    **{0x9B: "QoS 1 is not offered", 0x9C: "another server is to be used", 0x9D: "the server has moved"},
}
_TOO_MUCH = {0x96: "messages come too fast", 0x97: "a quota is used up", 0x9F: "connections come too fast"}
_THEIRS = {3: "it is not available", 0x88: "it is not available", 0x89: "it is busy", 0x8B: "it is shutting down"}


class Line(Protocol):
    """A connection that packets go over. Reading raises IncompleteReadError where it ends, both raise OSError."""

    async def readexactly(self, count: int, /) -> bytes: ...

    async def send(self, data: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its kind, its flags, and what stands behind its length."""

    kind: int
    flags: int
    body: bytes


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return len(data).to_bytes(2) + data


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | 0x80 if left else digit)
        if not left:
            return bytes([first]) + bytes(length) + body


def _nothing(version: int) -> bytes:
    """The properties of a packet: none, which 3.1.1 does not even say."""
    return b"\x00" if version == V5 else b""


def connect(version: int, name: str, keepalive: int, username: str | None, password: str | None) -> bytes:
    """Asks to be let in, with a session that ends with the connection."""
    if password is not None and username is None:
        username = ""  # 3.1.1 has no password without a name
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    head = _text("MQTT") + bytes([version, flags]) + keepalive.to_bytes(2) + _nothing(version)
    given = [_text(one) for one in (name, username, password) if one is not None]
    return _packet(0x10, head + b"".join(given))


def subscribe(version: int, number: int, topic: str) -> bytes:
    """Asks for what is published under a topic, QoS 1."""
    return _packet(0x82, number.to_bytes(2) + _nothing(version) + _text(topic) + b"\x01")


def publish(version: int, number: int, topic: str, payload: bytes) -> bytes:
    """A message, QoS 1, not retained."""
    return _packet(0x32, _text(topic) + number.to_bytes(2) + _nothing(version) + payload)


def acknowledge(number: bytes) -> bytes:
    """The message of this number has arrived."""
    return _packet(0x40, number)


GOODBYE_PACKET = _packet(0xE0, b"")


async def read(line: Line) -> Packet:
    """The next packet. Raises Stopped for what is none, IncompleteReadError at the end of the connection."""
    first = (await line.readexactly(1))[0]
    if not first >> 4 or (first & 0x0F and first >> 4 not in _WITH_FLAGS):
        raise not_mqtt(f"it says {first:#04x} where a packet should begin")
    length = 0
    for place in range(4):
        digit = (await line.readexactly(1))[0]
        length += (digit & 0x7F) << (7 * place)
        if not digit & 0x80:
            break
    else:
        raise not_mqtt("a length without an end")
    if length > LARGEST:
        raise not_mqtt(f"a packet of kind {first >> 4} and {length:,} bytes")
    return Packet(first >> 4, first & 0x0F, await line.readexactly(length))


def not_mqtt(what: str) -> Stopped:
    """What came is no answer of a broker."""
    return Stopped("http.malformed", f"this is not MQTT: {what}")


def reason_of(packet: Packet, version: int, number: int = 0) -> int:
    """What a welcome, a confirmation or a goodbye says of itself; 0 is well. Raises Stopped for what is none, and for
    the confirmation of another packet than that of this number, since we sent no other."""
    body, kind = packet.body, packet.kind
    if kind in (SUBSCRIBED, TAKEN) and len(body) >= 2 and (told := int.from_bytes(body[:2])) != number:
        raise not_mqtt(f"it confirms packet {told:,}, which was never sent")
    if kind == WELCOME and len(body) >= 2:
        return body[1]
    if kind == SUBSCRIBED and len(body) >= 3:
        return body[-1]  # one topic was asked for
    if kind == TAKEN and len(body) >= 2:
        return body[2] if version == V5 and len(body) > 2 else 0
    if kind == GOODBYE:
        return body[0] if body else 0
    raise not_mqtt(f"a packet of kind {kind} with {len(body)} bytes")


def message_of(packet: Packet, version: int) -> tuple[str, bytes, bytes]:
    """Topic, number (empty below QoS 1) and payload of a message. Raises Stopped for what is none."""
    body = packet.body
    end = 2 + int.from_bytes(body[:2])
    if end > len(body):
        raise not_mqtt("a message that is cut off")
    topic, number, rest = body[2:end], b"", body[end:]
    if packet.flags & 0x06:
        number, rest = rest[:2], rest[2:]
    if version == V5:
        rest = _without_properties(rest)
    return topic.decode("utf-8", "replace"), number, rest


def _without_properties(data: bytes) -> bytes:
    """What stands behind the properties, whose length comes first."""
    length = 0
    for place, digit in enumerate(data[:4]):
        length += (digit & 0x7F) << (7 * place)
        if not digit & 0x80:
            return data[place + 1 + length :]
    raise not_mqtt("a message that is cut off")


def refused(what: str, reason: int) -> Stopped:
    """What a refusal means: credentials, names and rights are ours to correct, the rest is the broker's."""
    said = f"the broker refuses {what}"
    if reason in _OURS:
        return Stopped("self.config", f"{said}: {_OURS[reason]} (reason {reason:#04x})")
    if reason in _TOO_MUCH:
        return Stopped("http.429", f"{said}: {_TOO_MUCH[reason]} (reason {reason:#04x})")
    return Stopped("http.503", f"{said}: {_THEIRS.get(reason, 'it does not say why')} (reason {reason:#04x})")
