"""Expectation: one statement that should hold of an observation; `judge` turns facts into a result with reasons.

Order of judgement, one code per observation, the first that applies: the exchange itself, walls and CDN
marks, status, content type, body, what a name server answered, expectations on the body, slowness, certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitor.core.clause import Clause, header_key, holds, holds_of_header, moment_of, number_of, shown
from monitor.core.codes import CODES, HARMLESS, SLOW_CODES, Blame, code_for_status, code_of
from monitor.core.lookup import fault_of, records_of
from monitor.core.marks import answered_by_cache, cdn, is_maintenance, wall
from monitor.core.observation import Observation
from monitor.core.signal import ROBOT, SETUP, error_codes, is_setup, soft_error


class Outcome(StrEnum):
    """What a run says once judged. `unknown`: we could not tell, so nobody is blamed."""

    PASSED = "passed"
    SLOW = "slow"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """A judged observation. `code` and `blame` are None when passed; `reasons` are for people.

    `edge_only`: a cache answered, which says nothing about the module behind it.
    """

    outcome: Outcome
    code: str | None = None
    blame: Blame | None = None
    reasons: tuple[str, ...] = ()
    edge_only: bool = False


_WELL = Result(Outcome.PASSED)


@dataclass(frozen=True, slots=True)
class Fresh:
    """What must not stand still: `value` is a JMESPath to a time or to an age in seconds, at most `max_age` old; or to
    anything, which must change `within` so long.

    `since` names the value that says from when on it would have been seen: what may have passed unseen is unknown, and
    so is everything before the first time."""

    value: str
    max_age: timedelta | None = None
    within: timedelta | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """Everything that should hold of one answer.

    `hearsay`: what is asked is a page on which others tell how they are; one that cannot be read blames nobody.
    `status` is inclusive ranges, (200, 299) when nothing was said. `json` pairs a JMESPath with its clauses, `header`
    a lower-case header name with its clauses. `matches` holds the text of patterns; the prober owns the engine.
    """

    status: tuple[tuple[int, int], ...] = ((200, 299),)
    slow_after: timedelta | None = None
    content_type: str | None = None
    header: tuple[tuple[str, tuple[Clause, ...]], ...] = ()
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    json: tuple[tuple[str, tuple[Clause, ...]], ...] = ()
    certificate_valid_for: timedelta | None = None
    fresh: "Fresh | None" = None
    query: str | None = None  # an expression that must hold; `HOLDS` in the values says whether it does
    hearsay: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Every JMESPath whose value judging needs, each once."""
        wanted = [path for path, _ in self.json]
        return tuple(dict.fromkeys([*wanted, self.fresh.value] if self.fresh else wanted))

    @property
    def of_body(self) -> tuple[tuple[str, str], ...]:
        """(kind, text) of what is looked for in the whole body; `body_key` names its outcome in `values`."""
        if not (self.contains or self.not_contains or self.matches):
            return ()
        return (
            *(("contains", text) for text in self.contains),
            *(("not_contains", text) for text in self.not_contains),
            *(("matches", text) for text in self.matches),
        )


HOLDS, RESULT = "holds", "result"  # of a query: whether it holds, and what came of it


def body_key(kind: str, text: str) -> str:
    """Under what name the prober stores the outcome of a body expectation: `contains: …`."""
    return f"{kind}: {text}"


def judge(observation: Observation, expect: Expect) -> Result:
    """What one run says, with its reasons. Pure: the same facts and expectations give the same result."""
    result = _judged(observation, expect)
    if expect.hearsay and result.outcome is Outcome.FAILED:
        reasons = (f"official status unknown: {result.reasons[0]}", *result.reasons[1:])
        return Result(Outcome.UNKNOWN, result.code, reasons=reasons)
    return result


