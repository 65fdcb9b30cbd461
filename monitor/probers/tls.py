"""The tls prober: does the handshake come about, and what does the server prove itself with?"""

import asyncio

from monitor.core.target import TlsTarget
from monitor.probers.connection import reached, start_tls
from monitor.probers.reach import Reach
from monitor.probers.run import Run


async def look(run: Run, reach: Reach) -> None:
    """Makes one handshake, keeps the certificate, and hangs up."""
    target = run.probe.ask
    assert isinstance(target, TlsTarget)
    plain = await reached(run, reach, target.host, target.port, target.allow_private)
    transport = await start_tls(run, reach, asyncio.Protocol(), plain, target.server_name)
    run.finish()
    transport.abort()  # a goodbye would be waited for, and some servers never answer it
