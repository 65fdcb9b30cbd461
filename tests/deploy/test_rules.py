"""Rules and routes: read by the programs that will read them, and played."""

import re
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import path_of
from tests.test_docs import anchors

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
PLAYED = sorted(Path(__file__).parent.glob("*_test.yml"))
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
DOCS = ROOT / "docs"


def said(*command: str) -> str:
    """What a command prints; the test fails with it when the command does."""
    done = subprocess.run((path_of(command[0]), *command[1:]), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(one.read_text(encoding="utf-8")) for one in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def test_prometheus_takes_every_rule() -> None:
    """Syntax, templates and names, together with the configuration that lists them."""
    assert said("promtool", "check", "rules", *map(str, RULES)).count("SUCCESS") == len(RULES)
    assert "3 rule files found" in said("promtool", "check", "config", "deploy/prometheus/prometheus.yml")


@pytest.mark.parametrize(
    "play",
    [pytest.param(one, id=one.stem, marks=[] if one.stem == "monitor_test" else pytest.mark.slow) for one in PLAYED],
)
def test_rules_fire_and_clear_as_played(play: Path) -> None:
    """promtool plays series through the rules and compares alerts word by word."""
    said("promtool", "test", "rules", str(play))


def test_every_alert_is_played() -> None:
    """A rule that nobody has seen firing may never fire."""
    played = "".join(one.read_text(encoding="utf-8") for one in PLAYED)
    assert {name for name in ALERTS if not re.search(rf"\b{name}\b", played)} == set()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_what_and_what_to_do(name: str) -> None:
    """Its runbook is a heading of the documentation."""
    rule = ALERTS[name]
    told = rule["annotations"]
    assert rule["labels"]["about"] in ("platform", "monitor")
    assert rule["labels"]["severity"] in ("critical", "warning", "none") or "{{" in rule["labels"]["severity"]
    assert told["summary"]
    assert told["description"]
    page, anchor = told["runbook_url"].removeprefix("https://docs.example.com/").split("#")
    assert anchor == name.lower()
    assert anchor in anchors(DOCS / page)


def test_rules_ask_for_metrics_that_exist() -> None:
    """A misspelt name gives no data, and so no alarm."""
    known = (DOCS / "metrics.md").read_text(encoding="utf-8")
    asked = {
        one for rule in rules() for one in re.findall(r"\b(?:monitor|probe)_[a-z0-9_]+|\b\w+:\w+:\w+", rule["expr"])
    }
    of_rules = {one for one in asked if ":" in one}
    assert of_rules <= RECORDED
    plain = {re.sub(r"_bucket$", "", one) for one in asked - of_rules}
    assert {one for one in plain if f"`{one}`" not in known and f"`{one}{{" not in known} == set()


def test_no_rule_looks_at_single_runs() -> None:
    """What was settled counts: `probe_success` only says that a probe is there."""
    assert [name for name, rule in ALERTS.items() if "probe_success" in rule["expr"]] == []


def test_alertmanager_takes_its_configuration() -> None:
    """amtool reads it as the server does."""
    assert "SUCCESS" in said("amtool", "check-config", str(ALERTMANAGER))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "Watchdog", "severity": "none", "about": "monitor"}, "watchdog"),
        ({"alertname": "MonitorBlind", "severity": "critical", "about": "monitor"}, "monitor-pager"),
        ({"alertname": "MonitorScheduleLate", "severity": "warning", "about": "monitor"}, "tickets"),
        (
            {"alertname": "VtexIncidentOpen", "severity": "critical", "about": "platform", "module": "payments"},
            "payments-pager",
        ),
        (
            {"alertname": "VtexIncidentOpen", "severity": "critical", "about": "platform", "module": "checkout"},
            "platform-pager",
        ),
        ({"alertname": "VtexIncidentOpen", "severity": "critical", "about": "platform"}, "platform-pager"),
        ({"alertname": "VtexIncidentOpen", "severity": "warning", "about": "platform", "module": "blog"}, "tickets"),
    ],
)
def test_alerts_go_where_they_belong(labels: dict[str, str], receiver: str) -> None:
    """By who runs what, by module, by how bad it is."""
    pairs = [f"{name}={value}" for name, value in labels.items()]
    assert said("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *pairs).strip() == receiver


def test_inhibition_names_alerts_that_exist() -> None:
    """`VtexIncident` is what the monitor's own channel of kind `alertmanager` posts."""
    inhibitions = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))["inhibit_rules"]
    matchers = chain.from_iterable(one["source_matchers"] + one["target_matchers"] for one in inhibitions)
    patterns = [pattern for one in matchers for pattern in re.findall(r'alertname\s*(?:=~|!=|=)\s*"?([^"]+)', one)]
    names = {*ALERTS, "VtexIncident"}
    assert [one for one in patterns if not any(re.fullmatch(one.strip(), name) for name in names)] == []
