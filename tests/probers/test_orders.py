"""A flow that places orders: on purpose only, and always undone."""

import asyncio
from collections.abc import Sequence

import pytest

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.probe import Step
from monitor.probers import Reach, look
from monitor.probers import flow as prober

from .flows import document, facts, flow_of, paths, ran, run, step
from .misbehaving import WAYS, Server, answer, by_path, served


def shop(server: Server) -> Sequence[Step]:
    """A cart, an order, a payment, and what cancels the order."""
    return (
        step(server.url(path="/cart"), save={"cart": "id"}),
        step(server.url(path="/order/${cart}"), method="POST", orders=True, save={"order": "order"}),
        step(server.url(path="/pay/${order}"), "payments", method="POST"),
        step(server.url(path="/cancel/${order}"), "oms", method="POST", cleanup=True),
    )


GOOD = {"cart": document({"id": "c1"}), "order": document({"order": "o1"}), "pay": answer(), "cancel": answer()}


async def test_an_order_is_always_undone(reach: Reach) -> None:
    """Also when all went well: that is what it was made for."""
    async with served(by_path(**GOOD)) as server:
        _, result = await run(reach, flow_of(*shop(server)))

    assert result == Result(Outcome.PASSED)
    assert paths(server) == ["/cart", "/order/c1", "/pay/o1", "/cancel/o1"]


async def test_an_extra_run_places_no_order(reach: Reach) -> None:
    """Doubt is no reason to buy."""
    async with served(by_path(**GOOD)) as server:
        observation, result = await run(reach, flow_of(*shop(server)), fresh=True)

    assert paths(server) == ["/cart"]
    assert result == Result(Outcome.PASSED, reasons=("stopped before “${cart}”",))
    assert [one.seen is not None for one in observation.steps or ()] == [True, False, False, False]


async def test_what_is_withheld_is_never_run(reach: Reach) -> None:
    """Where no orders may be placed."""
    async with served(by_path(**GOOD)) as server:
        steps = [step(server.url(path="/cart"))]
        steps += [step(server.url(path=path), withheld=True, orders=path == "/order") for path in ("/order", "/pay")]
        observation, result = await run(reach, flow_of(*steps))

    assert paths(server) == ["/cart"]
    assert result.reasons == ("stopped before “order”",)
    assert ran(observation) == ["cart"]


@pytest.mark.parametrize(
    ("way", "code"),
    [("status 500", "http.500"), ("closes after the request", "http.closed"), ("silent", "http.ttfb_timeout")],
)
async def test_it_is_undone_whatever_failed_in_between(reach: Reach, way: str, code: str) -> None:
    """Past the time limit too; and the failure that came first is the one that is told."""
    async with served(by_path(**GOOD | {"pay": WAYS[way], "cancel": WAYS["status 500"]})) as server:
        observation, result = await run(reach, flow_of(*shop(server), limit=0.5))

    assert result.code == code
    assert result.reasons[0].startswith("step 3 ")
    assert paths(server)[-1] == "/cancel/o1"
    assert observation.http is None or observation.http.status == 500
    assert facts(observation)[3] is not None


async def test_what_could_not_be_undone_is_told(reach: Reach) -> None:
    """By a code of its own that blames the configuration."""
    async with served(by_path(**GOOD | {"cancel": WAYS["status 403"]})) as server:
        _, result = await run(reach, flow_of(*shop(server)))

    assert (result.outcome, result.code, result.blame) == (Outcome.FAILED, "step.cleanup", Blame.CONFIGURATION)
    assert result.reasons[0].startswith("step 4 “${order}”: status 403")


async def test_undoing_has_a_time_limit_of_its_own(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel step that hangs does not hang the flow."""
    monkeypatch.setattr(prober, "CLEANUP", 0.3)
    async with served(by_path(**GOOD | {"cancel": WAYS["silent"]})) as server:
        observation, result = await run(reach, flow_of(*shop(server), limit=5))

    assert result.code == "step.cleanup"
    assert observation.duration < 2


@pytest.mark.parametrize("way", ["closes after the request", "status 500", "silent", "healthy"])
async def test_an_order_whose_answer_is_lost_cannot_be_undone_and_says_so(reach: Reach, way: str) -> None:
    """Nothing is known by which to cancel it; the failure of the order itself comes first."""
    async with served(by_path(**GOOD | {"order": WAYS[way]})) as server:
        observation, result = await run(reach, flow_of(*shop(server), limit=0.5))

    assert result.reasons[0].startswith("step 2 ")
    assert paths(server) == ["/cart", "/order/c1"]
    left = facts(observation)[3]
    assert left is not None
    assert left.failure is not None
    assert (left.failure.code, left.failure.detail) == ("step.cleanup", "nothing is saved under `order`")


async def test_an_order_that_never_went_out_is_not_undone(reach: Reach) -> None:
    """Nobody listens: there is nothing to cancel."""
    async with served(by_path(**GOOD)) as server:
        cart, order, pay, cancel = shop(server)
        refused = step("http://127.0.0.1:1/order", method="POST", orders=True, save={"order": "order"})
        observation, result = await run(reach, flow_of(cart, refused, pay, cancel))

    del order
    assert result.code == "tcp.refused"
    assert paths(server) == ["/cart"]
    assert facts(observation)[3] is None


async def test_a_run_that_is_cut_off_amid_an_order_still_undoes_what_it_can(reach: Reach) -> None:
    """The monitor stops while the payment is under way."""
    async with served(by_path(**GOOD | {"pay": WAYS["silent"]})) as server:
        task = asyncio.create_task(look(flow_of(*shop(server), limit=30), reach))
        while "/pay/o1" not in paths(server):  # noqa: ASYNC110 - the server is no part of the test
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert paths(server)[-1] == "/cancel/o1"


ROBOT = {"fields": {}, "error": {"code": "CHK0082", "message": "recaptcha required", "exception": None}}


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "403 Forbidden", "429 Too Many Requests", "500 Internal Server Error"]
)
async def test_a_wanted_recaptcha_is_not_tested_whatever_the_status(reach: Reach, status: str) -> None:
    """A program has none: that blames neither Checkout nor a wall."""
    async with served(by_path(**GOOD | {"order": document(ROBOT, status=status)})) as server:
        _, result = await run(reach, flow_of(*shop(server)))

    assert (result.code, result.blame) == ("step.precondition", Blame.CONFIGURATION)
    assert "blocked by reCAPTCHA: not tested (CHK0082)" in result.reasons[0]


@pytest.mark.parametrize("code", ["ORD005", "ORD002", "CHK0016", "CHK0010"])
@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error"])
async def test_an_order_that_we_asked_for_wrongly_is_no_outage(reach: Reach, status: str, code: str) -> None:
    """An empty cart answers 500, and it is ours."""
    body = {"error": {"code": code, "message": "…"}}
    async with served(by_path(**GOOD | {"order": document(body, status=status)})) as server:
        _, result = await run(reach, flow_of(*shop(server)))

    assert (result.code, result.blame) == ("step.precondition", Blame.CONFIGURATION)
    assert code in result.reasons[0]


async def test_a_recaptcha_that_checkout_cannot_reach_is_trouble(reach: Reach) -> None:
    """CHK0214: shoppers cannot order either."""
    body = {"error": {"code": "CHK0214", "message": "…"}}
    async with served(by_path(**GOOD | {"order": document(body, status="500 Internal Server Error")})) as server:
        _, result = await run(reach, flow_of(*shop(server)))

    assert (result.code, result.blame) == ("http.500", Blame.TARGET)
