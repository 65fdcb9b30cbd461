"""The way from text to `Config`, in five steps; whatever is wrong is found in one pass and told together.

1. compose: YAML 1.2 to tables (`yaml12`). 2. substitute `${…}` (`substitution`). 3. validate the shape of everything
(`model`). 4. check what refers to what (`references`). 5. assemble the objects of the other rooms (`assembly`), and
compare what they would ask with what VTEX allows (`budget`).
Nothing here touches the disk: whoever calls says how files are read and which languages a theme has.
"""

from collections.abc import Mapping
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from monitor.config import Config, ConfigError, Problem, assembly, budget, channels, subscribers
from monitor.config.findings import Findings, shown
from monitor.config.model import File
from monitor.config.offering import clients_of, plans_of, site
from monitor.config.recurrence import windows_of
from monitor.config.references import Catalogues, References
from monitor.config.routes import telling_of
from monitor.config.substitution import SHORTEST_SECRET, ReadFile, Substituter, passwords
from monitor.config.table import Substituted, Table, each
from monitor.config.undisturbed import undisturbed
from monitor.config.yaml12 import compose
from monitor.core.probe import Probe, host_of
from monitor.core.target import Network

# Where a secret may stand in the file itself, without `${…}`.
_LITERAL_SECRETS = (
    ("monitor", "ops_token"),
    ("monitor", "secret"),
    ("monitor", "broker", "password"),
    ("locations", "*", "secret"),
    ("monitor", "tokens", "*", "token"),
    ("monitor", "users", "*", "password"),
    ("modules", "*", "probes", "*", "secret"),
    ("modules", "*", "probes", "*", "password"),
    ("channels", "*", "secret"),
    ("channels", "*", "password"),
    ("channels", "*", "token"),
    ("channels", "*", "routing_key"),
)


def parse(
    text: str,
    file: str,
    environment: Mapping[str, str],
    read_file: ReadFile,
    catalogues: Catalogues | None = None,
) -> Config:
    """A whole, valid configuration, or a `ConfigError` with everything that is wrong.

    `read_file` gives the text of a file by its path, or raises OSError or ValueError. `catalogues` gives the languages
    of a theme, None for a folder that is no theme; without it languages are not checked.
    """
    with undisturbed():
        return _parse(text, file, environment, read_file, catalogues)


def _parse(
    text: str, file: str, environment: Mapping[str, str], read_file: ReadFile, catalogues: Catalogues | None
) -> Config:
    document = compose(text)
    if document.root is None:
        if not document.problems:
            document.problems.append(Problem(1, 1, "the file is empty; it begins with `version: 1`"))
        raise ConfigError(file, document.problems)
    findings = Findings(document, text)
    if not isinstance(document.root, Table):
        findings.error((), "the file must be a mapping; it begins with `version: 1`")
        raise ConfigError(file, findings.sorted())
    substitution = Substituter(environment, read_file, findings.piece).fill(document)
    model = _validate(document.root, findings)
    References(findings).check(catalogues)
    channels.check(findings)
    subscribers.check(findings)
    _check_authorities(document.root, read_file, findings)
    if findings.failed or model is None:
        raise ConfigError(file, findings.sorted())
    sections = assembly.sections(model)
    telling = telling_of(sections, model.site.timezone)
    platform = assembly.platform(model, substitution.off, telling, plans_of(sections), clients_of(sections))
    network = assembly.network(model.monitor)
    if not network.canaries and any(_is_public(probe, network) for probe in platform.probes.values()):
        place = "monitor" if "monitor" in document.root else "modules"
        findings.warning((place,), "without `canaries` a fault of our own network looks like one of every target")
    budget.check(platform, findings)
    return Config(
        platform=platform,
        site=site(model.site, sections),
        settings=assembly.settings(model.monitor),
        network=network,
        hooks=assembly.hooks(model.publish),
        sections=sections,
        place_secrets=assembly.place_secrets(model),
        windows=windows_of(sections["maintenance"]),
        secrets=frozenset(substitution.secrets | passwords(text) | _literal_secrets(document.root)),
        warnings=tuple(findings.sorted()),
        file=file,
    )


def _validate(root: Table, findings: Findings) -> File | None:
    """The model of a document; what does not fit is found and told."""
    try:
        return File.model_validate(root)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            findings.invalid(one, File)
    return None


def _check_authorities(root: Table, read_file: ReadFile, findings: Findings) -> None:
    """A file of authorities that cannot be read would make every certificate look false."""
    patterns = (("monitor", "ca_file"), ("monitor", "broker", "ca_file"), ("channels", "*", "ca_file"))
    files = [found for pattern in patterns for found in each(root, pattern)]
    for path, name in files:
        if not isinstance(name, str) or not name:
            continue
        try:
            SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=read_file(str(name)) or "-")
        except SSLError:
            findings.error(path, f"`ca_file` holds no certificate in PEM form: {shown(name)}")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not a short text"
            findings.error(path, f"`ca_file` cannot be read: {why.lower()}: {shown(name)}")


def _literal_secrets(root: Table) -> set[str]:
    found: list[Any] = [value for pattern in _LITERAL_SECRETS for _, value in each(root, pattern)]
    found += [url for _, channel in each(root, ("channels", "*")) for url in _secret_addresses(channel)]
    return {str(value) for value in found if isinstance(value, str) and len(value) >= SHORTEST_SECRET}


def _secret_addresses(channel: Any) -> list[Any]:
    """Addresses that are all that is needed to write to somebody."""
    if not isinstance(channel, dict) or channel.get("kind") not in ("webhook", "slack", "apprise"):
        return []
    url = channel.get("url")
    return [one for one in (url if isinstance(url, list) else [url]) if not isinstance(one, Substituted)]


def _is_public(probe: Probe, network: Network) -> bool:
    """Whether a probe asks somebody out on the internet."""
    asked = [probe.ask, *(step.ask.http for step in probe.steps)] if probe.off is None else []
    urls = [step.ask.http.url for step in probe.steps] if probe.steps else []
    public = [one for one in asked if not getattr(one, "allow_private", True)]
    hosts = [urlsplit(one.url).hostname or "" for one in public] if urls else [host_of(probe)] if public else []
    own = [pattern.rpartition(":")[0].lstrip("*") for pattern, _ in network.connect_to]
    return not all(any(host.endswith(one) for one in own) for host in hosts)
