"""Shared: something that several failing modules have in common and that no probe watches by itself.

A host, an address, a certificate, a zone of names, an edge; or something without a name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.core.exhibit import Exhibit, Scene, State

PASSED = 0.05  # chance of an application's own answer though host, edge or gateway is to blame
ALIKE = 0.1  # a failure that fits a kind of thing no better than this is not its doing

KINDS = ("certificate", "dns_zone", "host", "address", "edge", "unknown")

_CUT_OFF = frozenset(
    {"http.closed", "http.reset", "http.ttfb_timeout", "http.header_drip", "http.transfer_timeout", "http.malformed"}
)
# What came from an application and not whole, or late, may have met its trouble on the way.
_ON_THE_WAY = ("http.slow", "http.truncated", "http.transfer_timeout", "http.bad_encoding")
_TWO_ARE_ENOUGH = ("certificate", "dns_zone", "host")
_CERTIFICATE = ("tls.cert", "tls.hostname", "tls.self", "tls.un", "tls.inc", "tls.rev")


@dataclass(frozen=True, slots=True)
class Shared:
    """What is in common; `reach` is every measured module that uses it. `value` is None where it has no name."""

    kind: str
    value: str | None
    reach: frozenset[str]


def things(scene: Scene, tops: Sequence[str]) -> list[Shared]:
    """What at least two of these failing modules have in common and fail alike by, each kind with its users."""
    shared: list[Shared] = []
    for kind, value, ids in _uses(scene, tops):
        if kind == "edge":  # whoever shows its page says so, also one that something else would explain
            ids = ids | _users(scene, kind, value, ids)
        alike = [id for id in ids if fit(kind, scene.exhibits[id]) > ALIKE]
        same = len({_family(scene.exhibits[id].code) for id in alike}) == 1
        if len(alike) > 2 or (len(alike) == 2 and same and kind in _TWO_ARE_ENOUGH):
            shared.append(Shared(kind, value, frozenset(ids) | _users(scene, kind, value, ids)))
    return shared


def first_struck(scene: Scene, top: str) -> list[Shared]:
    """What a lone failing module has in common with others that were well when they were asked last, before it failed:
    it may only be the first to miss it."""
    onset, found = scene.onset(top), []
    for kind, value, ids in _uses(scene, [top]):
        if kind not in _TWO_ARE_ENOUGH or fit(kind, scene.exhibits[top]) <= ALIKE:
            continue
        others = _users(scene, kind, value, ids) - ids
        if others and all(scene.state(id) is State.UP and not scene.asked_since(id, onset) for id in others):
            found.append(Shared(kind, value, others | ids))
    return found


def uses(one: Exhibit, kind: str, value: str) -> bool:
    """Whether a failing module uses a thing, and fails in a way that fits its being broken."""
    return (kind, value) in _things_of(one) and fit(kind, one) > ALIKE


def _things_of(one: Exhibit) -> Iterator[tuple[str, str]]:
    for host in one.hosts:
        yield from (("host", host), ("dns_zone", zone_of(host)), ("certificate", one.certificate or host))
    for address in one.addresses:
        yield ("address", address)
    if one.code is not None and (edge := edge_of(one.code)):
        yield ("edge", edge)


def _uses(scene: Scene, tops: Sequence[str]) -> list[tuple[str, str, set[str]]]:
    """The things these modules use by kind and value, and which of them use each."""
    found: dict[tuple[str, str], set[str]] = {}
    for id in tops:
        for thing in _things_of(scene.exhibits[id]):
            found.setdefault(thing, set()).add(id)
    order = sorted(found.items(), key=lambda pair: (KINDS.index(pair[0][0]), pair[0][1]))
    return [(kind, value, ids) for (kind, value), ids in order]


def _users(scene: Scene, kind: str, value: str, ids: set[str]) -> frozenset[str]:
    """Every measured module that uses a thing, as far as the configuration or its own failure tells."""
    if kind == "address":
        return scene.well_at(value) | {id for id in scene.ill if value in scene.exhibits[id].addresses}
    if kind == "edge":
        return frozenset(id for id in scene.ill if edge_of(scene.exhibits[id].code or "") == value)
    if kind == "certificate":
        names = {host for id in ids for host in scene.exhibits[id].hosts}
    elif kind == "host":
        names = {value}
    elif kind == "dns_zone":
        names = {host for host in scene.graph.hosts if zone_of(host) == value}
    else:
        names = set()
    return frozenset().union(*(scene.graph.hosts.get(name, frozenset()) for name in names))


def fit(kind: str, one: Exhibit) -> float:
    """How well a failure fits a broken thing of a kind: what the application itself answered got through."""
    code = one.code or ""
    if kind == "certificate":
        return 0.9 if code.startswith(_CERTIFICATE) else 0.01
    if kind == "dns_zone":
        return 0.9 if code.startswith("dns.") else 0.01
    if kind == "edge":
        return 0.9 if edge_of(code) else 0.01
    passed = PASSED if one.backend > 0.5 and not code.startswith(_ON_THE_WAY) else 1.0
    if code.startswith((*_CERTIFICATE, "dns.")):
        return 0.1
    if code.startswith(("tcp.", "tls.", *_ON_THE_WAY)) or code in _CUT_OFF:
        return 0.8 * passed
    if code.startswith(("http.5", "cdn.", "lb.", "edge.")):
        return 0.4 * passed
    return (0.3 if code.startswith("content.") else 0.1) * passed


def fit_of_gateway(one: Exhibit) -> float:
    """The same for a gateway that answers for many: what the application answered got through, and neither names nor
    certificates are its own.
    """
    code = one.code or ""
    apart = ALIKE if code.startswith((*_CERTIFICATE, "dns.")) else 1.0
    return apart if code.startswith(_ON_THE_WAY) else apart * float(PASSED**one.backend)


def _family(code: str | None) -> str:
    """Failing the same way: the same code, or the same layer of the network."""
    code = code or ""
    return code.partition(".")[0] if code.startswith(("dns.", "tcp.", "tls.", "cdn.")) else code


def edge_of(code: str) -> str | None:
    """The content network or balancer that a code speaks of; None for all other codes."""
    if code.startswith("cdn.cf_"):
        return "cloudflare"
    if code.startswith("cdn."):
        return code.partition(".")[2]
    return {"lb.aws": "aws", "edge.proxy_status": "proxy"}.get(code)


def zone_of(host: str) -> str:
    """The zone a name is looked up in, as far as a name tells: its last two labels, three below a short second one."""
    labels = host.strip("[]").lower().rstrip(".").split(".")
    if all(label.isdigit() for label in labels):
        return host
    short = len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2
    return ".".join(labels[-3:] if short else labels[-2:])
