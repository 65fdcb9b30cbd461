"""Address: which addresses and hosts a probe may talk to.

A monitor follows redirects and look-ups that its targets control, from inside somebody's network. So every address is
checked before it is dialled, and what was checked is what is dialled.
"""

from ipaddress import IPv4Address, IPv4Network

from monitor.internet import IP, is_public, literal

__all__ = ["IP", "is_public", "literal"]

_METADATA = IPv4Network("169.254.0.0/16")


def kind_of(address: IP) -> str:
    """What an address that is not public is, for a sentence."""
    if address.is_unspecified:
        return "the unspecified address"
    if address.is_loopback:
        return "a loopback address"
    if isinstance(address, IPv4Address) and address in _METADATA:
        return "a link-local address"
    return "a link-local address" if address.is_link_local else "a private or reserved address"


def is_local_name(host: str) -> bool:
    """`localhost` and what lies under it: a name, but one that everybody knows to be loopback (RFC 6761)."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


_INSIDE = frozenset({"localhost", "local", "internal", "home.arpa"})  # zones nobody outside can ask for


def is_public_name(name: str) -> bool:
    """Whether a name is one of the public tree: one of several labels, and in no zone that is reserved for insides."""
    labels = name.lower().rstrip(".").split(".")
    return len(labels) > 1 and labels[-1] not in _INSIDE and ".".join(labels[-2:]) not in _INSIDE


def is_host(name: str) -> bool:
    """Whether a name is short enough to be one, in all and between its dots."""
    return len(name) <= 253 and all(0 < len(label) < 64 for label in name.removesuffix(".").split("."))


def matches_host(pattern: str, host: str) -> bool:
    """Whether a host is the pattern, or lies under it when the pattern begins with `*.`."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def split(address: str) -> tuple[str, int]:
    """`HOST:PORT` or `[V6]:PORT` taken apart. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not host:
        raise ValueError(f"{address!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def joined(host: str, port: int) -> str:
    """The inverse of `split`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dialled_instead(connect_to: tuple[tuple[str, str], ...], host: str, port: int) -> tuple[str, int] | None:
    """The address that `connect_to` names for this one; the first pattern that fits wins."""
    for pattern, address in connect_to:
        wanted, wanted_port = split(pattern)
        if wanted_port == port and matches_host(wanted, host):
            return split(address)
    return None
