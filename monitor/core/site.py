"""Site: how the public page presents itself, from `site:` of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.core.plan import Plan


@dataclass(frozen=True, slots=True)
class Site:
    """`url` has no trailing slash. The first of `languages` is the default and lives at `/`.

    `theme` is a folder like `site/`, None for the built-in one. `links` maps `help_center community tickets
    healthcheck` (and any other name) to addresses. `help` maps codes, or the beginnings of their names, to where
    more is to be read. `plans` are the support that is offered.
    """

    name: str = "VTEX Status"
    url: str = "http://127.0.0.1:8080"
    languages: tuple[str, ...] = ("pt-BR", "en", "es")
    timezone: str = "America/Sao_Paulo"
    theme: str | None = None
    subscribe_url: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    help: Mapping[str, str] = field(default_factory=dict)
    plans: tuple[Plan, ...] = ()
