"""Side by side: the blackbox exporter itself and our `/probe`, asked about the same target at the same time."""

import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from monitor.clock import SystemClock
from monitor.config.parse import parse
from monitor.core.board import Board
from monitor.exporter import Exporter
from monitor.lookout import Lookout
from monitor.metrics import Metrics
from monitor.probers import Reach
from monitor.web.ops import ops_app
from tests.programs import path_of, running
from tests.web.test_ops import CONTEXT

NAME = "shop.test"  # what the certificates of the tests are for
LIMIT = 1.5  # seconds both have
# What the exporter tells since a version younger than the one that Debian has.
YOUNGER = frozenset({"probe_timeout_seconds", "probe_tls_cipher_info", "probe_failed_due_to_bytes"})

Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True)
class Question:
    """What is asked: `module` of the exporter with its `target`, and the lines of the same probe of ours."""

    module: str
    target: str
    probe: Mapping[str, Any]
    hostname: str | None = None
    monitor: Mapping[str, Any] = field(default_factory=dict)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def exporter(folder: Path, ca_file: str) -> Iterator[str]:
    """The address of a running blackbox exporter."""
    program, port = path_of("prometheus-blackbox-exporter"), free_port()
    tls = {"ca_file": ca_file}
    http = {"preferred_ip_protocol": "ip4", "tls_config": tls}
    tcp = {"preferred_ip_protocol": "ip4"}
    dns = {"preferred_ip_protocol": "ip4"}
    modules: dict[str, Any] = {
        "http_2xx": {"prober": "http", "http": http},
        "once": {"prober": "http", "http": http | {"follow_redirects": False}},
        "text": {"prober": "http", "http": http | {"fail_if_body_not_matches_regexp": ["in stock"]}},
        "tcp": {"prober": "tcp", "tcp": tcp},
        "banner": {"prober": "tcp", "tcp": tcp | {"query_response": [{"expect": "^220 "}]}},
        "tls": {"prober": "tcp", "tcp": tcp | {"tls": True, "tls_config": tls | {"server_name": NAME}}},
        "dns": {"prober": "dns", "dns": dns | {"query_name": "shop.example.com", "query_type": "A"}},
        "gone": {"prober": "dns", "dns": dns | {"query_name": "nowhere.example.com", "query_type": "A"}},
        "serial": {"prober": "dns", "dns": dns | {"query_name": "example.com", "query_type": "SOA"}},
    }
    for module in modules.values():
        module["timeout"] = f"{LIMIT}s"
    file = folder / "blackbox.yml"
    file.write_text(json.dumps({"modules": modules}))
    url = f"http://127.0.0.1:{port}"
    command = (program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}")
    with running(*command, log=folder / "log", ready=lambda: _answers(f"{url}/-/healthy")):
        yield url


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except OSError:
        return False


@asynccontextmanager
async def ours(text: str) -> AsyncIterator[str]:
    """The address of our operators' side for a configuration, with nothing probed yet."""
    config = parse(text, "probes.yaml", {}, lambda path: Path(path).read_text(), lambda theme: frozenset())
    clock = SystemClock()
    board = Board(config.platform)
    async with Reach.open(config.network, config.secrets, clock, lookup_timeout=0.5) as reach:
        metrics = Metrics(config.platform)
        lookout = Lookout(config, reach, clock, lambda observation: None)
        told = Exporter(lambda: board, metrics, lookout, clock)
        context = replace(CONTEXT, board=lambda: board, answers=told.answer)
        async with TestServer(ops_app(context)) as server:
            yield str(server.make_url("")).rstrip("/")
        told.close()


async def both(exporter: str, asked: Question) -> tuple[Page, Page]:
    """What the exporter says, and what we say."""
    probe = {"id": "it", "timeout": f"{LIMIT}s", "interval": "30s", "allow_private": True, **asked.probe}
    config = {
        "version": 1,
        "monitor": dict(asked.monitor),
        "modules": [{"id": "shop", "probes": [probe]}],
    }
    params = {"module": asked.module, "target": asked.target}
    if asked.hostname:
        params["hostname"] = asked.hostname
    async with ours(json.dumps(config)) as own, ClientSession() as session:
        theirs = await _page(session, f"{exporter}/probe", params)
        return theirs, await _page(session, f"{own}/probe", {"target": "shop"})


async def _page(session: ClientSession, url: str, params: Mapping[str, str]) -> Page:
    async with session.get(url, params=params) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return read(text)


def read(text: str) -> Page:
    """Every sample of a page."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
