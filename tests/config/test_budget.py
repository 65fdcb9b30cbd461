"""What a configuration would ask of VTEX, beside the limits and manners that VTEX documents."""

import re
from pathlib import Path

import pytest

from monitor.config.budget import LIMITS, PLENTY
from monitor.config.file import load, shipped
from tests.config.support import messages, parsed, with_probe

C = "https://mystore.vtexcommercestable.com.br"
HEAD = "monitor: {canaries: ['https://a.example.com']}"


def places(count: int) -> str:
    """So many places that every probe runs from, with an agent at each."""
    names = [f"p{index}" for index in range(count)]
    agents = [f"{{id: {name}, secret: 0123456789abcdef-0123456789abcdef-{name}}}" for name in names]
    return (
        f"{HEAD[:-1]}, broker: 'mqtt://broker.example.com'}}\nlocations: [{', '.join(agents)}]\n"
        f"defaults: {{interval: 5s, timeout: 4s, locations: [{', '.join(names)}]}}"
    )


def limits(keys: str, head: str = HEAD, **environment: str) -> list[str]:
    """Warnings about a limit."""
    said = messages(with_probe(keys, head, **environment).warnings)
    return [one for one in said if "the limit for one account" in one]


@pytest.mark.parametrize("keys", [{}, {"VTEX_APP_KEY": "abcdabcd", "VTEX_APP_TOKEN": "abcdabcd"}], ids=["bare", "keys"])
def test_the_shipped_file_is_far_below_every_limit(keys: dict[str, str]) -> None:
    """With and without a key."""
    assert load(shipped(), keys).warnings == ()


# 12 runs a minute from each place; 60 extra runs a minute and a tenth of the scheduled ones come on top.
@pytest.mark.parametrize(
    ("keys", "within", "most"),
    [
        (f"url: {C}/api/oms/pvt/orders?per_page=1", 450, "6,000"),
        ("url: https://mystore.myvtex.com/api/orders/feed/config", 450, "6,000"),
        (f"url: {C}/api/catalog_system/pub/saleschannel/1", 1131, "15,000"),
        (f"url: {C}/api/catalog/pvt/product/7", 1131, "15,000"),
        (f"url: {C}/api/giftcardproviders", 374, "5,000"),
        ("url: https://api.vtex.com/mystore/pricing/prices/1\nmethod: PUT", 146, "2,000"),
        ("url: https://api.vtex.com/mystore/pricing/prices/1\nmethod: DELETE", 71, "1,000"),
        (f"url: {C}/api/vtexid/pub/authentication/start?scope=mystore", 10, "200"),
    ],
)
def test_a_documented_limit_is_warned_about_from_the_first_request_too_many(keys: str, within: int, most: str) -> None:
    """Runs of all places count, and the extra runs that a suspicion adds."""
    assert limits(keys, places(within)) == []
    (said,) = limits(keys, places(within + 1))
    assert f"the limit for one account is {most}: lengthen `interval`" in said


def test_the_limit_of_the_whole_catalog_counts_all_its_endpoints() -> None:
    """Four probes may each keep to theirs and be too many together; two accounts have a limit each."""
    paths = ("brand/list", "category/tree/1", "saleschannel/1", "products/search")
    host = "https://{}.vtexcommercestable.com.br/api/catalog_system/pub/{}"

    def warned(accounts: tuple[str, ...]) -> list[str]:
        probes = "\n".join(
            f"      - {{id: p{index}, url: '{host.format(account, path)}'}}"
            for index, (account, path) in enumerate(zip(accounts, paths, strict=True))
        )
        said = messages(parsed(f"{places(900)}\nmodules:\n  - id: catalog\n    probes:\n{probes}").warnings)
        return [one for one in said if "45,000" in one]

    (one,) = warned(("mystore",) * 4)
    assert one.startswith("47,580 requests a minute to the Catalog API from 4 probes")
    assert warned(("mystore", "mystore", "other", "other")) == []


def test_carts_are_made_once_in_five_minutes_at_most() -> None:
    """Over all probes and places, steps of a flow included."""
    cart = f"url: {C}/api/checkout/pub/orderForm?forceNewCart=true"
    assert limits(f"{cart}\ninterval: 5m") == []
    assert limits(f"{cart}\ninterval: 4m") == [
        "1.2 requests in 5 minutes that make carts from this probe; the limit for one account is 1: lengthen `interval`"
    ]
    assert limits(f"kind: flow\nsteps: [{{url: '{C}/'}}, {{{cart}}}]\ninterval: 1m")[0].startswith("5 requests in 5")


