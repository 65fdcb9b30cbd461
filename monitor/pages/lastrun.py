"""Last run: the newest judged run of a probe at a place, with everything that was seen, as operators read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.core.effect import Keep
from monitor.core.expectation import Outcome, Result
from monitor.core.observation import PHASES, Certificate, Observation, StepRun, stamp
from monitor.core.probe import Probe
from monitor.core.track import Track
from monitor.core.wording import N_
from monitor.pages.lens import Lens
from monitor.pages.view import Mark, When

WIDTH, HEIGHT = 600, 14  # of a waterfall, in its own units
THIN = 2.0  # what a phase is drawn with at least

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.PASSED: ("ok", N_("Passed")),
    Outcome.SLOW: ("slow", N_("Slow")),
    Outcome.FAILED: ("down", N_("Failed")),
    Outcome.UNKNOWN: ("none", N_("Could not tell")),
}
NAMES = {
    "resolve": N_("Name look-up"),
    "connect": N_("Connection"),
    "tls": N_("TLS"),
    "processing": N_("Waiting for the answer"),
    "transfer": N_("Transfer"),
}


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase: its name, how long it took, and where its bar stands."""

    id: str
    name: str
    took: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class CertificateView:
    """The certificate that was shown; `soon`: its end is near, or behind us."""

    subject: str
    issuer: str
    until: When
    left: str
    soon: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a flow; without a duration it was not run."""

    name: str
    module: str
    took: str
    status: str
    code: str


@dataclass(frozen=True, slots=True)
class RunView:
    """What a probe saw last at a place. `reasons` tell what was expected against what came; without `at` it has not
    run yet. What is known of the answer itself is lost at a restart."""

    id: str
    probe: str
    kind: str
    evidence: bool
    place: str
    off: str
    at: When | None
    mark: Mark
    failed: bool
    code: str
    blame: str
    reasons: tuple[str, ...]
    unseen: bool = False  # its place could not see then, so it counts for nothing
    took: str = ""
    address: str = ""
    answer: str = ""
    told: str = ""  # the phases in words
    phases: tuple[PhaseView, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    excerpt: str = ""
    certificate: CertificateView | None = None
    steps: tuple[StepView, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    width: int = WIDTH
    height: int = HEIGHT


def run_view(lens: Lens, probe: Probe, place: str, track: Track | None, keep: Keep | None, now: datetime) -> RunView:
    """The newest run of a probe at a place."""
    result = track.last if track is not None and track.last is not None else keep.result if keep else None
    at = track.last_at if track is not None and track.last_at is not None else keep.observation.at if keep else None
    about = _judged(lens, probe, place, result, at)
    if keep is None:
        return about
    return _seen(lens, about, keep, now)


def _judged(lens: Lens, probe: Probe, place: str, result: Result | None, at: datetime | None) -> RunView:
    return RunView(
        id=f"{probe.module}-{probe.id}-{place}",
        probe=probe.id,
        kind=probe.kind,
        evidence=probe.role.value == "evidence",
        place=lens.place(place),
        off=probe.off or "",
        at=None if at is None else exact(lens, at),
        mark=lens.mark(OUTCOMES[result.outcome if result else Outcome.UNKNOWN]),
        failed=result is not None and result.outcome is not Outcome.PASSED,
        code=(result.code if result else None) or "",
        blame=result.blame.value if result and result.blame else "",
        reasons=result.reasons if result else (),
    )


def _seen(lens: Lens, about: RunView, keep: Keep, now: datetime) -> RunView:
    seen = keep.observation
    http, failure = seen.http, seen.failure
    answer = ""
    if http is not None:
        answer = f"HTTP/{http.version or '?'} {http.status}"
    elif failure is not None:
        answer = f"{failure.code}: {failure.detail}" if failure.detail else failure.code
    phases = tuple(_phases(lens, seen))
    values = {name: value for name, value in seen.values.items() if value is not None}
    return _with(
        about,
        unseen=keep.discarded,
        took=_took(lens, seen.duration),
        address=seen.address or "",
        answer=answer,
        phases=phases,
        told=", ".join(f"{one.name} {one.took}" for one in phases),
        headers=tuple(sorted(http.headers.items())) if http else (),
        excerpt=(http.excerpt or "") if http else "",
        certificate=_certificate(lens, seen.certificate, now),
        steps=tuple(_step(lens, one) for one in seen.steps or ()),
        values=tuple((name, str(value)[:300]) for name, value in list(values.items())[:40]),
    )


def _with(about: RunView, **more: object) -> RunView:
    kept = {name: getattr(about, name) for name in RunView.__slots__}
    return RunView(**{**kept, **more})


def _phases(lens: Lens, seen: Observation) -> Iterable[PhaseView]:
    """Bars one after the other, as long as they took; what is not accounted for leaves room at the end."""
    whole = max(seen.duration, sum(seen.phases.values()), 1e-6)
    left = 0.0
    for id in PHASES:
        if (seconds := seen.phases.get(id)) is None:
            continue
        width = max(seconds / whole * WIDTH, THIN)
        start = min(left, WIDTH - width)
        yield PhaseView(id, lens.word(NAMES[id]), _took(lens, seconds), round(start, 1), round(width, 1))
        left += seconds / whole * WIDTH


def exact(lens: Lens, at: datetime) -> When:
    """A moment to the second, which tells operators what came first; with its date on other days."""
    zone = lens.facts.site.timezone
    local, now = at.astimezone(ZoneInfo(zone)), lens.facts.picture.now.astimezone(ZoneInfo(zone))
    clock = lens.speech.clock(lens.language, at, zone).replace(f"{local:%H:%M}", f"{local:%H:%M:%S}", 1)
    day = "" if local.date() == now.date() else f"{lens.speech.day(lens.language, at, zone)}, "
    return When(day + clock, stamp(at) or "")


def _took(lens: Lens, seconds: float) -> str:
    return lens.milliseconds(round(seconds * 1000, 1))


def _certificate(lens: Lens, one: Certificate | None, now: datetime) -> CertificateView | None:
    if one is None:
        return None
    until = min(filter(None, (one.not_after, one.earliest_not_after, one.chain_not_after)))
    left = (until - now).days
    told = lens.counted("{count} day left", "{count} days left", left) if left >= 0 else lens.word(N_("Expired"))
    return CertificateView(one.subject, one.issuer, lens.when(until), told, left < 21)


def _step(lens: Lens, step: StepRun) -> StepView:
    seen = step.seen
    if seen is None:
        return StepView(step.name, lens.module_name(step.module), "", "", "")
    status = str(seen.http.status) if seen.http else ""
    code = seen.failure.code if seen.failure else ""
    return StepView(step.name, lens.module_name(step.module), _took(lens, seen.duration), status, code)
