"""OMS: the orders of the store, in a list that is some minutes late and by id at once; their cancelling; their feed.

The store has sold for years: one order every seven minutes, without anybody placing it. Placed ones come on top.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.simulator.ledger import FLOW, Order
from monitor.simulator.visit import Answer, Endpoint, Visit, data, error

OLD_ORDERS = 4200
_RHYTHM = timedelta(minutes=7)
_VISIBILITY = timedelta(seconds=240)  # how long an item that was taken from the feed is hidden from everybody
_IN_FEED = 3

_FIRST = "payment-pending"
_USUAL = "ready-for-handling"
_BREAKS = ("stale", "stall")  # the workflow stands still with these, without an order in error


@dataclass(frozen=True, slots=True)
class _Listed:
    """An order as the list shows it."""

    id: str
    created_at: datetime
    status: str
    value: int
    in_error: bool
    complete: bool = True

    def shown(self) -> dict[str, Any]:
        return {
            "orderId": self.id,
            "creationDate": stamp(self.created_at),
            "clientName": "Cliente de demonstração",
            "items": None,
            "totalValue": self.value,
            "paymentNames": "Boleto Bancário",
            "status": self.status,
            "statusDescription": self.status,
            "salesChannel": "1",
            "origin": "Marketplace",
            "workflowInErrorState": self.in_error,
            "workflowInRetry": False,
            "orderIsComplete": self.complete,
            "totalItems": 1,
            "currencyCode": "BRL",
        }


def stamp(moment: datetime) -> str:
    """A moment as orders show it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00")


def _in_error(visit: Visit, created_at: datetime) -> bool:
    """Whether the workflow failed on an order: while it is struck, on those that came since."""
    strike = visit.faults.standing().get("workflow")
    return strike is not None and strike.stops_work and strike.fault not in _BREAKS and created_at >= strike.at


def _old(visit: Visit, index: int) -> _Listed:
    """The newest but `index` of the orders nobody placed; the first is always a minute old."""
    created_at = visit.moment - timedelta(minutes=1) - index * _RHYTHM
    moved = created_at <= visit.ledger.reached("workflow", visit.moment)
    # One that failed a moment ago stands for those that are coming in while the workflow is struck.
    failed = _in_error(visit, visit.moment if index == 0 else created_at)
    status = _USUAL if moved and not failed else _FIRST
    return _Listed(f"{1_000_000_000 + index}-01", created_at, status, 4990 + 1290, failed)


def _listed(visit: Visit, order: Order) -> _Listed:
    status = visit.ledger.status(order, visit.moment)
    complete = order.paid_at is not None
    return _Listed(order.id, order.created_at, status, order.value, _in_error(visit, order.created_at), complete)


