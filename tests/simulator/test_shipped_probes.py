"""The shipped `probes.yaml` against the simulator: it loads, passes when all is well, and blames who was struck."""

import json
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import aiohttp
import jmespath
import pytest
import yaml

from monitor.config import Config
from monitor.config.file import load
from monitor.core.clause import holds, holds_of_header
from monitor.core.expectation import Expect
from monitor.core.probe import Probe
from monitor.core.target import HttpTarget
from monitor.simulator.modules import VERSIONS
from monitor.simulator.story import STORY
from tests.simulator.conftest import Shopper

pytestmark = pytest.mark.slow

FILE = Path(__file__).parents[2] / "probes.yaml"
KEYS = {"VTEX_APP_KEY": "vtexappkey-demostore-TEST", "VTEX_APP_TOKEN": "token"}


@pytest.fixture(scope="module")
def config() -> Config:
    return load(FILE, KEYS)


def unmet(expect: Expect, status: int, headers: Any, body: bytes, *, only_json: bool = False) -> list[str]:
    """Every expectation that does not hold, as a sentence."""
    now = datetime.now(UTC)
    wrong = []
    if not only_json and not any(low <= status <= high for low, high in expect.status):
        return [f"status {status}: {body[:160]!r}"]
    if expect.content_type and headers.get("content-type", "").partition(";")[0] != expect.content_type:
        wrong.append(f"content type {headers.get('content-type')}")
    for name, clauses in expect.header:
        wrong += [f"header {name} {one}" for one in clauses if not holds_of_header(one, headers.get(name), now)]
    wrong += [f"contains {text}" for text in expect.contains if text.encode() not in body]
    if expect.json:
        document = json.loads(body)
        for path, clauses in expect.json:
            value = jmespath.search(path, document)
            wrong += [f"{path} {one}, got {value!r:.80}" for one in clauses if not holds(one, value, now)]
    return wrong


async def ask(shopper: Shopper, probe: Probe) -> tuple[int, Any, bytes]:
    """One run of a probe, by a client that knows nothing of the probers."""
    target = probe.ask
    assert isinstance(target, HttpTarget)
    return await shopper.ask(
        target.method, target.url, headers=dict(target.headers), data=target.body, skip_auto_headers=["Content-Type"]
    )


async def failing(shopper: Shopper, config: Config, *, timeout: float = 10) -> dict[str, list[str]]:
    """The modules whose deciding probes fail now, with why."""
    found: dict[str, list[str]] = {}
    for probe in config.platform.probes.values():
        if probe.off or probe.role != "verdict" or not isinstance(probe.ask, HttpTarget):
            continue
        try:
            wrong = unmet(probe.expect, *await ask(shopper, probe))
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            wrong = [type(problem).__name__]
        if wrong:
            found.setdefault(probe.module, []).extend(f"{probe.id}: {one}" for one in wrong)
    return found


def test_it_is_plain_yaml_with_every_text_in_every_language() -> None:
    """Any reader of YAML reads it, and no name or description lacks a language."""
    raw = yaml.safe_load(FILE.read_text())
    languages = set(raw["site"]["languages"])
    assert languages == {"pt-BR", "en", "es"}
    items = [item for group in raw["components"] for item in group["items"]]
    assert [len(group["items"]) for group in raw["components"]] == [5, 5, 5, 3]
    for one in [*items, *raw["modules"]]:
        assert set(one["name"]) == set(one["description"]) == languages, one["id"]
    assert len(raw["modules"]) >= 14


def test_it_loads_without_any_variable() -> None:
    """Nothing has to be set: the probes that need a key are off and say why."""
    config = load(FILE, {})
    off = {probe.key: probe.off for probe in config.platform.probes.values() if probe.off}
    assert ("oms", "list") in off
    assert all(off.values())
    measured = [id for id in config.platform.modules if config.platform.measured(id)]
    assert len(measured) >= 14


def test_it_loads_with_keys(config: Config) -> None:
    """What is off with a key takes something of one's own that the invented store has not."""
    assert {probe.key for probe in config.platform.probes.values() if probe.off} == {
        ("portal", "home"),
        ("faststore", "home"),
        ("checkout", "orders-as-forecast"),
        ("message-center", "order-mail"),
    }


def test_the_graph_has_no_circle_and_known_modules(config: Config) -> None:
    """Edges never lead back, and everything the simulator can strike is a module of the file."""
    modules = config.platform.modules
    graph = {id: [edge.module for edge in module.depends_on] for id, module in modules.items()}
    assert list(TopologicalSorter(graph).static_order())
    assert set(VERSIONS) <= set(modules)
    assert {"janus"} == {id for id, module in modules.items() if module.gateway}


def test_a_cart_is_made_rarely(config: Config) -> None:
    """Only the probe that leaves something behind runs more seldom than once a minute."""
    seldom = {probe.key for probe in config.platform.probes.values() if probe.interval.total_seconds() > 60}
    assert seldom == {("checkout", "cart"), ("checkout", "purchase")}
    assert all(config.platform.probes[key].interval.total_seconds() >= 300 for key in seldom)


async def test_every_probe_passes_on_a_healthy_platform(shopper: Shopper, config: Config) -> None:
    """Each answer meets each expectation, side verdicts and evidence included."""
    for probe in config.platform.probes.values():
        if probe.off or probe.kind == "statuspage" or not isinstance(probe.ask, HttpTarget):
            continue  # test_statuspage.py reads the page with the prober itself, which asks elsewhere
        status, headers, body = await ask(shopper, probe)
        assert not unmet(probe.expect, status, headers, body), probe.key
        for side in config.platform.modules[probe.module].verdicts.get(probe.id, ()):
            assert not unmet(side.expect, status, headers, body, only_json=True), (probe.key, side.module)


@pytest.mark.parametrize("module", [*VERSIONS])
async def test_a_struck_module_fails_or_is_named(shopper: Shopper, config: Config, module: str) -> None:
    """Its own probes see it or an answer names it by one of its signals; whoever else fails depends on it."""
    platform = config.platform
    shopper.simulator.strike(module, "http_500")
    wrong = await failing(shopper, config)
    assert wrong
    for id in wrong:
        assert id == module or id in platform.graph.dependants(module), (id, wrong[id])
    signals = platform.modules[module].signals
    said = [text for texts in wrong.values() for text in texts]
    assert module in wrong or module == "janus" or any(code in text for text in said for code in signals)


@pytest.mark.parametrize("module", ["payments", "gift-card", "profile", "session", "vtex-id", "logistics"])
async def test_a_failing_answer_accuses_nobody_on_the_side(shopper: Shopper, config: Config, module: str) -> None:
    """An answer that already names a failed dependency gives no second verdict about another module."""
    shopper.simulator.strike(module, "http_500")
    probe = config.platform.probes["checkout", "simulation"]
    status, headers, body = await ask(shopper, probe)
    if status == 200:
        for side in config.platform.modules["checkout"].verdicts["simulation"]:
            assert not unmet(side.expect, status, headers, body, only_json=True), side.module


@pytest.mark.parametrize(
    ("scene", "modules"),
    [
        (0, {"file-system"}),
        (1, {"logistics", "checkout", "search"}),
        (3, {"rates-and-benefits", "checkout", "search"}),
        (4, {"store-framework", "faststore", "checkout-ui"}),
    ],
)
async def test_scenes_of_the_story(shopper: Shopper, config: Config, scene: int, modules: set[str]) -> None:
    """The first scene fails one module and no other; later ones take along who depends on them."""
    told = STORY[scene]
    shopper.simulator.strike(told.module, told.fault, **told.options)
    assert set(await failing(shopper, config)) == modules
