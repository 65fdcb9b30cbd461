"""Target: what a probe asks, by kind. Data for the probers; nothing in this room judges by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.expectation import Expect

# What somebody calls so is a secret: a name of the environment, a header, a value that a step of a flow saves.
SECRET_NAME = re.compile("KEY|TOKEN|SECRET|PASS|PWD|AUTH|CREDENTIAL|COOKIE|DSN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """One HTTP request and the rules of following its redirects.

    `body` is the encoded request body (of `json:`, `body:` or `form:`), `max_body` bytes after decompression.
    `follow` is the most redirects followed. `allow_hosts` is where redirects may lead besides the own host.
    `vary` names a query parameter that has another value in each run.
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
    vary: str | None = None

    def varied(self, at: datetime) -> "HttpTarget":
        """The same for a run that began then: with `vary`, no cache has seen its address before."""
        if self.vary is None:
            return self
        address, mark, fragment = self.url.partition("#")
        joint = "&" if "?" in address else "?"
        return replace(self, url=f"{address}{joint}{self.vary}={int(at.timestamp() * 1000)}{mark}{fragment}")


@dataclass(frozen=True, slots=True)
class TcpTarget:
    """A port that is connected to; `send` goes out once it accepted."""

    host: str
    port: int
    send: bytes = b""
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class TlsTarget:
    """A port that speaks TLS; `server_name` is what its certificate is for."""

    host: str
    port: int
    server_name: str
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class DnsTarget:
    """A question to a name server: `server` is its host and port, None the system's own. `name` is ASCII."""

    name: str
    type: str = "A"
    server: tuple[str, int] | None = None
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class PrometheusTarget(HttpTarget):
    """The request that asks a Prometheus about `query`, which says something of a module and nothing of Prometheus."""

    query: str = ""


@dataclass(frozen=True, slots=True)
class HeartbeatTarget:
    """Nobody is asked: the module calls. `secret` is what a call must carry, None: any call counts."""

    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MqttTarget:
    """A broker, and the topic below which a message goes there and back."""

    url: str
    topic: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class PageTarget(HttpTarget):
    """A status page of others: `url` is the page or its JSON, `component` the only one of its that counts."""

    component: str | None = None


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
