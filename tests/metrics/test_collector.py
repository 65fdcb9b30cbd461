"""Collector: what a scrape sees, parsed as strictly as the ecosystem parses it."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.core.board import Board, Condition, Vantage
from monitor.core.expectation import Outcome, Result, judge
from monitor.core.history import History
from monitor.core.module import Module, Platform, Status
from monitor.core.observation import Observation
from monitor.core.presence import Attendance
from monitor.core.probe import Probe, Role
from monitor.metrics import Metrics
from monitor.metrics.exposition import clean, number
from monitor.metrics.facts import FAMILIES
from monitor.metrics.selfwatch import Peak
from tests.fakes import FakeClock
from tests.metrics.test_facts import CERTIFICATE, FAILING, GOOD, REFUSED
from tests.pages import pictures
from tests.pages.pictures import NOW

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
PLACES = ("here", "there")
HOSTILE = 'a"b\\c\nd\x00e' + "f" * 10_000


def probe(module: str, id: str = "page", **changes: object) -> Probe:
    return replace(
        Probe(module, id, "http", timedelta(seconds=30), timedelta(seconds=10), instance=f"https://{module}.example/"),
        **changes,
    )


def platform(*probes: Probe, locations: Iterable[str] = ("here",)) -> Platform:
    modules = {one.module: Module(one.module, {"en": one.module}) for one in probes}
    for one in probes:
        modules[one.module] = replace(modules[one.module], probes=(*modules[one.module].probes, one))
    return Platform(modules, locations={place: place for place in locations})


CART, SEARCH = probe("cart", locations=PLACES), probe("search")
SHOP = platform(CART, SEARCH, locations=PLACES)
EMPTY = History()


def observe(metrics: Metrics, asked: Probe, seen: Observation, place: str = "here") -> None:
    seen = replace(seen, module=asked.module, probe=asked.id, location=place)
    metrics.observed(asked, seen, judge(seen, asked.expect))


def samples(page: bytes, openmetrics: bool = False) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    parse = parse_openmetrics if openmetrics else parse_text
    found = [
        ((sample.name, tuple(sorted(sample.labels.items()))), sample.value)
        for family in parse(page.decode())
        for sample in family.samples
    ]
    assert not [key for key, count in Counter(key for key, _ in found).items() if count > 1]
    return dict(found)


def of(page: bytes, name: str, **labels: str) -> list[float]:
    return [
        value for (known, pairs), value in samples(page).items() if known == name and set(labels.items()) <= set(pairs)
    ]


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics(SHOP, FakeClock(NOW))
    observe(made, CART, GOOD)
    observe(made, CART, FAILING, "there")
    observe(made, SEARCH, REFUSED)
    made.delayed(0.002)
    made.published(0.25, NOW)
    made.stored(0.004)
    made.loop_lag(0.03, 0.01)
    made.queue("events", 3)
    return made


def whole_page(openmetrics: bool) -> bytes:
    """Everything there is: a platform in trouble, every kind of probe, hostile names."""
    seen = pictures.stormy()
    everything = seen.board.platform
    odd = [probe(HOSTILE, kind, kind=kind) for kind in ("http", "tcp", "tls", "dns", "mqtt", "heartbeat", "flow")]
    modules = {**everything.modules, HOSTILE: Module(HOSTILE, {"en": "ç"}, probes=tuple(odd))}
    everything = replace(everything, modules=modules)
    made = Metrics(everything, FakeClock(NOW - timedelta(hours=1)))
    strange = replace(GOOD, certificate=replace(CERTIFICATE, subject=HOSTILE, issuer="é🛒\ud800"))
    for asked in everything.probes.values():
        for place in asked.locations:
            observe(made, asked, strange, place)
    made.queue("events", 3)
    made.contradicted({"old_data": 1})
    made.hook("mirror", True)
    made.hook("mirror", False)
    made.noticed("pager", "delivered")
    made.outbox({"pager": (2, 31.5)})
    made.attended([Attendance("virginia", NOW, skew=0.5, waiting=3, refused={"seal": 1})])
    board = replace(seen.board, platform=everything, vantages={"virginia": Vantage(dark_since=NOW)})
    return made.page(board, seen.history, openmetrics)


@pytest.mark.parametrize("openmetrics", [False, True])
def test_the_official_parsers_read_every_sample_once(openmetrics: bool) -> None:
    page = whole_page(openmetrics)
    assert len(samples(page, openmetrics)) > 1000
    assert page.endswith(b"# EOF\n") is openmetrics
    assert bool(re.search(rb"_created", page)) is openmetrics


def test_both_formats_say_the_same() -> None:
    def own(found: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> dict[object, float]:
        passing = ("process_", "monitor_config_last_reload_success_t", "blackbox_exporter_config_last_reload_success_t")
        return {
            key: value
            for key, value in found.items()
            if not key[0].startswith(passing) and not key[0].endswith("_created")
        }

    assert own(samples(whole_page(False))) == own(samples(whole_page(True), openmetrics=True))


def test_promtool_has_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("MONITOR_TEST_REQUIRE_ALL"):
            pytest.fail("promtool is not installed")
        pytest.skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=whole_page(False), capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_a_family_stands_in_one_piece_after_its_help_and_type() -> None:
    text = whole_page(False).decode()
    for start in ("# HELP ", "# TYPE "):
        names = [line.split()[2] for line in text.splitlines() if line.startswith(start)]
        assert len(names) == len(set(names))


def test_labels_from_strangers_are_cleaned() -> None:
    assert clean(HOSTILE) == 'a\\"b\\\\c d e' + "f" * 191
    subjects = {dict(pairs).get("subject") for name, pairs in samples(whole_page(False)) if name.endswith("chain_info")}
    assert subjects == {'a"b\\c d e' + "f" * 191}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0, "0"), (0.25, "0.25"), (1778594400.0, "1778594400"), (-62135596800.0, "-62135596800"),
     (1e-05, "1e-05"), (-1, "-1")],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_one_series_per_probe_in_the_judged_view(metrics: Metrics) -> None:
    page = metrics.page(Board(SHOP), EMPTY)
    labels = {"instance": "https://cart.example/", "module": "cart", "probe": "page", "kind": "http"}
    assert of(page, "probe_duration_seconds", **labels) == [0.047]  # of the place that succeeded
    assert of(page, "probe_http_status_code", module="cart") == [500]
    assert of(page, "probe_success") == [1, 1]  # nothing is settled yet
    assert not of(page, "probe_success", location="here")


def test_success_is_what_is_settled(metrics: Metrics) -> None:
    down = {CART.key: Condition(Status.DOWN, NOW), SEARCH.key: Condition(Status.DEGRADED, NOW)}
    page = metrics.page(Board(SHOP, probes=down), EMPTY)
    assert of(page, "probe_success", module="cart") == [0]
    assert of(page, "probe_success", module="search") == [1]


def test_evidence_is_never_settled_and_tells_its_last_run() -> None:
    asked = probe("cart", role=Role.EVIDENCE)
    metrics = Metrics(platform(asked))
    observe(metrics, asked, FAILING)
    assert of(metrics.page(Board(platform(asked)), EMPTY), "probe_success") == [0]
    observe(metrics, asked, GOOD)
    assert of(metrics.page(Board(platform(asked)), EMPTY), "probe_success") == [1]


def test_the_view_by_place_has_a_series_for_each_and_nothing_else(metrics: Metrics) -> None:
    page = metrics.page(Board(SHOP), EMPTY, view="locations")
    assert of(page, "probe_success", module="cart", location="here") == [1]
    assert of(page, "probe_success", module="cart", location="there") == [0]
    assert all(name.startswith("probe_") for name, _ in samples(page))


def test_a_page_of_some_modules_overlaps_no_other(metrics: Metrics) -> None:
    whole = set(samples(metrics.page(Board(SHOP), EMPTY)))
    some, rest = (set(samples(metrics.page(Board(SHOP), EMPTY, modules=one))) for one in ("c*", "s*"))
    assert some
    assert rest
    assert not some & rest
    assert some | rest < whole
    assert metrics.page(Board(SHOP), EMPTY, openmetrics=True, modules="nothing") == b"# EOF\n"


def test_counters_begin_at_zero_for_every_outcome() -> None:
    page = Metrics(SHOP).page(Board(SHOP), EMPTY)
    counted = of(page, "monitor_observations_total")
    assert counted == [0] * (3 * 4)
    assert of(page, "monitor_observation_duration_seconds_count") == [0, 0]
    assert not of(page, "probe_success")


def test_runs_are_counted_by_outcome_and_measured(metrics: Metrics) -> None:
    page = metrics.page(Board(SHOP), EMPTY)
    assert of(page, "monitor_observations_total", module="cart", location="here", outcome="passed") == [1]
    assert of(page, "monitor_observations_total", module="cart", location="there", outcome="failed") == [1]
    assert of(page, "monitor_observation_duration_seconds_count", module="cart") == [2]
    assert of(page, "monitor_observation_duration_seconds_bucket", module="cart", le="0.05") == [2]
    assert of(page, "monitor_observation_duration_seconds_bucket", module="cart", le="0.025") == [0]
    assert of(page, "monitor_observation_duration_seconds_bucket", module="cart", le="+Inf") == [2]
    assert of(page, "monitor_observation_duration_seconds_sum", module="cart") == [0.094]


def test_a_reload_keeps_counters_and_drops_what_left(metrics: Metrics) -> None:
    fewer = platform(replace(CART, interval=timedelta(seconds=60), locations=("here",)))
    metrics.reconfigured(fewer)
    page = metrics.page(Board(fewer), EMPTY)
    assert of(page, "monitor_observations_total", module="cart", outcome="passed") == [1]
    assert not of(page, "monitor_observations_total", location="there")
    assert of(page, "probe_http_status_code") == [200]
    assert "search" not in page.decode()


def test_another_target_begins_without_a_last_run(metrics: Metrics) -> None:
    moved = platform(replace(CART, instance="https://other.example/"))
    metrics.reconfigured(moved)
    page = metrics.page(Board(moved), EMPTY)
    assert not of(page, "probe_success")
    assert of(page, "monitor_observations_total", module="cart", location="here", outcome="passed") == [1]


def test_a_run_of_a_probe_that_left_is_nobodys(metrics: Metrics) -> None:
    before = metrics.page(Board(SHOP), EMPTY, modules="*")
    observe(metrics, probe("gone"), GOOD)
    observe(metrics, CART, GOOD, "nowhere")
    assert metrics.page(Board(SHOP), EMPTY, modules="*") == before


def test_a_probe_that_is_off_has_no_series() -> None:
    off = platform(probe("cart", off="VTEX_APP_KEY is not set"))
    assert not of(Metrics(off).page(Board(off), EMPTY), "monitor_observations_total")


def test_the_state_of_modules_incidents_and_places() -> None:
    seen = pictures.stormy()
    board = replace(seen.board, vantages={"virginia": Vantage(dark_since=NOW)})
    page = Metrics(board.platform, FakeClock(NOW)).page(board, seen.history)
    assert of(page, "monitor_module_status", module="checkout", status="down") == [1]
    assert sum(of(page, "monitor_module_status", module="checkout")) == 1
    assert of(page, "monitor_module_up_ratio", module="catalog", window="90d") == [1]
    assert of(page, "monitor_module_up_ratio", module="checkout", window="24h")[0] < 1
    assert of(page, "monitor_incidents_open", priority="high") == [4]
    assert of(page, "monitor_incidents_open", priority="urgent") == [0]
    assert of(page, "monitor_incident_info", module="admin", code="tls.cert_expired", **{"class": "certificate"}) == [1]
    assert of(page, "monitor_blind", location="virginia") == [1]
    assert of(page, "monitor_blind", location="frankfurt") == [0]


def test_what_is_not_known_has_no_ratio() -> None:
    seen = pictures.newborn()
    page = Metrics(seen.board.platform).page(seen.board, seen.history)
    assert not of(page, "monitor_module_up_ratio")
    assert of(page, "monitor_module_status", module="cart", status="unknown") == []
    assert of(page, "monitor_module_status", module="catalog", status="unknown") == [1]


def test_each_detection_counts_once_and_none_from_before_the_start() -> None:
    seen = pictures.stormy()  # four open ones, the first after 70 s each; one began four minutes ago
    metrics = Metrics(seen.board.platform, FakeClock(NOW - timedelta(minutes=20)))
    for _ in range(3):
        page = metrics.page(seen.board, seen.history)
    assert of(page, "monitor_incident_detection_seconds_count") == [2]
    assert of(page, "monitor_incident_detection_seconds_sum") == [140]


def test_what_a_person_opened_is_open_and_was_not_detected() -> None:
    """It has no code, and says nothing of how fast the monitor is."""
    seen = pictures.picture([pictures.by_hand()])
    page = Metrics(seen.board.platform, FakeClock(NOW - timedelta(minutes=20))).page(seen.board, seen.history)
    assert of(page, "monitor_incident_detection_seconds_count") == [0]
    assert of(page, "monitor_incidents_open", priority="normal") == [1]
    assert of(page, "monitor_incident_info", incident=pictures.by_hand().id, code="") == [1]


def test_the_monitors_own_figures(metrics: Metrics) -> None:
    metrics.loop_lag(0.001)
    metrics.reloaded(False)
    metrics.contradicted({"old_data": 2})
    metrics.contradicted({"old_data": 0})
    page = metrics.page(Board(SHOP), EMPTY)
    assert of(page, "monitor_event_loop_lag_seconds") == [0.03]  # the peak, not the last
    assert of(page, "monitor_queue_depth", queue="events") == [3]
    assert of(page, "monitor_schedule_delay_seconds_count") == [1]
    assert of(page, "monitor_publish_duration_seconds") == [0.25]
    assert of(page, "monitor_publish_last_success_timestamp_seconds") == [NOW.timestamp()]
    assert of(page, "monitor_store_write_seconds") == [0.004]
    assert of(page, "monitor_contradictions", kind="old_data") == [0]
    assert of(page, "monitor_config_last_reload_successful") == [0]
    assert of(page, "blackbox_exporter_config_last_reload_successful") == [0]
    assert len(of(page, "monitor_build_info")) == 1


def families() -> list[Metric]:
    return list(parse_text(whole_page(False).decode()))


def test_every_family_is_described() -> None:
    text = DOCS.read_text()
    for family in families():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in text or f"`{name}{{" in text, name
    for one in FAMILIES:
        assert f"`{one.name}`" in text or f"`{one.name}{{" in text, one.name


def test_every_label_is_described() -> None:
    """`monitor_*` families stand in the description with their labels; `le` belongs to every histogram."""
    text = DOCS.read_text()
    for family in families():
        if family.name.startswith("monitor_"):
            labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
            told = re.search(rf"`{family.name}(?:_total)?(?:\{{([a-z_,]*)\}})?`", text)
            assert told is not None, family.name
            assert sorted((told[1] or "").split(",") if told[1] else []) == labels, family.name


def test_a_scrape_in_a_thread_and_runs_in_the_loop_do_not_meet(metrics: Metrics) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def scrape() -> None:
        try:
            while not stop.is_set():
                counts = samples(metrics.page(Board(SHOP), EMPTY, modules="cart"))
                name, labels = "monitor_observation_duration_seconds", (("module", "cart"), ("probe", "page"))
                last = counts[f"{name}_bucket", (("le", "+Inf"), *labels)]
                assert last == counts[f"{name}_count", labels]
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=scrape)
    thread.start()
    for number_ in range(2000):
        observe(metrics, CART, GOOD, PLACES[number_ % 2])
    stop.set()
    thread.join()
    assert not failures


def test_a_thousand_probes_are_joined_in_a_moment() -> None:
    """Allowed is ten times what it takes on an idle machine; prometheus_client alone would need a second."""
    probes = [probe(f"module-{n}") for n in range(1000)]
    shop = platform(*probes)
    metrics = Metrics(shop)
    for one in probes:
        observe(metrics, one, GOOD)
    board = Board(shop)
    metrics.page(board, EMPTY)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        page = metrics.page(board, EMPTY)
        took.append(time.perf_counter() - began)
    assert page.count(b"\nprobe_success{") == 1000
    assert min(took) < 0.2


def test_a_peak_is_forgotten_after_half_a_minute() -> None:
    """However often is measured meanwhile, and however rarely."""
    now = 100.0
    peak = Peak(lambda: now)
    assert peak() == 0
    peak.add(2.0)
    for _ in range(290):
        now += 0.1
        peak.add(0.001)
        assert peak() == 2.0
    now += 1.1
    assert peak() == 0.001
    now += 60
    assert peak() == 0


def test_an_outcome_without_a_verdict_is_counted_too() -> None:
    metrics = Metrics(SHOP)
    metrics.observed(SEARCH, replace(GOOD, module="search"), Result(Outcome.UNKNOWN, "self.stall"))
    assert of(metrics.page(Board(SHOP), EMPTY), "monitor_observations_total", outcome="unknown", module="search") == [1]
