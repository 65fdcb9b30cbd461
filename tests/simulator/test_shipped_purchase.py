"""The purchase flow of the shipped `probes.yaml`: against the simulator up to the payment, and against a shop of this
test's own, with the documented shapes, for the order."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from monitor.clock import SystemClock
from monitor.config import ConfigError
from monitor.config.file import load
from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.flow import judge_run, read
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Step
from monitor.core.signal import error_codes
from monitor.core.target import HttpTarget, Network, StepTarget
from monitor.probers import Reach, look
from monitor.simulator import Simulator

pytestmark = pytest.mark.slow

FILE = Path(__file__).parents[2] / "probes.yaml"
KEYS = {"VTEX_APP_KEY": "vtexappkey-demostore-TEST", "VTEX_APP_TOKEN": "a-token-for-tests"}


def purchase(**environment: str) -> Probe:
    """The flow as shipped."""
    return load(FILE, environment).platform.probes["checkout", "purchase"]


async def run(probe: Probe, network: Network) -> tuple[Observation, Result]:
    """One run of it."""
    async with Reach.open(network, frozenset(), SystemClock()) as reach:
        observation = await look(probe, reach)
    return observation, judge_run(observation, probe)


def network_of(simulator: Simulator) -> Network:
    """The way to the simulator."""
    return Network(connect_to=tuple(simulator.connect_to.items()), ca_file=simulator.ca_file)


async def test_it_is_green_up_to_the_payment(simulator: Simulator) -> None:
    """Every step that runs by default passes, and it says where it stopped."""
    probe = purchase()
    observation, result = await run(probe, network_of(simulator))

    assert result == Result(Outcome.PASSED, reasons=("stopped before “Place the order”",))
    ran = [one.name for one in observation.steps or () if one.seen is not None]
    assert ran == [step.name for step in probe.steps if not step.withheld]
    assert len(ran) == 16
    sides = load(FILE, {}).platform.sides[probe.key]
    assert {one.result.outcome for one in read(observation, probe, sides)} == {Outcome.PASSED}
    assert [side.module for side in sides] == [
        *("store-framework", "session", "catalog", "search", "file-system", "profile", "logistics", "payment-options")
    ]


STRUCK = {
    "store-framework": "store-framework",
    "session": "session",
    "catalog": "catalog",
    "search": "search",
    "file-system": "file-system",
    "checkout": "checkout",
    "logistics": "CHK0262",
    "pricing": "CHK0270",
    "rates-and-benefits": "CHK0233",
    "fulfillment": "ORD015.4",
    "license-manager": "CHK0027",
    "payment-options": "CHK0076",
    "payments": "CHK002",
    "profile": "CHK0020",
    "postal-code": "CHK0211",
    "vtex-id": "CHK00312",
    "gift-card": "CHK0021",
}


@pytest.mark.parametrize("module", STRUCK)
async def test_a_struck_module_fails_or_is_named(simulator: Simulator, module: str) -> None:
    """Its own step fails; or one of Checkout's, by the code of whom it could not reach."""
    simulator.strike(module, "http_500")
    observation, result = await run(purchase(), network_of(simulator))

    assert result.outcome is Outcome.FAILED
    assert result.blame is Blame.TARGET
    failed = next(one for one in reversed(observation.steps or ()) if one.seen is not None)
    assert STRUCK[module] in (failed.module, *error_codes(failed.seen))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("VTEX_SKU", "999", "ORD027"),
        ("VTEX_SKU", "7", "withoutStock"),
        ("VTEX_POSTAL_CODE", "00000-001", "cannotBeDelivered"),
    ],
)
async def test_wrong_test_data_is_no_outage(simulator: Simulator, name: str, value: str, code: str) -> None:
    """A SKU that is unknown or sold out, a place nobody delivers to."""
    observation, result = await run(purchase(**{name: value}), network_of(simulator))

    assert (result.outcome, result.code, result.blame) == (Outcome.FAILED, "step.precondition", Blame.CONFIGURATION)
    assert code in result.reasons[0]
    assert [one.seen is None for one in observation.steps or ()][-1]


async def test_a_payment_method_can_be_named(simulator: Simulator) -> None:
    """Else the first on offer is taken."""
    _, result = await run(purchase(VTEX_PAYMENT_SYSTEM="125"), network_of(simulator))
    assert result.outcome is Outcome.PASSED
    _, result = await run(purchase(VTEX_PAYMENT_SYSTEM="999"), network_of(simulator))
    assert result.reasons[0].startswith(
        "step 14 “See the ways to pay” (payment-options): nothing to save under `payment`"
    )


# -- the order ---------------------------------------------------------------------------------------------------------


