"""A real Prometheus that scrapes us, and the blackbox exporter beside us: whatever public dashboards and rules ask."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.metrics.community import EVERY
from tests.metrics.side_by_side import NAME, exporter, free_port
from tests.probers.authorities import Authorities
from tests.probers.misbehaving import answer, raw, served
from tests.probers.test_dns_kind import Zone, serving
from tests.processes.running import eventually, get, program
from tests.programs import path_of, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OURS, SINGLE, PEER = "blackbox-exporter", "multi-target", "peer"


def scraped(job: str, address: str, module: str, targets: list[str], **params: list[str]) -> dict[str, Any]:
    """A job of the multi-target pattern, as every example of the exporter has it."""
    return {
        "job_name": job,
        "metrics_path": "/probe",
        "params": {"module": [module], **params},
        "static_configs": [{"targets": targets}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "job", "replacement": job.partition(".")[0]},
            {"target_label": "__address__", "replacement": address},
        ],
    }


@contextmanager
def prometheus(folder: Path, jobs: list[dict[str, Any]]) -> Iterator[str]:
    """The address of a Prometheus with these jobs."""
    port = free_port()
    (folder / "prometheus.yml").write_text(
        json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
    )
    command = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}")
    features = "--enable-feature=exemplar-storage"
    url = f"http://127.0.0.1:{port}"
    ready = lambda: get(f"{url}/-/ready")[0] == 200  # noqa: E731
    with running(path_of("prometheus"), *command, features, log=folder / "log", ready=ready):
        yield url


def ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    """The result of a query."""
    status, body = get(f"{prometheus}/api/v1/query?query={quote(query)}")
    assert status == 200, body
    return list(json.loads(body)["data"]["result"])


@pytest.fixture
async def watching(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Prometheus, once it has seen every target some times through us and through the exporter."""
    authorities = Authorities(tmp_path)
    page, ops = free_port(), free_port()
    async with (
        served(answer(b"in stock"), authorities.context("good")) as shop,
        served(answer(b"hello")) as plain,
        served(raw(b"220 hi\r\n", ask=False)) as port,
    ):
        with serving(Zone(), over_tcp=True) as names, exporter(tmp_path, authorities.ca_file) as peer:
            probes = {
                "shop": {"kind": "http", "url": f"https://{NAME}:{shop.port}/?token=hidden"},
                "plain": {"kind": "http", "url": plain.url()},
                "port": {"kind": "tcp", "address": f"127.0.0.1:{port.port}"},
                "names": {
                    "kind": "dns",
                    "server": f"127.0.0.1:{names}",
                    "name": "shop.example.com",
                    "allow_private": True,
                },
            }
            config = {
                "version": 1,
                "monitor": {
                    "public": f"127.0.0.1:{page}",
                    "ops": f"127.0.0.1:{ops}",
                    "ca_file": authorities.ca_file,
                    "connect_to": {f"{NAME}:{shop.port}": f"127.0.0.1:{shop.port}"},
                },
                "defaults": {"interval": "5s", "timeout": "2s"},
                "modules": [
                    {"id": id, "probes": [{"id": "it", "allow_private": True, **probe}]} for id, probe in probes.items()
                ],
            }
            (tmp_path / "probes.yaml").write_text(json.dumps(config))
            own = f"127.0.0.1:{ops}"
            beside = peer.removeprefix("http://")
            jobs = [
                {"job_name": OURS, "honor_labels": True, "static_configs": [{"targets": [own]}]},
                scraped(SINGLE, own, "http_2xx", [f"{NAME}:{shop.port}", *list(probes)[1:]]),
                scraped(PEER, beside, "http_2xx", [f"https://127.0.0.1:{shop.port}"], hostname=[NAME]),
                scraped(f"{PEER}.plain", beside, "http_2xx", [plain.url()]),
                scraped(f"{PEER}.port", beside, "tcp", [f"127.0.0.1:{port.port}"]),
                scraped(f"{PEER}.names", beside, "dns", [f"127.0.0.1:{names}"]),
            ]
            command = ("run", "--config", str(tmp_path / "probes.yaml"), "--data", str(tmp_path / "data"))
            async with program(*command, log=tmp_path / "monitor.log"):
                await eventually(lambda: get(f"http://{own}/-/ready")[0] == 200, 20, "the monitor is ready")
                with prometheus(tmp_path, jobs) as url:
                    seen = "count by (job) (count_over_time(probe_success[1m]) >= 4)"
                    await eventually(
                        lambda: [one["value"][1] for one in ask(url, seen)] == ["4"] * 3, 40, "all targets are seen"
                    )
                    yield url


async def test_whatever_public_dashboards_and_rules_ask_has_an_answer(watching: str) -> None:
    """From one page, from one target at a time, and with as many series and the same values as from the exporter."""

    def asked() -> None:
        for check in (every_query_is_answered, values_agree, histograms_have_quantiles_and_examples):
            check(watching)

    await asyncio.to_thread(asked)


def every_query_is_answered(prometheus: str) -> None:
    """None is empty."""
    for query in EVERY:
        found = {
            job: ask(prometheus, query.replace("%s", f'job="{job}", instance=~".+"')) for job in (OURS, SINGLE, PEER)
        }
        assert all(found.values()), query
        assert len({len(results) for results in found.values()}) == 1, query


def values_agree(prometheus: str) -> None:
    """Those that are no times, target by target."""
    for name in ("success", "http_status_code", "http_ssl", "http_version", "ssl_earliest_cert_expiry"):
        told = [
            sorted(one["value"][1] for one in ask(prometheus, f'probe_{name}{{job="{job}"}}'))
            for job in (OURS, SINGLE, PEER)
        ]
        assert told[0] == told[1] == told[2], name
    instances = {one["metric"]["instance"] for one in ask(prometheus, f'probe_success{{job="{OURS}"}}')}
    assert not [one for one in instances if "hidden" in one or "?" in one]
    assert not ask(prometheus, '{__name__=~"probe_.+", exported_instance!=""}')
    assert ask(prometheus, "blackbox_exporter_config_last_reload_successful != 1") == []
    assert len(ask(prometheus, f'blackbox_exporter_config_last_reload_successful{{job="{OURS}"}}')) == 1
    assert not ask(prometheus, "up == 0")


def histograms_have_quantiles_and_examples(prometheus: str) -> None:
    """OpenMetrics is what a Prometheus asks for by itself."""
    query = "histogram_quantile(0.95, sum by (module, le) (monitor_observation_duration_seconds_bucket))"
    assert {one["metric"]["module"] for one in ask(prometheus, query)} == {"shop", "plain", "port", "names"}
    created = ask(prometheus, "time() - monitor_observations_created")
    assert created
    assert all(0 <= float(one["value"][1]) < 120 for one in created)
    found = get(
        f"{prometheus}/api/v1/query_exemplars?query=monitor_observation_duration_seconds_bucket"
        "&start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
    )[1]
    labels = [one["labels"] for series in json.loads(found)["data"] for one in series["exemplars"]]
    assert {"location": "here"} in labels
