"""Fidelity, what the simulation tells: one answer, a word about each module, and how each of them goes missing."""

import json
from typing import Any

import jmespath
import pytest

from tests.simulator.conftest import SIMULATION, Buyer, Shopper

pytestmark = pytest.mark.slow

HEALTHY = [
    "messages == `[]`",
    "items[0].availability == 'available'",
    "items[0].price == `4990` && items[0].sellingPrice == `4990` && items[0].listPrice == `5990`",
    "items[0].priceDefinition.total == `4990`",
    "items[0].priceTags[0].identifier == 'promocao-permanente'",
    "ratesAndBenefitsData.rateAndBenefitsIdentifiers[0].id == 'promocao-permanente'",
    "type(logisticsInfo[0].slas[0].id) == 'string'",
    "type(logisticsInfo[0].slas[0].price) == 'number'",
    "type(logisticsInfo[0].slas[0].shippingEstimate) == 'string'",
    "logisticsInfo[0].slas[0].deliveryChannel == 'delivery'",
    "paymentData.paymentSystems[0].id && paymentData.paymentSystems[0].groupName",
    "paymentData.installmentOptions[0].installments[0].value > `0`",
]


async def _answer(shopper: Shopper, **change: Any) -> Any:
    url = "C/api/checkout/pub/orderForms/simulation?sc=1&RnbBehavior=0"
    status, _, body = await shopper.ask("POST", url, json={**SIMULATION, **change})
    assert status == 200
    return json.loads(body)


@pytest.mark.parametrize("expression", HEALTHY)
async def test_a_healthy_answer(shopper: Shopper, expression: str) -> None:
    """Every field that judges a module is there, as documented."""
    assert jmespath.search(expression, await _answer(shopper))


async def test_several_items_are_told_in_order(shopper: Shopper) -> None:
    """Each item has its line and its delivery options under the same number."""
    items = [{"id": sku, "quantity": 2, "seller": "1"} for sku in ("2", "1")]
    answer = await _answer(shopper, items=items)
    assert [item["id"] for item in answer["items"]] == ["2", "1"]
    assert [info["itemIndex"] for info in answer["logisticsInfo"]] == [0, 1]
    assert answer["totals"][0]["value"] == 2 * (18990 + 4990)


@pytest.mark.parametrize(
    ("module", "empty"),
    [
        ("postal-code", "logisticsInfo[0].slas"),
        ("payments", "paymentData.paymentSystems"),
        ("payment-options", "paymentData.paymentSystems"),
        ("payment-options", "paymentData.installmentOptions"),
    ],
)
async def test_what_goes_missing(shopper: Shopper, module: str, empty: str) -> None:
    """The part that a failed module fills is empty, and only that."""
    before = {path: jmespath.search(path, await _answer(shopper)) for path in ("items[0].price", empty)}
    assert before[empty]
    shopper.simulator.strike(module, "http_503")
    answer = await _answer(shopper)
    assert jmespath.search(empty, answer) == []
    assert answer["items"][0]["price"] == before["items[0].price"]


async def test_promotions_fail_open(buyer: Buyer) -> None:
    """A valid answer without promotions raises nobody's doubt: a 200 without any message, and without the promotion."""
    shopper = buyer.shopper
    shopper.simulator.strike("rates-and-benefits", "wrong_json")
    answer = await _answer(shopper)
    assert answer["messages"] == []
    assert answer["items"][0]["availability"] == "available"
    assert answer["items"][0]["priceTags"] == []
    assert answer["ratesAndBenefitsData"]["rateAndBenefitsIdentifiers"] == []
    await buyer.open()
    _, _, cart = await buyer.add()
    assert (cart["messages"], cart["items"][0]["priceTags"]) == ([], [])
    shopper.simulator.clear()
    await buyer.open()
    _, _, cart = await buyer.add()
    shopper.simulator.strike("rates-and-benefits", "wrong_json")
    assert (await buyer.profile())[2]["items"][0]["priceTags"] == []
    assert cart["ratesAndBenefitsData"]["rateAndBenefitsIdentifiers"][0]["id"] == "promocao-permanente"


async def test_the_promotion_stands_on_one_sku(shopper: Shopper) -> None:
    """Other goods carry no price tag."""
    answer = await _answer(shopper, items=[{"id": "2", "quantity": 1, "seller": "1"}])
    assert (answer["items"][0]["priceTags"], answer["ratesAndBenefitsData"]["rateAndBenefitsIdentifiers"]) == ([], [])
