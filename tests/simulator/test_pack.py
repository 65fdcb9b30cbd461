"""The shipped `probes.yaml` beside what VTEX documents, and beside the page that explains it."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config.file import load, shipped
from monitor.core.exhibit import Exhibit, State
from monitor.core.explain import explain
from monitor.core.module import Platform, Priority
from monitor.core.probe import Probe, Role, host_of
from monitor.core.signal import DEPENDENCY, SETUP
from monitor.core.target import HttpTarget
from monitor.core.text import in_language

ROOT = Path(__file__).parents[2]
FILE = ROOT / "probes.yaml"
RAW = FILE.read_text(encoding="utf-8")
KEYS = {"VTEX_APP_KEY": "vtexappkey-demostore-TEST", "VTEX_APP_TOKEN": "token"}
PLATFORM = load(FILE, KEYS).platform
NEEDS = {
    (module["id"], probe["id"]): set(probe.get("needs", ()))
    for module in yaml.safe_load(RAW)["modules"]
    for probe in module.get("probes", ())
}
BOXES = dict(re.findall(r"^  - id: (\S+) # Healthcheck: ([^\n]+?)(?:, the same .*)?$", RAW, re.MULTILINE))

# Checkout's published error codes that name what failed behind it, by that.
CODES = {
    "catalog": "CHK0093 ORD021 ORD021.1 ORD021.2 ORD021.3 ORD021.4 ORD021.5 ORD021.6 ORD021.7",
    "logistics": "CHK0262 FMT0051 CHK00310 CHK00311",
    "rates-and-benefits": "CHK0233 ORD003",
    "pricing": "CHK0270 ORD052 ORD053",
    "tax-service": "CHK0219 CHK00301",
    "payments": "CHK002 CHK0012 CHK0265 gatewayServiceTimeout gatewayCommunicationError",
    "payment-options": "CHK0076 CHK0044 ORD059 associationsServiceTimeout",
    "gift-card": "CHK0021 giftCardCommunicationError",
    "profile": "CHK0020 CHK0039",
    "session": "CHK0048",
    "vtex-id": "CHK0028 CHK00312 CHK00313 CHK00314 CHK00315 CHK00316 FMT0050",
    "license-manager": "CHK0027 FMT0048",
    "postal-code": "CHK0211 ORD026",
    "fulfillment": "CHK0110 ORD015 ORD015.1 ORD015.2 ORD015.3 ORD015.4 ORD015.5",
    "oms": "CHK0089 CHK0173",
    "workflow": "CHK0231",
    "order-authorization": "CHK0183",
    "order-routing": "CHK0290 CHK0290.1 CHK0290.4 CHK0290.5 CHK0290.6 CHK0290.11 CHK0290.12",
    "subscriptions": "CHK0073 CHK0217",
    "audit": "CHK0043 CHK00299",
    "channels": "CHK0291",
    "checkout-services": "CHK0026 FMT0049 CHK0101 ORD016 CHK0052 ORD041 CHK0070 CHK0083",
    "aws": "CHK0268 CHK0279",
    "recaptcha": "CHK0214",
    "checkout": "CHK0084 CHK0292",
}


def requests(platform: Platform) -> list[Probe]:
    """The probes that ask the platform itself and are on."""
    return [one for one in platform.probes.values() if one.off is None and one.kind in ("http", "freshness")]


def test_every_code_names_its_module_and_no_other() -> None:
    """Whoever is named is somebody whose failure Checkout feels, so it can be found as the root."""
    named = {code: id for id, codes in CODES.items() for code in codes.split()}
    assert {code: PLATFORM.named_by(code) for code in named} == named
    written = Counter(code for module in PLATFORM.modules.values() for code in module.signals)
    assert set(written) <= set(named)
    assert set(written.values()) == {1}
    assert all(DEPENDENCY.fullmatch(code) for code in written)
    needed = {edge.module for edge in PLATFORM.modules["checkout"].depends_on}
    assert set(CODES) - needed == {"checkout"}


def test_codes_of_set_up_name_nobody() -> None:
    """They speak of the store and of our own test data."""
    assert [code for code in SETUP if PLATFORM.named_by(code)] == []


def test_every_box_of_healthcheck_is_somewhere() -> None:
    """Seventeen boxes, two of them on a module twice."""
    boxes = [box for names in BOXES.values() for box in names.split(", ")]
    assert sorted(boxes) == sorted(
        [
            *("Orders I", "Orders II", "Promotions & Taxes", "Payments", "JANUS", "PortalV2", "Profile System"),
            *("Dynamic Storage", "Fulfillment", "Logistics", "License Manager", "VTEX ID", "Workflow"),
            *("Catalog System", "File System", "Giftcard", "Master Data"),
        ]
    )


def test_who_looks_for_a_box_finds_its_name() -> None:
    """The dashboard has VTEX's own words in English."""
    for id, boxes in BOXES.items():
        name = in_language(PLATFORM.modules[id].name, "en")
        for box in boxes.split(", "):
            assert box.removesuffix("s I").removesuffix("s II").lower() in name.lower(), (id, box)


def test_what_is_urgent_or_high_and_always_measured_has_an_objective() -> None:
    """99.9 % and 99.5 %, as the head of the modules says."""
    for id, module in PLATFORM.modules.items():
        decides = any(probe.role is Role.VERDICT for probe in module.probes) or any(
            side.module == id for sides in PLATFORM.sides.values() for side in sides
        )
        wanted = {Priority.URGENT: 0.999, Priority.HIGH: 0.995}.get(module.priority) if decides else None
        assert module.objective == wanted, id
        assert module.runbook or module.priority is not Priority.URGENT, id


