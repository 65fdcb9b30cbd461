"""Observation: the raw facts of one run of one probe, before anybody judges them.

The JSON form is that of `docs/observations.md`; reading it back gives an equal observation, so a recorded day can be
judged again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.fields import count, mapping, needed, number, sequence, text, texts, time

CANARY = "canary"  # the probe id of a canary's run; its module is None

LONGEST = 366 * 86400.0  # seconds a run may take; a time plus these is still a time

OF_A_STEP = ("at", "duration", "phases", "address", "failure", "http", "certificate", "values")

PHASES = ("resolve", "connect", "tls", "processing", "transfer")


@dataclass(frozen=True, slots=True)
class Failure:
    """What stopped the exchange itself. `code` is from `core.codes`; `detail` is free text, never a label."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Http:
    """The last answer of an exchange. Header names are lower case, only the kept list is here.

    `bytes` counts the body as read after decompression, None where a recording does not tell; `content_length` is -1
    when the server named none.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    bytes: int | None = 0
    excerpt: str | None = None  # first 2 kB, control characters stripped, secrets masked
    version: str | None = None  # "1.1"
    redirects: int = 0
    content_length: int = -1


@dataclass(frozen=True, slots=True)
class Certificate:
    """The leaf the server sent, and what decides when the chain stops being good.

    `earliest_not_after` is the smallest not-after among the certificates sent, `chain_not_after` that of the
    verified chain (None when nothing was verified).
    """

    not_after: datetime
    subject: str
    issuer: str
    sha256: str
    serial: str = ""
    alternative_names: tuple[str, ...] = ()
    earliest_not_after: datetime | None = None
    chain_not_after: datetime | None = None
    tls_version: str | None = None  # "TLSv1.3"
    cipher: str | None = None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of a flow, in order: the module it asks, its name, and what was seen; None where it was not run."""

    module: str
    name: str
    seen: "Observation | None" = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One run. `at` is when it began; `duration` and `phases` are seconds on the monotonic clock.

    `phases` holds only the phases that were reached, summed over redirects.
    `values` holds what each JMESPath expression gave, and the outcome of whatever needed the whole body.
    Of a flow, `steps` are the facts of each step; address, failure, answer, certificate and values are those of the
    step that decided, and the phases are summed over all.
    """

    at: datetime
    module: str | None
    probe: str
    location: str
    scheduled_at: datetime
    duration: float
    phases: Mapping[str, float] = field(default_factory=dict)
    address: str | None = None
    failure: Failure | None = None
    http: Http | None = None
    certificate: Certificate | None = None
    dns: Mapping[str, Any] | None = None
    steps: tuple[StepRun, ...] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended_at(self) -> datetime:
        """When the run was over."""
        return self.at + timedelta(seconds=self.duration)


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and `Z`, as every JSON of ours writes it; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    """The inverse of `stamp`; any RFC 3339 time is understood. Raises ValueError for anything else."""
    if text is None:
        return None
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return parsed.astimezone(UTC)


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """The JSON object of `docs/observations.md`, every key present."""
    http, certificate = observation.http, observation.certificate
    return {
        "at": stamp(observation.at),
        "module": observation.module,
        "probe": observation.probe,
        "location": observation.location,
        "scheduled_at": stamp(observation.scheduled_at),
        "duration": round(observation.duration, 6),
        "phases": {name: round(seconds, 6) for name, seconds in observation.phases.items()},
        "address": observation.address,
        "failure": None
        if observation.failure is None
        else {"code": observation.failure.code, "detail": observation.failure.detail},
        "http": None
        if http is None
        else {
            "status": http.status,
            "headers": dict(http.headers),
            "bytes": http.bytes,
            "excerpt": http.excerpt,
            "version": http.version,
            "redirects": http.redirects,
            "content_length": http.content_length,
        },
        "certificate": None
        if certificate is None
        else {
            "not_after": stamp(certificate.not_after),
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "sha256": certificate.sha256,
            "serial": certificate.serial,
            "alternative_names": list(certificate.alternative_names),
            "earliest_not_after": stamp(certificate.earliest_not_after),
            "chain_not_after": stamp(certificate.chain_not_after),
            "tls_version": certificate.tls_version,
            "cipher": certificate.cipher,
        },
        "dns": None if observation.dns is None else dict(observation.dns),
        "steps": None if observation.steps is None else [_step_to_json(step) for step in observation.steps],
        "values": dict(observation.values),
    }


def _step_to_json(step: StepRun) -> dict[str, Any]:
    about = {"module": step.module, "name": step.name, "run": step.seen is not None}
    if step.seen is None:
        return about
    whole = observation_to_json(step.seen)
    return about | {key: whole[key] for key in OF_A_STEP}


def observation_from_json(raw: Mapping[str, Any]) -> Observation:
    """Reads that object; absent keys mean null. Raises TypeError or ValueError, with a sentence, for anything else."""
    if type(raw) is not dict and not isinstance(raw, Mapping):
        raise TypeError("it is no JSON object")
    at, duration = needed(time(raw, "at"), "at"), number(raw, "duration") or 0.0
    if not 1970 <= at.year < 9000 or not 0 <= duration <= LONGEST:
        raise ValueError("`at` or `duration` is out of range")
    http, certificate, failure = mapping(raw, "http"), mapping(raw, "certificate"), mapping(raw, "failure")
    phases, steps = mapping(raw, "phases") or {}, sequence(raw, "steps")
    return Observation(
        at=at,
        module=text(raw, "module"),
        probe=needed(text(raw, "probe"), "probe"),
        location=text(raw, "location") or "here",
        scheduled_at=time(raw, "scheduled_at") or at,
        duration=duration,
        phases={name: seconds for name in phases if (seconds := number(phases, name)) is not None},
        address=text(raw, "address"),
        failure=None
        if failure is None
        else Failure(needed(text(failure, "code"), "failure.code"), text(failure, "detail") or ""),
        http=None if http is None else _http_from_json(http),
        certificate=None if certificate is None else _certificate_from_json(certificate),
        dns=mapping(raw, "dns"),
        steps=None if steps is None else tuple(_step_from_json(step, raw) for step in steps),
        values=mapping(raw, "values") or {},
    )


def _step_from_json(raw: Any, run: Mapping[str, Any]) -> StepRun:
    """One of `steps`; probe and location are those of the run."""
    if not isinstance(raw, Mapping):
        raise TypeError("`steps` holds something that is not an object")
    module, name = needed(text(raw, "module"), "steps.module"), needed(text(raw, "name"), "steps.name")
    if raw.get("run") is False:
        return StepRun(module, name)
    seen = {key: raw.get(key) for key in OF_A_STEP} | {key: run.get(key) for key in ("probe", "location")}
    return StepRun(module, name, observation_from_json({**seen, "module": module}))


def _http_from_json(raw: Mapping[str, Any]) -> Http:
    length = count(raw, "content_length")
    return Http(
        status=needed(count(raw, "status"), "http.status"),
        headers={name.lower(): value for name, value in (texts(raw, "headers") or {}).items()},
        bytes=count(raw, "bytes"),
        excerpt=text(raw, "excerpt"),
        version=text(raw, "version"),
        redirects=count(raw, "redirects") or 0,
        content_length=-1 if length is None else length,
    )


def _certificate_from_json(raw: Mapping[str, Any]) -> Certificate:
    names = sequence(raw, "alternative_names") or ()
    if not all(isinstance(name, str) for name in names):
        raise TypeError("`alternative_names` holds something that is not text")
    return Certificate(
        not_after=needed(time(raw, "not_after"), "certificate.not_after"),
        subject=text(raw, "subject") or "",
        issuer=text(raw, "issuer") or "",
        sha256=text(raw, "sha256") or "",
        serial=text(raw, "serial") or "",
        alternative_names=names,
        earliest_not_after=time(raw, "earliest_not_after"),
        chain_not_after=time(raw, "chain_not_after"),
        tls_version=text(raw, "tls_version"),
        cipher=text(raw, "cipher"),
    )
