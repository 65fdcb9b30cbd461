"""`monitor report` as it is typed: one file to print, tables and JSON, in three languages."""

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.detector import Transition
from monitor.core.incident import Stage
from monitor.core.module import Status
from monitor.store import open_store
from tests.store.past import incident

FILE = """
version: 1
site: {name: "Shop <b>", languages: [pt-BR, en, es], timezone: America/Sao_Paulo, url: "https://status.example.com"}
components:
  - group: {id: shop, name: Shop, objective: 99.9%}
    items: [{id: buying, name: "=Buying", modules: [checkout]}]
modules:
  - {id: checkout, name: Checkout, objective: 99.5%, probes: [{id: a, url: "https://shop.example.com/"}]}
plans:
  - {id: gold, name: Gold, objective: 99.8%, response: {urgent: 30m}}
"""
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October, up but for two hours, with an incident of a person's title."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "probes.yaml").write_text(FILE)
    (folder / "data").mkdir()
    steps = ((NOON - timedelta(days=60), Status.UP), (NOON, Status.DOWN), (NOON + 2 * HOUR, Status.UP))
    one = incident("checkout", NOON, NOON + 2 * HOUR)
    members = tuple(replace(member, until=NOON + 2 * HOUR) for member in one.members)
    title = {"en": "=HYPERLINK(1) <script>alert(1)</script>; =2+3;\uff1d4;-5\t@6"}
    one = replace(one, members=members, title=title, components=("buying",), stage=Stage.RESOLVED)

    async def fill() -> None:
        store = await open_store(f"sqlite:///{folder / 'data' / 'monitor.db'}")
        await store.seed([Transition("checkout", Status.UNKNOWN, to, at, at) for at, to in steps], [one], [])
        await store.close()

    asyncio.run(fill())
    return folder


def typed(folder: Path, *words: str) -> Result:
    common = ["--config", str(folder / "probes.yaml"), "--data", str(folder / "data")]
    return CliRunner().invoke(main, [*common, "report", *words], catch_exceptions=False)


def told_by(place: Path) -> str:
    """The table of incidents."""
    return (place / "report-incidents.csv").read_text()


def test_every_format_at_once_into_a_folder(folder: Path) -> None:
    """The page, two tables and the object; all of them have the same figure."""
    place = folder / "october"
    assert typed(folder, "--month", "2026-10", "--format", "html,csv,json", "--output", str(place)).exit_code == 0
    names = ["report-availability.csv", "report-incidents.csv", "report.html", "report.json"]
    assert sorted(one.name for one in place.iterdir()) == names
    found = json.loads((place / "report.json").read_text())
    assert (found["name"], found["complete"]) == ("2026-10", True)
    assert {one["kind"]: one["ratio"] for one in found["availability"]} == dict.fromkeys(
        ("platform", "group", "component", "module"), 0.997311
    )
    assert [one["kept"] for one in found["plans"]] == [False]
    kept = {one["kind"]: one["objective"]["kept"] for one in found["availability"] if one["objective"]}
    assert kept == {"group": False, "module": True}
    assert [(one["plan"], one["incidents"], one["broken"]) for one in found["services"]] == [("gold", 1, 1)]
    lines = list(csv.DictReader((place / "report-availability.csv").read_text().splitlines()))
    assert [one["ratio"] for one in lines] == ["0.997311"] * 4
    assert {one["name"] for one in lines} == {"", "Shop", "'=Buying", "Checkout"}
    told = list(csv.DictReader(io.StringIO(told_by(place))))
    assert told[0]["title"].startswith("'=HYPERLINK")
    for separator in ",;\t":  # whichever the reader's spreadsheet goes by
        cells = [cell.strip() for row in csv.reader(io.StringIO(told_by(place)), delimiter=separator) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))] == []
    assert "99,731" in (place / "report.html").read_text()


@pytest.mark.parametrize(
    ("lang", "heading", "ratio"),
    [("pt-BR", "Outubro de 2026", "99,731"), ("en", "October 2026", "99.731"), ("es", "Octubre de 2026", "99,731")],
)
def test_the_page_is_one_file_in_every_language(folder: Path, lang: str, heading: str, ratio: str) -> None:
    """Nothing is fetched, nothing runs, and what people wrote is text."""
    page = typed(folder, "--month", "2026-10", "--lang", lang).stdout
    assert f"<h1>{heading}</h1>" in page
    assert ratio in page
    assert f'<html lang="{lang}"' in page
    assert "<script" not in page
    assert not re.search(r'<(?:link|img|iframe)\b|\bsrc=|style="|@import|url\(', page)
    assert "&lt;script&gt;" in page
    assert "@media print" in page
    assert page.count("<svg") > 2


def test_quarters_and_any_stretch_of_time(folder: Path) -> None:
    """The same outage in a quarter, and in the hour it filled."""
    quarter = json.loads(typed(folder, "--quarter", "2026-q4", "--format", "json").stdout)
    assert quarter["name"] == "2026-Q4"
    span = ("--from", "2026-10-10T12:00:00Z", "--until", "2026-10-10T13:00:00Z")
    hour = json.loads(typed(folder, *span, "--format", "json").stdout)
    assert (hour["name"], hour["availability"][0]["ratio"]) == (None, 0.0)
    assert hour["times"]["recover"]["count"] == 0  # not yet
    assert hour["before"] == {"from": "2026-10-10T11:00:00.000Z", "until": "2026-10-10T12:00:00.000Z"}


def test_a_month_that_is_not_over_says_until_when(folder: Path) -> None:
    """On the page and in the object."""
    month = f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m}"
    assert json.loads(typed(folder, "--month", month, "--format", "json").stdout)["complete"] is False
    assert "Incomplete: until" in typed(folder, "--month", month, "--lang", "en").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say either --month, or --quarter, or --from with --until"),
        (("--month", "2026-10", "--quarter", "2026-Q4"), "say either --month"),
        (("--month", "2026-Q4"), "--month must be a month such as 2026-11"),
        (("--quarter", "2026-11"), "--quarter must be a quarter such as 2026-Q4"),
        (("--month", "10/2026"), "--month must be a month"),
        (("--until", "now"), "--until needs a --from"),
        (("--month", "2099-01"), "the period lies in the future"),
        (("--month", "2026-10", "--format", "pdf"), "--format is one of html, csv, json"),
        (("--month", "2026-10", "--format", "html,csv"), "several formats need a folder: --output DIR"),
        (("--month", "2026-10", "--lang", "fr"), "--lang is one of pt-BR, en, es"),
    ],
)
def test_what_cannot_be_reported_is_told_with_a_remedy(folder: Path, words: tuple[str, ...], said: str) -> None:
    """One sentence, exit status 2."""
    result = typed(folder, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
