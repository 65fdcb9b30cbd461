"""Error codes that answers carry: which are read, which speak of set-up, and what a good status hides."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.clause import Clause
from monitor.core.codes import CODES, Blame
from monitor.core.expectation import Expect, Outcome, judge, judge_side
from monitor.core.module import Platform
from monitor.core.signal import DEPENDENCY, SETUP, error_codes, is_setup, soft_error
from tests.core.test_expectation import seen
from tests.stories.beats import module, platform

ERROR = {"fields": {}, "error": {"code": "CHK0233", "message": "Erro", "exception": None}, "operationId": "00"}
CUT = '{"fields":{},"error":{"code":"CHK0233","message":"' + "x" * 40


def message(code: str, status: str = "error") -> dict[str, Any]:
    """One of Checkout's messages, as it writes them."""
    return {"code": code, "text": "Texto", "status": status, "fields": {}}


def messages(*codes: str, status: str = "error") -> dict[str, Any]:
    """An answer of Checkout with these messages."""
    return {"items": [{"id": "1"}], "messages": [message(code, status) for code in codes]}


def cut(answer: Any, end: str) -> str:
    """The beginning of an answer up to a text, as an excerpt that was cut off keeps it."""
    whole = json.dumps(answer)
    return whole[: whole.index(end) + len(end)]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        pytest.param(json.dumps(ERROR), ("CHK0233",), id="an error object"),
        pytest.param(json.dumps(messages("CHK0262", "ORD021.3")), ("CHK0262", "ORD021.3"), id="messages, in order"),
        pytest.param(json.dumps(messages("CHK0262", "CHK0262")), ("CHK0262",), id="each once"),
        pytest.param(json.dumps(messages("giftCardCommunicationError")), ("giftCardCommunicationError",), id="a word"),
        pytest.param(json.dumps(messages("CHK0262", status="warning")), (), id="a warning"),
        pytest.param(json.dumps(messages("CHK0262", status="info")), (), id="an information"),
        pytest.param(json.dumps({"code": 500}), (), id="a number is no code"),
        pytest.param(json.dumps({"code": "two words"}), (), id="a sentence is no code"),
        pytest.param(json.dumps({"code": "x" * 50}), (), id="nor is what is too long"),
        pytest.param(json.dumps([[{"code": "CHK0233"}]]), ("CHK0233",), id="however it is wrapped"),
        pytest.param(CUT, ("CHK0233",), id="cut off in its text"),
        pytest.param(
            cut(messages("CHK0262", "CHK0233"), '"code": "CHK0233"'), ("CHK0262", "CHK0233"), id="messages cut off"
        ),
        pytest.param(cut(messages("CHK0262", status="warning"), "fields"), (), id="a warning cut off"),
        pytest.param(json.dumps(ERROR) + "junk", ("CHK0233",), id="with something behind it"),
        pytest.param('<html>CHK0233 "code" </html>', (), id="no JSON"),
        pytest.param('{"code":"CHK0233","n":' + "9" * 5000 + "}", ("CHK0233",), id="numbers without end"),
        pytest.param('{"code":"CHK0233","n":' + "[" * 4000, ("CHK0233",), id="lists without end"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_which_codes_an_answer_carries(body: str, codes: tuple[str, ...]) -> None:
    """Those of its error objects, whole or cut off; warnings and texts are left out."""
    assert error_codes(seen(500, body=body)) == codes


def test_words_that_were_asked_for_are_codes_too() -> None:
    """What an expectation's path gave: a single word, or objects with codes in them."""
    values = {"items[0].availability": "withoutStock", "messages": [message("CHK0262"), message("CHK0233", "info")]}
    assert error_codes(seen(200, values=values)) == ("withoutStock", "CHK0262")
    assert error_codes(seen(200, values={"contains: x": True, "total": 3, "text": "two words"})) == ()
    assert error_codes(seen(None, failure="tcp.refused")) == ()


@pytest.mark.parametrize(
    ("codes", "setup"),
    [
        (("ORD005",), True),
        (("withoutStock", "somethingElse"), True),
        (("CHK0233",), False),
        (("ORD005", "CHK0233"), False),
        (("withoutStock", "ORD021.3"), False),
        (("CHK0010", "gatewayServiceTimeout"), False),
        (("ORD005", "CHK0010"), True),
        ((), False),
    ],
    ids=["set-up", "beside a stranger", "a dependency", "both", "a detail", "a call", "two of set-up", "none"],
)
def test_a_dependency_beside_set_up_wins(codes: tuple[str, ...], setup: bool) -> None:
    """Set-up is told only where nothing else explains the answer."""
    assert is_setup(codes) is setup


# the list of Checkout codes: "Codes that mean store setup or test data, not a platform fault".
NO_FAULT = (
    *("CHK0010", "CHK007", "CHK003", "ORD062", "CHK0280", "CHK0045", "CHK0266", "ORD027", "ORD028", "withoutStock"),
    *("withoutPrice", "unavailableItemFulfillment", "cannotBeDelivered", "ORD001", "ORD002", "ORD005"),
    *("CHK0022", "CHK0023", "CHK0024", "CHK0025", "CHK0082"),
)
FAULTS = (
    *("CHK0093", "ORD021.1", "CHK0262", "FMT0051", "CHK00310", "CHK0233", "ORD003", "CHK0270", "ORD052", "CHK00301"),
    *("CHK002", "gatewayServiceTimeout", "gatewayCommunicationError", "associationsServiceTimeout", "CHK0021"),
    *("giftCardCommunicationError", "CHK0020", "CHK0048", "FMT0050", "FMT0048", "ORD015.2", "CHK0290.12", "CHK0268"),
)


@pytest.mark.parametrize("code", NO_FAULT)
def test_set_up_is_no_outage(code: str) -> None:
    """A failure whose only code speaks of the store or of our test data blames the configuration."""
    for answer in (seen(500, body=json.dumps({"error": {"code": code}})), seen(200, body=json.dumps(messages(code)))):
        result = judge(answer, Expect())
        assert (result.outcome, result.code, result.blame) == (
            Outcome.FAILED,
            "step.precondition",
            Blame.CONFIGURATION,
        )
        assert code in result.reasons[0]


@pytest.mark.parametrize("code", FAULTS)
def test_a_dependency_that_failed_is_an_outage(code: str) -> None:
    """As the status has it, or as an error inside an answer that looks well; also beside words of set-up."""
    assert judge(seen(500, body=json.dumps({"error": {"code": code}})), Expect()).code == "http.500"
    assert judge(seen(200, body=json.dumps(messages(code))), Expect()).code == "content.soft_error"
    assert judge(seen(200, body=json.dumps(messages("withoutStock", code))), Expect()).code == "content.soft_error"
    assert DEPENDENCY.fullmatch(code)


AVAILABLE = Expect(json=(("items[0].availability", (Clause("equals", "available"),)),))


def test_an_item_that_is_not_sold_is_set_up() -> None:
    """The value that was asked for says so; a dependency in the messages says more."""
    without = {"items[0].availability": "withoutStock"}
    assert judge(seen(values=without), AVAILABLE).code == "step.precondition"
    told = judge(seen(body=json.dumps(messages("CHK0262")), values=without), AVAILABLE)
    assert told.code == "content.assertion"
    assert judge(seen(values={"items[0].availability": "gone"}), AVAILABLE).code == "content.assertion"


SOFT: dict[str, tuple[str, str | None]] = {
    "an error object": (json.dumps(ERROR), "content.soft_error"),
    "with a message only": ('{"error": {"message": "boom"}}', "content.soft_error"),
    "an empty error object": ('{"error": {}}', None),
    "no error": ('{"error": null, "errors": [], "messages": []}', None),
    "a list of GraphQL errors": ('{"data": null, "errors": [{"message": "boom"}]}', "content.soft_error"),
    "errors that are something else": ('{"errors": [{"line": 3}]}', None),
    "a number of errors": ('{"errors": 3}', None),
    "messages of a dependency": (json.dumps(messages("CHK0262")), "content.soft_error"),
    "messages of somebody": (json.dumps(messages("welcome")), None),
    "warnings": (json.dumps(messages("CHK0262", status="warning")), None),
    "messages cut off": (cut(messages("CHK0262"), "fields"), "content.soft_error"),
    "warnings cut off": (cut(messages("CHK0262", status="warning"), "fields"), None),
    "a word in a text": ('{"title": "\\"error\\" CHK0262"}', None),
    "a list": ('[{"error": {"code": "CHK0262"}}]', None),
}


@pytest.mark.parametrize(("body", "code"), SOFT.values(), ids=SOFT)
def test_what_a_good_status_hides(body: str, code: str | None) -> None:
    """An error object, GraphQL errors, or messages that name a dependency; warnings are none."""
    assert judge(seen(200, body=body), Expect()).code == code


@pytest.mark.parametrize("path", ["error", "errors[0].message", "messages[?status=='error']"])
def test_who_expects_something_of_errors_has_judged_them(path: str) -> None:
    """The rule of the probe stands, and nothing is found beside it."""
    body = json.dumps(ERROR | messages("CHK0262"))
    expect = Expect(json=((path, (Clause("exists", True),)),))
    assert judge(seen(200, body=body, values={path: "x"}), expect).outcome is Outcome.PASSED


def test_slowness_does_not_hide_an_error_inside() -> None:
    """The first that applies: the body before the time it took."""
    slow = seen(200, body=json.dumps(ERROR), duration=5)
    assert judge(slow, Expect(slow_after=timedelta(seconds=1))).code == "content.soft_error"


def test_an_error_inside_says_nothing_of_other_modules() -> None:
    """Fields that judge another module are read; the error around them is the business of who was asked."""
    answer = seen(200, body=json.dumps(ERROR), values={"items[0].availability": "available"})
    asked = judge(answer, Expect())
    assert judge_side(answer, asked, AVAILABLE).outcome is Outcome.UNKNOWN
    gone = seen(200, body=json.dumps(ERROR), values={"items[0].availability": "gone"})
    assert judge_side(gone, judge(gone, Expect()), AVAILABLE).outcome is Outcome.FAILED


def test_another_answer_than_the_one_asked_for_accuses_nobody() -> None:
    """Where nothing of what is looked for is there, the answer is wrong; where it is there and bad, its module is."""
    asks = Expect(json=(("items[0].availability", (Clause("exists", True),)),))
    sides = Expect(json=(("logisticsInfo[0].slas", (Clause("empty", False),)),))
    strange = seen(200, body='{"a": 1}', values={})
    assert judge_side(strange, judge(strange, asks), sides).outcome is Outcome.UNKNOWN
    without = seen(200, body='{"a": 1}', values={"logisticsInfo[0].slas": []})
    assert judge_side(without, judge(without, asks), sides).outcome is Outcome.FAILED
    absent = seen(200, body='{"a": 1}', values={"items[0].availability": "available"})
    assert judge_side(absent, judge(absent, asks), sides).outcome is Outcome.FAILED


def test_a_copy_out_of_a_cache_says_nothing_of_other_modules() -> None:
    """Old or good, it was made before."""
    hit = {"x-vtex-cache-status-janus-edge": "HIT"}
    old = seen(200, hit, body="{}", values={"items[0].availability": "gone"})
    assert judge_side(old, judge(old, Expect()), AVAILABLE).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "name"), [("ORD021", "catalog"), ("ORD021.3", "catalog"), ("ORD021.3.1", "catalog"), ("ORD02", None)]
)
def test_a_code_with_a_detail_names_the_same_module(code: str, name: str | None) -> None:
    """`ORD021` in `signals` covers `ORD021.3`, and no code that only begins alike."""
    catalog = module("catalog")
    world: Platform = platform(type(catalog)(catalog.id, catalog.name, signals=("CHK0093", "ORD021")))
    assert world.named_by(code) == name


