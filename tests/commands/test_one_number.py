"""One number, followed through everything that tells it: page, badge, both APIs, metric, report and command."""

import asyncio
import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.clock import SystemClock
from monitor.config.file import load
from monitor.core.availability import PLATFORM
from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.effect import Arranged
from monitor.core.history import board_from
from monitor.core.maintenance import Window, announced, begun, ended
from monitor.core.module import Status
from monitor.core.observation import moment
from monitor.core.plotted import Choice
from monitor.core.series import WINDOWS, grid_of
from monitor.core.statement import spent_object
from monitor.core.uptime import Spent
from monitor.figures import Figures
from monitor.metrics.whole import Ratios
from monitor.store import open_store
from monitor.web.series import availability_object

FILE = """
version: 1
site:
  name: Shop
  languages: [en]
  timezone: America/New_York
  uptime: {degraded_counts: 25%}
components:
  - group: {id: shop, name: Shop}
    items: [{id: buying, name: Buying, modules: [checkout]}]
modules:
  - {id: checkout, name: Checkout, objective: 99.9%, probes: [{id: a, url: "https://shop.example.com/"}]}
"""
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 30 days: 5 h down of which 2 h were planned, and 4 h degraded, which count a quarter."""
    folder = tmp_path_factory.mktemp("number")
    (folder / "probes.yaml").write_text(FILE)
    (folder / "data").mkdir()
    now = datetime.now(UTC)
    down, slow = now - timedelta(days=10), now - timedelta(days=5)
    steps = (
        (now - timedelta(days=200), Status.UP),
        (down, Status.DOWN),
        (down + 5 * HOUR, Status.UP),
        (slow, Status.DEGRADED),
        (slow + 4 * HOUR, Status.UP),
    )
    plan = Window("w", {"en": "Works"}, down, down + 2 * HOUR, modules=("checkout",))
    work = ended(begun(announced(plan, down, down - HOUR), down), down + 2 * HOUR)

    async def fill() -> None:
        store = await open_store(f"sqlite:///{folder / 'data' / 'monitor.db'}")
        await store.seed([Transition("checkout", Status.UNKNOWN, to, at, at) for at, to in steps], [], [])
        await store.commit([Arranged(work, None)])
        await store.close()

    asyncio.run(fill())
    return folder


def typed(folder: Path, *words: str) -> str:
    common = ["--config", str(folder / "probes.yaml"), "--data", str(folder / "data")]
    result = CliRunner().invoke(main, [*common, *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_one_number_is_the_same_wherever_it_is_told(folder: Path) -> None:
    """3 h down and a quarter of 4 h degraded are lost of 718 known hours: 99.4428 %."""
    ratio, lost, known = 0.994428, 4 * 3600, 718 * 3600
    assert ratio == int((1 - lost / known) * 1e6) / 1e6

    own = json.loads(typed(folder, "uptime", "checkout", "--from", "-30d", "--explain", "--json"))
    assert (own["ratio"], own["lost_seconds"], own["known_seconds"]) == (ratio, lost, known)
    assert sum(one["seconds"] * one["lost"] for one in own["intervals"] if one["counted"]) == pytest.approx(lost)
    for name in ("buying", "group:shop", "platform"):
        assert json.loads(typed(folder, "uptime", name, "--from", "-30d", "--json"))["ratio"] == ratio

    typed(folder, "render", "--output", str(folder / "site"))
    site = folder / "site"
    told = json.loads((site / "api/v1/modules/checkout.json").read_text())["uptime"]
    assert told["30d"]["ratio"] == ratio
    whole = json.loads((site / "api/v1/uptime.json").read_text())
    figures = [
        whole["overall"],
        *(one["uptime"] for kind in ("groups", "components", "modules") for one in whole[kind]),
    ]
    assert [one["30d"] for one in figures] == [told["30d"]] * 4
    for page in ("modules/checkout", "components/buying"):
        assert "99.44\u00a0%" in (site / page / "index.html").read_text()
    ninety = told["90d"]["ratio"]
    for badge in ("overall", "modules/checkout", "components/buying"):
        assert f"{int(ninety * 1e4) / 1e2:.2f}\u00a0%" in (site / "badge" / badge / "uptime.svg").read_text()

    async def asked() -> tuple[str, dict[str, object]]:
        config, now = load(folder / "probes.yaml", {}), datetime.now(UTC)
        store = await open_store(f"sqlite:///{folder / 'data' / 'monitor.db'}", readonly=True)
        board = board_from(config.platform, await store.recall(now))
        history = await store.history(now - timedelta(days=92), now)
        await store.close()
        window, often = WINDOWS["90d"], timedelta(seconds=30)
        choice = Choice("checkout", window, None, None, (), ("here",), (), often)
        return (
            Ratios().lines(board, history, ["checkout"], now)[0].decode(),
            availability_object(choice, grid_of(window, now, often, timedelta(days=7)), board, history),
        )

    async def summed() -> Spent:
        """The same from sums of days."""
        config = load(folder / "probes.yaml", {})
        store = await open_store(f"sqlite:///{folder / 'data' / 'monitor.db'}")
        try:
            figures = Figures(store, SystemClock(), lambda: Board(config.platform), lambda: config.site)
            await figures.close()
            until = moment(own["until"])
            assert until is not None
            found = await figures.spent([PLATFORM], until - timedelta(days=30), until)
            assert isinstance(found, list)
            assert (await store.reckoned(until - timedelta(days=30), until, {"module:checkout": ("checkout",)}))[1]
            return found[0]
        finally:
            await store.close()

    assert spent_object(asyncio.run(summed()))["ratio"] == ratio
    metric, plotted = asyncio.run(asked())
    assert f'window="30d"}} {ratio}' in metric
    assert SimpleNamespace(**plotted).whole["ratio"] == ninety
    assert SimpleNamespace(**plotted).budget["spent_seconds"] == lost

    span = ("--from", own["from"], "--until", own["until"])
    reported = json.loads(typed(folder, "report", *span, "--format", "json"))
    assert [one["ratio"] for one in reported["availability"]] == [ratio] * 4
    assert "99.442\u00a0%" in typed(folder, "report", *span)
    lines = csv.DictReader(typed(folder, "report", *span, "--format", "csv").splitlines())
    assert {one["ratio"] for one in lines} == {str(ratio)}


def test_each_text_that_is_rendered_has_its_compressed_form_beside_it(folder: Path) -> None:
    """As one that is published has."""
    typed(folder, "render", "--output", str(folder / "site"))
    texts = [one for one in (folder / "site").rglob("*.*") if one.is_file() and one.suffix not in (".gz", ".png")]
    assert len(texts) > 20
    for text in texts:
        assert gzip.decompress(text.with_name(f"{text.name}.gz").read_bytes()) == text.read_bytes()