@dataclass
class Shop:
    """A shop that takes orders, in the shapes that are documented. `broken` answers a path with another status."""

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, tuple[int, Any]] = field(default_factory=dict)
    canceled: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        path = request.path
        self.asked.append((request.method, path))
        text = await request.text()
        self.bodies[path] = json.loads(text) if text else None
        for part, (status, body) in self.broken.items():
            if part in path:
                return web.json_response(body, status=status)
        if path == "/begin":
            return web.json_response({"cart": "0f" * 16, "payment": 201, "total": 6280})
        if path == f"/api/checkout/pub/orderForm/{'0f' * 16}/transaction":
            made = {
                "id": "A1",
                "orderGroup": "1300310000001",
                "orders": [{"orderId": "1300310000001-01", "orderGroup": "1300310000001", "value": 6280}],
                "transactionData": {
                    "merchantTransactions": [{"id": "DEMO", "transactionId": "T/1", "merchantName": "DEMOSTORE"}],
                    "receiverUri": "https://demostore.vtexpayments.com.br/split/1300310000001/payments",
                },
            }
            response = web.json_response(made)
            response.set_cookie("Vtex_CHKO_Auth", "auth==", secure=False)
            response.set_cookie("CheckoutDataAccess", "VTEX_CHK_Order_Auth", secure=False)
            return response
        if path == "/api/payments/transactions/T/1/payments":
            return web.Response(status=201)
        if path == "/api/checkout/pub/gatewayCallback/1300310000001":
            return web.Response(status=204 if "Vtex_CHKO_Auth" in request.cookies else 403)
        if request.headers.get("X-VTEX-API-AppToken") != KEYS["VTEX_APP_TOKEN"]:
            return web.json_response({"error": {"code": "1"}}, status=401)
        if path == "/api/oms/pvt/orders/1300310000001-01":
            return web.json_response({"orderId": "1300310000001-01", "status": "payment-pending"})
        if path == "/api/oms/pvt/orders/1300310000001-01/cancel":
            self.canceled = True
            return web.json_response({"date": "2026-11-23T12:00:00Z", "orderId": "1300310000001-01", "receipt": "R"})
        return web.json_response({}, status=404)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.port = runner.addresses[0][1]
    try:
        yield shop
    finally:
        await runner.cleanup()


def closing(shop: Shop) -> Probe:
    """The shipped flow from the order on, with a step before it that gives what the others would have saved."""
    probe = purchase(VTEX_PLACE_ORDERS="true", VTEX_PAYMENT_SYSTEM="201", **KEYS)
    first = next(index for index, step in enumerate(probe.steps) if step.orders)
    begin = StepTarget(
        HttpTarget(f"http://127.0.0.1:{shop.port}/begin", allow_private=True),
        save=(("cart", "cart"), ("payment", "payment"), ("total", "total")),
    )
    return replace(probe, steps=(Step("checkout", "Begin", ask=begin), *_moved(probe.steps[first:], shop)))


def _moved(steps: Sequence[Step], shop: Shop) -> list[Step]:
    """The steps at the address of the shop."""
    moved = []
    for step in steps:
        http = step.ask.http
        url = f"http://127.0.0.1:{shop.port}/{http.url.split('/', 3)[3]}"
        moved.append(replace(step, ask=replace(step.ask, http=replace(http, url=url, allow_private=True))))
    return moved


async def test_an_order_is_placed_paid_found_and_canceled() -> None:
    """Values keep their types, the cookies of the order go along, the keys go to OMS only."""
    async with open_shop() as shop:
        observation, result = await run(closing(shop), Network())

    assert result == Result(Outcome.PASSED)
    assert shop.canceled
    cart = "0f" * 16
    assert [path for _, path in shop.asked] == [
        "/begin",
        f"/api/checkout/pub/orderForm/{cart}/transaction",
        "/api/payments/transactions/T/1/payments",
        "/api/checkout/pub/gatewayCallback/1300310000001",
        "/api/oms/pvt/orders/1300310000001-01",
        "/api/oms/pvt/orders/1300310000001-01/cancel",
    ]
    assert shop.bodies[f"/api/checkout/pub/orderForm/{cart}/transaction"] == {
        "referenceId": cart,
        "value": 6280,
        "referenceValue": 6280,
        "interestValue": 0,
        "savePersonalData": False,
        "optinNewsLetter": False,
    }
    [payment] = shop.bodies["/api/payments/transactions/T/1/payments"]
    assert (payment["paymentSystem"], payment["value"], payment["transaction"]) == (
        "201",
        6280,
        {"id": "T/1", "merchantName": "DEMOSTORE"},
    )
    assert all(one.seen is not None for one in observation.steps or ())


def test_no_order_without_a_key_and_a_payment_method() -> None:
    """Said when the file is read: an order that nobody can pay or cancel is not placed."""
    with pytest.raises(ConfigError) as caught:
        purchase(VTEX_PLACE_ORDERS="true")
    missing = {"VTEX_PAYMENT_SYSTEM", "VTEX_APP_KEY", "VTEX_APP_TOKEN"}
    assert {name for name in missing if f"${{{name}:-…}}` is empty" in str(caught.value)} == missing


RECAPTCHA = {"fields": {}, "error": {"code": "CHK0082", "message": "…", "exception": None}, "operationId": "1"}
EMPTY = {"fields": {}, "error": {"code": "ORD005", "message": "…", "exception": None}, "operationId": "1"}


@pytest.mark.parametrize(
    ("part", "status", "body", "code", "step"),
    [
        ("/transaction", 400, RECAPTCHA, "step.precondition", 2),
        ("/transaction", 500, EMPTY, "step.precondition", 2),
        ("/transaction", 503, {}, "http.503", 2),
        ("/payments", 500, {}, "http.500", 3),
        ("/gatewayCallback", 428, {}, "http.428", 4),
        ("/gatewayCallback", 500, {}, "http.500", 4),
        ("/orders/1300310000001-01", 404, {}, "http.404", 5),
        ("/cancel", 403, {}, "step.cleanup", 6),
    ],
)
async def test_each_step_of_the_order_can_fail(part: str, status: int, body: Any, code: str, step: int) -> None:
    """With its own code; and what was ordered is canceled as far as it is known."""
    async with open_shop() as shop:
        shop.broken[part] = (status, body)
        observation, result = await run(closing(shop), Network())

    assert (result.outcome, result.code) == (Outcome.FAILED, code)
    assert result.reasons[0].startswith(f"step {step} ")
    assert ("POST", "/api/oms/pvt/orders/1300310000001-01/cancel") in shop.asked or step == 2
    assert (observation.steps or ())[-1].seen is not None
