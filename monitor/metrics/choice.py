"""Choice: which probe `/probe?target=&module=` means. Only what is configured can be meant: whoever names something
else gets a reason, and nothing is asked."""

from urllib.parse import SplitResult, urlsplit

from monitor.core.alias import aliases_of
from monitor.core.module import Platform
from monitor.core.probe import Probe, Role
from monitor.metrics.facts import OVER_HTTP

USUAL = "http_2xx"  # the exporter's own default: what is expected is what the probe expects
_PORTS = {"http": 80, "https": 443}


class NotMeant(ValueError):
    """Nothing configured is meant; the text says why. `unknown`: there is no such module at all."""

    def __init__(self, reason: str, unknown: bool = False) -> None:
        super().__init__(reason)
        self.unknown = unknown


def chosen(platform: Platform, target: str, module: str | None) -> Probe:
    """The probe that is meant. Of several it is the first that judges, over HTTP where that was asked for.

    `target` is the id of a module, or what a probe asks; `module` the id of a probe or of a module, or `http_2xx`. A
    module goes by its former ids as well. Raises NotMeant.
    """
    probes, former = list(platform.probes.values()), aliases_of(platform)
    target = former.get(target, target)
    wanted = None if module in (None, "", USUAL) else module
    if wanted in former and not any(one.id == wanted for one in probes):
        wanted = former[wanted]
    if wanted is not None and not any(wanted in one.key for one in probes):
        raise NotMeant("module: neither http_2xx nor the id of a probe or a module", unknown=True)
    found = [one for one in probes if one.module == target] or [one for one in probes if _asks(one, target)]
    if not found:
        raise NotMeant("target: neither the id of a module nor what one of its probes asks")
    fitting = [one for one in found if wanted is None or wanted in one.key]
    if not fitting:
        raise NotMeant("module: there is such a one, but it does not belong to this target")
    asked = [one for one in fitting if one.off is None]
    if not asked:
        raise NotMeant(f"target: probe {'/'.join(fitting[0].key)} is off")
    return min(asked, key=lambda one: (one.role is not Role.VERDICT, module == USUAL and one.kind not in OVER_HTTP))


def calls_itself(probe: Probe, name: str) -> bool:
    """Whether a probe asks its target by this host name already: in `Host`, or in its address."""
    headers = dict((key.lower(), value) for key, value in getattr(probe.ask, "headers", ()))
    own = headers.get("host") or _parts(probe.instance).netloc.rpartition("@")[2]
    return name.lower() in (own.lower(), own.lower().rpartition(":")[0])


def _asks(probe: Probe, target: str) -> bool:
    """Whether a probe asks this target, written with or without its scheme, its query and its user."""
    if not probe.instance:
        return False
    wanted, own = _parts(target), _parts(probe.instance)
    query = _parts(getattr(probe.ask, "url", "")).query
    return (
        wanted.scheme in ("", own.scheme)
        and _place(wanted, own.scheme) == _place(own, own.scheme)
        and wanted.query in ("", query)
    )


def _place(parts: SplitResult, scheme: str) -> tuple[str, str]:
    """Host with port, and path, as they are compared."""
    host = parts.netloc.rpartition("@")[2].lower()
    usual = f":{_PORTS[scheme]}" if scheme in _PORTS else ""
    return host.removesuffix(usual) if usual else host, parts.path or "/"


def _parts(written: str) -> SplitResult:
    """An address taken apart; without a scheme it begins with its host. What is none has no parts."""
    try:
        return urlsplit(written if "://" in written else f"//{written}")._replace(fragment="")
    except ValueError:  # half a bracket
        return SplitResult("", "", "", "", "")
