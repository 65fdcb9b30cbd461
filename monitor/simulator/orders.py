"""Orders: a cart is placed, its payment is sent to the gateway, and the gateway's answer is fetched.

Between the first and the last lie five minutes; an order that was not paid by then is cancelled.
"""

from typing import Any

from monitor.simulator.cart import Cart, cart_of, freight_value, items_value, shipping_of, totalizers, writing
from monitor.simulator.checkout import payment_data, promotions
from monitor.simulator.ledger import Order
from monitor.simulator.links import PAYING, PLACING, RECAPTCHA, Report, ask
from monitor.simulator.visit import Answer, Endpoint, Refused, Visit, bad, data, error

_REDIRECTED = 125  # Pix: the shopper has to go and pay elsewhere
_CARD = 2
_REFUSED_CARD = "0002"  # how the number of a card ends that every acquirer refuses
_AUTH, _ACCESS = "Vtex_CHKO_Auth", "CheckoutDataAccess"


@writing
async def place(visit: Visit) -> Answer:
    """Makes an order of a cart: reserves its goods and opens a transaction at the gateway."""
    cart = cart_of(visit)
    given = visit.object()
    _check(visit, cart, given)
    doubts = () if visit.ledger.settings.recaptcha == "never" else (RECAPTCHA,)
    report = await ask(visit, PLACING + doubts)
    order = visit.ledger.place(
        {**cart, "items": [dict(line) for line in cart["items"]]},
        items_value(cart) + freight_value(cart),
        visit.unique("transaction").upper(),
        visit.unique("auth"),
        visit.moment,
    )
    answer = data(_placed(visit, order, report))
    rest = "path=/; secure; HttpOnly; SameSite=None"
    answer.cookies = (f"{_AUTH}={order.auth}; {rest}", f"{_ACCESS}={order.auth[::-1]}; {rest}")
    return answer


def _check(visit: Visit, cart: Cart, given: dict[str, Any]) -> None:
    """Refuses what cannot become an order, with the codes that blame the caller or the store's set-up."""
    if not cart["items"]:
        raise Refused(error(500, "ORD005", "the purchase cannot be done without items", visit))
    if visit.ledger.settings.recaptcha == "always":
        raise bad(visit, "a reCAPTCHA token is required", "CHK0082")
    if given.get("referenceId") != cart["id"]:
        raise bad(visit, "referenceId is not this order form", "ORD002")
    if given.get("value") != given.get("referenceValue"):
        raise bad(visit, "value and referenceValue differ", "CHK0016")
    if cart["profile"] is None:
        raise bad(visit, "the client profile is missing", "ORD007")
    if cart["address"] is None or any(info["selectedSla"] is None for info in cart["logistics"]):
        raise bad(visit, "address or delivery option is missing", "ORD006")
    if not cart["payments"]:
        raise bad(visit, "no payment was chosen", "ORD020")
    value = items_value(cart) + freight_value(cart)
    if given.get("value") != value or sum(payment["value"] for payment in cart["payments"]) != value:
        raise bad(visit, "payment value is different from order value", "ORD009")
    if any(visit.available(line["id"]) < line["quantity"] for line in cart["items"]):
        raise bad(visit, "purchase cannot be done with unavailable items", "ORD028")


def _placed(visit: Visit, order: Order, report: Report) -> dict[str, Any]:
    cart, merchant = order.cart, visit.account.upper()
    payments = [
        {
            "paymentSystem": payment.get("paymentSystem"),
            "bin": None,
            "accountId": None,
            "value": payment["value"],
            "referenceValue": payment["referenceValue"],
            "giftCardRedemptionCode": None,
            "giftCardProvider": None,
            "giftCardId": None,
        }
        for payment in cart["payments"]
    ]
    transaction = {
        "id": merchant,
        "transactionId": order.transaction,
        "merchantName": merchant,
        "payments": payments,
    }
    created = order.created_at.strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00")
    return {
        "orderForm": None,
        "orderGroup": order.group,
        "messages": report.messages,
        "transactionData": {
            "merchantTransactions": [transaction],
            "receiverUri": f"https://{visit.account}.vtexpayments.com.br/split/{order.group}/payments",
            "gatewayCallbackTemplatePath": f"/checkout/gatewayCallback/{order.group}/{{messageCode}}",
        },
        "orders": [
            {
                "orderId": order.id,
                "orderGroup": order.group,
                "state": "order-created",
                "isCheckedIn": False,
                "sellerOrderId": f"00-{order.id}",
                "storeId": None,
                "salesChannel": "1",
                "value": order.value,
                "items": cart["items"],
                "sellers": [{"id": "1", "name": visit.account, "logo": None}],
                "totals": totalizers(cart),
                "clientProfileData": cart["profile"],
                "ratesAndBenefitsData": promotions(cart["items"]),
                "shippingData": shipping_of(cart),
                "paymentData": {**payment_data(report, order.value), "payments": cart["payments"]},
                "creationDate": created,
                "lastChange": created,
                "isCompleted": False,
                "merchantName": merchant,
            }
        ],
    }


