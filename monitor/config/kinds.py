"""The kinds of probe: one model each. What every kind takes is `Common`, what an HTTP request takes is `Request`."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from monitor.config.addresses import (
    DnsName,
    HeaderName,
    HeaderValue,
    Host,
    HostPort,
    MqttUrl,
    NameServer,
    ServerName,
    Url,
)
from monitor.config.expect import Expect, Lenient, Section, listed, mapped, whole
from monitor.config.expressions import JmesPath
from monitor.config.scalars import Anything, Boolean, Confirm, Delay, Duration, Hops, Id, Interval, Name, Size

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Role = Literal["verdict", "evidence"]


class Request(Lenient):
    """One HTTP request and the rules of following its redirects."""

    method: Method = Field("GET", description="The HTTP method.")
    url: Url = Field(description="What is asked, http:// or https://.")
    vary: Name | None = Field(
        None, description="Query parameter that has another value in each run, so that no cache answers it."
    )
    headers: dict[HeaderName, HeaderValue] = mapped("Request headers by name.")
    json_: Anything = Field(
        None, alias="json", description="A body sent as JSON, with its content type; excludes `body` and `form`."
    )
    body: str | None = Field(None, description="A body sent as it is; excludes `json` and `form`.")
    form: dict[str, str] | None = Field(None, description="A body sent as a form; excludes `json` and `body`.")
    reuse: Boolean = Field(False, description="Keep the connection between runs.")
    max_body: Size = Field(
        2 * 1024**2,
        description="The most of a body that is read, after decompression.",
        json_schema_extra={"default": "2MiB"},
    )
    follow: Hops = Field(10, description="The most redirects that are followed, each checked.")
    allow_hosts: list[Host] = listed("Where redirects may lead besides the own host; `*.DOMAIN` covers all below.")
    allow_private: Boolean = Field(False, description="Let the target or a redirect be loopback or private.")


class SideVerdict(Section):
    """Fields of this probe's answer that judge another module."""

    module: str = Field(description="The module that is judged.")
    expect: Expect = Field(description="What must hold of the answer for that module to be well.")


class Common(Lenient):
    """What every kind of probe takes."""

    id: Id = Field(description="Name of the probe, unique within its module.")
    interval: Interval | None = Field(None, description="Time between runs, 5s to 1d; null: that of `defaults`.")
    timeout: Duration | None = Field(None, description="Longest time of a run, below the interval; null: `defaults`.")
    locations: list[str] | None = Field(None, min_length=1, description="Where it runs; null: those of `defaults`.")
    confirm: Confirm | None = Field(
        None, description="Least time from first to last failure before the module is down; null: that of `defaults`."
    )
    enabled: Boolean = Field(True, description="false switches the probe off.")
    extra_runs: Boolean = Field(
        True, description="false: never asked in between, not even when it fails, as each run leaves something behind."
    )
    role: Role = Field("verdict", description="`evidence`: results are kept, but do not decide the module's status.")
    needs: list[Name] = listed("Names that must be set, else the probe is off with that reason.")
    expect: Expect = whole(Expect, "What should hold of the answer.")


class HttpProbe(Common, Request):
    """Asks over HTTP."""

    kind: Literal["http"] = Field("http", description="The kind of probe.")
    verdicts: list[SideVerdict] = listed("Fields of this answer that judge other modules.")


class FreshnessProbe(Common, Request):
    """Asks over HTTP for a time or an age, which must be recent; or for a value that must keep changing."""

    kind: Literal["freshness"] = Field(description="The kind of probe.")
    value: JmesPath = Field(description="Where the answer holds a time, or an age in seconds.")
    max_age: Duration | None = Field(None, description="The oldest it may be; excludes `advances_within`.")
    advances_within: Duration | None = Field(None, description="How soon it must change; excludes `max_age`.")
    verdicts: list[SideVerdict] = listed("Fields of this answer that judge other modules.")


class Step(Request):
    """One request of a flow; its failure is blamed on its own module."""

    module: str | None = Field(None, description="The module it blames; null: the one the flow belongs to.")
    name: str | None = Field(None, description="What people call the step.")
    save: dict[Name, JmesPath] = mapped("Values of this answer for later steps, which write them `${NAME}`.")
    orders: Boolean = Field(False, description="It places an order: only run with `place_orders`.")
    cleanup: Boolean = Field(False, description="It undoes an order: run at the end whenever one was sent.")
    expect: Expect = whole(Expect, "What should hold of the answer.")


class FlowProbe(Common):
    """Ordered HTTP steps with one cookie jar, that pass values on."""

    kind: Literal["flow"] = Field(description="The kind of probe.")
    steps: list[Step] = Field(min_length=1, description="The requests, in their order.")
    place_orders: Boolean = Field(False, description="true allows steps that place real orders.")


class TcpProbe(Common):
    """Connects, and may send a text and expect one."""

    kind: Literal["tcp"] = Field(description="The kind of probe.")
    address: HostPort = Field(description="HOST:PORT to connect to.")
    send: str | None = Field(None, description="Text sent once connected.")
    allow_private: Boolean = Field(False, description="Let the target be loopback or private.")


