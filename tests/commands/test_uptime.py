"""`monitor uptime` as it is typed, over a store on disk."""

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.detector import Transition
from monitor.core.module import Status
from monitor.store import open_store
from tests.store.past import incident

FILE = """
version: 1
site: {name: Shop, languages: [pt-BR, en], timezone: America/Sao_Paulo}
components:
  - group: {id: shop, name: Shop}
    items: [{id: buying, name: Buying, modules: [checkout, catalog]}]
modules:
  - {id: checkout, name: Checkout, aliases: [orders], probes: [{id: a, url: "https://shop.example.com/"}]}
  - {id: catalog, name: Catalog, probes: []}
"""
OCTOBER = datetime(2026, 10, 1, 3, tzinfo=UTC)  # in São Paulo
HOUR = timedelta(hours=1)


def moves(module: str) -> list[Transition]:
    """Up all October, but for two hours from noon of the 10th (UTC) on."""
    down = datetime(2026, 10, 10, 12, tzinfo=UTC)
    steps = ((OCTOBER - HOUR, Status.UP), (down, Status.DOWN), (down + 2 * HOUR, Status.UP))
    return [Transition(module, Status.UNKNOWN, status, at, at) for at, status in steps]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probes.yaml").write_text(FILE)
    (tmp_path / "data").mkdir()

    async def fill() -> None:
        store = await open_store(f"sqlite:///{tmp_path / 'data' / 'monitor.db'}")
        await store.seed(moves("orders"), [incident(module="checkout", since=moves("orders")[1].since)], [])
        await store.close()

    asyncio.run(fill())
    return tmp_path


def typed(folder: Path, *words: str) -> Result:
    common = ["--config", str(folder / "probes.yaml"), "--data", str(folder / "data")]
    return CliRunner().invoke(main, [*common, "uptime", *words], catch_exceptions=False)


def told(folder: Path, *words: str) -> dict[str, Any]:
    result = typed(folder, *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_month_in_the_sites_zone(folder: Path) -> None:
    """October of São Paulo has 744 hours, two of which are lost; an alias names the module as well, whose past is still
    stored under it."""
    found = told(folder, "orders", "--from", "2026-10-01", "--until", "2026-11-01")
    assert (found["kind"], found["id"]) == ("module", "checkout")
    assert (found["from"], found["until"]) == ("2026-10-01T03:00:00.000Z", "2026-11-01T03:00:00.000Z")
    assert (found["ratio"], found["coverage"], found["down_seconds"]) == (0.997311, 1.0, 7200)
    assert found["known_seconds"] == 744 * 3600
    assert told(folder, "checkout", "--from", "2026-10-01T00:00", "--until", "2026-11-01T03:00:00Z") == found


def test_the_table_adds_up_to_the_figure(folder: Path) -> None:
    """With the incident behind the outage, and the formula with its numbers."""
    asked = ("checkout", "--from", "2026-10-10", "--until", "2026-10-11", "--explain")
    found = told(folder, *asked)
    assert [(one["status"], one["seconds"], one["lost"]) for one in found["intervals"]] == [
        ("up", 9 * 3600.0, 0.0),
        ("down", 7200.0, 1.0),
        ("up", 13 * 3600.0, 0.0),
    ]
    assert found["intervals"][1]["why"][0].startswith("incident ")
    assert found["formula"][0] == "uptime = 1 - lost / known = 1 - 7200 s / 86400 s = 91.6666 %"
    text = typed(folder, *asked).stdout
    assert "91.6666 %" in text
    assert "100% lost" in text
    assert len([line for line in text.splitlines() if line.startswith("checkout")]) == 3


def test_days_add_up_to_the_figure(folder: Path) -> None:
    """Every day in the site's zone, the first and the last as much as is asked for, as JSON and as CSV."""
    asked = ("checkout", "--from", "2026-10-09T22:00", "--until", "2026-10-12", "--daily")
    found = told(folder, *asked)
    assert [(one["date"], one["known_seconds"], one["down_seconds"]) for one in found["days"]] == [
        ("2026-10-09", 7200, 0),
        ("2026-10-10", 86400, 7200),
        ("2026-10-11", 86400, 0),
    ]
    for name in ("known_seconds", "lost_seconds", "excluded_seconds"):
        assert sum(one[name] for one in found["days"]) == found[name]
    rows = list(csv.DictReader(typed(folder, *asked).stdout.splitlines()))
    assert [(one["date"], one["ratio"]) for one in rows][1] == ("2026-10-10", "0.916666")


def test_components_groups_and_the_platform_have_figures(folder: Path) -> None:
    """One component: all three are the same, whoever is never measured hides nothing."""
    asked = ("--from", "2026-10-01", "--until", "2026-11-01")
    figures = [told(folder, name, *asked)["ratio"] for name in ("buying", "group:shop", "platform")]
    assert figures == [0.997311] * 3
    never = told(folder, "catalog", *asked, "--explain")
    assert (never["ratio"], never["coverage"]) == (None, 0.0)
    assert never["intervals"][0]["why"] == ["never measured"]


def test_the_end_is_now_at_the_latest(folder: Path) -> None:
    """Nobody knows what comes, so the future is no good time."""
    found = told(folder, "checkout", "--from", "-2d", "--until", "2099-01-01")
    until = datetime.fromisoformat(found["until"])
    assert abs(until - datetime.now(UTC)) < timedelta(minutes=1)
    assert found["known_seconds"] == pytest.approx(2 * 86400, abs=60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chekout",), "nothing is called `chekout`; did you mean `checkout`?"),
        (("checkout", "--from", "yesterdat"), "--from must be a date such as 2026-11-01"),
        (("checkout", "--from", "2026-02-30"), "--from must be a date"),
        (("checkout", "--until", "2026-10-01", "--from", "2026-10-02"), "--until must be later than --from"),
        (("checkout", "--from", "2099-01-01"), "--from lies in the future"),
        (("checkout", "--from", "-999999w"), "--from must be a date"),
    ],
)
def test_what_cannot_be_answered_is_told_with_a_remedy(folder: Path, words: tuple[str, ...], said: str) -> None:
    """One sentence, exit status 2."""
    result = typed(folder, *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)


def test_without_a_store_a_sentence_says_so(tmp_path: Path) -> None:
    """Commands that only read make no database."""
    (tmp_path / "probes.yaml").write_text(FILE)
    result = typed(tmp_path, "checkout")
    assert result.exit_code == 1
    assert "there is no database at" in result.stderr
    assert not (tmp_path / "data").exists()
