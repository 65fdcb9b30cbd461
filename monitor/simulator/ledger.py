"""Ledger: what the platform remembers between requests: carts, orders, stock, the catalog's changes, who asked what.

An order moves by itself: its status is worked out from when it was placed, paid and cancelled, so that nothing has to
run in the background. A module that stands still stops the clock of what it moves.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.simulator.faults import Faults
from monitor.simulator.settings import Settings
from monitor.simulator.shop import BY_SKU, OWN_PRODUCT

MOST_CARTS = 1000  # the oldest is forgotten beyond that, so a long run stays small
MOST_ORDERS = 5000
MOST_CHANGES = 100

# What the workflow leads a paid order through; its reservation holds until the goods are handled.
FLOW = ("payment-pending", "payment-approved", "ready-for-handling", "handling", "invoiced")
_GONE = ("handling", "invoiced")
_CANCELED = "canceled"


@dataclass(slots=True)
class Order:
    """One order. `cart` is the order form as it was; `auth` is what the shopper who placed it can show."""

    group: str
    transaction: str
    auth: str
    cart: dict[str, Any]
    value: int
    created_at: datetime
    payments: list[dict[str, Any]] | None = None
    paid_at: datetime | None = None
    canceled_at: datetime | None = None
    receipt: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        """The order's own id; a group holds one order for each seller, and there is one seller."""
        return f"{self.group}-01"

    def status(self, moment: datetime, settings: Settings) -> str:
        """Where the order stands. Without a payment it is cancelled when its time is over."""
        step = settings.order_step
        if self.canceled_at is not None:
            return _CANCELED if (moment - self.canceled_at).total_seconds() >= step else "cancellation-requested"
        if self.paid_at is None:
            late = (moment - self.created_at).total_seconds() >= settings.payment_window
            return _CANCELED if late else "order-created"
        passed = max(0.0, (moment - self.paid_at).total_seconds())
        return FLOW[min(len(FLOW) - 1, int(passed / step))] if step else FLOW[-1]

    def quantity(self, sku: str) -> int:
        """How many of a SKU were ordered."""
        return sum(line["quantity"] for line in self.cart["items"] if line["id"] == sku)


@dataclass
class Ledger:
    """The memory of one platform."""

    faults: Faults
    settings: Settings = field(default_factory=Settings)
    carts: dict[str, dict[str, Any]] = field(default_factory=dict)
    carts_made: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    orders_placed: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    changes: dict[str, list[tuple[datetime, list[str]]]] = field(default_factory=dict)
    feed_taken: list[datetime] = field(default_factory=list)

    def keep_cart(self, cart: dict[str, Any]) -> None:
        """Remembers a new cart."""
        self.carts_made += 1
        self.carts[cart["id"]] = cart
        _drop_oldest(self.carts, MOST_CARTS)

    def place(self, cart: dict[str, Any], value: int, transaction: str, auth: str, moment: datetime) -> Order:
        """Makes an order of a cart; from here on its goods are reserved."""
        self.orders_placed += 1
        group = str(1_500_000_000_000 + self.orders_placed)
        order = Order(group, transaction, auth, cart, value, moment)
        self.orders[group] = order
        _drop_oldest(self.orders, MOST_ORDERS)
        return order

    def order_of(self, transaction: str) -> Order | None:
        """The order that a transaction of the gateway pays."""
        return next((order for order in self.orders.values() if order.transaction == transaction), None)

    def status(self, order: Order, moment: datetime) -> str:
        """Where the workflow has brought an order: no further while it stands still."""
        return order.status(self.reached("workflow", moment), self.settings)

    def stock(self, sku: str, moment: datetime) -> tuple[int, int]:
        """How many of a SKU are in the warehouse, and how many of them are reserved for orders."""
        product = BY_SKU.get(sku)
        total, reserved = (product.stock if product else 0), 0
        for order in self.orders.values():
            if quantity := order.quantity(sku):
                status = self.status(order, moment)
                if status in _GONE:
                    total -= quantity
                elif status != _CANCELED:
                    reserved += quantity
        return total, reserved

    def available(self, sku: str, moment: datetime) -> int:
        """How many of a SKU can still be sold."""
        total, reserved = self.stock(sku, moment)
        return max(0, total - reserved)

    def reached(self, module: str, moment: datetime) -> datetime:
        """How far a module that works in the background has come: to this moment, or to when it was struck."""
        still = self.faults.still_since(module)
        return moment if still is None else min(moment, still)

    def change(self, product: str, values: list[str], moment: datetime) -> None:
        """Notes what somebody wrote into the specification of a product."""
        written = self.changes.setdefault(product, [])
        written.append((moment, values))
        del written[:-MOST_CHANGES]

    def specification(self, product: str, moment: datetime) -> list[str]:
        """What the catalog holds there: the last thing written, by hand or by the store's own job."""
        moment = self.reached("catalog", moment)
        known = [(at, values) for at, values in self.changes.get(product, ()) if at <= moment]
        if product == OWN_PRODUCT and self.settings.touch:
            at = datetime.fromtimestamp(moment.timestamp() // self.settings.touch * self.settings.touch, UTC)
            known.append((at, [at.strftime("%Y-%m-%dT%H:%M:%SZ")]))
        return max(known, key=lambda one: one[0])[1] if known else []

    def indexed(self, product: str, moment: datetime) -> list[str]:
        """What search shows of it: the catalog as it was before the wait and the time that indexing takes."""
        return self.specification(product, self.reached("indexing", moment) - timedelta(seconds=self.settings.index))

    def shown(self, moment: datetime) -> dict[str, Any]:
        """As the control API shows it."""
        statuses = Counter(self.status(order, moment) for order in self.orders.values())
        return {
            "asked": dict(sorted(self.asked.items())),
            "carts": self.carts_made,
            "orders": {"placed": self.orders_placed, "statuses": dict(statuses)},
        }


def _drop_oldest(kept: dict[str, Any], most: int) -> None:
    while len(kept) > most:
        kept.pop(next(iter(kept)))
