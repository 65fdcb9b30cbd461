"""Hypothesis strategies for what the store keeps. Instants are what each stored form promises to give back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from monitor.core.codes import CODES, Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Act, Candidate, Cause, Evidence, Incident, Member, Stage, Update
from monitor.core.maintenance import Counted, Maintenance, WorkStage, WorkUpdate
from monitor.core.match import Match
from monitor.core.module import Priority, Status
from monitor.core.observation import PHASES, Certificate, Failure, Http, Observation, StepRun
from monitor.core.silence import Scope, Silence
from monitor.core.track import Baseline, Level, Sighting, Track

START = datetime(2026, 1, 1, tzinfo=UTC)
_ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
_texts = st.text(max_size=40)  # every character there is, U+0000 and emoji among them
_whole = st.integers(-(2**53), 2**53)
_plain = st.none() | st.booleans() | _whole | st.floats(allow_nan=False, allow_infinity=False) | _texts
json_values = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3), max_leaves=6
)
_objects = st.dictionaries(_texts, json_values, max_size=3)
_codes = st.sampled_from(sorted(CODES))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def moments(step: timedelta = timedelta(milliseconds=1)) -> st.SearchStrategy[datetime]:
    """Instants of some years, in whole steps."""
    return st.integers(0, timedelta(days=2000) // step).map(lambda count: START + count * step)


_microseconds = st.integers(0, 600_000_000).map(lambda count: count / 1_000_000)

_failures = st.builds(Failure, code=_codes, detail=_texts)

_https = st.builds(
    Http,
    status=st.integers(100, 599),
    headers=st.dictionaries(_ids, _texts, max_size=3),
    bytes=st.integers(0, 2**40),
    excerpt=_maybe(_texts),
    version=_maybe(st.sampled_from(["1.0", "1.1", "2"])),
    redirects=st.integers(0, 10),
    content_length=st.integers(-1, 2**40),
)

_certificates = st.builds(
    Certificate,
    not_after=moments(),
    subject=_texts,
    issuer=_texts,
    sha256=_texts,
    serial=_texts,
    alternative_names=st.lists(_texts, max_size=3).map(tuple),
    earliest_not_after=_maybe(moments()),
    chain_not_after=_maybe(moments()),
    tls_version=_maybe(st.just("TLSv1.3")),
    cipher=_maybe(_texts),
)


def step_runs(probe: str, location: str) -> st.SearchStrategy[StepRun]:
    """One step of a flow, run or not; instants in whole milliseconds."""
    return st.builds(
        lambda module, name, seen: StepRun(module, name, seen and replace(seen, module=module)),
        _ids,
        _texts,
        _maybe(
            moments().flatmap(
                lambda at: st.builds(
                    Observation,
                    at=st.just(at),
                    module=st.none(),
                    probe=st.just(probe),
                    location=st.just(location),
                    scheduled_at=st.just(at),
                    duration=_microseconds,
                    phases=st.dictionaries(st.sampled_from(PHASES), _microseconds),
                    address=_maybe(_texts),
                    failure=_maybe(_failures),
                    http=_maybe(_https),
                    certificate=_maybe(_certificates),
                    values=_objects,
                )
            )
        ),
    )


def observations() -> st.SearchStrategy[Observation]:
    """Runs of every kind; durations and instants to the microsecond."""
    return _runs().flatmap(
        lambda run: st.builds(
            lambda steps: replace(run, steps=steps),
            _maybe(st.lists(step_runs(run.probe, run.location), max_size=2).map(tuple)),
        )
    )


def moved(observation: Observation, location: str) -> Observation:
    """The same run at another place."""
    steps = observation.steps and tuple(
        replace(one, seen=one.seen and replace(one.seen, location=location)) for one in observation.steps
    )
    return replace(observation, location=location, steps=steps)


def _runs() -> st.SearchStrategy[Observation]:
    return st.builds(
        Observation,
        at=moments(timedelta(microseconds=1)),
        module=_maybe(_ids),
        probe=_ids,
        location=_ids,
        scheduled_at=moments(timedelta(microseconds=1)),
        duration=_microseconds,
        phases=st.dictionaries(st.sampled_from(PHASES), _microseconds),
        address=_maybe(_texts),
        failure=_maybe(_failures),
        http=_maybe(_https),
        certificate=_maybe(_certificates),
        dns=_maybe(_objects),
        values=_objects,
    )


def results() -> st.SearchStrategy[Result]:
    """Judgements that keep the whole observation: all but passed ones."""
    return st.builds(
        Result,
        outcome=st.sampled_from([Outcome.FAILED, Outcome.SLOW, Outcome.UNKNOWN]),
        code=_maybe(_codes),
        blame=_maybe(st.sampled_from(Blame)),
        reasons=st.lists(_texts, max_size=3).map(tuple),
    )


_levels = st.builds(Level, value=json_values, since=moments(), runs=st.integers(1, 10**6))
_baselines = st.builds(Baseline, path=_texts, usual=_maybe(_levels), other=_maybe(_levels))
_sightings = st.builds(Sighting, at=moments(), code=_codes, detail=_texts)
_scores = st.floats(0, 1e6)


def tracks() -> st.SearchStrategy[Track]:
    """Tracks as a restart finds them again: without what only a running process needs."""
    moment = _maybe(moments())
    return st.builds(
        Track,
        score=_scores,
        bad_since=moment,
        last_bad_at=moment,
        slow_score=_scores,
        slow_since=moment,
        last_slow_at=moment,
        partial_score=_scores,
        partial_since=moment,
        good_streak=st.integers(0, 10**6),
        good_since=moment,
        brisk_streak=st.integers(0, 10**6),
        brisk_since=moment,
        usable_at=moment,
        baselines=st.lists(_baselines, max_size=2).map(tuple),
        usual=_scores,
        usual_slow=st.integers(0, 10**6),
        usual_slowest=_scores,
        noise_bad=_scores,
        noise_all=_scores,
        pending_bad=st.integers(0, 10**6),
        sightings=st.lists(_sightings, max_size=3).map(tuple),
        slow_sighting=_maybe(_sightings),
        codes=st.lists(st.tuples(_codes, st.integers(1, 100)), max_size=3).map(tuple),
        private=st.booleans(),
        last_at=moment,
    )


_evidence = st.builds(Evidence, at=moments(), module=_ids, probe=_ids, location=_ids, code=_codes, detail=_texts)

_causes = st.builds(
    Cause,
    scope=st.sampled_from(["module", "shared", "location", "unknown"]),
    module=_maybe(_ids),
    candidates=st.lists(st.builds(Candidate, module=_ids, confidence=st.floats(0, 1)), max_size=3).map(tuple),
    code=_codes,
    cls=_ids,
    confidence=st.floats(0, 1),
    state=st.sampled_from(["suspected", "confirmed"]),
    shared=_maybe(_objects),
    locations=st.lists(_ids, max_size=3).map(tuple),
    trigger=_maybe(_objects),
    evidence=st.lists(_evidence, max_size=3).map(tuple),
    platform_reports=_maybe(_objects),
)

_members = st.builds(
    Member,
    module=_ids,
    role=st.sampled_from(["root", "affected"]),
    status=st.sampled_from(Status),
    since=moments(),
    until=_maybe(moments()),
)

_languages = st.dictionaries(st.sampled_from(["pt-BR", "en", "es"]), _texts, max_size=3)

_updates = st.builds(
    Update,
    at=moments(),
    stage=st.sampled_from(Stage),
    kind=_ids,
    params=_objects,
    author=_texts,
    body=_maybe(_languages),
    updated_at=_maybe(moments()),
)

_acts = st.builds(Act, at=moments(), what=_ids, by=_maybe(_texts), request=_maybe(_texts), detail=_objects)


def incidents() -> st.SearchStrategy[Incident]:
    """Incidents open and resolved; instants to the millisecond."""
    return st.builds(
        Incident,
        key=_ids.map(lambda module: f"inc:{module}:2026-01-01T00:00:00.000Z"),
        started_at=moments(),
        detected_at=moments(),
        published_at=_maybe(moments()),
        stage=st.sampled_from(Stage),
        impact=st.sampled_from(["none", "minor", "major", "critical"]),
        priority=st.sampled_from(Priority),
        cause=_causes,
        members=st.lists(_members, max_size=3).map(tuple),
        components=st.lists(_ids, max_size=3).map(tuple),
        updates=st.lists(_updates, max_size=3).map(tuple),
        acknowledged_at=_maybe(moments()),
        resolved_at=_maybe(moments()),
        reopened=st.integers(0, 5),
        title=_maybe(_languages),
        summary=_maybe(_languages),
        impact_said=st.booleans(),
        by_hand=st.booleans(),
        acts=st.lists(_acts, max_size=2).map(tuple),
    )


_works = st.builds(
    WorkUpdate,
    at=moments(),
    stage=st.sampled_from(WorkStage),
    kind=_ids,
    author=_ids,
    body=_maybe(_languages),
)


def maintenances() -> st.SearchStrategy[Maintenance]:
    """Planned work of every stage; instants to the millisecond."""
    return st.builds(
        Maintenance,
        key=_ids.map(lambda window: f"maintenance:{window}:2026-01-01T00:00:00.000Z"),
        window=_ids,
        title=_languages,
        planned_from=moments(),
        planned_until=moments(),
        announced_at=moments(),
        author=_ids,
        message=_languages,
        modules=st.lists(_ids, max_size=3).map(tuple),
        excuses=st.lists(_ids, max_size=3).map(tuple),
        stage=st.sampled_from(WorkStage),
        started_at=_maybe(moments()),
        ended_at=_maybe(moments()),
        sequence=st.integers(0, 99),
        extended=st.booleans(),
        updates=st.lists(_works, max_size=3).map(tuple),
        counted=st.lists(st.builds(Counted, _ids, moments(), _maybe(moments())), max_size=2).map(tuple),
    )


def silences() -> st.SearchStrategy[Silence]:
    """Silences of every kind; instants to the millisecond."""
    some = _maybe(st.frozensets(_ids, min_size=1, max_size=3))
    return st.builds(
        Silence,
        id=_ids,
        scope=st.builds(Scope, st.builds(Match, some, some, some, some), _maybe(_ids), some),
        author=_texts,
        reason=_texts,
        begins=moments(),
        until=moments(),
        created_at=moments(),
        request=_maybe(_texts),
        ended_at=_maybe(moments()),
        lifted_by=_maybe(_texts),
    )
