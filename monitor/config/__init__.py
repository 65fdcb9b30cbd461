"""Configuration: `probes.yaml` in, one frozen `Config` out, or every problem at once with its line and column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitor.core.maintenance import Window
from monitor.core.module import Platform
from monitor.core.roster import Roster
from monitor.core.site import Site
from monitor.core.target import Network


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server of ours listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker that agents at other places and we meet at. Name and password stand in `url` or beside it."""

    url: str = field(repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`monitor:` of the configuration, what the rooms around core need to start."""

    database: str | None = field(default=None, repr=False)  # None: sqlite in the data directory
    public: Address = Address("127.0.0.1", 8080)
    ops: Address = Address("127.0.0.1", 9464)
    roster: Roster = field(default_factory=Roster)  # takes effect at once, everything else here at the next start
    ops_url: str | None = None
    heartbeat_url: str | None = field(default=None, repr=False)
    keep_observations: timedelta = timedelta(days=7)
    keep_rollups: timedelta = timedelta(days=400)
    trusted_proxies: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)  # None: a file in the data directory
    location: str = "here"  # where we probe from ourselves
    broker: Broker | None = None  # None: nobody is anywhere else

    @property
    def ops_token(self) -> str | None:
        """What our own commands show the monitor that runs; None where no token lets anybody change something."""
        return next(self.roster.operator_tokens(), None)


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that carries publications elsewhere. `nul`: the paths on its input end with NUL."""

    id: str
    command: tuple[str, ...] = field(repr=False)
    timeout: timedelta
    nul: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to say about the file. `line` and `column` count from 1; a warning does not fail `check`."""

    line: int
    column: int
    message: str
    warning: bool = False

    def at(self, file: str) -> str:
        """The line people and editors read: `FILE:LINE:COLUMN: message`."""
        return f"{file}:{self.line}:{self.column}: {'warning: ' if self.warning else ''}{self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, all of it."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        super().__init__("\n".join(p.at(file) for p in problems))
        self.file = file
        self.problems = problems

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[str, list[Problem]]]:
        """A copy as `Exception` makes it would be given the text alone."""
        return type(self), (self.file, self.problems)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole, valid configuration.

    `windows` are the standing windows of planned work. `secrets` holds every value that must never leave the process;
    the maskers of log, excerpt and debug output use it.
    `place_secrets` holds by location what its agent and we know; where that is missing no agent is spoken with.
    `sections` keeps the validated plain form of what other rooms read themselves (channels, notify, calendars,
    maintenance, subscribers, plans, stores): keys as in the file, durations as timedelta, texts one per language.
    `plans` and `stores` hold only the keys that were written, the others hold every key.
    """

    platform: Platform
    site: Site = field(default_factory=Site)
    settings: Settings = field(default_factory=Settings)
    network: Network = field(default_factory=Network)
    hooks: tuple[Hook, ...] = ()
    sections: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    place_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    windows: tuple[Window, ...] = ()
    warnings: tuple[Problem, ...] = ()
    file: str = ""
