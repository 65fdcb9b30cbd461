"""Beacon: a call out for as long as all is well with us. Whoever is called raises the alarm when the calls stop.

A process that hangs, a disk that is full and notices that do not leave all look the same from outside: silence. So the
call is made only after asking what could be wrong.
"""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import ClientError, ClientSession, ClientTimeout

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds
LIMIT = 10.0  # seconds for an answer


async def shine(url: str, unsound: Callable[[], str | None], every: float = EVERY) -> None:
    """Calls the address every so many seconds while nothing is unsound, until cancelled. That it stops, and why, and
    that it goes on, is logged once; the address is nobody's business."""
    told: str | None = None
    async with ClientSession(timeout=ClientTimeout(total=LIMIT)) as session:
        while True:
            try:
                wrong = unsound() or await _called(session, url)
            except Exception:  # whatever is wrong with us, notices must leave
                log.exception("nobody can say whether all is well")
                wrong = "that all is well cannot be said"
            if wrong != told and (wrong is None or told is None):
                if wrong is None:
                    log.info("the dead-man signal is sent again")
                else:
                    log.warning("the dead-man signal is not sent: %s", wrong)
            told = wrong
            await asyncio.sleep(every)


async def _called(session: ClientSession, url: str) -> str | None:
    """Why the call did not arrive; None when it did."""
    try:
        async with session.get(url, allow_redirects=False) as answer:
            return None if answer.status < 400 else f"it was answered with status {answer.status}"
    except (ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return f"it does not arrive ({type(error).__name__})"