def test_what_is_asked_with_a_key_needs_who_knows_the_keys() -> None:
    """Without License Manager no call with a key is answered, and one failure of it is one incident."""
    for id, module in PLATFORM.modules.items():
        asked = [probe.ask for probe in module.probes if isinstance(probe.ask, HttpTarget)]
        keyed = any(name == "x-vtex-api-appkey" for ask in asked for name, _ in ask.headers)
        if keyed and id != "license-manager":
            assert "license-manager" in {edge.module for edge in module.depends_on}, id


def test_every_host_shows_its_certificate_to_somebody() -> None:
    """A certificate that ends soon is told before it ends."""
    on = requests(PLATFORM)
    watched = {host_of(probe) for probe in on if probe.expect.certificate_valid_for}
    assert {host_of(probe) for probe in on} == watched


@pytest.mark.parametrize(
    ("given", "least"),
    [({}, 5), ({"VTEX_SKU": "42", "VTEX_POSTAL_CODE": "20040-020"}, 10)],
    ids=["account", "account, SKU and postal code"],
)
def test_a_real_account_is_asked_nothing_of_the_invented_store(given: dict[str, str], least: int) -> None:
    """What is on knows all it asks for; what is off says which variables are missing."""
    config = load(shipped(), {"VTEX_ACCOUNT": "mystore", **given})
    assert config.warnings == ()
    on = [probe for probe in config.platform.probes.values() if probe.off is None]
    asked = " ".join(f"{probe.instance} {probe.ask} {probe.expect}" for probe in on)
    invented = yaml.safe_load(RAW)["demo"]
    alone = {"VTEX_SKU", "VTEX_PRODUCT_ID", "VTEX_IMAGE_ID", "VTEX_FRESH_SKU"}
    alone |= {"VTEX_STORE_FRAMEWORK", "VTEX_FASTSTORE"}  # short words
    assert [name for name, text in invented.items() if name not in alone and text in asked] == []
    assert {host_of(probe) for probe in requests(config.platform)} == {
        "mystore.vtexcommercestable.com.br",
        "mystore.myvtex.com",
    }
    measured = [id for id in config.platform.modules if config.platform.measured(id)]
    assert len(measured) >= least
    off = {probe.off for probe in config.platform.probes.values() if probe.off}
    assert all(re.fullmatch(r"((VTEX|MONITOR)_\w+(, | and | is| are)?)+ not set", said) for said in off)


def test_a_key_is_needed_where_one_is_sent() -> None:
    """No probe sends an empty key, and none is off for a key it does not send."""
    for probe in PLATFORM.probes.values():
        sends = isinstance(probe.ask, HttpTarget) and any("appkey" in name.lower() for name, _ in probe.ask.headers)
        assert sends is ("VTEX_APP_KEY" in NEEDS[probe.key]) is ("VTEX_APP_TOKEN" in NEEDS[probe.key]), probe.key


# -- roots -------------------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def blamed(platform: Platform, module: str, code: str, **more: Any) -> list[str | None]:
    """Who is named when a module fails alone and everything else that is measured is well."""
    exhibit = Exhibit(module, State.FAILING, START, code, **more)
    groups = explain(
        platform.graph,
        {module: exhibit},
        lambda id: State.UP if platform.measured(id) else State.DARK,
        (),
    )
    return [group.root for group in groups]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        *((KEYS, code) for code in ("http.500", "http.ttfb_timeout", "content.assertion", "tcp.refused")),
        ({}, "http.500"),  # without a key a time-out may come from what only a key can see
    ],
)
def test_a_module_that_fails_alone_is_named(keys: dict[str, str], code: str) -> None:
    """However many parts it has that nobody can measure: they would be named by their codes."""
    platform = load(FILE, keys).platform
    measured = [id for id in platform.modules if platform.measured(id)]
    assert {id: blamed(platform, id, code) for id in measured} == {id: [id] for id in measured}


@pytest.mark.parametrize("module", [id for id in CODES if not PLATFORM.measured(id)])
def test_a_part_that_only_codes_tell_of_is_named_by_them(module: str) -> None:
    """Checkout fails, and says because of whom."""
    assert blamed(PLATFORM, "checkout", "http.500", named={module: 1.0}) == [module]


# -- docs/vtex.md ------------------------------------------------------------------------------------------------------


def asked(id: str) -> str:
    """What is asked of a module, as the page writes it."""
    keys = [probe.key for probe in PLATFORM.modules[id].probes]
    keys += [key for key, sides in PLATFORM.sides.items() if any(side.module == id for side in sides)]
    names = [f"`{name if module == id else f'{module}/{name}'}`" for module, name in keys]
    marks = ["\u00a0¹" if "VTEX_APP_KEY" in NEEDS[key] else "" for key in keys]
    return ", ".join(name + mark for name, mark in zip(names, marks, strict=True)) or "–"


def test_the_page_has_every_module_with_what_is_asked_of_it() -> None:
    """Its probes, its components and its box are those of the file, in the order of the file."""
    page = (ROOT / "docs" / "vtex.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| [^|]+ \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    wanted = [
        (
            id,
            asked(id),
            ", ".join(in_language(PLATFORM.components[one].name, "en") for one in PLATFORM.components_of([id])) or "–",
            BOXES.get(id, "–"),
        )
        for id in PLATFORM.modules
    ]
    assert rows == wanted


def test_the_page_has_every_variable_of_the_file() -> None:
    """Whatever may be set is explained."""
    page = (ROOT / "docs" / "vtex.md").read_text(encoding="utf-8")
    modules = RAW[RAW.index("\ndemo:") :]
    names = set(re.findall(r"\b((?:VTEX|MONITOR)_[A-Z_]+)\b", modules))
    assert sorted(name for name in names if f"`{name}`" not in page) == []
