"""Fidelity, error codes: the code in an answer names the dependency that failed, where that dependency is needed.

One row for each dependency of VTEX's list of Checkout error codes that is a module here. Not produced are the codes of
the rest (tokens, events, conversations, the legacy order service), and the ways of failing that no fault plays: a call
cancelled by its caller, a 401 or a 504 from within.
"""

import json
from typing import Any

import pytest

from monitor.config.file import load, shipped
from tests.simulator.conftest import SIMULATION, Buyer, Shopper

pytestmark = pytest.mark.slow

FAILED, THROTTLED, ODD = "http_500", "http_429", "garbage"

# module: per occasion the code for an error of HTTP, throttling, silence, a dropped connection, an odd answer
SIMULATED = {
    "license-manager": ("CHK0027", "CHK0027", "CHK0027", "CHK0027", "CHK0027"),
    "checkout-services": ("CHK0026", "CHK0026", "CHK0026", "CHK0026", "CHK0026"),
    "catalog": ("CHK0093", "ORD021.3", "ORD021.1", "ORD021.6", "ORD021.7"),
    "fulfillment": ("CHK0110", "CHK0110", "ORD015.1", "ORD015.3", "ORD015.5"),
    "logistics": ("CHK0262", "CHK00310", "CHK0262", "CHK0262", "CHK0262"),
    "pricing": ("CHK0270", "CHK0270", "CHK0270", "CHK0270", "CHK0270"),
    "rates-and-benefits": ("CHK0233", "CHK0233", "CHK0233", "CHK0233", "CHK0233"),
}
TOLD = {
    "postal-code": ("CHK0211", "CHK0211", "CHK0211", "CHK0211", "CHK0211"),
    "payment-options": ("CHK0076", "CHK0076", "associationsServiceTimeout", "CHK0076", "CHK0076"),
    "payments": ("CHK002", "CHK002", "gatewayServiceTimeout", "gatewayCommunicationError", "gatewayCommunicationError"),
    "gift-card": ("CHK0021", "CHK0021", *("giftCardCommunicationError",) * 3),
    "profile": ("CHK0020", "CHK0020", "CHK0020", "CHK0020", "CHK0020"),
    "session": ("CHK0048", "CHK0048", "CHK0048", "CHK0048", "CHK0048"),
    "vtex-id": ("CHK0028", "CHK0028", "CHK0028", "CHK0028", "CHK0028"),
}
PLACED = {
    "license-manager": ("FMT0048", "FMT0048", "FMT0048", "FMT0048", "FMT0048"),
    "checkout-services": ("FMT0049", "FMT0049", "FMT0049", "FMT0049", "FMT0049"),
    "order-routing": ("CHK0290.5", "CHK0290.4", "CHK0290.1", "CHK0290.5", "CHK0290.11"),
    "order-authorization": ("CHK0183", "CHK0183", "CHK0183", "CHK0183", "CHK0183"),
    "recaptcha": ("CHK0214", "CHK0214", "CHK0214", "CHK0214", "CHK0214"),
    "aws": ("CHK0279", "CHK0279", "CHK0279", "CHK0279", "CHK0279"),
    "vtex-id": ("FMT0050", "FMT0050", "FMT0050", "FMT0050", "FMT0050"),
    "catalog": ("ORD021.6", "ORD021.3", "ORD021.1", "ORD021.6", "ORD021.7"),
    "fulfillment": ("ORD015.4", "ORD015.4", "ORD015.1", "ORD015.3", "ORD015.5"),
    "logistics": ("FMT0051", "CHK00310", "FMT0051", "FMT0051", "FMT0051"),
    "pricing": ("ORD053", "ORD053", "ORD053", "ORD053", "ORD052"),
    "rates-and-benefits": ("ORD003", "ORD003", "ORD003", "ORD003", "ORD003"),
    "postal-code": ("ORD026", "ORD026", "ORD026", "ORD026", "ORD026"),
    "tax-service": ("CHK0219", "CHK0219", "CHK00301", "CHK0219", "CHK0219"),
    "payment-options": ("ORD059", "ORD059", "associationsServiceTimeout", "ORD059", "ORD059"),
    "payments": ("CHK0265", "CHK0265", "gatewayServiceTimeout", *("gatewayCommunicationError",) * 2),
    "oms": ("CHK0089", "CHK0089", "CHK0089", "CHK0089", "CHK0089"),
    "workflow": ("CHK0231", "CHK0231", "CHK0231", "CHK0231", "CHK0231"),
}
PLACED_ALL_THE_SAME = {
    "profile": ("CHK0020", "CHK0020", "CHK0020", "CHK0020", "CHK0020"),
    "session": ("CHK0048", "CHK0048", "CHK0048", "CHK0048", "CHK0048"),
    "audit": ("CHK0043", "CHK0043", "CHK00299", "CHK0043", "CHK0043"),
}
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    (FAILED, {}),
    (THROTTLED, {}),
    ("timeout", {"delay": 0.05}),
    ("reset", {}),
    (ODD, {}),
)


