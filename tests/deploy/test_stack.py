"""The whole stack: a module fails, and everybody who should know of it does, once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import boards
from tests.deploy.stack import Stack, fetched, stack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STRUCK = "logistics"  # Checkout and others hang on it
MAY_BE_EMPTY = {
    "Hooks": "none is configured",
    "Planned work": "none is planned",
    "Starts": "it began before Prometheus looked",
}


@pytest.fixture
def struck(tmp_path: Path, postgres_server: str) -> Iterator[Stack]:
    """The stack, some seconds after a module was struck down."""
    with stack(tmp_path, postgres_server) as one:
        seen = 'count(monitor_module_status{status="up"} == 1) > 20'
        until(lambda: one.query(seen), 60, "Prometheus sees modules that are up")
        one.strike(STRUCK, "http_503")
        until(lambda: one.alerts(alertname="VtexIncidentOpen"), 60, "the incident is an alert")
        yield one


def the_fault_is_an_alert_that_names_the_module(struck: Stack) -> None:
    """Prometheus scraped it, a rule of ours fired, Alertmanager has it."""
    alert = until(lambda: struck.alerts(alertname="VtexIncidentOpen", module=STRUCK), 60, "the root is found")[0]
    assert alert["labels"]["severity"] == "critical"
    assert "http.503" in until(lambda: struck.alerts(module=STRUCK), 5, "it stays")[0]["annotations"]["description"]
    until(lambda: struck.alerts(alertname="Watchdog"), 90, "the watchdog is there")
    assert not struck.alerts(about="monitor", severity="critical")


def the_broker_has_told_of_it(struck: Stack) -> None:
    """The monitor's own notice, and the incident as a retained state."""
    incident = struck.alerts(alertname="VtexIncidentOpen")[0]["labels"]["incident"]
    topic = f"vtex-status/incidents/{incident}"
    until(lambda: [one for where, one in struck.heard if where == topic], 30, "the state of the incident")
    notices = until(lambda: [one for where, one in struck.heard if where == "vtex-status/notices"], 30, "a notice")
    assert incident in {one["incident"]["id"] for one in notices}


def readers_see_it_through_nginx(struck: Stack) -> None:
    """From the published folder alone."""
    incident = struck.alerts(alertname="VtexIncidentOpen")[0]["labels"]["incident"]
    for path in ("/api/v1/incidents.json", "/en/"):
        page = struck.url("nginx", path)
        until(lambda page=page: incident in str(fetched(page)), 30, f"{path} has it")  # type: ignore[misc]


def one_incident_is_one_page(struck: Stack) -> None:
    """The budgets of all that hang on it burn, and are kept back."""
    burning = until(lambda: struck.alerts(alertname="VtexErrorBudgetBurnsFast"), 90, "budgets burn")
    (incident,) = {one["labels"]["incident"] for one in struck.alerts(alertname="VtexIncidentOpen")}
    until(
        lambda: all(one["status"]["inhibitedBy"] for one in struck.alerts(alertname="VtexErrorBudgetBurnsFast")),
        30,
        f"all of {len(burning)} are kept back",
    )
    until(struck.pages, 30, "somebody is paged")
    time.sleep(8)  # longer than two groups wait
    pages = struck.pages()
    told = {a["labels"]["alertname"] for page in pages for a in page["alerts"]}
    assert told == {"VtexIncidentOpen"}
    assert {page["groupLabels"]["incident"] for page in pages} == {incident}


def it_is_kept_in_postgresql_and_its_log_has_fields(struck: Stack) -> None:
    """Each line is one object; no secret stands in any."""
    text = (struck.folder / "monitor" / "log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"at", "level", "logger", "message"} <= set(line) for line in lines)
    incident = struck.alerts(alertname="VtexIncidentOpen")[0]["labels"]["incident"]
    about = [line for line in lines if line.get("incident") == incident]
    assert {"opened"} <= {line.get("change") for line in about}
    assert STRUCK in {line.get("module") for line in about}
    assert "pager" in {line.get("channel") for line in about}, "the notice that left is among them"
    assert all(len(line["trace_id"]) == 32 for line in about if "change" in line)
    assert "a-token-of-the-stack" not in text
    assert not (struck.folder / "monitor" / "data" / "monitor.db").exists()


def a_collector_gets_every_step_with_the_same_fields(struck: Stack) -> None:
    """A real OTLP receiver: the run, the judgement, the write, the publication, the delivery."""
    incident = struck.alerts(alertname="VtexIncidentOpen")[0]["labels"]["incident"]
    names = {"probe", "judge", "store", "publish", "deliver"}
    until(lambda: {name for name, _ in struck.spans()} >= names, 20, "spans of every step")
    found = struck.spans()
    assert {about["resource.service.name"] for _, about in found} == {"vtex-monitor"}
    assert {"judge", "deliver"} <= {name for name, about in found if about.get("incident") == incident}
    assert {"probe", "judge"} <= {name for name, about in found if about.get("module") == STRUCK}
    assert "a-token-of-the-stack" not in str(found)


def every_panel_has_something_to_show(struck: Stack) -> None:
    """Executed by Prometheus over the incident, with every choice of the variables at `All`."""
    until(lambda: struck.query("module:monitor_error_budget_left:ratio"), 90, "the page has figures")
    for file in boards.FILES:
        _has_something_to_show(struck, file)


def _has_something_to_show(struck: Stack, file: Path) -> None:
    board, empty = boards.read(file), []
    for where, text in boards.asked(board):
        single = {"module": STRUCK} if "module" in board["uid"] else {}
        if not struck.query(boards.filled(text, **single), seconds=60):
            empty.append(where)
    assert [where for where in empty if not any(name in where for name in MAY_BE_EMPTY)] == []
    for name, one in boards.variables(board).items():
        if one["type"] == "query":
            series, label = one["query"]["query"][len("label_values(") : -1].rsplit(", ", 1)
            assert struck.query(f"count by ({label}) ({boards.filled(series, module=STRUCK)})"), name


def a_store_that_refuses_is_an_alert_and_stops_nothing(struck: Stack) -> None:
    """The last thing that happens here: the database takes nothing any more."""
    struck.shut_the_database()
    waits = 'ALERTS{alertname="MonitorStoreNotWriting", alertstate=~"pending|firing"}'
    until(lambda: struck.query(waits), 60, "the alert is on its way")
    before = struck.query("sum(monitor_observations_total)")[0]["value"][1]
    after = lambda: struck.query("sum(monitor_observations_total)")[0]["value"][1]  # noqa: E731
    until(lambda: float(after()) > float(before) + 20, 30, "it goes on looking and judging")
    until(lambda: struck.query('monitor_queue_depth{queue="store"} > 5'), 30, "what waits is counted")


CHECKS = (
    the_fault_is_an_alert_that_names_the_module,
    the_broker_has_told_of_it,
    readers_see_it_through_nginx,
    one_incident_is_one_page,
    it_is_kept_in_postgresql_and_its_log_has_fields,
    a_collector_gets_every_step_with_the_same_fields,
    every_panel_has_something_to_show,
    a_store_that_refuses_is_an_alert_and_stops_nothing,
)


def test_one_fault_reaches_everybody_once(struck: Stack, subtests: pytest.Subtests) -> None:
    """One stack for all of it: it takes a minute to stand."""
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(struck)
