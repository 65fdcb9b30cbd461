"""The tls prober: does the handshake come about, and what does the server prove itself with?"""

import asyncio

from monitor.core.target import TlsTarget
from monitor.probers.connection import abandon, reached, start_tls
from monitor.probers.reach import Reach
from monitor.probers.run import Run


async def look(run: Run, reach: Reach) -> None:
    """Makes one handshake, keeps the certificate, and hangs up."""
    target = run.probe.ask
    assert isinstance(target, TlsTarget)
    plain = await reached(run, reach, target.host, target.port, target.allow_private)
    try:
        transport = await start_tls(run, asyncio.Protocol, plain, reach.tls, target.server_name)
    except BaseException:
        abandon(plain)
        raise
    run.finish()
    transport.abort()  # a goodbye would be waited for, and some servers never answer it
