"""Assembly: a valid model becomes the objects the other rooms work with. Nothing here can fail."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from monitor.config import Address, Hook, Settings
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
    SideVerdict,
    StatuspageProbe,
    TcpProbe,
    TlsProbe,
)
from monitor.config.kinds import Step as StepSection
from monitor.config.model import File, ModuleSection, MonitorSection
from monitor.config.publishing import PublishSection
from monitor.config.references import is_loopback
from monitor.config.routes import Telling
from monitor.config.table import Path, plain
from monitor.core import target
from monitor.core.expectation import Expect, Fresh
from monitor.core.heartbeat import CALLED_AT, LISTENING_SINCE
from monitor.core.module import Component, Dependency, Group, Module, Platform, Priority, Strength
from monitor.core.plan import Client, Plan
from monitor.core.probe import Probe, Role, Step
from monitor.core.roster import Role as Part
from monitor.core.roster import Token, User, with_ops_token
from monitor.core.target import (
    DnsTarget,
    HeartbeatTarget,
    HttpTarget,
    MqttTarget,
    Network,
    PageTarget,
    PrometheusTarget,
    StepTarget,
    TcpTarget,
    TlsTarget,
)
from monitor.core.text import Text
from monitor.core.tuning import Tuning

LARGEST_RESULT = 8 * 1024**2  # bytes of what a query gives: some 40,000 series
DISABLED = "disabled in the configuration"
DNS_PORT = 53
INHERITED_PART = 0.8  # an inherited timeout that is not below a shorter interval is cut to this part of it


def spread(text: Mapping[str, str] | None, languages: list[str]) -> Text:
    """A text per language; one that was written once stands for all."""
    if text is None:
        return {}
    return dict.fromkeys(languages, text[""]) if "" in text else dict(text)


def platform(
    file: File, off: Mapping[Path, str], telling: Telling, plans: tuple[Plan, ...], clients: tuple[Client, ...]
) -> Platform:
    """Modules with their probes, groups of components and locations, who is told of incidents and what is promised. The
    modules of the model are gone afterwards."""
    languages = file.site.languages
    modules = [_module(index, module, file, off) for index, module in enumerate(_taken(file.modules))]
    groups = tuple(
        Group(
            group.group.id,
            spread(group.group.name, languages),
            tuple(
                Component(one.id, spread(one.name, languages), tuple(one.modules), spread(one.description, languages))
                for one in group.items
            ),
            group.group.objective,
        )
        for group in file.components
    )
    locations = {file.monitor.location: "default"} | {location.id: location.domain for location in file.locations}
    whole = Platform(
        {module.id: module for module in modules},
        groups,
        locations,
        len(file.monitor.canaries),
        Tuning.tolerating(file.monitor.false_alarms_a_year),
        publishing=tuple(rule.core() for rule in file.publish.rules),
        languages=tuple(languages),
        routes=telling.routes,
        hours=telling.hours,
        calendars=telling.calendars,
        stores=frozenset(store.id for store in file.stores),
        weights=file.site.uptime.core(),
        plans=plans,
        clients=clients,
    )
    _ = whole.graph  # worked out now, not in the moment something fails
    return whole


def _taken(modules: list[ModuleSection]) -> Iterator[ModuleSection]:
    """Each in turn, taken out of the list: ten thousand of them in both forms would be 60 MB."""
    modules.reverse()
    while modules:
        yield modules.pop()


def _module(index: int, module: ModuleSection, file: File, off: Mapping[Path, str]) -> Module:
    languages = file.site.languages
    paths: list[Path] = [("modules", index, "probes", j) for j in range(len(module.probes))]
    return Module(
        id=module.id,
        name=spread(module.name or {"": module.id}, languages),
        description=spread(module.description, languages),
        depends_on=tuple(Dependency(one.module, Strength(one.strength)) for one in module.depends_on),
        priority=Priority(module.priority),
        objective=module.objective,
        runbook=module.runbook,
        gateway=module.role == "gateway",
        signals=tuple(module.signals),
        aliases=tuple(module.aliases),
        stores=tuple(module.stores),
        probes=tuple(
            _probe(module.id, probe, file, off.get(path)) for path, probe in zip(paths, module.probes, strict=True)
        ),
        verdicts={
            probe.id: tuple(map(_verdict, probe.verdicts))
            for probe in module.probes
            if isinstance(probe, HttpProbe | FreshnessProbe) and probe.verdicts
        },
    )


def _verdict(verdict: SideVerdict) -> target.SideVerdict:
    return target.SideVerdict(verdict.module, verdict.expect.core())


def _probe(module: str, probe: Any, file: File, unset: str | None) -> Probe:
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


def settings(section: MonitorSection) -> Settings:
    """What the rooms need to start. Where nobody is named the ops side binds to loopback, whatever was written."""
    ops = _address(section.ops)
    roster = with_ops_token(
        section.ops_token,
        users=tuple(User(one.name, one.password, Part(one.role)) for one in section.users),
        tokens=tuple(Token(one.token, Part(one.role), one.name) for one in section.tokens),
    )
    if roster.is_empty and not is_loopback(ops.host):
        ops = Address("127.0.0.1", ops.port)
    return Settings(
        database=section.database,
        public=_address(section.public),
        ops=ops,
        roster=roster,
        ops_url=section.ops_url.rstrip("/") if section.ops_url else None,
        heartbeat_url=section.heartbeat_url,
        keep_observations=section.retention.observations,
        keep_rollups=section.retention.rollups,
        secret=section.secret,
        trusted_proxies=tuple(section.trusted_proxies),
        location=section.location,
        broker=section.broker.core() if section.broker else None,
    )


def place_secrets(file: File) -> dict[str, str]:
    """What each agent and we know, by location; we need none for ourselves."""
    elsewhere = (one for one in file.locations if one.id != file.monitor.location)
    return {one.id: one.secret for one in elsewhere if one.secret}


def _address(text: str) -> Address:
    host, port = split_host_port(text) or ("", 0)
    return Address(host or "0.0.0.0", port)


def network(section: MonitorSection) -> Network:
    """How targets are reached."""
    return Network(
        connect_to=tuple(section.connect_to.items()),
        ca_file=section.ca_file,
        canaries=tuple(section.canaries),
    )


def hooks(section: PublishSection) -> tuple[Hook, ...]:
    """The commands that are run after a publication."""
    return tuple(Hook(id, tuple(one.command), one.timeout, one.nul) for id, one in section.hooks.items())


def sections(file: File) -> dict[str, Any]:
    """What other rooms read themselves, in plain dicts and lists: keys as in the file, durations as timedelta.

    Texts are one per language. `plans` and `stores` hold only what was written, the others every key.
    """
    languages = file.site.languages
    told = {"channels", "notify", "calendars", "maintenance", "subscribers"}
    dumped = file.model_dump(by_alias=True, include=told)
    written = file.model_dump(by_alias=True, exclude_unset=True, include={"plans", "stores"})
    dumped |= {name: written.get(name, []) for name in ("plans", "stores")}
    for calendar in dumped["calendars"].values():
        calendar["timezone"] = calendar["timezone"] or file.site.timezone
    for window in dumped["maintenance"]:
        window["timezone"] = window["timezone"] or file.site.timezone
        for key in ("from", "until"):
            window[key] = _aware(window[key], window["timezone"])
    for channel in dumped["channels"].values():
        channel["language"] = channel["language"] or languages[0]
        if "ca_file" in channel:
            channel["ca_file"] = channel["ca_file"] or file.monitor.ca_file
    return {name: _spread_all(value, languages) for name, value in dumped.items()}


def _aware(moment: datetime | None, zone: str) -> datetime | None:
    """A moment in its zone; one that was written with an offset keeps it."""
    return moment.replace(tzinfo=ZoneInfo(zone)) if moment is not None and moment.tzinfo is None else moment


def _spread_all(value: Any, languages: list[str]) -> Any:
    """The same value with every text that was written once given per language."""
    if isinstance(value, dict):
        if value.keys() == {""}:
            return spread(value, languages)
        return {key: _spread_all(one, languages) for key, one in value.items()}
    return [_spread_all(one, languages) for one in value] if isinstance(value, list) else value
