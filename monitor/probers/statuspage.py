"""The statuspage prober: what others say on their own status page, read as evidence and never as a verdict.

It asks as the http prober does, and reads what comes by its shape. Whatever cannot be read ends the run with a failure;
judging makes "official status unknown" of it, never "operational".
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import ClientError
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from monitor.core.target import HttpTarget, PageTarget
from monitor.mask import Mask
from monitor.probers.body import document_of, values_of
from monitor.probers.document import found
from monitor.probers.failure import Stopped, of_timeout
from monitor.probers.http import body_of, exchange
from monitor.probers.reach import Reach
from monitor.probers.run import Run
from monitor.probers.shapes import page_of

# Where a page tells machines the same, the fuller one first: a page made with incident.io may serve the second as well,
# with no incidents in it.
WHERE = ("/proxy/{host}/", "/api/v2/summary.json")


async def look(run: Run, reach: Reach) -> None:
    """Asks the addresses of the page in turn, each once, until one is readable; the first of two has half the time."""
    target = run.probe.ask
    if not isinstance(target, PageTarget):
        raise Stopped("self.config", "the probe names no page")
    *others, last = addresses(target.url)
    for address in others:
        try:
            async with asyncio.timeout((run.probe.timeout.total_seconds() - run.seconds) / 2):
                if await _read(run, reach, target, replace(target, url=address)):
                    return
        except (Stopped, ClientError, HttpProcessingError, TimeoutError) as error:
            if run.phase in ("resolve", "connect", "tls"):  # the next address is on the same host
                if isinstance(error, TimeoutError):
                    raise of_timeout(run.phase, round(run.seconds, 2), any_byte=False) from error
                raise
            run.note(f"not readable there: {error}")
        run.enter(None)
        run.http, run.first_byte_at = None, None
    await _read(run, reach, target, replace(target, url=last))


def addresses(url: str) -> tuple[str, ...]:
    """What is asked, in order: the address as it stands, or for one that is only a host, where its JSON may be."""
    try:
        page = URL(url)
        if page.path.strip("/") or page.query_string or not page.host:
            return (url,)
        return tuple(str(page.with_path(path.format(host=page.host)).with_fragment(None)) for path in WHERE)
    except (ValueError, TypeError):
        return (url,)  # the exchange says what is wrong with it


async def _read(run: Run, reach: Reach, page: PageTarget, asked: HttpTarget) -> bool:
    """Reads one address into the run. False when another status came than is expected. Raises Stopped."""
    with body_of(run, reach, whole=True) as body:
        headers = await exchange(run, reach, asked, body)
        if run.http is None or not any(low <= run.http.status <= high for low, high in run.probe.expect.status):
            return False
        work = partial(_values, run, page, body.content, headers.get("content-type", ""), run.mask)
        run.values.update(await (reach.turns.do(work) if body.small(run.expects) else reach.aside(work)))
    return True


def _values(run: Run, page: PageTarget, body: bytes, content_type: str, mask: Mask) -> Mapping[str, Any]:
    """The facts of the page, and what the expectations ask: of the facts with `json`, of the body with the rest."""
    facts = page_of(document_of(body, content_type), page.url, page.component, mask)
    texts, _, _ = values_of(body, content_type, [replace(one, json=(), fresh=None) for one in run.expects], mask)
    paths = [path for one in run.expects for path in one.paths]
    return {**texts, **found(facts, paths), **facts}
