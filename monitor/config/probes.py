"""Probes: the section of a probe becomes the question that a prober of its kind asks. Nothing here can fail."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from monitor.config.addresses import split_host_port
from monitor.config.kinds import (
    DnsProbe,
    FlowProbe,
    FreshnessProbe,
    HeartbeatProbe,
    HttpProbe,
    MqttProbe,
    PrometheusProbe,
    Request,
    StatuspageProbe,
    TcpProbe,
    TlsProbe,
)
from monitor.config.kinds import Step as StepSection
from monitor.config.model import File
from monitor.config.table import plain
from monitor.core.expectation import Expect, Fresh
from monitor.core.heartbeat import CALLED_AT, LISTENING_SINCE
from monitor.core.probe import Probe, Role, Step
from monitor.core.target import (
    DnsTarget,
    HeartbeatTarget,
    HttpTarget,
    MqttTarget,
    PageTarget,
    PrometheusTarget,
    StepTarget,
    TcpTarget,
    TlsTarget,
)

LARGEST_RESULT = 8 * 1024**2  # bytes of what a query gives: some 40,000 series
DISABLED = "disabled in the configuration"
DNS_PORT = 53
INHERITED_PART = 0.8  # an inherited timeout that is not below a shorter interval is cut to this part of it


def probe_of(module: str, probe: Any, file: File, unset: str | None) -> Probe:
    """A probe of a module with what it inherits; `unset` is why it is off, where names it needs are not set."""
    defaults = file.defaults
    interval = probe.interval or defaults.interval
    timeout = probe.timeout or defaults.timeout
    confirm = defaults.confirm if probe.confirm is None else probe.confirm
    if timeout >= interval:
        timeout = timedelta(seconds=round(interval.total_seconds() * INHERITED_PART, 3))
    return Probe(
        module=module,
        id=probe.id,
        kind=probe.kind,
        interval=interval,
        timeout=timeout,
        locations=_locations(probe, file),
        confirm=confirm if isinstance(confirm, timedelta) else None,
        role=Role(probe.role),
        expect=_expect(probe),
        ask=_ask(probe),
        instance=_instance(module, probe),
        off=unset if probe.enabled else DISABLED,
        steps=_steps(module, probe),
        extra_runs=probe.extra_runs,
    )


def _locations(probe: Any, file: File) -> tuple[str, ...]:
    """Where a probe runs; calls of a heartbeat are known only where they arrive."""
    if isinstance(probe, HeartbeatProbe):
        return (file.monitor.location,)
    return tuple(file.defaults.locations if probe.locations is None else probe.locations)


def _expect(probe: Any) -> Expect:
    """What should hold of the answer, and of some kinds that a value does not stand still as well."""
    expect: Expect = probe.expect.core()
    if isinstance(probe, FreshnessProbe):
        return replace(expect, fresh=Fresh(probe.value, probe.max_age, probe.advances_within))
    if isinstance(probe, HeartbeatProbe):
        return replace(expect, fresh=Fresh(CALLED_AT, probe.every + probe.grace, since=LISTENING_SINCE))
    if isinstance(probe, PrometheusProbe):
        return replace(expect, query=probe.query)
    if isinstance(probe, StatuspageProbe):
        return replace(expect, hearsay=True)
    return expect


def _ask(probe: Any) -> Any:
    """What the prober of the kind needs; nothing for a flow, which is its steps."""
    match probe:
        case HttpProbe() | FreshnessProbe():
            return request(probe)
        case TcpProbe():
            send = (probe.send or "").encode()
            return TcpTarget(*_place(probe.address), send, probe.allow_private)
        case TlsProbe():
            host, port = _place(probe.address)
            return TlsTarget(host, port, (probe.server_name or host).rstrip("."), probe.allow_private)
        case DnsProbe():
            return DnsTarget(probe.name, probe.type, _server(probe.server), probe.allow_private)
        case HeartbeatProbe():
            return HeartbeatTarget(probe.secret or None)
        case PrometheusProbe():
            return _query(probe)
        case MqttProbe():
            login = (probe.username or None, probe.password or None)
            return MqttTarget(probe.url, probe.topic, *login, probe.allow_private)
        case StatuspageProbe():
            headers = tuple((name, value) for name, value in probe.headers.items() if value)
            return PageTarget(probe.url, headers=headers, allow_private=probe.allow_private, component=probe.component)
    return None


def _steps(module: str, probe: Any) -> tuple[Step, ...]:
    """The steps of a flow. Where no orders may be placed it ends before the first one that does."""
    if not isinstance(probe, FlowProbe):
        return ()
    first = next((index for index, step in enumerate(probe.steps) if step.orders), len(probe.steps))
    return tuple(
        Step(
            module=step.module or module,
            name=step.name or f"{step.method} {urlsplit(step.url).path or '/'}",
            expect=step.expect.core(),
            orders=step.orders,
            cleanup=step.cleanup,
            withheld=not probe.place_orders and (step.cleanup or index >= first),
            ask=_step_target(step),
        )
        for index, step in enumerate(probe.steps)
    )


def _step_target(step: StepSection) -> StepTarget:
    http = replace(request(step), body=None)
    return StepTarget(http, plain(step.json_), step.form, step.body, tuple(step.save.items()))


def _place(address: str) -> tuple[str, int]:
    return split_host_port(address) or ("", 0)


def _server(server: str | None) -> tuple[str, int] | None:
    if server is None:
        return None
    return split_host_port(server) or (server.strip("[]"), DNS_PORT)


def _query(probe: PrometheusProbe) -> PrometheusTarget:
    """The question whether the expression holds, now; what the address asks for already is asked along."""
    address = urlsplit(probe.url)
    asked = "&".join(filter(None, (address.query, urlencode({"query": probe.query}))))
    return PrometheusTarget(
        url=urlunsplit((address.scheme, address.netloc, f"{address.path.rstrip('/')}/api/v1/query", asked, "")),
        headers=tuple((name, value) for name, value in probe.headers.items() if value),
        max_body=LARGEST_RESULT,
        allow_private=probe.allow_private,
        query=probe.query,
    )


def request(request: Request) -> HttpTarget:
    """The request with its body encoded, and the content type that goes with it unless one is written."""
    body, content_type = None, None
    if request.json_ is not None:
        body = json.dumps(request.json_, ensure_ascii=False, separators=(",", ":")).encode()
        content_type = "application/json"
    elif request.form is not None:
        body, content_type = urlencode(request.form).encode(), "application/x-www-form-urlencoded"
    elif request.body is not None:
        body = request.body.encode()
    headers = {name: value for name, value in request.headers.items() if value}  # `${KEY:-}` of an unset KEY
    if content_type is not None:
        headers.setdefault("content-type", content_type)
    return HttpTarget(
        url=request.url,
        method=request.method,
        headers=tuple(headers.items()),
        body=body,
        reuse=request.reuse,
        max_body=request.max_body,
        follow=request.follow,
        allow_hosts=tuple(request.allow_hosts),
        allow_private=request.allow_private,
        vary=request.vary,
    )


def _instance(module: str, probe: Any) -> str:
    """The target without user, query and fragment, as a label may show it; of a flow that of its module's first."""
    match probe.kind:
        case "flow":
            own = [step for step in probe.steps if (step.module or module) == module]
            return bare((own or probe.steps)[0].url)
        case "tcp" | "tls":
            return str(probe.address)
        case "dns":
            return f"{probe.server}/{probe.name}" if probe.server else str(probe.name)
        case "heartbeat":
            return ""
    return bare(probe.url)


def bare(url: str) -> str:
    """A URL without user, query and fragment."""
    scheme, _, rest = url.partition("#")[0].partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