def _judged(observation: Observation, expect: Expect) -> Result:
    failure = observation.failure
    if failure is not None and not failure.code.startswith("content."):
        return _failed(failure.code, failure.detail or failure.code)
    http = observation.http
    if http is not None:
        if refused := wall(observation):
            return _failed(*refused)
        if not any(low <= http.status <= high for low, high in expect.status):
            planned = "content.maintenance" if http.status == 503 and is_maintenance(observation) else None
            code = cdn(observation) or planned or code_for_status(http.status)
            return _answered(observation, code, f"status {http.status}, expected {_ranges(expect.status)}")
        if expect.content_type is not None:
            got = http.headers.get("content-type", "")
            if got.partition(";")[0].strip().lower() != expect.content_type.partition(";")[0].strip().lower():
                return _failed("content.type", f"content type {shown(got or None)}, expected {expect.content_type}")
        if http.bytes == 0 and (expect.json or expect.fresh or expect.contains or expect.matches):
            return _failed("content.empty", "the body is empty")
    if failure is not None:
        if failure.code == "content.assertion":  # the prober found nothing to save: perhaps there was nothing to sell
            return _answered(observation, failure.code, failure.detail)
        return _failed(failure.code, failure.detail or failure.code)
    if expect.fresh is not None and (unseen := _unseen(expect.fresh, observation)):
        return Result(Outcome.UNKNOWN, reasons=(unseen,))
    code, reasons = _unmet(observation, expect)
    fault = None if observation.dns is None else fault_of(observation.dns)
    if fault is not None and (reasons or not any("rcode" in path for path, _ in expect.json)):
        return _failed(*fault)  # whoever expects something of `rcode`, and finds it, has judged the answer
    if reasons:
        if expect.query is not None:  # labels of series are no error codes of an application
            return _failed(code, *reasons)
        return _answered(observation, code, *reasons)
    return _within_answer(observation, expect) or _passed(observation, expect)


def _answered(observation: Observation, code: str, *reasons: str) -> Result:
    """A failure that an answer shows; one that speaks of the store's set-up or of our test data is no outage."""
    if code_of(code).blame not in HARMLESS and is_setup(codes := error_codes(observation)):
        return precondition(codes, *reasons)
    return _failed(code, *reasons)


def precondition(codes: Sequence[str], *reasons: str) -> Result:
    """The result of an answer whose codes speak of set-up or test data: we could not test, and nobody failed."""
    if ROBOT in codes:
        said = f"order placing is blocked by reCAPTCHA: not tested ({ROBOT})"
    else:
        said = f"the answer speaks of set-up or test data ({', '.join(one for one in codes if one in SETUP)})"
    return _failed("step.precondition", said, *reasons)


def _within_answer(observation: Observation, expect: Expect) -> Result | None:
    """An error inside an answer that looks well; whoever expects something of errors or messages has judged them."""
    if any("error" in path or "messages" in path for path, _ in expect.json):
        return None
    codes = soft_error(observation)
    if codes is None:
        return None
    return _answered(observation, "content.soft_error", f"an error inside the answer ({', '.join(codes) or 'no code'})")


def _passed(observation: Observation, expect: Expect) -> Result:
    """Passed, or passed with a remark. Slowness first: a certificate that ends soon is told by every other run."""
    hit = answered_by_cache(observation)
    if hit is not None and all(name != hit for name, _ in expect.header):
        return Result(Outcome.PASSED, reasons=(f"a cache answered ({hit}): that proves the edge only",), edge_only=True)
    if slow := _slow(observation, expect):
        return slow
    certificate = observation.certificate
    if certificate is not None and expect.certificate_valid_for is not None:
        # A chain ends with the first of its certificates to end, which need not be the leaf.
        left = min(filter(None, (certificate.not_after, certificate.chain_not_after))) - observation.at
        if left < expect.certificate_valid_for:
            wanted = expect.certificate_valid_for
            return Result(
                Outcome.SLOW,
                "tls.expires_soon",
                code_of("tls.expires_soon").blame,
                (f"certificate valid for {left.days} more days, expected at least {wanted.days}",),
            )
    return _WELL


def _slow(observation: Observation, expect: Expect) -> Result | None:
    if expect.slow_after is None or observation.duration <= expect.slow_after.total_seconds():
        return None
    transfer = observation.phases.get("transfer", 0.0)
    code = "http.slow_transfer" if transfer > observation.duration / 2 else "http.slow_ttfb"
    limit = expect.slow_after.total_seconds() * 1000
    reason = f"took {observation.duration * 1000:.0f} ms, slow after {limit:.0f} ms"
    return Result(Outcome.SLOW, code, code_of(code).blame, (reason,))


