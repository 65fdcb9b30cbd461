"""Assembly: a valid model becomes the objects the other rooms work with. Nothing here can fail."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Address, Hook, Settings
from monitor.config.addresses import split_host_port
from monitor.config.kinds import (
    FreshnessProbe,
    HttpProbe,
    SideVerdict,
)
from monitor.config.model import File, ModuleSection, MonitorSection
from monitor.config.probes import probe_of
from monitor.config.publishing import PublishSection
from monitor.config.references import is_loopback
from monitor.config.routes import Telling
from monitor.config.table import Path
from monitor.core import target
from monitor.core.module import Component, Dependency, Group, Module, Platform, Priority, Strength
from monitor.core.plan import Client, Plan
from monitor.core.roster import Role as Part
from monitor.core.roster import Token, User, with_ops_token
from monitor.core.target import (
    Network,
)
from monitor.core.text import Text
from monitor.core.tuning import Tuning


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
            probe_of(module.id, probe, file, off.get(path)) for path, probe in zip(paths, module.probes, strict=True)
        ),
        verdicts={
            probe.id: tuple(map(_verdict, probe.verdicts))
            for probe in module.probes
            if isinstance(probe, HttpProbe | FreshnessProbe) and probe.verdicts
        },
    )


def _verdict(verdict: SideVerdict) -> target.SideVerdict:
    return target.SideVerdict(verdict.module, verdict.expect.core())


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
