"""The prometheus prober: does an expression hold on a Prometheus that watches the module?

Prometheus is a witness here, part of our own sight. Whatever keeps it from answering says nothing of the module, so
every failure of the exchange becomes one of ours.
"""

import math
from dataclasses import replace
from functools import partial
from typing import Any

from monitor.core.expectation import HOLDS, RESULT
from monitor.core.target import PrometheusTarget
from monitor.mask import Mask
from monitor.probers.document import parse
from monitor.probers.failure import Stopped
from monitor.probers.http import asked, body_of, look_into
from monitor.probers.reach import Reach
from monitor.probers.run import Run

_OURS_TO_CORRECT = frozenset(
    {"http.redirect_loop", "http.redirect_unexpected", "http.redirect_scheme", "http.body_too_large"}
)
_ASKED_WRONG = ("bad_data", "execution", "not_found")  # kinds of error that Prometheus names itself


async def look(run: Run, reach: Reach) -> None:
    """Asks once and writes down whether the expression holds, and what came of it."""
    target = run.probe.ask
    if not isinstance(target, PrometheusTarget):
        raise Stopped("self.config", "the probe has no query")
    run.read_as = _read_as
    with body_of(run, reach, whole=True) as body:
        headers = await asked(run, reach, body)
        work = partial(_read, body.content, run.http.status if run.http else 0, run.mask)
        values, notes = await (reach.turns.do(work) if body.small() else reach.aside(work))
        for note in notes:
            run.note(note)
        run.values.update(values)
        await look_into(run, reach, headers, body)
    if run.http is not None:
        run.http = replace(run.http, excerpt=None)  # labels of series are no words of an application


def _read_as(code: str) -> str:
    """What a failure of the exchange says of us: `self.*` for everything."""
    if code.startswith("self."):
        return code
    if code.startswith("dns."):
        return "self.dns"
    return "self.config" if code in _OURS_TO_CORRECT or code.startswith("content.") else "self.connectivity"


def _read(body: bytes, status: int, mask: Mask) -> tuple[dict[str, Any], list[str]]:
    """What an answer says: the values that judging needs, and remarks. Raises Stopped when it says nothing."""
    try:
        answer = parse(body.decode("utf-8", "replace")) if body else None
    except Stopped as stopped:
        answer, why = None, stopped.detail
    else:
        why = "the answer is none of Prometheus"
    said = answer if isinstance(answer, dict) else {}
    if status >= 300 or said.get("status") == "error":
        raise _refused(said, status, mask)
    data = said.get("data")
    if status != 200 or said.get("status") != "success" or not isinstance(data, dict):
        raise Stopped("self.config", f"{why}, status {status}: `url` must lead to a Prometheus")
    holds, remarks = _holds(data.get("resultType"), data.get("result")), _remarks(said)
    incomplete = [one for one in remarks if not one.startswith("PromQL ")]
    if not holds and incomplete:
        raise Stopped("self.connectivity", f"it does not hold, but data may be missing: {mask.line(incomplete[0])}")
    return {HOLDS: holds, RESULT: mask.value(data.get("result"))}, remarks


def _refused(said: dict[str, Any], status: int, mask: Mask) -> Stopped:
    """Why there is no result: a query or credentials that it refuses are ours to correct, the rest will pass."""
    kind, text = said.get("errorType"), said.get("error")
    ours = status != 429 and (400 <= status < 500 or (status < 500 and kind in _ASKED_WRONG))
    told = mask.line(f": {kind}: {text}") if isinstance(text, str) else ""
    return Stopped("self.config" if ours else "self.connectivity", f"Prometheus answers with status {status}{told}")


def _remarks(said: dict[str, Any]) -> list[str]:
    """Warnings; those about the expression itself begin with `PromQL`."""
    warnings = said.get("warnings")
    return [one for one in warnings if isinstance(one, str)][:20] if isinstance(warnings, list) else []


def _holds(kind: object, result: object) -> bool:
    """Whether a result is one: series with a sample that is a number, or one value that is neither 0 nor nothing.

    Raises Stopped for what no Prometheus sends.
    """
    if kind in ("vector", "matrix") and isinstance(result, list):
        return any([_is_there(series) for series in result])
    if kind in ("scalar", "string") and isinstance(result, list) and len(result) == 2 and isinstance(result[1], str):
        number = _number(result[1])
        return result[1].strip() != "" if number is None else number != 0 and not math.isnan(number)
    raise Stopped("self.config", "the answer is none of Prometheus: `url` must lead to one")


def _is_there(series: object) -> bool:
    """Whether any sample of a series is a number or a histogram: NaN is the absence of an answer."""
    if not isinstance(series, dict) or not isinstance(series.get("metric"), dict):
        raise Stopped("self.config", "the answer is none of Prometheus: `url` must lead to one")
    if series.get("histogram") or series.get("histograms"):
        return True
    samples = series.get("values") or [series.get("value")]
    if not isinstance(samples, list):
        return False
    return any(_is_number(sample) for sample in samples)


def _is_number(sample: object) -> bool:
    if not isinstance(sample, list) or len(sample) != 2 or not isinstance(sample[1], str):
        return False
    number = _number(sample[1])
    return number is not None and not math.isnan(number)


def _number(text: str) -> float | None:
    """The number that Prometheus writes as text, `+Inf` and `NaN` among them."""
    try:
        return float(text) if len(text) < 64 and text.isascii() and "_" not in text else None
    except ValueError:
        return None