def test_a_probe_that_is_off_asks_nothing() -> None:
    """Neither for lack of a name nor when it is switched off."""
    cart = f"url: {C}/api/checkout/pub/orderForm?forceNewCart=true\ninterval: 5s\ntimeout: 4s"
    assert len(limits(cart)) == 1
    assert limits(f"{cart}\nenabled: false") == []
    assert limits(f"{cart}\nneeds: [KEY]") == []


def test_one_module_of_the_platform_asked_without_end_is_warned_about() -> None:
    """Of other hosts nothing is known, so nothing is said."""
    said = "this module is asked 72 times a minute in all; one run a minute from each of two networks is plenty"
    config = with_probe(f"url: {C}/api/sessions", places(6))
    assert [(one.at("f")) for one in config.warnings] == [f"f:6:9: warning: {said}"]
    assert with_probe(f"url: {C}/api/sessions", places(5)).warnings == ()
    assert with_probe("url: https://shop.example.com/", places(6)).warnings == ()


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ("/api/orders/feed?maxlot=1", "GET `/api/orders/feed/config`"),
        ("/api/orders/feed/", "GET `/api/orders/feed/config`"),
        ("/api/vlm/account", "ask `/api/vlm/account/stores`"),
        ("/api/vlm/account/?an=mystore", "ask `/api/vlm/account/stores`"),
        ("/api/catalog_system/pvt/seller/list", "ask `/api/seller-register/pvt/sellers?from=0&to=1`"),
        ("/api/vtexid/pub/authentication/accesskey/send?email=a", "ask `/api/vtexid/pub/authentication/start`"),
        ("/api/vtexid/pub/authentication/classic/validate", "ask `/api/vtexid/pub/authentication/start`"),
        ("/api/vtexid/apptoken/login", "ask `/api/vtexid/pub/authentication/start`"),
        ("/api/dataentities/CL/search?email=*a*", "search without `*`"),
    ],
)
def test_what_no_probe_should_ask_is_told_with_what_to_ask_instead(asked: str, instead: str) -> None:
    """At its address, also in a step of a flow and on the store's own domain, which passes such calls on."""
    (one,) = with_probe(f"url: {C}{asked}", HEAD).warnings
    assert one.warning
    assert (one.line, one.column) == (7, 14)
    assert one.message.startswith("this request ")
    assert one.message.endswith(instead)
    assert len(with_probe(f"url: https://www.shop.example{asked}", HEAD).warnings) == 1
    assert len(with_probe(f"kind: flow\nsteps: [{{url: '{C}{asked}'}}]", HEAD).warnings) == 1


def test_the_feed_is_neither_changed_nor_taken_from() -> None:
    """Only reading its configuration is harmless."""
    config = f"url: {C}/api/orders/feed/config"
    assert with_probe(config, HEAD).warnings == ()
    assert len(with_probe(f"{config}\nmethod: POST", HEAD).warnings) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"{C}/api/vlm/account/stores",
        f"{C}/api/vtexid/pub/authentication/start?scope=mystore",
        f"{C}/api/dataentities/PR/search?_fields=id",
        f"{C}/api/seller-register/pvt/sellers?from=0&to=1",
        "https://mystore.myvtex.com/admin/login",
    ],
)
def test_what_is_asked_instead_is_fine(url: str) -> None:
    """The advice does not lead to the next warning."""
    assert with_probe(f"url: {url}", HEAD).warnings == ()


def test_the_account_of_vtex_s_own_examples_is_not_watched() -> None:
    """It belongs to somebody else."""
    host = "https://apiexamples.vtexcommercestable.com.br"
    (one,) = with_probe(f"url: {host}/api/sessions", HEAD).warnings
    assert "watch a store of your own" in one.message


def test_no_warning_shows_what_came_from_outside() -> None:
    """An address may hold a secret."""
    keys = "url: https://${ACCOUNT}.vtexcommercestable.com.br/api/orders/feed?key=${KEY}"
    config = with_probe(keys, places(500), ACCOUNT="hunter22", KEY="swordfish")
    assert len(config.warnings) == 3
    assert not any(word in one.message for one in config.warnings for word in ("hunter22", "swordfish"))


def test_the_manual_has_every_limit() -> None:
    """With the figure that is warned at."""
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    rows = dict(
        re.findall(
            r"^\| ((?:to|that|of) [^|(]+?)(?: \([^|]+\)|, as a rule of ours)? \| ([^|]+) \|$", page, re.MULTILINE
        )
    )
    wanted = {
        one.what: f"{one.most:,} {'a minute' if one.minutes == 1 else f'in {one.minutes} minutes'}" for one in LIMITS
    }
    assert rows == {**wanted, "of one module": f"{PLENTY} a minute"}
