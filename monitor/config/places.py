"""Places: where probes run, how those elsewhere are spoken with, and what does not fit together of that."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitor.config import Broker
from monitor.config.addresses import MqttUrl
from monitor.config.expect import Section
from monitor.config.findings import Findings, shown
from monitor.config.scalars import Id, nothing_if_empty, refuse
from monitor.config.table import Path, Withheld, each

HERE = "here"
SHORTEST_SECRET = 32  # characters; whoever reads one message can try secrets at home
LEAST_LETTERS = 8  # different ones among them


def _secret(value: Any) -> str:
    if isinstance(value, Withheld):
        return str(value)
    if not isinstance(value, str):
        raise refuse("must be text; put it in quotes")
    if len(value) < SHORTEST_SECRET or len(set(value)) < LEAST_LETTERS:
        raise refuse(f"must be at least {SHORTEST_SECRET} characters that cannot be guessed: `openssl rand -hex 32`")
    return str(value)


PlaceSecret = Annotated[
    str | None,
    BeforeValidator(nothing_if_empty),
    BeforeValidator(lambda value: None if value is None else _secret(value)),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": SHORTEST_SECRET}, {"type": "null"}]}),
]


class BrokerSection(Section):
    """The MQTT broker over which agents at other locations are spoken with."""

    url: MqttUrl = Field(description="The broker: mqtt://, mqtts://, ws:// or wss://, perhaps with name and password.")
    username: str | None = Field(None, description="Name to log in with; null: that of `url`.")
    password: str | None = Field(None, description="Password to log in with; null: that of `url`.")
    ca_file: str | None = Field(None, description="PEM file of authorities trusted beside the system's.")
    cert_file: str | None = Field(None, description="Our certificate, where the broker asks for one.")
    key_file: str | None = Field(None, description="The key of that certificate; null: it stands in `cert_file`.")

    def core(self) -> Broker:
        """The same for whoever connects."""
        return Broker(self.url, self.username, self.password, self.ca_file, self.cert_file, self.key_file)


OptionalBroker = Annotated[
    BrokerSection | None,
    BeforeValidator(lambda value: {"url": value} if isinstance(value, str) else value),
    BeforeValidator(nothing_if_empty),
]


class LocationSection(Section):
    """A place that probes run from."""

    id: Id = Field(description="Name of the location; `here` exists without being named.")
    domain: str = Field("default", min_length=1, description="Failure domain: provider or network.")
    secret: PlaceSecret = Field(
        None, description="What the agent there and we know and nobody else; at least 32 characters, a place its own."
    )


def check(findings: Findings, known: dict[str, Path]) -> None:
    """Whatever runs elsewhere has an agent there, and each agent a secret of its own. `known` are the locations."""
    root, own = findings.root, own_of(findings.root)
    is_spoken_with = bool(_settings(root).get("broker"))
    secrets: dict[str, str] = {}
    used = _used(root, own)
    for path, id in each(root, ("locations", "*", "id")):
        where = path[:-1]
        entry = root["locations"][where[1]]
        secret = entry.get("secret")
        if isinstance(secret, str) and secret and not isinstance(secret, Withheld):
            if id == own:
                findings.warning((*where, "secret"), f"`secret` is of no use at {shown(id)}, where we probe ourselves")
            elif not is_spoken_with:
                findings.warning((*where, "secret"), "`secret` is of no use without `monitor.broker`")
            elif secret in secrets:
                findings.error((*where, "secret"), f"`secret` is that of {shown(secrets[secret])}; a place has its own")
            secrets.setdefault(str(secret), str(id))
        elif not secret and is_spoken_with and id != own and id in used:
            findings.error(where, f"probes run at {shown(id)}: it needs a `secret` that its agent knows as well")
    for id, path in used.items():
        if id not in known or id == own:
            continue
        if not known[id]:
            findings.error(path, f"nobody probes from {shown(id)}: we probe from {shown(own)}, and it is no location")
        elif not is_spoken_with:
            findings.warning(path, f"nobody probes from {shown(id)}: its agent is spoken with over `monitor.broker`")


def own_of(root: dict[str, Any]) -> str:
    """Where we probe from ourselves."""
    own = _settings(root).get("location")
    return str(own) if isinstance(own, str) and own else HERE


def _settings(root: dict[str, Any]) -> dict[str, Any]:
    monitor = root.get("monitor")
    return monitor if isinstance(monitor, dict) else {}


def _used(root: dict[str, Any], own: str) -> dict[str, Path]:
    """The locations that probes run at, each with a path that says so."""
    found: dict[str, Path] = {}
    inherits = False
    for path, probe in each(root, ("modules", "*", "probes", "*")):
        if not isinstance(probe, dict) or probe.get("kind") == "heartbeat" or probe.get("enabled") is False:
            continue
        locations = probe.get("locations")
        if isinstance(locations, list):
            for index, id in enumerate(locations):
                if isinstance(id, str):
                    found.setdefault(id, (*path, "locations", index))
        elif locations is None:
            inherits = True
    if inherits:
        defaults = root.get("defaults")
        written = defaults.get("locations") if isinstance(defaults, dict) else None
        if isinstance(written, list):
            for index, id in enumerate(written):
                if isinstance(id, str):
                    found.setdefault(id, ("defaults", "locations", index))
        elif own != HERE:
            found.setdefault(HERE, ("monitor", "location"))
    return found
