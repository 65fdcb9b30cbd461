"""`monitor plan` and `monitor suggest-plan`, from the file to the terminal."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.core.module import Status
from monitor.store import open_store
from tests.ready import ready_file
from tests.store.past import NOON, moved, trouble

FILE = """version: 1
modules:
  - {id: checkout, probes: [{id: home, kind: http, url: "http://127.0.0.1:1/"}]}
  - {id: logistics, aliases: [shipping]}
"""
PLANS = """version: 1
modules: [{id: checkout}]
plans:
  - {id: community, name: Community}
  - {id: global, name: {pt-BR: Mundial, en: Global, es: Global}, suggested_when: {orders_per_day: {at_least: 500}}}
"""


def monitor(folder: Path, *arguments: str, file: str = FILE) -> Result:
    (folder / "probes.yaml").write_text(file)
    given = ("--config", str(folder / "probes.yaml"), "--data", str(folder))
    return CliRunner().invoke(main, [*arguments, *given])


def test_without_a_past_everything_is_new(tmp_path: Path) -> None:
    """But what is not measured; and no database is made by asking."""
    result = monitor(tmp_path, "plan")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "+ checkout: a new module, unknown until its first results",
        "modules: 1 added, 0 removed, 0 renamed, 1 kept; probes: 0 added, 0 removed",
    ]
    assert not (tmp_path / "monitor.db").exists()


async def remember(url: str) -> None:
    store = await open_store(url)
    await store.commit([*trouble("shipping"), moved("catalog", Status.UP, NOON), moved("checkout", Status.UP, NOON)])
    await store.close()


def test_what_becomes_of_each_history(tmp_path: Path) -> None:
    """The database is only read."""
    asyncio.run(remember(ready_file(tmp_path / "monitor.db")))
    before = (tmp_path / "monitor.db").read_bytes()
    result = monitor(tmp_path, "plan")
    day = f"{NOON:%Y-%m-%d}"
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"> shipping -> logistics: its history since {day} goes on under the new id")
    assert lines[1].startswith(f"- catalog: leaves; its history since {day} stays stored")
    assert lines[2:] == [
        "- logistics/http: leaves its module",
        "modules: 0 added, 1 removed, 1 renamed, 1 kept; probes: 0 added, 1 removed",
    ]
    objects = [json.loads(line) for line in monitor(tmp_path, "plan", "--json").stdout.splitlines()]
    assert [(one["kind"], one["id"], one["was"]) for one in objects] == [
        ("kept", "checkout", None),
        ("renamed", "logistics", "shipping"),
        ("removed", "catalog", None),
        ("removed", "logistics/http", None),
    ]
    assert (tmp_path / "monitor.db").read_bytes() == before


def test_a_broken_file_is_told_as_check_tells_it(tmp_path: Path) -> None:
    """Every problem on a line of its own, exit status 2; a file may be named."""
    (tmp_path / "other.yaml").write_text("version: 1\nmodule: []\n")
    result = monitor(tmp_path, "plan", str(tmp_path / "other.yaml"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == monitor(tmp_path, "check", str(tmp_path / "other.yaml")).stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [((), "community\tCommunity\n"), (("--orders-per-day", "500"), "global\tMundial\n")],
)
def test_a_plan_is_suggested(tmp_path: Path, given: tuple[str, ...], told: str) -> None:
    """By id and name, in the first language of the site."""
    result = monitor(tmp_path, "suggest-plan", *given, file=PLANS)
    assert (result.exit_code, result.stdout) == (0, told)


@pytest.mark.parametrize(
    "given", [("--orders-per-day", "nan"), ("--average-ticket", "-5"), ("--growth-percent", "inf")], ids=" ".join
)
def test_a_shop_has_numbers_that_can_be(tmp_path: Path, given: tuple[str, str]) -> None:
    """Anything else fits no rule and every rule alike: it is told, exit status 2."""
    result = monitor(tmp_path, "suggest-plan", *given, file=PLANS)
    assert (result.exit_code, result.stdout) == (2, "")
    assert given[0] in result.stderr


def test_where_no_plan_fits_that_is_said(tmp_path: Path) -> None:
    """In one sentence, exit status 1."""
    result = monitor(tmp_path, "suggest-plan")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