def _rows(table: dict[str, tuple[str, ...]]) -> list[Any]:
    return [
        pytest.param(module, fault, options, code, id=f"{module}-{fault}")
        for module, codes in table.items()
        for (fault, options), code in zip(WAYS, codes, strict=True)
    ]


def _code(status: int, answer: Any) -> str | None:
    """The code of an error, in the envelope that Checkout documents."""
    if status == 200:
        return None
    assert set(answer) == {"fields", "error", "operationId"}
    assert set(answer["error"]) == {"code", "message", "exception"}
    return str(answer["error"]["code"])


def _messages(answer: Any) -> list[str]:
    for one in answer["messages"]:
        assert set(one) == {"code", "text", "status", "fields"}
        assert one["status"] in ("error", "warning", "info")
    return [one["code"] for one in answer["messages"]]


@pytest.mark.parametrize(("module", "fault", "options", "code"), _rows(SIMULATED))
async def test_the_simulation_fails_with_the_code(
    shopper: Shopper, module: str, fault: str, options: dict[str, Any], code: str
) -> None:
    """What the simulation cannot do without fails it, with the code of who failed and, where there is one, of how."""
    shopper.simulator.strike(module, fault, **options)
    status, headers, body = await shopper.simulate()
    assert (status, _code(status, json.loads(body))) == (500, code)
    assert headers["x-vtex-janus-router-backend-app"].startswith("checkout-v")


@pytest.mark.parametrize(("module", "fault", "options", "code"), _rows(TOLD))
async def test_the_simulation_tells_the_code(
    shopper: Shopper, module: str, fault: str, options: dict[str, Any], code: str
) -> None:
    """What it can do without is told in `messages` of a 200."""
    shopper.simulator.strike(module, fault, **options)
    status, _, body = await shopper.simulate()
    assert (status, _messages(json.loads(body))) == (200, [code])


async def test_an_order_fails_with_the_code(buyer: Buyer) -> None:
    """Placing asks everybody once more and, where the list has one, gives the code of the placing."""
    await buyer.fill()
    for module, fault, options, code in (row.values for row in _rows(PLACED)):
        buyer.shopper.simulator.strike(module, fault, **options)
        status, _, answer = await buyer.place()
        assert (status, _code(status, answer)) == (500, code), (module, fault)
        buyer.shopper.simulator.clear()
    for module, fault, options, code in (row.values for row in _rows(PLACED_ALL_THE_SAME)):
        buyer.shopper.simulator.strike(module, fault, **options)
        status, _, answer = await buyer.place()
        assert (status, _messages(answer)) == (200, [code]), (module, fault)
        buyer.shopper.simulator.clear()


# step of the cart, module, fault, status, code in the error or in a message
STEPS = (
    ("open", "session", FAILED, 200, "CHK0048"),
    ("open", "vtex-id", FAILED, 200, "CHK00312"),
    ("open", "license-manager", FAILED, 500, "CHK0027"),
    ("open", "aws", FAILED, 500, "CHK0268"),
    ("open", "logistics", FAILED, 200, None),
    ("open", "catalog", FAILED, 200, None),
    ("add", "catalog", FAILED, 500, "ORD021.6"),
    ("add", "fulfillment", FAILED, 500, "ORD015.4"),
    ("add", "logistics", THROTTLED, 500, "CHK00311"),
    ("add", "pricing", FAILED, 500, "CHK0270"),
    ("add", "rates-and-benefits", FAILED, 500, "CHK0233"),
    ("add", "payment-options", FAILED, 200, "CHK0076"),
    ("add", "tax-service", FAILED, 200, None),
    ("profile", "profile", FAILED, 200, "CHK0039"),
    ("ship", "logistics", FAILED, 500, "CHK0262"),
    ("ship", "logistics", THROTTLED, 500, "CHK00310"),
    ("ship", "postal-code", FAILED, 200, "CHK0211"),
    ("ship", "tax-service", FAILED, 500, "CHK0219"),
    ("installments", "payment-options", FAILED, 500, "CHK0044"),
    ("choose", "payments", FAILED, 200, "CHK002"),
)


