"""Hygiene: every series is there from the beginning and gone with what it speaks of, tells when it began and what
stands behind it, and holds nothing that nobody may read."""

import gc
import re
from dataclasses import replace
from datetime import timedelta

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.expectation import Outcome, Result, judge
from monitor.core.history import History
from monitor.core.module import Status
from monitor.core.observation import Failure, Http
from monitor.metrics import Metrics
from monitor.metrics.exposition import exemplar
from monitor.metrics.series import BOUNDS, Run
from tests.config.support import with_probe
from tests.fakes import FakeClock
from tests.metrics.test_collector import CART, EMPTY, PLACES, SHOP, observe, of, platform, probe, samples
from tests.metrics.test_facts import FAILING, GOOD
from tests.pages import pictures
from tests.pages.pictures import NOW

CREATED = "monitor_observation_duration_seconds_created"


def test_whatever_is_configured_is_counted_from_the_beginning_and_what_left_is_not() -> None:
    """Channels, hooks and queues: `rate()` sees the first failure, and nothing speaks of what is gone."""
    metrics = Metrics(SHOP)
    metrics.reconfigured(SHOP, ["pager", "chat"], ["mirror"])
    page = metrics.page(Board(SHOP), EMPTY)
    assert of(page, "monitor_notices_total") == [0] * 6
    assert of(page, "monitor_outbox_pending") == of(page, "monitor_outbox_oldest_seconds") == [0, 0]
    assert of(page, "monitor_publish_hook_runs_total") == [0, 0]
    assert of(page, "monitor_queue_depth") == [0, 0]
    metrics.noticed("pager", "failed")
    metrics.outbox({"pager": (2, 31.5)})
    metrics.hook("mirror", True)
    metrics.reconfigured(SHOP, ["pager"])
    page = metrics.page(Board(SHOP), EMPTY)
    assert of(page, "monitor_notices_total", channel="pager", outcome="failed") == [1]
    assert of(page, "monitor_outbox_pending") == [2]
    assert b"chat" not in page
    assert b"mirror" not in page


def test_a_bucket_shows_the_last_run_in_it_and_its_incident() -> None:
    metrics = Metrics(SHOP, FakeClock(NOW))
    slow = replace(FAILING, module="cart", probe="page", duration=3.0)
    metrics.observed(CART, slow, judge(slow, CART.expect), "k3f09a")
    observe(metrics, CART, GOOD)
    found = {
        sample.labels["le"]: sample.exemplar
        for family in parse_openmetrics(metrics.page(Board(SHOP), EMPTY, openmetrics=True).decode())
        for sample in family.samples
        if sample.name == "monitor_observation_duration_seconds_bucket" and sample.exemplar is not None
    }
    assert {le: (one.labels, one.value) for le, one in found.items()} == {
        "0.05": ({"location": "here"}, 0.047),
        "5.0": ({"incident": "k3f09a", "code": "http.500", "location": "here"}, 3.0),
    }
    assert b" # {" not in metrics.page(Board(SHOP), EMPTY)


def test_of_the_runs_of_a_probe_only_the_last_is_kept() -> None:
    """A bucket holds what its exemplar tells and no more, whatever came back: runs carry headers and excerpts."""
    metrics, seen = Metrics(SHOP, FakeClock(NOW)), []
    for took in BOUNDS:
        seen.append(replace(GOOD, module="cart", probe="page", duration=took, phases={"connect": took}))
        metrics.observed(CART, seen[-1], judge(seen[-1], CART.expect))
    assert metrics.page(Board(SHOP), EMPTY, openmetrics=True).count(b" # {") == len(BOUNDS)
    known = {id(one) for one in seen}
    held = [one for one in gc.get_objects() if isinstance(one, Run) and id(one.seen) in known]
    assert [one.seen for one in held] == [seen[-1]]


