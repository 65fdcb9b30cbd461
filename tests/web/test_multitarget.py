"""Multi-target: how `/probe` is asked, in what form it answers, and who may read more than the figures."""

import gzip
from dataclasses import replace

import pytest

from monitor.core.roster import with_ops_token
from monitor.web.multitarget import Asked, Told
from tests.pages.pictures import SECRET
from tests.web.test_ops import CONTEXT, TOKEN, serving

HEARD: list[Asked] = []


async def answers(asked: Asked) -> Told:
    HEARD.append(asked)
    if asked.target == "nothing":
        return Told(400, "target: there is none")
    if asked.target == "bug":
        raise RuntimeError(SECRET)
    return Told(200, "probe_success 1\n", asked.openmetrics)


OPEN = replace(CONTEXT, answers=answers)
LOCKED = replace(OPEN, roster=lambda: with_ops_token("s3cret-ã"))


async def test_what_is_asked_arrives() -> None:
    async with serving(OPEN) as client:
        limit = {"X-Prometheus-Scrape-Timeout-Seconds": "9.5"}
        query = "target=shop&module=it&hostname=shop.example&location=here&debug=true"
        async with client.get(f"/probe?{query}", headers=limit) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert HEARD[-1] == Asked("shop", "it", "shop.example", "here", debug=True, limit=9.5)
        await client.get("/probe?target=shop&module=&debug=yes")
        assert HEARD[-1] == Asked("shop")


async def test_it_comes_as_the_scraper_asks() -> None:
    async with serving(OPEN) as client:
        async with client.get("/probe?target=shop", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert gzip.decompress(await answer.read()) == b"probe_success 1\n"
        accept = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "identity"}
        async with client.get("/probe?target=shop", headers=accept) as answer:
            assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        async with client.head("/probe?target=shop") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("query", "limit", "status"),
    [("", "5", 400), ("target=", "5", 400), ("target=nothing", "5", 400), ("target=shop", "soon", 500),
     ("target=shop", "nan", 500), ("target=bug", "5", 500)],
)  # fmt: skip
async def test_what_is_asked_wrongly_is_refused_with_a_reason(query: str, limit: str, status: int) -> None:
    async with serving(OPEN) as client:
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": limit}
        async with client.get(f"/probe?{query}", headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status
            assert text.strip()
            assert SECRET not in text


async def test_figures_are_free_like_metrics_and_steps_are_not() -> None:
    """A Prometheus has no token; what a target was sent and said is for those who may read this side."""
    async with serving(LOCKED) as client:
        async with client.get("/probe?target=shop") as answer:
            assert answer.status == 200
        asked = len(HEARD)
        async with client.get("/probe?target=shop&debug=true") as answer:
            assert answer.status == 401
        assert len(HEARD) == asked
        async with client.get("/probe?target=shop&debug=true", headers=TOKEN) as answer:
            assert answer.status == 200
    async with serving(OPEN) as client:  # nobody is named: who sits at this machine, and no web page for them
        async with client.get("/probe?target=shop&debug=true", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403
        async with client.get("/probe?target=shop&debug=true", headers={"X-Forwarded-For": "192.0.2.1"}) as answer:
            assert answer.status == 403
