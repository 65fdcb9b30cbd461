"""Target: what a probe asks, by kind. Data for the probers; nothing in this room judges by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitor.core.expectation import Expect

# What somebody calls so is a secret: a name of the environment, a header, a value that a step of a flow saves.
SECRET_NAME = re.compile("KEY|TOKEN|SECRET|PASS|PWD|AUTH|CREDENTIAL|COOKIE|DSN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """One HTTP request and the rules of following its redirects.

    `body` is the encoded request body (of `json:`, `body:` or `form:`), `max_body` bytes after decompression.
    `follow` is the most redirects followed. `allow_hosts` is where redirects may lead besides the own host.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    reuse: bool = False
    max_body: int = 2 * 1024 * 1024
    follow: int = 10
    allow_hosts: tuple[str, ...] = ()
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class StepTarget:
    """One request of a flow: `${NAME}` in it stands for what an earlier step saved.

    `http` has no body yet: it is made of `json`, `form` or `body` once the names are replaced. `save` pairs each name
    with the JMESPath whose value is kept under it.
    """

    http: HttpTarget
    json: Any = None
    form: Mapping[str, str] | None = None
    body: str | None = None
    save: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OtherTarget:
    """The settings of a kind, as validated, for its own prober to read."""

    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SideVerdict:
    """Fields of a probe's answer that judge another module (`verdicts:`)."""

    module: str
    expect: Expect = field(default_factory=Expect)


@dataclass(frozen=True, slots=True)
class Network:
    """How targets are reached: from `monitor:` of the configuration.

    `connect_to` pairs a pattern `HOST:PORT` (HOST may begin with `*.`) with the address dialled instead, same name and
    SNI; a target it matches may be private. `ca_file` is trusted beside the system's authorities.
    """

    connect_to: tuple[tuple[str, str], ...] = ()
    ca_file: str | None = None
    canaries: tuple[str, ...] = ()
    canary_timeout: timedelta = timedelta(seconds=3)
