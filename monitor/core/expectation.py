"""Expectation: one statement that should hold of an observation; `judge` turns facts into a result with reasons.

Order of judgement, one code per observation, the first that applies: the exchange itself, walls and CDN
marks, status, content type, body, expectations on the body, slowness, certificate.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from monitor.core.codes import CODES, SLOW_CODES, Blame, code_for_status, code_of
from monitor.core.observation import Observation

OPERATORS = (
    "equals",
    "not",
    "one_of",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "matches",
    "contains",
    "exists",
    "empty",
    "newer_than",
    "older_than",
    "type",
)

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")


_LITERAL = re.compile(r'[+-]?[0-9.]+([eE][+-]?[0-9]+)?|true|false|null|nothing|["\[{].*')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Outcome(StrEnum):
    """What a run says once judged. `unknown`: we could not tell, so nobody is blamed."""

    PASSED = "passed"
    SLOW = "slow"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """A judged observation. `code` and `blame` are None when passed; `reasons` are for people."""

    outcome: Outcome
    code: str | None = None
    blame: Blame | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One operator and its operand: `at_least 1`, `not HIT`, `newer_than 15m`.

    The operand of `matches` is a compiled pattern of a linear-time engine (anything with `.search` and `.pattern`),
    that of `newer_than` and `older_than` a timedelta.
    """

    operator: str
    operand: Any

    def __str__(self) -> str:
        operand = self.operand
        if self.operator == "matches":
            operand = operand.pattern
        elif isinstance(operand, timedelta):
            operand = f"{operand.total_seconds():g}s"
        return f"{self.operator} {shown(operand)}"