# -- whatever is sent -------------------------------------------------------------------------------------------------


@given(
    st.text(max_size=200)
    | st.sampled_from(('{"error"', '{"code"', '"messages"')).flatmap(lambda s: st.text(max_size=60).map(s.__add__))
)
def test_any_text_is_read(text: str) -> None:
    """Whatever stands in a body: codes or none, never an exception."""
    answer = seen(200, body=text)
    assert all(isinstance(code, str) and len(code) <= 48 for code in error_codes(answer))
    assert judge(answer, Expect()).code in (None, "content.soft_error", "step.precondition")
    assert soft_error(answer) is None or isinstance(soft_error(answer), tuple)


@given(st.lists(st.sampled_from(sorted((*SETUP, *FAULTS))), max_size=4), st.integers(0, 400))
def test_a_cut_invents_no_code(codes: list[str], length: int) -> None:
    """What is left of an answer that was cut off carries no code that the whole one does not."""
    whole = json.dumps(messages(*codes))
    found = error_codes(seen(200, body=whole[:length]))
    assert list(found) == list(dict.fromkeys(codes))[: len(found)]
    assert error_codes(seen(200, body=whole)) == tuple(dict.fromkeys(codes))


_words = st.sampled_from(("CHK0233", "withoutStock", "error", "warning", "two words", "", "x" * 60, "\x00", "ORD021.3"))
_plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _words | st.text(max_size=8)
_keys = st.sampled_from(("code", "status", "error", "errors", "messages", "message", "fields"))
_json = st.recursive(
    _plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_keys, inner, max_size=4)
        | st.fixed_dictionaries({"code": _words, "status": inner})
    ),
    max_leaves=12,
)