async def send_payment(visit: Visit) -> Answer:
    """Takes the payment data of a transaction; says nothing but that it was made."""
    order = visit.ledger.order_of(visit.params["id"].upper())
    if order is None or visit.query.get("orderId") != order.group:
        return error(404, "1406", "no such transaction for this order", visit)
    payments = visit.json()
    if not isinstance(payments, list) or not payments or not all(isinstance(one, dict) for one in payments):
        return error(400, "1407", "payments must be a list that is not empty", visit)
    for payment in payments:
        transaction = payment.get("transaction")
        if not isinstance(transaction, dict) or str(transaction.get("id", "")).upper() != order.transaction:
            return error(400, "1407", "transaction.id is not the transaction of this path", visit)
        value = payment.get("value")
        if isinstance(value, bool) or not isinstance(value, int) or value != payment.get("referenceValue"):
            return error(400, "1407", "value and referenceValue must be the same number of cents", visit)
    if sum(payment["value"] for payment in payments) != order.value:
        return error(400, "1407", "the payments do not add up to the value of the order", visit)
    order.payments = payments
    return Answer(201, content_type="application/json; charset=utf-8")


async def process(visit: Visit) -> Answer:
    """Asks the gateway what became of the payment; the order goes on when it was good."""
    order = visit.ledger.orders.get(visit.params["group"])
    if order is None:
        return error(404, "ORD064", "no such order group", visit)
    if visit.cookies.get(_AUTH) != order.auth or visit.cookies.get(_ACCESS) != order.auth[::-1]:
        return error(403, "CHK003", f"the cookies {_AUTH} and {_ACCESS} of the order are needed", visit)
    await ask(visit, PAYING)
    if order.paid_at is not None:
        return Answer(204)
    if visit.ledger.status(order, visit.moment) != "order-created":
        return error(400, "CHK004", "there is no active transaction for this payment", visit)
    if order.payments is None or any(_is_refused(payment) for payment in order.payments):
        return error(500, "001", "the payment was not authorized", visit)
    if any(str(payment.get("paymentSystem")) == str(_REDIRECTED) for payment in order.payments):
        app = {"appName": "vtex.pix-payment", "appPayload": {"transactionId": order.transaction}}
        where = [{"redirectUrl": f"https://pix.example/{order.transaction}"}]
        return data({"RedirectResponseCollection": where, "paymentAuthorizationAppCollection": [app]}, 428)
    order.paid_at = visit.moment
    return Answer(204)


def _is_refused(payment: dict[str, Any]) -> bool:
    """A card without its number, or one that is refused by everybody."""
    if str(payment.get("paymentSystem")) != str(_CARD):
        return False
    fields = payment.get("fields")
    number = str(fields.get("cardNumber") or "") if isinstance(fields, dict) else ""
    return not number or number.endswith(_REFUSED_CARD)


_API = ("commerce", "io", "store")
_PUB = "/api/checkout/pub"

ENDPOINTS = (
    Endpoint("POST", _API, f"{_PUB}/orderForm/{{id}}/transaction", "checkout", place),
    Endpoint("POST", _API, f"{_PUB}/gatewayCallback/{{group}}", "checkout", process),
    Endpoint("POST", ("payments",), "/api/payments/transactions/{id}/payments", "payments", send_payment),
    Endpoint("POST", ("payments",), "/api/pub/transactions/{id}/payments", "payments", send_payment),  # the older path
)
