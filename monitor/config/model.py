"""The whole of `probes.yaml` as one model, and the JSON Schema editors read. Each field's description is its manual."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema

from monitor.config.access import OptionalSecret, TokenSection, UserSection
from monitor.config.addresses import Canary, HostPattern, HostPort, IpNetwork, Link, Listen, OptionalUrl, Url
from monitor.config.expect import Lenient, Section, listed, mapped, whole
from monitor.config.kinds import Probe
from monitor.config.notices import AnyChannel, Calendar, NotifyRule, Priority, Window
from monitor.config.places import LocationSection, OptionalBroker
from monitor.config.plans import Plan, Store
from monitor.config.publishing import PublishSection
from monitor.config.scalars import (
    Alarms,
    Code,
    Confirm,
    Duration,
    Id,
    Interval,
    OptionalText,
    Part,
    Percentage,
    Plain,
    Tag,
    Text,
    Title,
    Zone,
    duration_text,
)
from monitor.config.subscribers import SubscribersSection
from monitor.core.weights import Weights


class UptimeSection(Lenient):
    """How much of a bad time counts as lost in uptime; down counts whole."""

    degraded_counts: Part = Field("0%", validate_default=True, description="Part of degraded time that is lost.")
    partial_counts: Part = Field(
        "100%",
        validate_default=True,
        description="Part that is lost of a time in which some modules of a component are down and others are not.",
    )

    def core(self) -> Weights:
        """The same as core reckons with it."""
        return Weights(self.degraded_counts, self.partial_counts)


class SiteSection(Lenient):
    """How the public page presents itself."""

    name: Plain = Field("VTEX Status", min_length=1, description="Title of the page.")
    url: Url = Field("http://127.0.0.1:8080", description="Where the page is reached; feeds and JSON need it.")
    languages: list[Tag] = Field(
        ["pt-BR", "en", "es"], min_length=1, description="Languages of the page; the first one lives at `/`."
    )
    timezone: Zone = Field("America/Sao_Paulo", description="Time zone of dates on the page.")
    theme: OptionalText = Field(None, description="Folder with a copy of `site/`; null: the built-in one.")
    subscribe_url: OptionalUrl = Field(
        None, description="Where the dynamic endpoints are reached; null: no subscription form."
    )
    uptime: UptimeSection = whole(UptimeSection, "How partial outages count in uptime.")
    links: dict[str, Link | None] = mapped(
        "Support links: `help_center`, `community`, `tickets`, `healthcheck` and any other name.",
    )
    help: dict[str, Link | None] = mapped(
        "Where more is to be read of a code (`http.429`, `CHK0233`) or of all whose names begin so (`tls`).",
    )


class RetentionSection(Lenient):
    """How long things are kept; transitions and incidents are kept for ever."""

    observations: Duration = Field("7d", validate_default=True, description="How long raw observations are kept.")
    rollups: Duration = Field("400d", validate_default=True, description="How long the figures for plots are kept.")


class MonitorSection(Lenient):
    """The monitor itself: where it listens, what it keeps, how it reaches its targets."""

    database: OptionalText = Field(
        None,
        pattern=r"^(sqlite:///.|postgresql://.)",
        description="sqlite:///PATH or postgresql://USER:PASS@HOST/DB; null: `monitor.db` in the data directory.",
    )
    public: Listen = Field("127.0.0.1:8080", description="Where the public site listens.")
    ops: Listen = Field("127.0.0.1:9464", description="Where metrics, dashboard with controls and API listen.")
    ops_token: OptionalText = Field(
        None, description="Token of the ops side; without it, users or tokens it binds to loopback only."
    )
    users: list[UserSection] = listed("Who logs in to the ops side with a password.")
    tokens: list[TokenSection] = listed("Tokens of programs, beside `ops_token`.")
    trusted_proxies: list[IpNetwork] = listed("Proxies before the ops side whose `X-Forwarded-For` is believed.")
    secret: OptionalSecret = Field(
        None, description="What acknowledge links are signed with, for nodes that share it; null: one is made."
    )
    ops_url: OptionalUrl = Field(None, description="How people reach ops; null: notices carry no acknowledge link.")
    heartbeat_url: OptionalUrl = Field(None, description="Called as long as all is well with the monitor.")
    false_alarms_a_year: Alarms = Field(
        0.05, description="Wrong alarms that one module may cause in a year; fewer take longer to be sure."
    )
    canaries: list[Canary] = listed("Addresses of others that tell an outage of ours: URLs or HOST:PORT.")
    connect_to: dict[HostPattern, HostPort] = mapped(
        "Other address for HOST:PORT or *.DOMAIN:PORT, same name and SNI; implies `allow_private`.",
    )
    ca_file: OptionalText = Field(None, description="PEM file that is trusted beside the system's authorities.")
    location: Id = Field("here", description="Where we probe from ourselves; agents are at every other location.")
    broker: OptionalBroker = Field(
        None, description="MQTT broker over which agents are spoken with: its URL, or a mapping; null: no agents."
    )
    retention: RetentionSection = whole(RetentionSection, "How long things are kept.")


class DefaultsSection(Lenient):
    """What probes that do not say otherwise get."""

    interval: Interval = Field("30s", validate_default=True, description="Time between runs, 5s to 1d.")
    timeout: Duration = Field("10s", validate_default=True, description="Longest time of a run, below the interval.")
    locations: list[str] = Field(["here"], min_length=1, description="Where probes run.")
    confirm: Confirm = Field(
        "auto",
        description="Least time from first to last failure before an incident; `auto` derives it from the interval.",
    )


class GroupName(Section):
    """A group of components on the page."""

    id: Id = Field(description="Name of the group in this file.")
    name: Title = Field(description="What people read, in one text or one per language.")
    objective: Percentage | None = Field(None, description="Wanted part of good time over 30 days, such as 99.9%.")


class ComponentSection(Section):
    """A public symptom, made of modules."""

    id: Id = Field(description="Name of the component; it becomes part of addresses.")
    name: Title = Field(description="What people read, in one text or one per language.")
    description: Text | None = Field(None, description="A sentence about it.")
    modules: list[str] = Field(min_length=1, description="The modules it is made of.")


class GroupSection(Section):
    """Components that stand together on the page."""

    group: GroupName = Field(description="The group.")
    items: list[ComponentSection] = Field(min_length=1, description="Its components, in the order of the page.")


class DependencySection(Section):
    """An edge of the graph."""

    module: str = Field(description="The module that is needed.")
    strength: Literal["hard", "medium", "soft"] = Field(
        "medium", description="How surely its failure shows in this module."
    )


Dependency = Annotated[
    DependencySection, BeforeValidator(lambda value: {"module": value} if isinstance(value, str) else value)
]


class ModuleSection(Lenient):
    """What is probed, judged and blamed."""

    id: Id = Field(description="Name of the module; it becomes part of addresses, topics and labels.")
    name: Title | None = Field(None, description="What people read, in one text or one per language; null: the id.")
    description: Text | None = Field(None, description="A sentence about it.")
    depends_on: list[Dependency] = listed("What it needs: ids, or {module, strength}; a plain id is `medium`.")
    priority: Priority = Field("normal", description="What an outage of it means to the people on call.")
    objective: Percentage | None = Field(None, description="Wanted part of good time over 30 days, such as 99.9%.")
    runbook: OptionalUrl = Field(None, description="Where people read what to do.")
    role: Literal["service", "gateway"] = Field(
        "service", description="`gateway`: answers of other modules pass through it."
    )
    signals: list[Code] = listed("Error codes in other modules' answers that name this one.")
    aliases: list[Id] = listed("Former ids; a renamed module keeps its history and its addresses.")
    stores: list[str] = listed("Stores that it is there for; empty: every one.")
    probes: list[Probe] = listed("How it is measured; empty: never, and shown as such.")


Var = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class File(Lenient):
    """The configuration of vtex-monitor."""

    version: Literal[1] = Field(1, description="Version of this format.")
    site: SiteSection = whole(SiteSection, "The public page: name, address, languages, theme.")
    monitor: MonitorSection = whole(MonitorSection, "The monitor itself.")
    locations: list[LocationSection] = listed("Places that probes run from.")
    defaults: DefaultsSection = whole(DefaultsSection, "Keys that probes inherit.")
    demo: dict[str, Var] = mapped(
        "Names for `${NAME}`, after the environment: of an invented store, all of them or none."
    )
    vars: dict[str, Var] = mapped("Names for `${NAME}`, before the environment.")
    components: list[GroupSection] = listed("The public view: groups of symptoms.")
    modules: list[ModuleSection] = listed("What is probed, judged and blamed.")
    channels: dict[Id, AnyChannel] = mapped("Ways of telling people, by name.")
    notify: list[NotifyRule] = listed("Who is told about what, and when.")
    calendars: dict[Id, Calendar] = mapped("Working hours, by name.")
    maintenance: list[Window] = listed("Standing windows of planned work.")
    publish: PublishSection = whole(PublishSection, "Which incidents appear in public, and what happens besides.")
    subscribers: SubscribersSection = whole(SubscribersSection, "How customers are told who subscribed.")
    plans: list[Plan] = listed("Support plans that are offered.")
    stores: list[Store] = listed("Stores that are supported.")


class _Schema(GenerateJsonSchema):
    """Writes defaults the way the file does."""

    def encode_default(self, dft: Any) -> Any:
        return duration_text(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


# Where a mapping may be written short: as the id, or as the value that is expected.
_SHORT: dict[str, dict[str, Any]] = {
    "#/$defs/DependencySection": {"type": "string"},
    "#/$defs/BrokerSection": {"type": "string"},
    "#/$defs/Operators": {"type": ["string", "number", "boolean", "null", "array"]},
}
_TYPED = ("integer", "number", "boolean")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file; wherever a scalar stands, text with `${…}` may stand too."""
    schema = File.model_json_schema(by_alias=True, schema_generator=_Schema)
    opened = _open(schema)
    assert isinstance(opened, dict)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **opened,
        "title": "probes.yaml of vtex-monitor",
    }


def _open(schema: Any) -> Any:
    """The same schema with `${…}` allowed in place of every scalar that is not free text."""
    if isinstance(schema, list):
        return [_open(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if short := _SHORT.get(str(schema.get("$ref"))):
        return {"anyOf": [short, schema]}
    opened = {
        key: one if key in ("default", "const", "enum", "propertyNames") else _open(one) for key, one in schema.items()
    }
    closed = opened.get("type") in _TYPED or "enum" in opened or "pattern" in opened or opened.get("minLength", 0) > 1
    if not closed or not isinstance(opened.get("type", ""), str):
        return opened
    kept = {key: opened.pop(key) for key in ("title", "description", "default") if key in opened}
    return {**kept, "anyOf": [opened, {"type": "string", "pattern": r"\$\{"}]}
