"""Addresses and what goes with them: URLs, HOST:PORT, host patterns, header names and values."""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

import idna
from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from monitor.config.scalars import nothing_if_empty, refuse
from monitor.config.table import Withheld

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"
_HOST_PORT = re.compile(rf"({_HOST})?:([0-9]{{1,5}})")
_PATTERN = re.compile(rf"(?:\*\.)?{_HOST}:[0-9]{{1,5}}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_NAMELESS = re.compile(r"[\x00-\x20\x7f\\\"'@;()$]")
_PLAIN = re.compile(r"[a-z]+://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[1-9][0-9]{0,3})?")  # nothing that has to be taken apart
_ORIGIN_END = re.compile(r"[/?#\\]")


def _url(schemes: tuple[str, ...]) -> Callable[[Any], str]:
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)

    def url(value: Any) -> str:
        if isinstance(value, Withheld):
            return str(value)
        if not isinstance(value, str):
            raise refuse(f"must be an address that begins with {wanted}")
        text = str(value)
        scheme, mark, rest = text.partition("://")
        if not mark or scheme not in schemes:
            raise refuse(f"must be an address that begins with {wanted}")
        if fault := _origin_fault(f"{scheme}://{_ORIGIN_END.split(rest, maxsplit=1)[0]}"):
            raise refuse(fault)
        if _CONTROL.search(text):
            raise refuse("is an address with a space or a control character in it")
        return text

    return url


@lru_cache(4096)
def _origin_fault(origin: str) -> str | None:
    """What is wrong with scheme, user, host and port of an address."""
    if _PLAIN.fullmatch(origin):
        return None
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a well-formed address"
    if not host:
        return "is an address without a host"
    return "is an address with port 0" if port == 0 else None


def _link(value: Any) -> str:
    if isinstance(value, str) and value.startswith("mailto:") and "@" in value:
        return str(value)
    return _url(("http", "https"))(value)


def split_host_port(text: str) -> tuple[str, int] | None:
    """(host, port) of `host:port`, `[::1]:port` or `:port`; None for anything else."""
    match = _HOST_PORT.fullmatch(text)
    if match is None or int(match[2]) > 65_535:
        return None
    return (match[1] or "").strip("[]"), int(match[2])


def _listen(value: Any) -> str:
    if isinstance(value, Withheld) or (isinstance(value, str) and split_host_port(value) is not None):
        return str(value)
    raise refuse("must be an address to listen on, HOST:PORT, such as 127.0.0.1:8080")


def _network(value: Any) -> str:
    if isinstance(value, Withheld):
        return "192.0.2.0"
    try:
        return str(ip_network(value if isinstance(value, str) else "", strict=False))
    except ValueError:
        raise refuse("must be an address or a network, such as 10.0.0.0/8") from None


def _target(value: Any) -> str:
    if isinstance(value, Withheld):
        return str(value)
    parts = split_host_port(value) if isinstance(value, str) else None
    if parts is None or not parts[0] or not parts[1]:
        raise refuse("must be HOST:PORT, such as db.example.com:5432")
    return str(value)


def _canary(value: Any) -> str:
    try:
        return _target(value) if isinstance(value, str) and "://" not in value else _url(("http", "https"))(value)
    except PydanticCustomError:
        raise refuse("must be an http(s):// address or HOST:PORT") from None


def _host_pattern(value: Any) -> str:
    if not isinstance(value, str) or not _PATTERN.fullmatch(value) or not 0 < int(value.rpartition(":")[2]) <= 65_535:
        raise refuse("must be HOST:PORT or *.DOMAIN:PORT")
    return value.lower()


def _host(value: Any) -> str:
    if isinstance(value, Withheld) or (isinstance(value, str) and re.fullmatch(rf"(\*\.)?{_HOST}", value)):
        return str(value).lower()
    raise refuse("must be a host name, without scheme and port")


def _server_name(value: Any) -> str:
    if isinstance(value, str) and value.startswith("*"):
        raise refuse("must be a host name without `*`")
    return _host(value)


def _name_server(value: Any) -> str:
    """`HOST` or `HOST:PORT`; an IPv6 address may stand without brackets when no port follows it."""
    if isinstance(value, Withheld):
        return str(value)
    if isinstance(value, str):
        if value.count(":") > 1 and not value.startswith("["):
            value = f"[{value}]"
        parts = split_host_port(value if re.search(r":[0-9]+$", value) else f"{value}:53")
        if parts and parts[0] and parts[1]:
            return str(value)
    raise refuse("must be HOST or HOST:PORT of a name server, such as 192.0.2.53")


def _dns_name(value: Any) -> str:
    """A name as it is asked for: other letters than those of ASCII become `xn--…` (IDNA)."""
    if isinstance(value, Withheld):
        return str(value)
    if not isinstance(value, str):
        raise refuse("must be a name, as text")
    labels = value.removesuffix(".").split(".")
    try:
        spelled = [one if one.isascii() else idna.encode(one, uts46=True).decode() for one in labels]
    except idna.IDNAError:
        raise refuse("has letters that no name can have") from None
    if value != "." and not all(0 < len(one) < 64 for one in spelled):
        raise refuse("has a label that is empty or longer than 63 characters")
    name = ".".join(spelled)
    if len(name) > 253 or _NAMELESS.search(name):
        raise refuse("is longer than 253 characters" if len(name) > 253 else "has a character that no name can have")
    return name.lower() or "."


def _header_name(value: Any) -> str:
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        raise refuse("is not a name a header can have")
    return value.lower()


def _header_value(value: Any) -> str:
    if not isinstance(value, str):
        raise refuse("must be text; put it in quotes")
    if any(mark in value for mark in "\r\n\0"):
        raise refuse("holds a line break, which no header can")
    return str(value)


_HTTP_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^https?://"})
Url = Annotated[str, PlainValidator(_url(("http", "https"))), _HTTP_SCHEMA]
OptionalUrl = Annotated[Url | None, BeforeValidator(nothing_if_empty)]
Link = Annotated[str, PlainValidator(_link), WithJsonSchema({"type": "string", "pattern": "^(https?://|mailto:)"})]
MqttUrl = Annotated[
    str,
    PlainValidator(_url(("mqtt", "mqtts", "ws", "wss"))),
    WithJsonSchema({"type": "string", "pattern": "^(mqtts?|wss?)://"}),
]
Listen = Annotated[str, PlainValidator(_listen), WithJsonSchema({"type": "string"})]
IpNetwork = Annotated[str, PlainValidator(_network), WithJsonSchema({"type": "string"})]
HostPort = Annotated[str, PlainValidator(_target), WithJsonSchema({"type": "string"})]
Canary = Annotated[str, PlainValidator(_canary), WithJsonSchema({"type": "string"})]
HostPattern = Annotated[str, PlainValidator(_host_pattern), WithJsonSchema({"type": "string"})]
ServerName = Annotated[str, PlainValidator(_server_name), WithJsonSchema({"type": "string"})]
NameServer = Annotated[str, PlainValidator(_name_server), WithJsonSchema({"type": "string"})]
DnsName = Annotated[str, PlainValidator(_dns_name), WithJsonSchema({"type": "string"})]
Host = Annotated[str, PlainValidator(_host), WithJsonSchema({"type": "string"})]
HeaderName = Annotated[str, PlainValidator(_header_name), WithJsonSchema({"type": "string"})]
HeaderValue = Annotated[str, PlainValidator(_header_value), WithJsonSchema({"type": "string"})]
