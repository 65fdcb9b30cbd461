"""The prometheus prober: against the real server, and against what answers in its place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.probe import Probe
from monitor.mask import Mask
from monitor.metrics.facts import facts
from monitor.probers import Reach
from monitor.probers.failure import Stopped
from monitor.probers.prometheus import _read
from tests.config.support import probe_of
from tests.depth import examples
from tests.processes.running import free_port, get
from tests.programs import path_of, running

from .looking import LIMIT, LagSampler, seen
from .misbehaving import WAYS, answer, raw, served


def asking(url: str, query: str = "up == 1", keys: str = "allow_private: true", limit: float = LIMIT) -> Probe:
    """A probe as the configuration makes it."""
    probe = probe_of(f"kind: prometheus\nurl: {json.dumps(url)}\nquery: {json.dumps(query)}\n{keys}")
    return replace(probe, timeout=timedelta(seconds=limit))


# -- the real one ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that watches itself, and has done so once."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    address = f"http://127.0.0.1:{port}"
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: itself, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    command = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}")
    ready = lambda: '"itself"' in get(f"{address}/api/v1/query?query=up%3D%3D1")[1]  # noqa: E731
    with running(path_of("prometheus"), *command, log=folder / "log", ready=ready):
        yield address


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("up == 1", None),
        ("up{job='itself'}", None),
        ("up == 0", "content.assertion"),
        ("up == bool 0", None),
        ("nobody_has_this", "content.assertion"),
        ("absent(nobody_has_this)", None),
        ("up[1m]", None),
        ("nobody_has_this[1m]", "content.assertion"),
        ("up * NaN", "content.assertion"),
        ("vector(1) > 0 or vector(NaN)", None),
        ("scalar(sum(up))", None),
        ("0", "content.assertion"),
        ("-0.0", "content.assertion"),
        ("NaN", "content.assertion"),
        ("Inf", None),
        ("scalar(nobody_has_this)", "content.assertion"),
        ('"text"', None),
        ('""', "content.assertion"),
        ("up ==", "self.config"),
        ("sum(up) by", "self.config"),
        ("label_replace(up, 'a', 'b', '(', '(')", "self.config"),
        ("up + on(job) {__name__=~'scrape_.*'}", "self.config"),
    ],
)
async def test_what_a_real_server_says(server: str, reach: Reach, query: str, code: str | None) -> None:
    """A result that is there holds; what the server refuses is ours to correct."""
    observation, result = await seen(reach, asking(server, query, limit=5))
    assert result.code == code, result.reasons
    if code == "self.config":
        assert (result.outcome, result.blame) == (Outcome.UNKNOWN, Blame.SELF)
        assert "status 4" in result.reasons[0]
    else:
        assert observation.values["holds"] is (code is None)
    again = observation_from_json(json.loads(json.dumps(observation_to_json(observation))))
    assert judge(again, asking(server, query).expect) == result


async def test_a_reason_shows_the_query_and_what_came(server: str, reach: Reach) -> None:
    """On one line, clipped."""
    _, result = await seen(reach, asking(server, "up == 0", limit=5))
    assert result.reasons == ("up == 0 does not hold, it gives []",)
    _, result = await seen(reach, asking(server, "up * NaN", limit=5))
    assert result.reasons[0].startswith("up * NaN does not hold, it gives [{")
    assert len(result.reasons[0]) < 300


async def test_phases_and_metrics_are_those_of_a_request(server: str, reach: Reach) -> None:
    """The exchange itself is one of HTTP."""
    probe = asking(server, limit=5)
    observation, result = await seen(reach, probe)
    assert {"connect", "processing", "transfer"} <= observation.phases.keys()
    assert facts(probe, observation, result)["probe_http_status_code", ""] == 200


# -- what answers in its place -----------------------------------------------------------------------------------------


def success(result: Any, kind: str = "vector", **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def series(value: Any, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1795689810.7, value]}


UP = [series("1")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(success(UP), None, id="a series"),
        pytest.param(success([series("NaN"), series("3")]), None, id="one number among NaN"),
        pytest.param(success([series("NaN"), series("NaN")]), "content.assertion", id="NaN only"),
        pytest.param(success([{"metric": {}, "histogram": [1, {"count": "1"}]}]), None, id="a histogram"),
        pytest.param(success([{"metric": {}, "histograms": [[1, {}]]}], "matrix"), None, id="histograms"),
        pytest.param(success([{"metric": {}, "values": [[1, "NaN"], [2, "1"]]}], "matrix"), None, id="a range"),
        pytest.param(success([{"metric": {}, "values": []}], "matrix"), "content.assertion", id="a range of nothing"),
        pytest.param(success([1, "0"], "scalar"), "content.assertion", id="nought"),
        pytest.param(success([1, "+Inf"], "scalar"), None, id="infinity"),
        pytest.param(success([1, "0"], "string"), "content.assertion", id="nought as text"),
        pytest.param(success([], infos=["PromQL info: x"]), "content.assertion", id="a remark"),
        pytest.param(success([], warnings=["PromQL warning: x"]), "content.assertion", id="a remark on the query"),
        pytest.param(success(UP, warnings=["store unavailable"]), None, id="it holds with what is there"),
        pytest.param(success([], warnings=["store unavailable"]), "self.connectivity", id="data is missing"),
        pytest.param(success([], warnings={"a": 1}), "content.assertion", id="warnings of another shape"),
        pytest.param(success([series("1", code="withoutStock")]), None, id="labels that look like codes"),
        pytest.param(success([series("NaN", code="withoutStock")]), "content.assertion", id="such labels, NaN"),
        pytest.param(success([{"metric": {}, "value": [1, 1]}]), "content.assertion", id="a number that is no text"),
        pytest.param(success([{"metric": {}, "value": {"a": 1}}]), "content.assertion", id="an object for a sample"),
        pytest.param(success([None]), "self.config", id="nothing for a series"),
        pytest.param(success({"a": 1}), "self.config", id="an object for a result"),
        pytest.param(success([1, 2, 3], "scalar"), "self.config", id="three for a scalar"),
        pytest.param(success(UP, "streams"), "self.config", id="an unknown kind of result"),
        pytest.param(b'{"status":"success"}', "self.config", id="no data"),
        pytest.param(b'{"status":"success","data":[]}', "self.config", id="data of another shape"),
        pytest.param(b'{"ok":true}', "self.config", id="somebody else's JSON"),
        pytest.param(b"[]", "self.config", id="a list"),
        pytest.param(b"<html>log in</html>", "self.config", id="a page"),
        pytest.param(b"", "self.config", id="nothing"),
        pytest.param(b"\xff\xfe{", "self.config", id="no text"),
        pytest.param(b"[" * 100_000, "self.config", id="a tower of brackets"),
        pytest.param(b'{"status":"error","errorType":"bad_data","error":"parse"}', "self.config", id="bad query"),
        pytest.param(b'{"status":"error","errorType":"timeout"}', "self.connectivity", id="a time-out of its own"),
        pytest.param(b'{"status":"error","errorType":["a"],"error":{}}', "self.connectivity", id="an odd error"),
    ],
)
async def test_what_an_answer_says(reach: Reach, body: bytes, code: str | None) -> None:
    """Only a result says anything of the module; all else is unknown, and ours."""
    async with served(answer(body)) as server:
        observation, result = await seen(reach, asking(server.url(path="")))
    assert result.code == code, (result, observation.failure)
    wanted = {None: Outcome.PASSED, "content.assertion": Outcome.FAILED}
    assert result.outcome is wanted.get(code, Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "self.config"),
        ("401 Unauthorized", "self.config"),
        ("403 Forbidden", "self.config"),
        ("404 Not Found", "self.config"),
        ("422 Unprocessable Entity", "self.config"),
        ("429 Too Many Requests", "self.connectivity"),
        ("500 Internal Server Error", "self.connectivity"),
        ("503 Service Unavailable", "self.connectivity"),
    ],
)
async def test_a_server_that_refuses_says_nothing_of_the_module(reach: Reach, status: str, code: str) -> None:
    """With what it says, masked and on one line."""
    said = b'{"status":"error","errorType":"bad_data","error":"no\\u001b[31m such\\nthing s3cret-token"}'
    async with served(answer(said, status=status)) as server:
        keys = "allow_private: true\nheaders: {Authorization: Bearer s3cret-token}"
        observation, result = await seen(reach, asking(server.url(path=""), keys=keys))
        assert b"GET /api/v1/query?query=up+%3D%3D+1 " in server.requests[0]
        assert b"Bearer s3cret-token" in server.requests[0]
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, code)
    assert observation.failure is not None
    number = status.partition(" ")[0]
    assert observation.failure.detail == f"Prometheus answers with status {number}: bad_data: no such thing •••"


@pytest.mark.parametrize("way", [name for name in WAYS if name.startswith(("closes", "resets", "silent", "SSH"))])
async def test_a_server_that_breaks_says_nothing_of_the_module(reach: Reach, way: str) -> None:
    """Silence, a cut, another protocol: the inner reason stays in the detail."""
    async with served(WAYS[way]) as server:
        observation, result = await seen(reach, asking(server.url(path=""), limit=0.3))
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "self.connectivity")
    assert observation.failure is not None
    assert "(http." in observation.failure.detail


async def test_a_server_that_is_not_there(reach: Reach) -> None:
    """A closed port, a name that does not exist, an address nobody allowed."""
    _, result = await seen(reach, asking(f"http://127.0.0.1:{free_port()}"))
    assert (result.code, result.outcome) == ("self.connectivity", Outcome.UNKNOWN)
    assert "(tcp.refused)" in result.reasons[0]
    _, result = await seen(reach, asking("http://127.0.0.1:1", keys=""))
    assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)


async def test_ten_thousand_series_do_not_hold_up_the_others(reach: Reach) -> None:
    """Read beside the event loop; of the result a beginning is kept."""
    many = success([series("1", instance=f"host-{n}", job="shop", code="200") for n in range(10_000)])
    assert len(many) > 900_000
    async with served(raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(many) + many)) as server:
        probe = asking(server.url(path=""), limit=5)
        async with LagSampler() as lag:
            observation, result = await seen(reach, probe)
    assert result.outcome is Outcome.PASSED
    assert len(json.dumps(observation.values)) < 20_000
    assert lag.worst < 0.1


async def test_more_than_anybody_needs_is_ours_to_narrow(reach: Reach) -> None:
    """A result without end is cut off."""
    body = b'{"status":"success","data":{"resultType":"vector","result":[' + b" " * (9 << 20)
    async with served(raw(b"HTTP/1.1 200 OK\r\n\r\n" + body)) as server:
        _, result = await seen(reach, asking(server.url(path=""), limit=5))
    assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["success", "error", "vector", "1", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "data", "resultType", "result", "metric", "value", "values"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=examples(400), deadline=None)
@given(_json, st.sampled_from(["vector", "matrix", "scalar", "string"]), st.sampled_from([200, 204, 400, 503]))
def test_any_json_is_a_result_or_said_to_be_none(result: Any, kind: str, status: int) -> None:
    """Whatever the shape, and of whatever it is made."""
    for body in (success(result, kind), json.dumps(result).encode(), success([{"metric": {}, "value": result}])):
        code, values = None, {"holds": False}
        try:
            values, _ = _read(body, status, Mask(()))
        except Stopped as stopped:
            code = stopped.code
        assert code in (None, "self.config", "self.connectivity")
        assert isinstance(values["holds"], bool)
        json.dumps(values, allow_nan=False)
