"""The usual ten alert rules, over pages that were recorded while a shop had a bad hour: they fire and clear in time."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitor.core.board import Board, Condition
from monitor.core.expectation import judge
from monitor.core.history import History
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.metrics import Metrics
from tests.fakes import FakeClock
from tests.metrics.test_collector import platform, probe
from tests.metrics.test_facts import CERTIFICATE, EXPIRED, FAILING, GOOD
from tests.programs import path_of

RULES = Path(__file__).with_name("rules.yml")
JOB = "blackbox-exporter"
BEGAN = datetime.fromtimestamp(0, UTC)  # where promtool's own clock begins
MINUTES = 32
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def certified(days: float, seen: Observation = GOOD) -> Observation:
    """A run that saw a certificate with so many days left from the beginning on."""
    end = BEGAN + days * DAY
    return replace(seen, certificate=replace(CERTIFICATE, not_after=end, earliest_not_after=end, chain_not_after=end))


def slow(seen: Observation) -> Observation:
    return replace(seen, duration=1.6, phases={**seen.phases, "processing": 1.5})


# What each module answers minute by minute.
ANSWERS: dict[str, Callable[[int], Observation]] = {
    "well": lambda minute: certified(90),
    "out": lambda minute: certified(90, FAILING if 10 <= minute < 20 else GOOD),
    "slow": lambda minute: slow(certified(90)) if 5 <= minute < 12 else certified(90),
    "soon": lambda minute: certified(10),
    "very-soon": lambda minute: certified(2),
    # An old certificate that is sent beside a good chain: what has expired stays to be seen.
    "beside": lambda minute: certified(-2) if minute < 30 else certified(90),
    "expired": lambda minute: certified(15 / 1440) if minute < 15 else EXPIRED,
}
DOWN = {"out": range(10, 20), "expired": range(15, MINUTES + 1)}
BROKEN = range(8, 12)  # the configuration


def recorded() -> dict[str, list[float | None]]:
    """Every series that the rules read, with its value in each minute."""
    probes = [probe(module) for module in ANSWERS]
    shop, clock = platform(*probes), FakeClock(BEGAN)
    metrics = Metrics(shop, clock)
    series: dict[str, list[float | None]] = {}
    for minute in range(MINUTES + 1):
        metrics.reloaded(minute not in BROKEN)
        for one in probes:
            seen = replace(ANSWERS[one.module](minute), module=one.module, at=clock.now())
            metrics.observed(one, seen, judge(seen, one.expect))
        down = [one for one in probes if minute in DOWN.get(one.module, ())]
        board = Board(shop, probes={one.key: Condition(Status.DOWN, clock.now()) for one in down})
        for family in text_string_to_metric_families(metrics.page(board, History()).decode()):
            for sample in family.samples if family.name.startswith(("probe_", "blackbox_")) else ():
                told = {"job": JOB, **sample.labels}
                labels = ",".join(f"{name}={json.dumps(value)}" for name, value in told.items())
                series.setdefault(f"{sample.name}{{{labels}}}", [None] * (MINUTES + 1))[minute] = sample.value
        clock.at += MINUTE
    return series


def values(row: list[float | None]) -> str:
    """As promtool reads them; a series that leaves a page is stale from the next scrape on."""
    told, before = [], None
    for value in row:
        told.append(str(value) if value is not None else "stale" if before is not None else "_")
        before = value
    return " ".join(told)


def firing(module: str, severity: str, *names: str) -> dict[str, dict[str, str]]:
    whole = {"instance": f"https://{module}.example/", "module": module, "probe": "page", "kind": "http", "job": JOB}
    labels = {name: value for name, value in whole.items() if not names or name in names}
    return {"exp_labels": {**labels, "severity": severity}}


OUT, AGED = firing("out", "critical"), firing("expired", "critical")
SOON, VERY_SOON = firing("soon", "warning"), firing("very-soon", "critical")
NEAR, BESIDE = [VERY_SOON, AGED], firing("beside", "critical")
LOW = [firing("out", "info"), firing("expired", "info")]
SLOW = {"BlackboxSlowProbe": firing("slow", "warning"), "BlackboxProbeSlowHttp": firing("slow", "warning", "instance")}
RELOAD = {"exp_labels": {"job": JOB, "severity": "warning"}}

# Which alerts fire in which minute.
EXPECTED: dict[str, dict[int, list[dict[str, dict[str, str]]]]] = {
    "BlackboxProbeFailed": {9: [], 10: [], 11: [OUT], 15: [OUT], 16: [OUT, AGED], 19: [OUT, AGED], 20: [AGED]},
    "BlackboxProbeHttpFailure": {10: [], 11: [OUT], 16: [OUT, AGED], 19: [OUT, AGED], 20: [AGED]},
    **{name: {5: [], 6: [one], 11: [one], 12: []} for name, one in SLOW.items()},
    "BlackboxProbeSlowPing": {30: []},
    "BlackboxSslCertificateWillExpireSoon": {0: [SOON], 32: [SOON]},
    # A certificate that is checked vanishes when it expires; the rule looks back for ten minutes and then forgets it.
    "BlackboxSslCertificateWillExpireVerySoon": {0: NEAR, 14: NEAR, 24: NEAR, 25: [VERY_SOON]},
    "BlackboxSslCertificateExpired": {0: [BESIDE], 29: [BESIDE], 30: []},
    "BlackboxLowUptime30d": {9: [], 10: LOW[:1], 32: LOW},
    "BlackboxConfigurationReloadFailure": {7: [], 8: [RELOAD], 11: [RELOAD], 12: []},
}


def test_the_usual_rules_fire_and_clear_in_the_right_minute(tmp_path: Path) -> None:
    rules = [one["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for one in group["rules"]]
    assert rules == list(EXPECTED)
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values(row)} for name, row in recorded().items()],
                "alert_rule_test": [
                    {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": alerts}
                    for name, minutes in EXPECTED.items()
                    for minute, alerts in minutes.items()
                ],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))
    done = subprocess.run(
        [path_of("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