@dataclass(frozen=True, slots=True)
class Expect:
    """Everything that should hold of one answer.

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

    @property
    def of_body(self) -> tuple[tuple[str, str], ...]:
        """(kind, text) of what is looked for in the whole body; `body_key` names its outcome in `values`."""
        return (
            *(("contains", text) for text in self.contains),
            *(("not_contains", text) for text in self.not_contains),
            *(("matches", text) for text in self.matches),
        )


def body_key(kind: str, text: str) -> str:
    """Under what name the prober stores the outcome of a body expectation: `contains: …`."""
    return f"{kind}: {text}"


def header_key(name: str, clause: Clause) -> str:
    """Under what name the prober stores the outcome of a clause on a header outside the kept list."""
    return f"header {name}: {clause}"


def shown(value: Any) -> str:
    """A value as a reason shows it: short, one line, as JSON has it; text in quotes only where it could be mistaken."""
    if isinstance(value, str) and value.strip() and not _LITERAL.fullmatch(value):
        text = value
    else:
        text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())
    return text if len(text) <= 120 else text[:117] + "…"


def holds(clause: Clause, value: Any, at: datetime) -> bool:
    """Whether a clause holds of a value; `at` is the moment that ages are measured from. Never raises."""
    operand = clause.operand
    match clause.operator:
        case "equals":
            return _equal(value, operand)
        case "not":
            return not _equal(value, operand)
        case "one_of":
            return any(_equal(value, one) for one in operand)
        case "at_least" | "at_most" | "more_than" | "less_than":
            number, limit = _number(value), _number(operand)
            if number is None or limit is None:
                return False
            return {
                "at_least": number >= limit,
                "at_most": number <= limit,
                "more_than": number > limit,
                "less_than": number < limit,
            }[clause.operator]
        case "matches":
            return isinstance(value, str) and operand.search(value) is not None
        case "contains":
            if isinstance(value, str):
                return str(operand) in value
            if isinstance(value, Mapping):
                return isinstance(operand, str) and operand in value
            return isinstance(value, list | tuple) and any(_equal(one, operand) for one in value)
        case "exists":
            return (value is not None) == bool(operand)
        case "empty":
            return (value is None or value in ("", [], {}, ())) == bool(operand)
        case "newer_than" | "older_than":
            moment = _moment(value)
            return moment is not None and (at - moment <= operand) == (clause.operator == "newer_than")
        case "type":
            return _type(value) == operand or (operand == "number" and _type(value) == "integer")
    raise AssertionError(f"no operator {clause.operator}")


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) != isinstance(wanted, bool):
        return False  # True == 1 in Python, not in JSON
    if isinstance(value, list | tuple) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(_equal, value, wanted))
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return value.keys() == wanted.keys() and all(_equal(value[key], wanted[key]) for key in wanted)
    return bool(value == wanted)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, int | float | str) or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
        return None  # Python reads 1_000, nan, infinity and the digits of every script, nobody else does
    try:
        return float(value)
    except OverflowError:
        return math.inf if isinstance(value, int) and value > 0 else -math.inf
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            if value.endswith(" GMT"):  # the date of an HTTP header (RFC 9110)
                return datetime.strptime(value, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case _:
            return "object"


def judge(observation: Observation, expect: Expect) -> Result:
    """What one run says, with its reasons. Pure: the same facts and expectations give the same result."""
    failure = observation.failure
    if failure is not None and not failure.code.startswith("content."):
        return _failed(failure.code, failure.detail or failure.code)
    http = observation.http
    if http is not None:
        if wall := _wall(observation):
            return _failed(*wall)
        if not any(low <= http.status <= high for low, high in expect.status):
            code = _cdn(observation) or code_for_status(http.status)
            return _failed(code, f"status {http.status}, expected {_ranges(expect.status)}")
        if expect.content_type is not None:
            got = http.headers.get("content-type", "")
            if got.partition(";")[0].strip().lower() != expect.content_type.partition(";")[0].strip().lower():
                return _failed("content.type", f"content type {shown(got or None)}, expected {expect.content_type}")
        if http.bytes == 0 and (expect.json or expect.contains or expect.matches):
            return _failed("content.empty", "the body is empty")
    if failure is not None:
        return _failed(failure.code, failure.detail or failure.code)
    code, reasons = _unmet(observation, expect)
    if reasons:
        return _failed(code, *reasons)
    return _passed(observation, expect)


def _passed(observation: Observation, expect: Expect) -> Result:
    """Passed, or passed with a remark. Slowness first: a certificate that ends soon is told by every other run."""
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
    return Result(Outcome.PASSED)


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
            reasons.append(f"the body {said} {shown(text)}")
            stale = False
    for path, clauses in expect.json:
        for clause in clauses:
            got = values.get(path)
            if not holds(clause, got, at):
                reasons.append(f"{path}: expected {clause}, got {shown(got)}")
                stale = stale and clause.operator == "newer_than" and _moment(got) is not None
    return ("content.stale" if stale else "content.assertion"), reasons


def holds_of_header(clause: Clause, value: str | None, at: datetime) -> bool:
    """As `holds`; a header is always text, so it is read as a number where the operand is one."""
    numbers = clause.operand if isinstance(clause.operand, list | tuple) else (clause.operand,)
    if value is not None and any(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        return holds(clause, _number(value), at)
    return holds(clause, value, at)


def _failed(code: str, *reasons: str) -> Result:
    # A recording of a newer version may hold a code that this one does not know: nobody is blamed for it.
    blame = code_of(code).blame if code.partition(":")[0] in CODES else Blame.SELF
    return Result(Outcome.UNKNOWN if blame is Blame.SELF else Outcome.FAILED, code, blame, reasons)


def _ranges(status: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in status)


# Only the application behind the gateway is named by it: whatever carries it is the application's own answer.
BACKEND = "x-vtex-janus-router-backend-app"

_CHALLENGE = ("captcha", "cf-chl", "challenge-platform", "px-captcha", "are you a human", "não sou um robô")


# What the pages of a wall say together when they refuse an address: Cloudflare's, Akamai's.
_REFUSAL = (("you have been blocked", "cloudflare"), ("access denied", "reference #"), ("access denied", "&#35;"))


def _wall(observation: Observation) -> tuple[str, str] | None:
    """A bot wall or a captcha that answers instead of the module; only some addresses see it."""
    http = observation.http
    assert http is not None
    headers = http.headers
    if action := headers.get("cf-mitigated") or headers.get("x-amzn-waf-action"):
        code = "blocked.captcha" if "captcha" in action.lower() else "blocked.waf"
        return code, f"a wall in front answered ({shown(action)}), status {http.status}"
    if http.status in (403, 406, 429, 503) and BACKEND not in headers:
        body = (http.excerpt or "").lower()
        if any(mark in body for mark in _CHALLENGE):
            return "blocked.captcha", f"a challenge page answered, status {http.status}"
        if http.status == 403 and any(all(mark in body for mark in marks) for marks in _REFUSAL):
            return "blocked.waf", f"a wall in front refused us, status {http.status}"
    return None


def _cdn(observation: Observation) -> str | None:
    """The code of an error that the edge made itself, told by its marks; None when the answer came from behind it."""
    http = observation.http
    assert http is not None
    headers, body = http.headers, (http.excerpt or "").lower()
    server = headers.get("server", "").lower()
    if (server == "cloudflare" or "cf-ray" in headers) and http.status in (*range(520, 528), 530):
        return f"cdn.cf_{http.status}"
    if http.status < 500:
        return None
    if BACKEND in headers:
        return None  # the application answered: host, edge and gateway did their work
    if "error=" in headers.get("proxy-status", ""):
        return "edge.proxy_status"
    if headers.get("x-cache", "").lower().startswith("error from cloudfront") and "cloudfront" in body:
        return "cdn.cloudfront"
    if "x-served-by" in headers and ("guru meditation" in body or "backend read error" in body):
        return "cdn.fastly"
    if "reference #" in body or "reference&#32;&#35;" in body:
        return "cdn.akamai"
    if server.startswith("awselb/"):
        return "lb.aws"
    return None


def is_slow(result: Result) -> bool:
    """Whether a result counts for the slow channel: a certificate that ends soon is told, but is not slowness."""
    return result.outcome is Outcome.SLOW and result.code in SLOW_CODES