@given(_json, st.dictionaries(st.sampled_from(("a", "messages")), _json, max_size=2), st.sampled_from((200, 500)))
def test_any_json_is_judged(answer: Any, values: dict[str, Any], status: int) -> None:
    """Whatever shape an answer and its values have: a result with a known code, never an exception."""
    result = judge(seen(status, body=json.dumps(answer), values=values), Expect())
    assert result.code is None or result.code in CODES


@pytest.mark.parametrize("odd", [[], {}, [1]])
def test_a_status_of_any_shape(odd: Any) -> None:
    """The smallest case of the above."""
    judge(seen(500, body=json.dumps({"code": "CHK0233", "status": odd})), Expect())


@pytest.mark.parametrize("status", [401, 404, 403, 302])
def test_an_error_that_was_expected_is_none(status: int) -> None:
    """A probe that expects a refusal expects its error object: soft errors are those of a 2xx (judgement.md 2.2)."""
    answer = seen(status, body='{"error": {"code": "1", "message": "not allowed"}}')
    assert judge(answer, Expect(status=((status, status),))).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "body",
    ['{"error":{"code":"1","message":"' + "x" * 2000, '{"errors":[{"message":"boom","path":["' + "x" * 2000],
    ids=["an error object", "GraphQL errors"],
)
def test_an_error_inside_is_found_though_it_was_cut_off(body: str) -> None:
    """A long message must not turn an error into a good answer."""
    assert judge(seen(200, body=body), Expect()).code == "content.soft_error"


def test_a_warning_is_left_out_wherever_its_status_stands() -> None:
    """Also behind nested fields, in an answer that was cut off."""
    body = '{"messages":[{"code":"CHK0233","fields":{"a":1},"status":"warning"},{"code":"X1'
    assert error_codes(seen(200, body=body)) == ()
