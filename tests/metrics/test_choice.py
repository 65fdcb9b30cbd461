"""Choice: what `/probe` may be asked for, in whatever way it is written, and that nothing else is meant."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.probe import Probe, Role
from monitor.core.target import HttpTarget, TcpTarget
from monitor.metrics.choice import NotMeant, calls_itself, chosen
from tests.depth import examples
from tests.metrics.test_collector import platform


def probe(module: str, id: str, kind: str, instance: str, ask: object = None, **changes: object) -> Probe:
    made = Probe(module, id, kind, timedelta(seconds=30), timedelta(seconds=10), instance=instance, ask=ask)
    return replace(made, **changes)


def http(module: str, id: str, url: str, **changes: object) -> Probe:
    bare = url.partition("?")[0].replace("user:pw@", "")
    return probe(module, id, "http", bare, HttpTarget(url, headers=changes.pop("headers", ())), **changes)


SHOP = platform(
    probe("shop", "port", "tcp", "shop.example:443", TcpTarget("shop.example", 443)),
    http("shop", "home", "https://user:pw@shop.example/"),
    http("shop", "one", "https://shop.example/api?sc=1"),
    http("shop", "two", "https://shop.example/api?sc=2"),
    probe("names", "zone", "dns", "192.0.2.1:53/shop.example"),
    http("other", "api", "https://shop.example/api?sc=3", role=Role.EVIDENCE),
    http("other", "off", "https://off.example/", off="VTEX_APP_KEY is not set"),
    probe("beat", "calls", "heartbeat", ""),
)


@pytest.mark.parametrize(
    ("target", "module", "meant"),
    [
        ("shop", None, "shop/port"),
        ("shop", "http_2xx", "shop/home"),
        ("shop", "two", "shop/two"),
        ("https://shop.example/", None, "shop/home"),
        ("https://shop.example", None, "shop/home"),
        ("https://shop.example:443/#top", None, "shop/home"),
        ("HTTPS://Shop.Example/", None, "shop/home"),
        ("https://user:pw@shop.example/", None, "shop/home"),
        ("shop.example", "http_2xx", "shop/home"),
        ("shop.example/api", None, "shop/one"),
        ("https://shop.example/api?sc=2", None, "shop/two"),
        ("https://shop.example/api", "other", "other/api"),
        ("https://shop.example/api", "api", "other/api"),
        ("shop.example:443", "port", "shop/port"),
        ("192.0.2.1:53/shop.example", None, "names/zone"),
        ("beat", None, "beat/calls"),
    ],
)
def test_what_is_meant(target: str, module: str | None, meant: str) -> None:
    assert "/".join(chosen(SHOP, target, module).key) == meant


@pytest.mark.parametrize(
    ("target", "module", "reason", "unknown"),
    [
        ("https://evil.example/", None, "target:", False),
        ("http://shop.example/", None, "target:", False),
        ("https://shop.example/api?sc=4", None, "target:", False),
        ("https://shop.example:8443/", None, "target:", False),
        ("https://shop.example/", "nix", "module:", True),
        ("https://shop.example/", "zone", "module:", False),
        ("https://off.example/", None, "target: probe other/off is off", False),
        ("https://[half/", None, "target:", False),
        ("://", None, "target:", False),
    ],
)
def test_what_is_not(target: str, module: str | None, reason: str, unknown: bool) -> None:
    with pytest.raises(NotMeant, match=reason) as refused:
        chosen(SHOP, target, module)
    assert refused.value.unknown is unknown


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=30), st.none() | st.text(max_size=10))
def test_whatever_is_written_is_one_of_ours_or_refused(target: str, module: str | None) -> None:
    with suppress(NotMeant):
        assert chosen(SHOP, target, module).key in SHOP.probes


def test_a_module_goes_by_its_former_ids() -> None:
    """As everywhere else where one is named."""
    shop = replace(SHOP.modules["shop"], aliases=("store", "two"))
    renamed = replace(SHOP, modules={**SHOP.modules, "shop": shop})
    meant = [chosen(renamed, *one).key for one in (("store", None), ("shop", "store"), ("store", "two"))]
    assert meant == [("shop", "port"), ("shop", "port"), ("shop", "two")]


def test_a_target_goes_by_its_own_name_only() -> None:
    home = SHOP.probes["shop", "home"]
    assert calls_itself(home, "SHOP.example")
    assert not calls_itself(home, "evil.example")
    named = http("shop", "named", "https://192.0.2.7/", headers=(("Host", "shop.example"),))
    assert calls_itself(named, "shop.example")
    assert not calls_itself(named, "192.0.2.7")
