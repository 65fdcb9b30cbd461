"""A small past to store: short ways to write the facts that the tests are about."""

from datetime import UTC, datetime, timedelta

from monitor.core.board import Condition
from monitor.core.codes import Blame
from monitor.core.detector import Transition
from monitor.core.effect import Arranged, Audited, Gap, Heard, Keep, Moved, Remember, Repeated, Saved, Settled, Storable
from monitor.core.entry import Entry
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Candidate, Cause, Change, Evidence, Incident, Member, Stage, Update, key_of
from monitor.core.maintenance import Window, announced
from monitor.core.module import Priority, Status
from monitor.core.observation import Http, Observation
from monitor.core.track import Sighting, Track

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASSED = Result(Outcome.PASSED)
SLOW = Result(Outcome.SLOW, "http.slow_ttfb", Blame.TARGET, ("took 900 ms, slow after 500 ms",))
FAILED = Result(Outcome.FAILED, "http.503", Blame.TARGET, ("status 503, expected 200–299",))
UNKNOWN = Result(Outcome.UNKNOWN, "self.overload", Blame.SELF, ("we were busy",))


def after(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def run(
    at: datetime, result: Result = PASSED, module: str | None = "checkout", ms: float = 100.0, probe: str = "http"
) -> Keep:
    """A judged run."""
    http = Http(503 if result is FAILED else 200, {"server": "janus"}, 4, excerpt="oops")
    return Keep(Observation(at, module, probe, "here", at, ms / 1000, {"connect": 0.01}, http=http), result)


def moved(module: str, status: Status, since: datetime, at: datetime | None = None) -> Moved:
    """A change of status, decided at once unless told otherwise."""
    return Moved(Transition(module, Status.UNKNOWN, status, at or since, since))


def incident(module: str = "checkout", since: datetime = NOON, resolved_at: datetime | None = None) -> Incident:
    """An outage of one module."""
    sighting = Evidence(since, module, "http", "here", "http.503", "status 503")
    stage = Stage.RESOLVED if resolved_at else Stage.INVESTIGATING
    return Incident(
        key=key_of(module, since),
        started_at=since,
        detected_at=since,
        published_at=since,
        stage=stage,
        impact="major",
        priority=Priority.URGENT,
        cause=Cause(
            scope="module",
            module=module,
            candidates=(Candidate(module, 0.9),),
            code="http.503",
            cls="capacity_or_throttling",
            confidence=0.9,
            shared={"modules": [module, "other"]},
            trigger={"kind": "version_change", "module": module, "to": "2"},
            evidence=(sighting,),
        ),
        members=(Member(module, "root", Status.DOWN, since, resolved_at),),
        components=("order-placement",),
        updates=(Update(since, stage, "opened", {"module": module, "code": "http.503"}),),
        resolved_at=resolved_at,
    )


def saved(one: Incident) -> Saved:
    """The effect that stores an incident."""
    return Saved(one, Change.OPENED, one.detected_at)


def trouble(module: str = "checkout", since: datetime = NOON) -> list[Storable]:
    """What one step asks for when a module has just gone down: an effect of every kind."""
    track = Track(score=6.9, bad_since=since, last_bad_at=since, sightings=(Sighting(since, "http.503", "oops"),))
    down = Condition(Status.DOWN, since)
    work = announced(window(module, since), since, since)
    return [
        run(since, FAILED, module),
        Remember(module, "http", "here", track),
        Settled(module, "http", down),
        Settled(module, None, down),
        moved(module, Status.DOWN, since),
        saved(incident(module, since)),
        Heard(module, "nightly", since),
        Gap("elsewhere", since),
        Arranged(work, "scheduled"),
        Repeated("nightly", window(module, since)),
        Audited(entry(since, module)),
    ]


def entry(at: datetime = NOON, subject: str = "checkout", act: str = "probe.run", by: str | None = "Ana") -> Entry:
    """A line of the audit log."""
    id = f"{act}:{subject}:{at.isoformat()}"
    return Entry(id, at, by, "token", "127.0.0.1", act, subject, detail={"asked": ["http"]}, request=id, digest="d")


def window(module: str = "checkout", begins: datetime = NOON, hours: float = 2) -> Window:
    """Work on one module, every night."""
    ends = begins + timedelta(hours=hours)
    rule = "FREQ=DAILY"
    return Window(
        "nightly", {"en": "Works"}, begins, ends, "UTC", "2026-11-23T12:00:00", rule, {}, (module,), ("slow",)
    )
