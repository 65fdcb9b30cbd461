"""Faults without an error: the probes of the shipped file that look at what stands still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.config.file import load, shipped
from monitor.core.expectation import Outcome, judge, judge_side
from monitor.core.module import Platform
from monitor.core.observation import Http, Observation
from monitor.core.probe import Role
from monitor.core.target import HeartbeatTarget
from monitor.probers.document import found

OWN = {
    "VTEX_APP_KEY": "vtexappkey-demostore-TEST",
    "VTEX_APP_TOKEN": "token",
    "VTEX_FRESH_SKU": "3",
    "VTEX_MAIL_HEARTBEAT": "a-secret-of-ours",
    "MONITOR_PROMETHEUS_URL": "http://prometheus.internal:9090",
}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD, NEW = "approximateAgeOfOldestMessageInSeconds", "aproximateAgeOfOldestMessageInSeconds"


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load(shipped(), OWN).platform


def answered(platform: Platform, module: str, probe: str, document: Any, status: int = 200) -> Observation:
    """A run that was answered with this document."""
    expects = [platform.probes[module, probe].expect]
    expects += [side.expect for side in platform.modules[module].verdicts.get(probe, ())]
    values = {path: value for one in expects for path, value in found(document, one.paths).items()}
    return Observation(NOW, module, probe, "here", NOW, 0.05, http=Http(status, bytes=99), values=values)


@pytest.mark.parametrize(
    ("feed", "code"),
    [
        ({"quantity": 3, OLD: 12}, None),
        ({"quantity": 3, NEW: 12}, None),
        ({"quantity": 3, OLD: 3601}, "content.stale"),
        ({"quantity": 3, NEW: 3601}, "content.stale"),
        ({"quantity": 0, OLD: None}, None),
        ({"quantity": 0}, None),
        ({"quantity": 3}, "content.assertion"),
        ({"unexpected": True}, "content.assertion"),
    ],
)
def test_orders_do_not_wait_in_the_feed(platform: Platform, feed: dict[str, Any], code: str | None) -> None:
    """Whichever way the field is spelt; an empty feed has no oldest message, and a feed without an age is none."""
    run = answered(platform, "workflow", "feed-age", feed)
    assert judge(run, platform.probes["workflow", "feed-age"].expect).code == code


@pytest.mark.parametrize(
    ("stuck", "moving", "well"), [(0, 20, True), (1, 19, True), (10, 10, True), (11, 9, False), (1, 0, False)]
)
def test_one_stuck_order_is_an_order_and_many_are_the_order_flow(
    platform: Platform, stuck: int, moving: int, well: bool
) -> None:
    """The list itself is fine either way."""
    orders = [{"workflowInErrorState": index < stuck} for index in range(stuck + moving)]
    document = {"list": orders, "paging": {"total": len(orders)}, "stats": {}}
    run = answered(platform, "oms", "list", document)
    result = judge(run, platform.probes["oms", "list"].expect)
    (side,) = platform.modules["oms"].verdicts["list"]
    assert (result.outcome, side.module) == (Outcome.PASSED, "workflow")
    assert (judge_side(run, result, side.expect).outcome is Outcome.PASSED) is well


def test_the_list_of_orders_keeps_no_name_of_anybody(platform: Platform) -> None:
    """Values are stored and shown; people who bought something are not among them."""
    document = {"list": [{"clientName": "Maria", "workflowInErrorState": False}], "paging": {"total": 1}, "stats": {}}
    assert "Maria" not in str(answered(platform, "oms", "list", document).values)


@pytest.mark.parametrize(
    ("minutes", "status", "search", "indexing"),
    [
        (6, 200, None, None),
        (21, 200, None, "content.stale"),
        (6, 503, "http.503", None),
    ],
)
def test_an_old_index_blames_the_indexing_and_no_answer_blames_search(
    platform: Platform, minutes: int, status: int, search: str | None, indexing: str | None
) -> None:
    """One product tells them apart."""
    written = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    product: dict[str, Any] = {"productId": "103", "properties": [{"name": "Cor", "values": ["azul"]}]}
    product["properties"] += [{"name": "Monitor", "values": [written]}]
    run = answered(platform, "search", "fresh", product, status)
    result = judge(run, platform.probes["search", "fresh"].expect)
    (side,) = platform.modules["search"].verdicts["fresh"]
    assert (result.code, side.module) == (search, "indexing")
    assert judge_side(run, result, side.expect).code == indexing


def test_mail_and_sales_are_watched_by_what_one_has(platform: Platform) -> None:
    """A mailbox that calls with a secret, and a Prometheus whose word is no verdict."""
    mail, sales = platform.probes["message-center", "order-mail"], platform.probes["checkout", "orders-as-forecast"]
    assert (mail.kind, mail.off, mail.role) == ("heartbeat", None, Role.VERDICT)
    assert mail.ask == HeartbeatTarget("a-secret-of-ours")
    assert "a-secret-of-ours" in load(shipped(), OWN).secrets
    assert (sales.kind, sales.off, sales.role) == ("prometheus", None, Role.EVIDENCE)
    assert sales.ask.url.startswith("http://prometheus.internal:9090/api/v1/query?query=")
