"""Resolve: a name becomes one address, or the reason why it does not.

c-ares is asked directly: the system's `getaddrinfo` folds a failing name server into a slow one, and blocks a thread
for as long. IPv4 is asked first and IPv6 only when there is nothing else; one address is picked and tried once,
because a probe that goes on to the next address hides the fault of the first.
"""

import socket
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

import aiodns

from monitor.probers import address as addresses
from monitor.probers.dnssec import answers_unchecked
from monitor.probers.failure import Stopped, of_lookup
from monitor.probers.names import NO_DATA
from monitor.probers.nameserver import place_of
from monitor.probers.run import Run

if TYPE_CHECKING:
    from monitor.probers.reach import Reach

_NO_NAME = 4
_SERVER_FAILED = 3
_RECORD = {socket.AF_INET: "A", socket.AF_INET6: "AAAA"}


async def route(
    run: Run, reach: "Reach", host: str, port: int, allow_private: bool, redirected: bool
) -> tuple[str, int]:
    """The IP address and port to dial for a host, checked. Raises Stopped."""
    instead = addresses.dialled_instead(reach.network.connect_to, host, port)
    if instead is not None:
        run.note(f"connect_to: {addresses.joined(host, port)} is dialled at {addresses.joined(*instead)}")
    name, port = instead or (host, port)
    found = _spelled(name) or await look_up(run, reach, name)
    if instead is None and not allow_private:
        _refuse_private(host, found, redirected)
    return reach.pick(name, found, run.fresh), port


@lru_cache(maxsize=4096)
def _spelled(name: str) -> list[str]:
    """The address that a name spells; none for one that is to be looked up."""
    address = addresses.literal(name)
    return [] if address is None else [str(address)]


@lru_cache(maxsize=4096)
def _inside(address: str) -> addresses.IP | None:
    """The address when it does not belong to the Internet, None for one that does."""
    ip = ip_address(address)
    return None if addresses.is_public(ip) else ip


async def look_up(run: Run, reach: "Reach", name: str) -> list[str]:
    """Every IPv4 address of a name, or every IPv6 one when it has no other. Raises Stopped."""
    if not addresses.is_host(name):
        raise Stopped("self.config", f"{name[:80]} is not a valid host name")
    run.note(f"look-up of {name}")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found = await reach.names.addresses(name, family)
        except aiodns.error.DNSError as error:
            number = error.args[0] if error.args else None
            if number in (NO_DATA, _NO_NAME):
                reach.forget_names()
            if number == NO_DATA and family is socket.AF_INET:
                continue
            if number == _SERVER_FAILED and await answers_unchecked(
                *place_of(reach.names.servers[0]), name, _RECORD[family]
            ):
                raise Stopped(
                    "dns.dnssec", f"{name}: the name server refuses an answer whose signature fails"
                ) from error
            raise of_lookup(number, str(error.args[-1] if error.args else error), name) from error
        if found:
            run.note(f"{name} is {', '.join(found[:8])}")
            return found
    raise of_lookup(NO_DATA, "", name)


def _refuse_private(host: str, found: list[str], redirected: bool) -> None:
    """Raises Stopped when any address of a target lies inside somebody's network and nobody allowed that."""
    inside = next((one for one in map(_inside, found) if one is not None), None)
    if inside is None:
        return
    kind = addresses.kind_of(inside)
    if redirected:
        raise Stopped("http.redirect_unexpected", f"redirected to {host}, which is {inside}, {kind}")
    if addresses.literal(host) or addresses.is_local_name(host):
        raise Stopped(
            "self.config", f"{host} is {kind}: write `allow_private: true` on the probe if it is meant to be asked"
        )
    raise Stopped(
        "dns.bogus_answer",
        f"{host} resolves to {inside}, {kind}; write `allow_private: true` on the probe if that is meant",
    )