@pytest.mark.parametrize(("step", "module", "fault", "status", "code"), STEPS)
async def test_a_step_of_the_cart_tells_who_failed(
    buyer: Buyer, step: str, module: str, fault: str, status: int, code: str | None
) -> None:
    """Each step asks what it needs, so a module shows in the first step that needs it and in none before."""
    for name in ("open", "add", "profile", "ship", "choose", "installments"):
        if name == step:
            buyer.shopper.simulator.strike(module, fault)
        if name == "installments":
            url = f"C/api/checkout/pub/orderForm/{buyer.id}/installments?paymentSystem=2"
            got, _, body = await buyer.shopper.ask("GET", url)
            answer = json.loads(body)
        else:
            got, _, answer = await getattr(buyer, name)()
        if name == step:
            break
        assert (got, answer.get("messages", [])) == (200, [])
    said = _code(got, answer) if got != 200 else next(iter(_messages(answer)), None)
    assert (got, said) == (status, code)


@pytest.mark.parametrize(
    ("module", "fault", "code"),
    [
        ("payments", FAILED, "CHK0012"),
        ("payments", "reset", "gatewayCommunicationError"),
        ("payment-connectors", FAILED, "001"),
    ],
)
async def test_the_callback_tells_who_failed(buyer: Buyer, module: str, fault: str, code: str) -> None:
    """Without its gateway a payment is not received; without its connector it is not authorized."""
    await buyer.fill()
    await buyer.place()
    await buyer.pay()
    buyer.shopper.simulator.strike(module, fault)
    status, _, answer = await buyer.process()
    assert (status, answer["error"]["code"]) == (500, code)


@pytest.mark.parametrize(
    ("query", "body", "module", "status", "code"),
    [
        ("", {"subscriptionData": {"subscriptions": []}}, "subscriptions", 200, "CHK0073"),
        ("", {}, "subscriptions", 200, None),
        ("?affiliateId=DMO", {}, "channels", 500, "CHK0291"),
        ("", {}, "channels", 200, None),
    ],
)
async def test_some_are_asked_for_a_reason_only(
    shopper: Shopper, query: str, body: dict[str, Any], module: str, status: int, code: str | None
) -> None:
    """A subscription and the sale of an affiliate ask a module that nothing else asks."""
    shopper.simulator.strike(module, FAILED)
    url = f"C/api/checkout/pub/orderForms/simulation{query}"
    got, _, content = await shopper.ask("POST", url, json={**SIMULATION, **body})
    answer = json.loads(content)
    said = answer["error"]["code"] if "error" in answer else next(iter(_messages(answer)), None)
    assert (got, said) == (status, code)


def test_every_code_is_a_signal_of_its_module() -> None:
    """The shipped file knows each of these codes as one that names the module, by itself or by its family."""
    modules = load(shipped(), {}).platform.modules
    rows = [
        (module, set(codes))
        for table in (SIMULATED, TOLD, PLACED, PLACED_ALL_THE_SAME)
        for module, codes in table.items()
    ]
    rows += [(module, {code}) for _, module, _, _, code in STEPS if code]
    for module, codes in rows:
        if module in modules:
            known = {*modules[module].signals, "ORD026"}  # a wrong country gives it too
            assert all(code in known or code.partition(".")[0] in known for code in codes), module


# What is wrong with the request or the store, never with the platform.
SETUP: tuple[tuple[dict[str, Any], dict[str, Any], str, int, str], ...] = (
    ({}, {"sc": "9"}, "", 400, "CHK0010"),
    ({"items": []}, {}, "", 400, "ORD001"),
    ({"items": [{"quantity": 1, "seller": "1"}]}, {}, "", 400, "CHK0022"),
    ({"items": [{"id": "1", "quantity": 0, "seller": "1"}]}, {}, "", 400, "CHK0023"),
    ({"items": [{"id": "1", "quantity": 1, "seller": ""}]}, {}, "", 400, "CHK0024"),
    ({"items": [{"id": "1", "quantity": 1, "seller": "2"}]}, {}, "", 400, "CHK0045"),
    ({"postalCode": "x"}, {}, "", 400, "ORD001"),
    ({}, {}, "inactive", 400, "CHK0280"),
    ({"items": [{"id": "999", "quantity": 1, "seller": "1"}]}, {}, "", 200, "ORD027"),
    ({"items": [{"id": "7", "quantity": 1, "seller": "1"}]}, {}, "", 200, "withoutStock"),
    ({"postalCode": "00000-001"}, {}, "", 200, "cannotBeDelivered"),
)


@pytest.mark.parametrize(("body", "query", "account", "status", "code"), SETUP, ids=lambda value: None)
async def test_a_mistake_in_the_setup_is_told_as_one(
    shopper: Shopper, body: dict[str, Any], query: dict[str, Any], account: str, status: int, code: str
) -> None:
    """Wrong data and wrong set-up have codes of their own, in an error or in a message."""
    shopper.simulator.set(active=account != "inactive")
    url = "C/api/checkout/pub/orderForms/simulation"
    got, _, content = await shopper.ask("POST", url, json={**SIMULATION, **body}, params=query)
    answer = json.loads(content)
    assert got == status
    assert (_code(got, answer) or _messages(answer)[0]) == code
