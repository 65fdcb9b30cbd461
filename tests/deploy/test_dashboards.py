"""Dashboards: complete, in a form Grafana reads, and made of expressions that Prometheus reads."""

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.deploy import boards
from tests.deploy.test_rules import RECORDED
from tests.programs import path_of

ROOT = Path(__file__).parents[2]
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
GONE = {"graph", "singlestat", "table-old", "grafana-piechart-panel", "grafana-worldmap-panel", "natel-discrete-panel"}
every_board = pytest.mark.parametrize("file", boards.FILES, ids=lambda file: file.stem)


def test_there_are_three_and_grafana_tells_them_apart() -> None:
    """By uid, which links name."""
    found = [boards.read(file) for file in boards.FILES]
    assert sorted(one["uid"] for one in found) == ["vtex-module", "vtex-monitor", "vtex-platform"]
    assert len({one["title"] for one in found}) == 3


@every_board
def test_every_panel_explains_itself(file: Path) -> None:
    """A title, a sentence, a unit, thresholds with a beginning, an id of its own, data from the chosen source."""
    board = boards.read(file)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in boards.shown(board):
        where, defaults = panel["title"], panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 15, where
        assert panel["description"].endswith("."), where
        assert defaults["unit"], where
        assert defaults["thresholds"]["steps"][0]["value"] is None, where
        assert panel["type"] not in GONE, where
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {one["uid"] for one in sources} == {"${datasource}"}, where
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]), where


@every_board
def test_no_panel_lies_on_another(file: Path) -> None:
    """The grid has 24 columns."""
    places = [panel["gridPos"] for panel in boards.read(file)["panels"]]
    assert all(one["x"] + one["w"] <= 24 for one in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


@every_board
def test_a_reader_chooses_source_group_module_and_place(file: Path) -> None:
    """Filled from labels, and each one that is used exists."""
    board = boards.read(file)
    known = boards.variables(board)
    assert set(known) >= {"datasource", "group", "module", "location"}
    assert known["datasource"]["type"] == "datasource"
    assert all(one["query"]["query"].startswith("label_values(") for one in known.values() if one["type"] == "query")
    used = {name for _, text in boards.asked(board) for name in re.findall(r"\$\{?(\w+)", text)}
    assert used - {"__rate_interval"} <= set(known)
    assert set(known) - used - {"datasource"} <= {"group"}, "a choice that changes nothing misleads"


@every_board
def test_incidents_are_marked_in_time(file: Path) -> None:
    """A bend in a curve explains itself beside the incident."""
    notes = {one["name"]: one for one in boards.read(file)["annotations"]["list"]}
    assert "monitor_incident" in notes["Incidents"]["expr"]
    assert notes["Incidents"]["enable"]
    assert notes["Incidents"]["expr"] == notes["Incidents"]["target"]["expr"]


@every_board
def test_the_three_lead_to_each_other(file: Path) -> None:
    """With the same time and choices; links into a board name one that exists."""
    board = boards.read(file)
    (link,) = (one for one in board["links"] if one["type"] == "dashboards")
    assert link["includeVars"]
    assert link["keepTime"]
    assert set(link["tags"]) <= set(board["tags"])
    uids = {boards.read(one)["uid"] for one in boards.FILES}
    assert set(re.findall(r'"/d/([\w-]+)/', file.read_text(encoding="utf-8"))) <= uids


@every_board
def test_prometheus_reads_every_expression(file: Path, tmp_path: Path) -> None:
    """Its own parser, on what Grafana would send."""
    asked = [boards.filled(text) for _, text in boards.asked(boards.read(file))]
    asked += [f"count({one[13:-1].rpartition(',')[0]})" for one in _queries(file)]
    rules = [{"record": "a:b:c", "expr": text, "labels": {"number": str(n)}} for n, text in enumerate(asked)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    command = (path_of("promtool"), "check", "rules", str(tmp_path / "rules.yml"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _queries(file: Path) -> list[str]:
    known = boards.variables(boards.read(file)).values()
    return [boards.filled(one["query"]["query"]) for one in known if one["type"] == "query"]


@every_board
def test_what_is_asked_for_exists(file: Path) -> None:
    """A misspelt metric is an empty panel."""
    texts = [text for _, text in boards.asked(boards.read(file))] + _queries(file)
    names = {name for text in texts for name in re.findall(r"\b(?:monitor|probe|process)_\w+|\b\w+:\w+:\w+", text)}
    recorded = {name for name in names if ":" in name}
    assert recorded <= RECORDED
    plain = {re.sub(r"_(bucket|count|sum)$", "", name) for name in names - recorded}
    assert {name for name in plain if f"`{name}`" not in METRICS and f"`{name}{{" not in METRICS} == set()


def test_grafana_finds_them_where_compose_puts_them() -> None:
    """The provider reads the folder that is mounted there; the source has the address of the service."""
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    provider = yaml.safe_load((provisioning / "dashboards" / "vtex.yml").read_text())["providers"][0]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert {one["url"].split("//")[1].partition(":")[0] for one in sources} <= set(services)
