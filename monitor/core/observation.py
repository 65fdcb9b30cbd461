"""Observation: the raw facts of one run of one probe, before anybody judges them.

The JSON form is that of `docs/observations.md`; reading it back gives an equal observation, so a recorded day can be
judged again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

CANARY = "canary"  # the probe id of a canary's run; its module is None

PHASES = ("resolve", "connect", "tls", "processing", "transfer")


@dataclass(frozen=True, slots=True)
class Failure:
    """What stopped the exchange itself. `code` is from `core.codes`; `detail` is free text, never a label."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Http:
    """The last answer of an exchange. Header names are lower case, only the kept list is here.

    `bytes` counts the body as read after decompression; `content_length` is -1 when the server named none.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
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
class Observation:
    """One run. `at` is when it began; `duration` and `phases` are seconds on the monotonic clock.

    `phases` holds only the phases that were reached, summed over redirects.
    `values` holds what each JMESPath expression gave, and the outcome of whatever needed the whole body.
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
    steps: tuple[Mapping[str, Any], ...] | None = None
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
        "steps": None if observation.steps is None else [dict(step) for step in observation.steps],
        "values": dict(observation.values),
    }


def observation_from_json(raw: Mapping[str, Any]) -> Observation:
    """Reads that object; absent keys mean null. Raises KeyError, TypeError or ValueError for anything else."""
    http, certificate, failure = raw.get("http"), raw.get("certificate"), raw.get("failure")
    at = moment(raw["at"])
    if at is None:
        raise ValueError("`at` is null")
    return Observation(
        at=at,
        module=raw.get("module"),
        probe=raw["probe"],
        location=raw.get("location") or "here",
        scheduled_at=moment(raw.get("scheduled_at")) or at,
        duration=float(raw.get("duration") or 0.0),
        phases={name: float(seconds) for name, seconds in (raw.get("phases") or {}).items() if seconds is not None},
        address=raw.get("address"),
        failure=None if failure is None else Failure(failure["code"], failure.get("detail") or ""),
        http=None
        if http is None
        else Http(
            status=int(http["status"]),
            headers={name.lower(): value for name, value in (http.get("headers") or {}).items()},
            bytes=int(http.get("bytes") or 0),
            excerpt=http.get("excerpt"),
            version=http.get("version"),
            redirects=int(http.get("redirects") or 0),
            content_length=-1 if http.get("content_length") is None else int(http["content_length"]),
        ),
        certificate=None if certificate is None else _certificate_from_json(certificate),
        dns=raw.get("dns"),
        steps=None if raw.get("steps") is None else tuple(raw["steps"]),
        values=raw.get("values") or {},
    )


def _certificate_from_json(raw: Mapping[str, Any]) -> Certificate:
    not_after = moment(raw["not_after"])
    if not_after is None:
        raise ValueError("`certificate.not_after` is null")
    return Certificate(
        not_after=not_after,
        subject=raw.get("subject") or "",
        issuer=raw.get("issuer") or "",
        sha256=raw.get("sha256") or "",
        serial=raw.get("serial") or "",
        alternative_names=tuple(raw.get("alternative_names") or ()),
        earliest_not_after=moment(raw.get("earliest_not_after")),
        chain_not_after=moment(raw.get("chain_not_after")),
        tls_version=raw.get("tls_version"),
        cipher=raw.get("cipher"),
    )
