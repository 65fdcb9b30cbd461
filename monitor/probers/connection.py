"""Connection: TCP first, then TLS, each with its own mark, to the one address that was checked.

Clients of HTTP do both in one step and may try several addresses at a time; a monitor has to tell a closed port from a
broken certificate, and must dial what it checked.
"""

import asyncio
import socket
from typing import TYPE_CHECKING

from monitor.probers.address import joined
from monitor.probers.certificate import facts_of, facts_of_refused, sent_with
from monitor.probers.failure import Stopped, of_connect, of_handshake
from monitor.probers.resolve import route
from monitor.probers.run import Run
from monitor.probers.secure import Secure

if TYPE_CHECKING:
    from monitor.probers.reach import Reach


async def dial(run: Run, reach: "Reach", ip: str, port: int) -> socket.socket:
    """A connected socket. Raises Stopped."""
    run.enter("connect")
    ipv6 = ":" in ip
    address = joined(ip, port)
    run.note(f"connecting to {address}")
    plain: socket.socket | None = None
    try:
        plain = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_STREAM)
        plain.setblocking(False)
        run.set_aside(await reach.sockets.connect(plain, (ip, port)))
    except OSError as error:
        if plain is not None:
            plain.close()
        raise of_connect(error, address, ipv6) from error
    except BaseException:
        if plain is not None:
            plain.close()
        raise
    run.note(f"connected to {address}")
    return plain


async def reached(run: Run, reach: "Reach", host: str, port: int, allow_private: bool) -> socket.socket:
    """A connected socket to a host. Raises Stopped."""
    run.enter("resolve")
    ip, number = await route(run, reach, host, port, allow_private, redirected=False)
    run.address = joined(ip, number)
    return await dial(run, reach, ip, number)


async def start_tls(
    run: Run, reach: "Reach", protocol: asyncio.Protocol, plain: socket.socket, name: str
) -> asyncio.Transport:
    """TLS over a connected socket, the certificate verified for a name and noted on the run. The socket is that of the
    transport, or closed. Raises Stopped."""
    run.enter("tls")
    try:
        transport = Secure(protocol, reach.tls, name)
    except ValueError as error:
        plain.close()  # no transport was made
        raise Stopped("self.config", f"{name} is not a name that can be asked for: {error}") from error
    try:
        reach.sockets.carry(plain, transport)
        await transport.shaken
    except OSError as error:
        sent = sent_with(error)
        run.certificate = facts_of_refused(sent)
        raise of_handshake(error, sent) from error
    except BaseException:
        transport.abort()
        raise
    run.certificate = facts_of(transport.get_extra_info("ssl_object"))
    if run.traced and (shown := run.certificate):
        run.note(f"{shown.tls_version} with {shown.cipher}")
        run.note(f"certificate of {shown.subject}, from {shown.issuer}, until {shown.not_after:%Y-%m-%d %H:%M} UTC")
    return transport