async def orders(visit: Visit) -> Answer:
    """A page of orders, newest first: those that were placed once they are indexed, unpaid ones only on request."""
    size, page = max(1, min(100, visit.number_of("per_page", 15))), max(1, visit.number_of("page", 1))
    incomplete = visit.query.get("incompleteOrders") == "true"
    indexed = visit.moment - timedelta(seconds=visit.ledger.settings.order_index)
    placed = [_listed(visit, one) for one in visit.ledger.orders.values() if one.created_at <= indexed]
    placed = sorted((one for one in placed if one.complete != incomplete), key=lambda one: one.created_at, reverse=True)
    total = len(placed) + (0 if incomplete else OLD_ORDERS)
    first = (page - 1) * size
    some = placed[first : first + size]
    if not incomplete:
        start = max(0, first - len(placed))
        some += [_old(visit, start + index) for index in range(min(size - len(some), max(0, OLD_ORDERS - start)))]
        some.sort(key=lambda one: one.created_at, reverse=True)
    paging = {"total": total, "pages": -(-total // size), "currentPage": page, "perPage": size}
    stats = {"stats": {"totalValue": {"Count": total}, "totalItems": {"Count": total}}}
    return data({"list": [one.shown() for one in some], "facets": [], "paging": paging, "stats": stats})


async def order(visit: Visit) -> Answer:
    """One order by its id."""
    id = visit.params["id"]
    placed = visit.ledger.orders.get(id.removesuffix("-01"))
    if placed is not None and placed.id == id:
        return data(_details(visit, placed))
    number = id.removesuffix("-01")
    if number == id or not number.isdecimal() or not 1_000_000_000 <= int(number[:20]) < 1_000_000_000 + OLD_ORDERS:
        return error(404, "OMS003", "order not found", visit)
    created = stamp(visit.moment - timedelta(days=30))
    known = {"orderId": id, "status": "invoiced", "value": 6280, "workflowIsInError": False, "isCompleted": True}
    return data({**known, "creationDate": created, "orderGroup": number})


def _details(visit: Visit, order: Order) -> dict[str, Any]:
    canceled = order.canceled_at
    return {
        "orderId": order.id,
        "orderGroup": order.group,
        "sellerOrderId": f"00-{order.id}",
        "origin": "Marketplace",
        "salesChannel": "1",
        "merchantName": visit.account,
        "status": visit.ledger.status(order, visit.moment),
        "workflowIsInError": _in_error(visit, order.created_at),
        "value": order.value,
        "creationDate": stamp(order.created_at),
        "lastChange": stamp(canceled or order.paid_at or order.created_at),
        "isCompleted": order.paid_at is not None,
        "allowCancellation": canceled is None,
        "orderFormId": order.cart["id"],
        "authorizedDate": stamp(order.paid_at) if order.paid_at else None,
        "cancelReason": order.reason or None,
        "items": [{**line, "sellerSku": line["id"]} for line in order.cart["items"]],
        "clientProfileData": order.cart["profile"],
        "paymentData": {"transactions": [{"isActive": True, "transactionId": order.transaction}]},
    }


async def cancel(visit: Visit) -> Answer:
    """Cancels an order, which lets go of its reservation once the workflow has seen to it. Once is as good as twice."""
    reason = visit.object().get("reason") if visit.body else None
    placed = visit.ledger.orders.get(visit.params["id"].removesuffix("-01"))
    if placed is None or placed.id != visit.params["id"]:
        return error(404, "OMS003", "order not found", visit)
    if visit.ledger.status(placed, visit.moment) == FLOW[-1]:
        return error(400, "OMS007", "an invoiced order cannot be cancelled", visit)
    if placed.canceled_at is None:
        placed.canceled_at, placed.receipt = visit.moment, visit.unique("receipt")
        placed.reason = str(reason or "")[:200]
    return data({"date": stamp(placed.canceled_at), "orderId": placed.id, "receipt": placed.receipt})


def _hidden(visit: Visit) -> int:
    """How many items of the feed somebody took and nobody else can see for now."""
    taken = visit.ledger.feed_taken
    taken[:] = [until for until in taken if until > visit.moment]
    return len(taken)


async def feed_config(visit: Visit) -> Answer:
    """How full the order feed is and how long its oldest message waits: ever longer while data stands still."""
    spelling = visit.ledger.settings.feed
    if spelling == "removed":  # nothing came in for as long as messages are kept
        return error(404, "404", "no feed is configured for this key", visit)
    waited = (datetime.now(UTC) - visit.moment).total_seconds()
    age = "approximateAgeOfOldestMessageInSeconds" if spelling == "schema" else "aproximateAgeOfOldestMessageInSeconds"
    return data(
        {
            "filter": {"type": "FromWorkflow", "status": [_USUAL]},
            "queue": {"visibilityTimeoutInSeconds": 240, "messageRetentionPeriodInSeconds": 345600},
            "quantity": _IN_FEED + int(waited / _RHYTHM.total_seconds()),
            age: 12 + waited,
        }
    )


async def read_feed(visit: Visit) -> Answer:
    """Takes items out of the feed, which hides them from the system they are meant for: a monitor must not."""
    some = max(0, min(visit.number_of("maxlot", 1), _IN_FEED - _hidden(visit)))
    visit.ledger.feed_taken.extend([visit.moment + _VISIBILITY] * some)
    items = [
        {
            "eventId": visit.unique(f"event/{index}").upper(),
            "handle": visit.unique(f"handle/{index}"),
            "domain": "Fulfillment",
            "state": _USUAL,
            "lastState": "window-to-cancel",
            "orderId": _old(visit, index).id,
            "lastChange": stamp(visit.moment),
            "currentChange": stamp(visit.moment),
        }
        for index in range(some)
    ]
    return data(items)


async def commit_feed(visit: Visit) -> Answer:
    """Takes items out of the feed for good."""
    if not isinstance(visit.object().get("handles"), list):
        return error(400, "400", "handles must be a list", visit)
    return Answer(200)


_API = ("commerce", "io")

ENDPOINTS = (
    Endpoint("GET", _API, "/api/oms/pvt/orders", "oms", orders, keyed=True),
    Endpoint("GET", _API, "/api/oms/pvt/orders/{id}", "oms", order, keyed=True),
    Endpoint("POST", _API, "/api/oms/pvt/orders/{id}/cancel", "oms", cancel, keyed=True),
    Endpoint("GET", _API, "/api/orders/feed/config", "workflow", feed_config, keyed=True),
    Endpoint("GET", _API, "/api/orders/feed", "workflow", read_feed, keyed=True),
    Endpoint("POST", _API, "/api/orders/feed", "workflow", commit_feed, keyed=True),
)
