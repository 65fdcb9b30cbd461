"""A second question about a name whose name server failed: is it the signature that fails?

A validating resolver answers SERVFAIL for a broken DNSSEC chain, exactly as for a dead zone. Asked again with checking
disabled (the CD bit, RFC 4035), it gives the answer it refused.
"""

import asyncio

from monitor.probers.failure import Stopped
from monitor.probers.nameserver import HEADER, over_udp, question

_PATIENCE = 1.0  # seconds; only a better word for a failure already certain is waited for


async def answers_unchecked(ip: str, port: int, name: str, kind: str) -> bool:
    """Whether a name server has an answer once it need not check signatures. Never raises."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reply = await over_udp(question(name, kind, checked=False).to_wire(), ip, port)
    except (OSError, Stopped):  # TimeoutError is an OSError
        return False
    _, flags, _, answers, *_ = HEADER.unpack_from(reply)
    return bool(flags & 0xF == 0 and answers > 0)