def test_a_detection_shows_its_incident() -> None:
    seen = pictures.stormy()
    metrics = Metrics(seen.board.platform, FakeClock(NOW - timedelta(minutes=20)))
    page = metrics.page(seen.board, seen.history, openmetrics=True).decode()
    shown = re.findall(r'monitor_incident_detection_seconds_bucket\{le="[^"]+"\} \S+ # \{incident="(\w+)"\}', page)
    assert set(shown) <= {*seen.board.incidents, *(one.id for one in seen.history.incidents)}
    assert shown


def test_an_example_is_never_longer_than_openmetrics_allows() -> None:
    told = exemplar([("incident", "k3f09a"), ("location", "x" * 200), ("code", "http.500")], 0.5, 1.0)
    assert told == ' # {incident="k3f09a",code="http.500"} 0.5 1.000'


def test_counters_tell_when_they_began() -> None:
    """Those of a probe that came later began later."""
    clock = FakeClock(NOW)
    metrics = Metrics(platform(CART, locations=PLACES), clock)
    clock.at += timedelta(minutes=5)
    metrics.reconfigured(SHOP)
    page = samples(metrics.page(Board(SHOP), EMPTY, openmetrics=True), openmetrics=True)
    began = {dict(labels)["module"]: value for (name, labels), value in page.items() if name == CREATED}
    assert began == {"cart": NOW.timestamp(), "search": NOW.timestamp() + 300}


def test_the_figures_of_a_module_follow_its_past() -> None:
    """They are kept for a minute, but for one that is down or to which something happened."""
    seen, clock = pictures.stormy(), FakeClock(NOW)
    metrics = Metrics(seen.board.platform, clock)

    def ratio(module: str, history: History) -> float:
        return of(metrics.page(seen.board, history), "monitor_module_up_ratio", module=module, window="24h")[0]

    before = ratio("checkout", seen.history)
    clock.at += timedelta(seconds=30)
    assert ratio("checkout", seen.history) < before  # it is down
    assert ratio("catalog", seen.history) == 1
    past = dict(seen.history.transitions)
    hour = timedelta(hours=1)
    fell = Transition("catalog", Status.UP, Status.DOWN, NOW - hour, NOW - hour)
    past["catalog"] = (*past["catalog"], fell)
    assert ratio("catalog", replace(seen.history, transitions=past)) < 1


def test_no_secret_of_a_target_is_on_the_page() -> None:
    """Neither what stands in its address, nor what was sent to it, nor what it answered."""
    secret = "canary-of-a-secret"  # one that must not be found
    config = with_probe(
        f"kind: http\nurl: https://{secret}:{secret}@shop.example/a?key={secret}#{secret}\n"
        f"headers: {{X-Key: {secret}, Cookie: a={secret}}}\nmethod: POST\nbody: {secret}"
    )
    asked = config.platform.probes["checkout", "home"]
    metrics = Metrics(config.platform)
    http = Http(500, {"location": secret, "server": secret}, 10, secret, "1.1", 0, 10)
    failure = Failure("http.truncated", secret)
    metrics.observed(
        asked,
        replace(GOOD, module="checkout", probe="home", http=http, failure=failure, values={"a": secret}),
        Result(Outcome.FAILED, "http.truncated", reasons=(secret,)),
    )
    board = Board(config.platform)
    for page in (
        *(metrics.page(board, EMPTY, openmetrics) for openmetrics in (False, True)),
        metrics.page(board, EMPTY, view="locations"),
    ):
        assert b"https://shop.example/a" in page
        assert secret.encode() not in page


def test_the_name_of_a_module_may_have_any_letters() -> None:
    page = metrics_of("zahlung-für-ação-🛒")
    assert of(page, "probe_success", module="zahlung-für-ação-🛒") == [1]


def metrics_of(module: str) -> bytes:
    asked = probe(module)
    metrics = Metrics(platform(asked))
    observe(metrics, asked, GOOD)
    return metrics.page(Board(platform(asked)), EMPTY)