def _unmet(observation: Observation, expect: Expect) -> tuple[str, list[str]]:
    """The code and every reason of the expectations that do not hold."""
    values, at = observation.values, observation.ended_at
    headers = observation.http.headers if observation.http else {}
    reasons: list[str] = []
    stale = True
    for name, clauses in expect.header:
        for clause in clauses:
            outcome = values.get(header_key(name, clause))
            got = headers.get(name)
            if not (holds_of_header(clause, got, at) if outcome is None else outcome):
                reasons.append(
                    f"header {name}: expected {clause}, got {shown(got) if outcome is None else 'otherwise'}"
                )
                stale = False
    for kind, text in expect.of_body:
        if not values.get(body_key(kind, text), False):
            said = {"contains": "does not contain", "not_contains": "contains", "matches": "does not match"}[kind]
            what, instead = ("body", "") if observation.dns is None else ("answer", f": {records_of(observation.dns)}")
            reasons.append(f"the {what} {said} {shown(text)}{instead}")
            stale = False
    for path, clauses in expect.json:
        for clause in clauses:
            got = values.get(path)
            if not holds(clause, got, at):
                reasons.append(f"{path}: expected {clause}, got {shown(got)}")
                stale = stale and clause.operator == "newer_than" and moment_of(got) is not None
    if expect.query is not None and values.get(HOLDS) is not True:
        reasons.append(f"{shown(expect.query)} does not hold, it gives {shown(values.get(RESULT))}")
        stale = False
    if expect.fresh is not None:
        reason, known = _too_old(expect.fresh, values.get(expect.fresh.value), at)
        if reason is not None:
            reasons.append(reason)
            stale = stale and known
    return ("content.stale" if stale else "content.assertion"), reasons


def _too_old(fresh: Fresh, value: Any, at: datetime) -> tuple[str | None, bool]:
    """Why a value is not as fresh as it should be, and whether its age is known at all. Whether it changes in time,
    one run cannot tell."""
    if value is None:
        return f"{fresh.value}: expected a time or an age, got nothing", False
    if fresh.max_age is None:
        return None, True
    age = _age(value, at)
    if age is None:
        return f"{fresh.value}: expected a time or an age in seconds, got {shown(value)}", False
    if age <= fresh.max_age:
        return None, True
    limit = fresh.max_age.total_seconds()
    return f"{fresh.value}: {age.total_seconds():.0f} s old, expected at most {limit:.0f} s", True


def _unseen(fresh: Fresh, observation: Observation) -> str | None:
    """Why nothing is known yet of a value that has to be seen when it happens; None when its age says something."""
    if fresh.since is None or fresh.max_age is None:
        return None
    seen, at = observation.values, observation.ended_at
    age, listened = _age(seen.get(fresh.value), at), _age(seen.get(fresh.since), at)
    if age is None:
        return "it has not called yet"
    if age > fresh.max_age and listened is not None and listened <= fresh.max_age:
        return f"it may have called in vain: nobody listened until {seen[fresh.since]}"
    return None


def _age(value: Any, at: datetime) -> timedelta | None:
    """How old a value says something is: a number below a billion is an age in seconds, everything else a time."""
    number = number_of(value)
    if number is not None and abs(number) < 1e9:
        return timedelta(seconds=number)
    moment = moment_of(value if number is None else number)
    return None if moment is None else at - moment


def _failed(code: str, *reasons: str) -> Result:
    # A recording of a newer version may hold a code that this one does not know: nobody is blamed for it.
    blame = code_of(code).blame if code.partition(":")[0] in CODES else Blame.SELF
    return Result(Outcome.UNKNOWN if blame is Blame.SELF else Outcome.FAILED, code, blame, reasons)


def _ranges(status: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in status)


def is_slow(result: Result) -> bool:
    """Whether a result counts for the slow channel: a certificate that ends soon is told, but is not slowness."""
    return result.outcome is Outcome.SLOW and result.code in SLOW_CODES


def judge_side(observation: Observation, result: Result, expect: Expect) -> Result:
    """What an answer says of another module: only one that arrived whole, and out of no cache, says anything at all.

    One that is wrong in itself and holds nothing of what is looked for is simply another answer.
    """
    http, failure = observation.http, observation.failure
    nothing = Result(Outcome.UNKNOWN)
    if http is None or failure is not None or result.blame in HARMLESS or result.edge_only:
        return nothing
    if not any(low <= http.status <= high for low, high in expect.status):
        return nothing
    if result.outcome is Outcome.FAILED and all(observation.values.get(path) is None for path in expect.paths):
        return nothing
    said = judge(observation, expect)
    return nothing if said.code == "content.soft_error" else said
