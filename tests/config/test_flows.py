"""What the steps of a flow must agree on; what is refused stands in `bad/flows.yml`."""

import pytest

from monitor.config.flows import places_order
from tests.config.support import messages, probe_of, with_probe

ORDER = "{method: POST, url: 'https://a.example.com/api/checkout/pub/orderForm/1/transaction', orders: true}"
UNDO = "{method: POST, url: 'https://a.example.com/cancel', cleanup: true}"
CART = "{url: 'https://a.example.com/api/checkout/pub/orderForm?sc=1&forceNewCart=true'}"

CARTS = "requests in 5 minutes that make carts from this probe; the limit for one account is 1: lengthen `interval`"


def flow(*steps: str, **keys: str) -> str:
    """The lines of a flow."""
    head = "".join(f"\n{key}: {value}" for key, value in keys.items())
    return f"kind: flow{head}\nsteps:\n" + "\n".join(f"  - {step}" for step in steps)


def warnings(lines: str) -> list[str]:
    """What is told of it, without the word about canaries."""
    return [one for one in messages(with_probe(lines).warnings) if "canaries" not in one]


def test_without_leave_it_ends_before_the_first_order() -> None:
    """That step and all behind it are withheld, the ones that undo among them."""
    lines = flow(CART, ORDER, "{url: 'https://a.example.com/after'}", UNDO, interval="15m")
    assert [step.withheld for step in probe_of(lines).steps] == [False, True, True, True]
    assert not any(step.withheld for step in probe_of(f"{lines}\nplace_orders: true").steps)


def test_leave_may_come_from_the_environment() -> None:
    """As any boolean."""
    lines = flow(ORDER, UNDO, interval="15m", place_orders="${ORDERS:-false}")
    assert all(step.withheld for step in probe_of(lines).steps)
    assert not any(step.withheld for step in probe_of(lines, ORDERS="true").steps)


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        (flow(CART, interval="5m"), []),
        (flow(CART, interval="4m"), [f"1.2 {CARTS}"]),
        (flow(CART), [f"10 {CARTS}"]),
        (flow(ORDER, UNDO, interval="15m", place_orders="true"), []),
        (
            flow(ORDER, UNDO, interval="14m", place_orders="true"),
            ["orders are placed more often than every 15m; give the flow a longer `interval`"],
        ),
        (flow(ORDER, UNDO, interval="1m"), []),
        (
            flow(CART, interval="15m", place_orders="true"),
            ["`place_orders` allows nothing: no step says `orders: true`"],
        ),
        (flow(CART, UNDO, interval="15m"), ["`cleanup` never runs: no step says `orders: true`"]),
        (
            flow(CART, interval="15m", expect="{status: 200, slow_after: 5s}"),
            ["`status` says nothing of a probe of kind `flow`, which looks at `slow_after`"],
        ),
        (
            flow("{url: 'https://a.example.com', expect: {slow_after: 20s}}", timeout="10s"),
            ["`slow_after` `20s` is never reached: the timeout is `10s`"],
        ),
    ],
)
def test_what_is_warned_about(lines: str, warned: list[str]) -> None:
    """Carts and orders in a hurry, and keys that make no difference."""
    assert warnings(lines) == warned


@pytest.mark.parametrize(
    ("method", "url", "places"),
    [
        ("POST", "https://a/api/checkout/pub/orderForm/${cart}/transaction", True),
        ("POST", "https://a/api/checkout/pub/orderform/1/transaction/?sc=1", True),
        ("POST", "https://a/checkout/orderForm/1/transaction", True),
        ("GET", "https://a/api/checkout/pub/orderForm/1/transaction", False),
        ("POST", "https://a/api/checkout/pub/orderForm/1/transactions", False),
        ("POST", "https://a/api/checkout/pub/orderForms/simulation", False),
        ("PUT", "https://a/api/checkout/pub/orders", True),
        ("PUT", "https://a/api/checkout/pub/orders/1", False),
        ("GET", "https://a/api/checkout/pub/orders", False),
    ],
)
def test_what_looks_like_placing_an_order(method: str, url: str, places: bool) -> None:
    """By method and path; the host does not matter."""
    assert places_order({"method": method, "url": url}) is places


def test_a_flow_on_the_internet_wants_canaries() -> None:
    """As an http probe does; one step is enough."""
    assert any("canaries" in one for one in messages(with_probe(flow(CART, interval="15m")).warnings))
    private = "{url: 'https://a.example.com/', allow_private: true}"
    assert not any("canaries" in one for one in messages(with_probe(flow(private)).warnings))


def test_its_instance_is_that_of_its_own_module() -> None:
    """A flow that begins at another host does not share that host's fate."""
    lines = flow("{module: checkout, url: 'https://b.example.com/x?y'}")
    assert probe_of(lines).instance == "https://b.example.com/x"
