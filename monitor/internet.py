"""Internet: which addresses belong to it, and which to somebody's inside. Whoever dials what others name asks first."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

IP = IPv4Address | IPv6Address

LONGEST_URL, LONGEST_MAIL = 2000, 254  # characters
HTTPS, FREE = 443, 1024  # the ports that strangers may have us call: the first, and all from the second one on
INSIDE = (".localhost", ".local", ".internal", ".home.arpa")  # names that mean something else to everybody

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])")
_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that was ever given to the Internet at large
_NOBODYS = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))  # protocols, examples


@lru_cache(maxsize=4096)
def literal(host: str) -> IP | None:
    """The address that a host name spells, None when it is a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_public(address: IP) -> bool:
    """Whether an address belongs to the Internet at large, also when it hides inside an IPv6 one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in one for one in _NOBODYS)


def url_of(text: str) -> URL:
    """An address that somebody else wrote. Raises ValueError for what is none: the library says so in other ways as
    well, of `http://[]@` for one."""
    try:
        return URL(text)
    except (TypeError, IndexError):
        raise ValueError("not an address") from None


def mailbox(text: str) -> str | None:
    """An e-mail address as it is written on an envelope, its host in ASCII; None for what is none."""
    local, at, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode().lower()
    except UnicodeError:
        return None
    found = f"{local}@{host}"
    fits = at and len(local) <= 64 and len(found) <= LONGEST_MAIL
    return found if fits and _LOCAL.fullmatch(local) and _NAME.fullmatch(host) else None


def callable_url(text: str, *, allow_private: bool) -> str | None:
    """An address that a stranger may have us call, in one spelling; None for all others.

    That is one of the web at a public host, over TLS; a name is looked up when it is dialled, and checked again. A
    user, a password and a fragment are none of our business, and neither is whatever listens on another small port.
    """
    if not text.isascii() or len(text) > LONGEST_URL:
        return None
    try:
        url = url_of(text.strip())
        port, host = url.port, url.raw_host
    except ValueError:
        return None
    if not host or url.user is not None or url.password is not None or url.raw_fragment:
        return None
    if allow_private:
        return str(url) if url.scheme in ("http", "https") else None
    if url.scheme != "https" or port is None or not (port == HTTPS or port >= FREE):
        return None
    address, name = literal(host), host.rstrip(".").lower()
    # A name that ends in a number is an address in some other spelling, such as 127.1 or 0x7f.1.
    public = bool(_NAME.fullmatch(name)) and not name.endswith(INSIDE) if address is None else is_public(address)
    return str(url) if public else None