class TlsProbe(Common):
    """Makes a TLS handshake and looks at the certificate."""

    kind: Literal["tls"] = Field(description="The kind of probe.")
    address: HostPort = Field(description="HOST:PORT to connect to.")
    server_name: ServerName | None = Field(
        None, description="Name asked for in the handshake; null: that of `address`."
    )
    allow_private: Boolean = Field(False, description="Let the target be loopback or private.")


class DnsProbe(Common):
    """Asks a name server."""

    kind: Literal["dns"] = Field(description="The kind of probe.")
    name: DnsName = Field(description="The name that is asked for.")
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT", "CAA", "PTR"] = Field(
        "A", description="The record type."
    )
    server: NameServer | None = Field(None, description="HOST or HOST:PORT of the name server; null: the system's.")
    allow_private: Boolean = Field(
        False, description="Let the server, and the addresses it answers with, be loopback or private."
    )


class MqttProbe(Common):
    """Publishes a message and waits to receive it back."""

    kind: Literal["mqtt"] = Field(description="The kind of probe.")
    url: MqttUrl = Field(description="The broker: mqtt://, mqtts://, ws:// or wss://.")
    topic: str = Field("monitor/probe", description="The topic used, one of our own.")
    username: str | None = Field(None, description="Name to log in with.")
    password: str | None = Field(None, description="Password to log in with.")
    allow_private: Boolean = Field(False, description="Let the broker be loopback or private.")


class HeartbeatProbe(Common):
    """Waits to be called by the module; silence is the failure."""

    kind: Literal["heartbeat"] = Field(description="The kind of probe.")
    every: Duration = Field(description="How often the module calls.")
    grace: Delay = Field("1m", description="How late a call may be.", validate_default=True)
    secret: str | None = Field(None, description="What a call must carry; null: any call counts.")


class PrometheusProbe(Common):
    """Asks an existing Prometheus whether an expression holds."""

    kind: Literal["prometheus"] = Field(description="The kind of probe.")
    url: Url = Field(description="Base address of the Prometheus server.")
    query: str = Field(min_length=1, description="A PromQL expression that must hold: one that gives a result.")
    headers: dict[HeaderName, HeaderValue] = mapped("Request headers by name.")
    allow_private: Boolean = Field(False, description="Let the server be loopback or private.")


class StatuspageProbe(Common):
    """Reads another status page, incident.io or Statuspage shaped; evidence only."""

    kind: Literal["statuspage"] = Field(description="The kind of probe.")
    role: Role = Field("evidence", description="Always `evidence`: what others say is never a verdict.")
    url: Url = Field(description="Address of the page, or of its JSON.")
    component: str | None = Field(None, description="The component of that page that is read; null: the whole page.")
    headers: dict[HeaderName, HeaderValue] = mapped("Request headers by name.")
    allow_private: Boolean = Field(False, description="Let the page be loopback or private.")


KINDS: dict[str, type[Common]] = {
    "http": HttpProbe,
    "flow": FlowProbe,
    "tcp": TcpProbe,
    "tls": TlsProbe,
    "dns": DnsProbe,
    "mqtt": MqttProbe,
    "heartbeat": HeartbeatProbe,
    "freshness": FreshnessProbe,
    "prometheus": PrometheusProbe,
    "statuspage": StatuspageProbe,
}

# The keys of `expect` that a kind can look at.
_OF_TEXT = ("slow_after", "contains", "not_contains", "matches")
_OF_HTTP = (*_OF_TEXT, "status", "content_type", "header", "json", "certificate")
LOOKS_AT: dict[str, tuple[str, ...]] = {
    "http": _OF_HTTP,
    "flow": ("slow_after",),
    "tcp": _OF_TEXT,
    "tls": ("slow_after", "certificate"),
    "dns": (*_OF_TEXT, "json"),
    "mqtt": ("slow_after",),
    "heartbeat": ("slow_after",),
    "freshness": _OF_HTTP,
    "prometheus": ("slow_after", "json"),
    "statuspage": ("slow_after", "json"),
}


def kind_tag(default: str | None) -> Any:
    """Chooses a model by `kind`. The tag cannot be mistaken for a key when an error names the way to its place."""

    def tag(value: Any) -> str:
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return f"kind={kind if isinstance(kind, str) else '' if kind else default or ''}"

    return Discriminator(tag)


Probe = Annotated[
    Annotated[HttpProbe, Tag("kind=http")]
    | Annotated[FlowProbe, Tag("kind=flow")]
    | Annotated[TcpProbe, Tag("kind=tcp")]
    | Annotated[TlsProbe, Tag("kind=tls")]
    | Annotated[DnsProbe, Tag("kind=dns")]
    | Annotated[MqttProbe, Tag("kind=mqtt")]
    | Annotated[HeartbeatProbe, Tag("kind=heartbeat")]
    | Annotated[FreshnessProbe, Tag("kind=freshness")]
    | Annotated[PrometheusProbe, Tag("kind=prometheus")]
    | Annotated[StatuspageProbe, Tag("kind=statuspage")],
    kind_tag("http"),
]
