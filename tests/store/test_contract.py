"""What every store promises, held against all of them: in memory, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from itertools import count, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.board import Condition
from monitor.core.detector import Transition
from monitor.core.effect import Arranged, Audited, Gap, Heard, Hushed, Keep, Marked, Remember, Repeated, Saved, Settled
from monitor.core.entry import Entry, Sought
from monitor.core.expectation import Result
from monitor.core.history import History, Memory
from monitor.core.incident import Act, Incident, Stage, Update
from monitor.core.maintenance import Counted, Maintenance, announced, begun, ended
from monitor.core.match import Match
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.search import KINDS, Place, Search, place_of
from monitor.core.series import Bin
from monitor.core.silence import Scope, Silence
from monitor.core.track import Track
from monitor.core.uptime import spans
from monitor.store import Rollup, Store
from tests import strategies
from tests.depth import examples
from tests.store.conftest import Shelf
from tests.store.past import (
    FAILED,
    NOON,
    PASSED,
    SLOW,
    UNKNOWN,
    after,
    entry,
    incident,
    moved,
    run,
    saved,
    trouble,
    window,
)

DAY = timedelta(days=1)


async def kept(store: Store, module: str | None = "checkout") -> list[Observation]:
    """Every run stored of a module, newest first."""
    found = await store.observations(module, since=NOON - DAY, until=NOON + DAY, limit=1000)
    return [observation for observation, _ in found]


async def counted(store: Store) -> dict[str, tuple[float | None, int]]:
    """Median and number of hours by module."""
    latency = (await store.history(NOON - DAY, NOON + timedelta(hours=1))).latency
    return {module: (one.p50_ms, len(one.points)) for module, one in latency.items()}


class Unstorable:
    """Nothing that JSON knows."""


async def test_an_empty_store_remembers_nothing(store: Store) -> None:
    """The first start has no past, and nothing is made up for it."""
    assert await store.recall(NOON) == Memory()
    assert await store.history(NOON - DAY, NOON) == History()
    assert await store.incident("000000000000") is None
    assert await store.check() == []


async def test_a_restart_mid_incident_recalls_equal_objects(shelf: Shelf) -> None:
    """What the desk knew before a crash it knows after it, object for object."""
    store = await shelf.open()
    effects = trouble()
    await store.commit(effects)

    memory = await (await shelf.open()).recall(NOON)

    keep, remember, probe, module, _, save, heard, gap, arranged, repeated, _ = effects
    assert isinstance(keep, Keep)
    assert isinstance(remember, Remember)
    assert isinstance(probe, Settled)
    assert isinstance(module, Settled)
    assert isinstance(save, Saved)
    assert isinstance(heard, Heard)
    assert isinstance(arranged, Arranged)
    assert isinstance(repeated, Repeated)
    assert memory == Memory(
        probes={("checkout", "http"): probe.condition},
        modules={"checkout": module.condition},
        tracks={("checkout", "http", "here"): remember.track},
        incidents=(save.incident,),
        gaps=(gap,),
        calls={("checkout", "nightly"): heard.at},
        maintenances=(arranged.work,),
        windows=(repeated.window,),
        seen_at=keep.observation.ended_at,
    )


async def test_what_says_nothing_of_a_module_does_not_count_as_seen(store: Store) -> None:
    """The last usable run that ended last: canaries, own trouble and discarded runs leave the time dark."""
    long, short = run(after(0), ms=9000), run(after(5))
    blind = replace(run(after(20)), discarded=True)
    await store.commit([long, short, blind, run(after(30), module=None), run(after(40), UNKNOWN)])
    assert (await store.recall(NOON)).seen_at == after(9)


async def test_effects_are_stored_all_or_not_at_all(store: Store) -> None:
    """One effect that cannot be stored leaves nothing of the others behind, and the next commit is none the worse."""
    bad = replace(incident("payments"), title={"en": Unstorable()})
    with pytest.raises(TypeError, match="Unstorable"):
        await store.commit([*trouble(), saved(bad)])

    assert await store.recall(NOON - DAY) == Memory()
    assert await kept(store) == []
    assert await counted(store) == {}

    await store.commit(trouble())
    assert len((await store.recall(NOON)).incidents) == 1


async def test_committing_the_same_effects_again_changes_nothing(shelf: Shelf) -> None:
    """After an answer that got lost the desk commits once more; nothing is counted twice, before or after a restart."""
    effects = [*trouble(), run(after(1)), run(after(2), SLOW, ms=900)]
    store = await shelf.open()
    await store.commit(effects)
    before = (await store.recall(NOON), await store.history(NOON - DAY, after(60)), await kept(store))

    await store.commit(effects)
    store = await shelf.open()
    await store.commit(effects)
    await store.commit([*effects[:1], *effects])

    assert (await store.recall(NOON), await store.history(NOON - DAY, after(60)), await kept(store)) == before
    assert (await store.sweep(NOON + 9 * DAY, DAY, DAY)) == 3 + 1


async def test_what_comes_later_in_a_batch_wins(store: Store) -> None:
    """A commit may hold many steps; the last word about each thing stands."""
    first, resolved = incident(), incident(resolved_at=after(60))
    await store.commit(
        [
            *trouble(),
            saved(resolved),
            Settled("checkout", None, Condition(Status.UP, after(60))),
            Remember("checkout", "http", "here", None),
            Gap("elsewhere", NOON, after(30)),
        ]
    )
    memory = await store.recall(NOON)
    assert memory.incidents == (resolved,)
    assert memory.modules["checkout"].status is Status.UP
    assert memory.tracks == {}
    assert memory.gaps == ()
    assert await store.incident(first.id) == resolved


async def test_a_forgotten_track_stays_forgotten(store: Store) -> None:
    """A probe that left the configuration does not come back with old suspicions."""
    await store.commit([Remember("checkout", "http", "here", Track(score=1.0))])
    await store.commit([Remember("checkout", "http", "here", None), Remember("never", "was", "here", None)])
    assert (await store.recall(NOON)).tracks == {}


async def test_of_each_heartbeat_the_newest_call_is_kept(shelf: Shelf) -> None:
    """One row, however often it is called; a heartbeat that left the configuration is forgotten."""
    store = await shelf.open()
    for second in range(3):
        await store.commit([Heard("erp", "export", after(second)), Heard("erp", "gone", after(second))])
    await store.commit([Heard("erp", "export", after(7)), Heard("erp", "gone", None), Heard("never", "was", None)])
    assert (await (await shelf.open()).recall(NOON)).calls == {("erp", "export"): after(7)}


async def test_recall_brings_open_incidents_and_those_resolved_of_late(store: Store) -> None:
    """An incident may reopen shortly after its end; older ones are history."""
    old, recent = incident("a", resolved_at=after(10)), incident("b", after(1), resolved_at=after(100))
    still = incident("c", NOON - 30 * DAY)
    await store.commit([saved(old), saved(recent), saved(still)])
    assert (await store.recall(after(100))).incidents == (still, recent)


async def test_history_lists_the_newest_incidents_first(store: Store) -> None:
    """And no more than asked for."""
    many = [incident("checkout", after(60 * number), after(60 * number + 30)) for number in range(5)]
    await store.commit([saved(one) for one in many])
    assert (await store.history(NOON, after(600), incidents=3)).incidents == tuple(reversed(many))[:3]


async def test_history_has_the_gaps_of_its_time(store: Store) -> None:
    """Ended ones, lasting ones, but not those that were over before or come later."""
    gone, overlapping = Gap("a", after(-100), after(-50)), Gap("b", after(-100), after(1))
    lasting, later = Gap("c", after(5)), Gap("d", after(500))
    await store.commit([gone, overlapping, lasting, later])
    history = await store.history(NOON, after(60))
    assert history.gaps == (overlapping, lasting)


async def test_history_knows_what_was_true_at_its_start(store: Store) -> None:
    """Of what came before, the transition in force and the very first are enough for every figure."""
    changes = [moved("checkout", [Status.UP, Status.DOWN][n % 2], after(60 * n)) for n in range(10)]
    await store.commit([*changes, moved("payments", Status.UP, after(-60))])
    history = await store.history(after(250), after(600))
    assert history.transitions["checkout"] == tuple(c.transition for c in (changes[0], *changes[4:]))
    assert [t.after for t in history.transitions["payments"]] == [Status.UP]


async def test_history_follows_what_was_decided_later(store: Store) -> None:
    """A recovery dated before the failure it ends takes that failure back, also across the start of the window."""
    changes = [
        moved("checkout", Status.UP, after(0)),
        moved("checkout", Status.DOWN, after(200), at=after(210)),
        moved("checkout", Status.UP, after(100), at=after(400)),
        moved("checkout", Status.DOWN, after(500), at=after(510)),
    ]
    await store.commit(changes)
    whole = [change.transition for change in changes]
    for start in (50, 100, 150, 200, 300, 450, 505):
        part = (await store.history(after(start), after(600))).transitions["checkout"]
        assert spans(part, after(start), after(600)) == spans(whole, after(start), after(600)), start


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.sampled_from(Status)), max_size=12),
    start=st.integers(0, 60),
)
async def test_part_of_the_history_gives_the_figures_of_all_of_it(
    shelf: Shelf, changes: list[tuple[int, int, Status]], start: int
) -> None:
    """Whatever was decided in whatever order, the time from `since` on looks as it does with every transition."""
    store = await shelf.open()
    module = f"module-{await fresh(store)}"
    at, transitions = 0, []
    for since, wait, status in changes:
        at = max(at + 1, since + wait)
        transitions.append(Transition(module, Status.UNKNOWN, status, after(at), after(since)))
    await store.commit([saved(incident(module)), *(moved(t.module, t.after, t.since, t.at) for t in transitions)])
    part = (await store.history(after(start), after(100))).transitions.get(module, ())
    assert spans(part, after(start), after(100)) == spans(transitions, after(start), after(100))


async def fresh(store: Store) -> int:
    """A number not used in this store so far."""
    return len((await store.recall(NOON - DAY)).incidents)


async def test_the_archive_has_every_incident_that_was_not_over(store: Store) -> None:
    """However many there are, and the changes of status of that time as the history has them."""
    ends = [NOON - DAY, NOON + timedelta(hours=1), None]
    several = [incident(f"m{n}", NOON - 2 * DAY + timedelta(hours=n), end) for n, end in enumerate(ends)]
    moves = [moved("checkout", status, NOON - n * DAY) for n, status in enumerate([Status.UP, Status.DOWN] * 2)]
    gap = Gap("here", NOON - DAY, NOON + timedelta(hours=1), "self.dns")
    await store.commit([*map(saved, several), *moves, gap])
    found = await store.archive(NOON)
    assert [one.id for one in found.incidents] == [several[2].id, several[1].id]
    assert found.transitions == (await store.history(NOON, NOON + DAY)).transitions
    assert (found.gaps, found.latency) == ((gap,), {})


async def test_latency_comes_from_answered_runs(store: Store) -> None:
    """Percentiles to within a bucket of 12 %; how long a failure took says nothing about latency."""
    fast = [run(after(n), ms=100) for n in range(90)]
    slow = [run(after(100 + n), SLOW, ms=1000) for n in range(10)]
    others = [run(after(200), FAILED, ms=30_000), run(after(201), UNKNOWN, ms=30_000)]
    await store.commit([*fast, *slow, *others])
    latency = (await store.history(NOON, after(300))).latency["checkout"]
    assert latency.p50_ms == pytest.approx(100, rel=0.12)
    assert latency.p95_ms == pytest.approx(1000, rel=0.12)
    assert latency.p99_ms == pytest.approx(1000, rel=0.12)
    assert latency.points == ((NOON, latency.p50_ms),)


async def test_latency_covers_24_hours(store: Store) -> None:
    """One point an hour, the oldest first; an hour without runs is absent."""
    hours = [NOON - timedelta(hours=back) for back in (30, 24, 23, 5, 0)]
    await store.commit([run(hour) for hour in hours])
    points = (await store.history(NOON - DAY, after(600))).latency["checkout"].points
    assert [hour for hour, _ in points] == hours[2:]


async def test_latency_may_be_of_some_probes_only(store: Store) -> None:
    """A page shows the probes that decide about a module, not those that are only looked at."""
    await store.commit([run(NOON, ms=100), run(NOON, ms=5000, probe="deep"), run(NOON, module="payments")])
    history = await store.history(NOON, after(60), probes={("checkout", "http")})
    assert history.latency.keys() == {"checkout"}
    assert history.latency["checkout"].p99_ms == pytest.approx(100, rel=0.12)


async def test_rollups_go_on_after_a_restart(shelf: Shelf) -> None:
    """The hour that is under way is continued, not begun anew."""
    for second in range(4):
        store = await shelf.open()
        await store.commit([run(after(second), ms=100 if second < 3 else 10_000)])
    median, hours = (await counted(shelf.store))["checkout"]
    assert median == pytest.approx(100, rel=0.12)
    assert hours == 1


async def test_a_late_run_counts_in_its_own_hour(store: Store) -> None:
    """A place that was cut off hands in what it saw meanwhile."""
    await store.commit([run(after(3600))])
    await store.commit([run(after(7200))])
    await store.commit([run(after(10)), run(after(3601))])
    history = await store.history(NOON, after(7300))
    assert [hour for hour, _ in history.latency["checkout"].points] == [NOON, after(3600), after(7200)]


async def test_discarded_runs_and_canaries_are_kept_but_not_counted(store: Store) -> None:
    """They say something about the place that looked, nothing about a module."""
    canary = run(NOON, module=None, probe="canary")
    discarded = replace(run(after(1)), discarded=True)
    await store.commit([canary, discarded])
    assert [o.module for o in await kept(store, None)] == [None]
    assert len(await kept(store)) == 1
    assert await counted(store) == {}


async def test_observations_come_newest_first_and_limited(store: Store) -> None:
    """From `since` on, up to but without `until`, of one probe when asked so."""
    await store.commit([run(after(n), FAILED, probe=["http", "tls"][n % 2]) for n in range(10)])
    both = await store.observations("checkout", since=after(2), until=after(8), limit=4)
    assert [observation.at for observation, _ in both] == [after(n) for n in (7, 6, 5, 4)]
    one = await store.observations("checkout", "tls", since=after(2), until=after(8), limit=9)
    assert [observation.at for observation, _ in one] == [after(n) for n in (7, 5, 3)]
    assert one[0][1] == FAILED


async def test_the_body_of_a_passed_run_is_not_kept(store: Store) -> None:
    """Of a failed one it is: it may say why."""
    await store.commit([run(NOON), run(after(1), FAILED)])
    failed, passed = await kept(store)
    assert failed.http is not None
    assert failed.http.excerpt == "oops"
    assert passed == replace(run(NOON).observation, http=replace(failed.http, status=200, excerpt=None))


async def test_a_renamed_module_keeps_its_history(store: Store) -> None:
    """Every table follows, and every mention in an incident; its key and link stay."""
    await store.commit([*trouble("old"), run(after(1), module="old"), *trouble("other", after(5))])
    await store.rename({"old": "new"})

    memory, history = await store.recall(NOON), await store.history(NOON - DAY, after(60))
    assert memory.modules.keys() == {"new", "other"}
    assert memory.probes.keys() == {("new", "http"), ("other", "http")}
    assert memory.tracks.keys() == {("new", "http", "here"), ("other", "http", "here")}
    assert memory.calls.keys() == {("new", "nightly"), ("other", "nightly")}
    assert history.transitions.keys() == {"new", "other"}
    assert history.latency.keys() == {"new"}
    assert (len(await kept(store, "new")), len(await kept(store, "old"))) == (2, 0)
    was, now = incident("old"), await store.incident(incident("old").id)
    assert now is not None
    assert now.key == was.key
    assert (now.root, now.cause.evidence[0].module, now.members[0].module) == ("new", "new", "new")
    assert now.cause.shared == {"modules": ["new", "other"]}
    assert now.cause.trigger == {"kind": "version_change", "module": "new", "to": "2"}
    assert now.updates[0].params["module"] == "new"
    assert await store.check() == []


async def test_a_rename_adds_to_what_the_new_id_has_already(store: Store) -> None:
    """The alias may come only after a first start under the new id: hours add up, settled facts are the new ones."""
    await store.commit([*trouble("old"), *(run(after(n), module="old") for n in range(3))])
    await store.commit([*trouble("new"), *(run(after(n), module="new", ms=1000) for n in range(4))])
    await store.rename({"old": "new", "same": "same"})
    await store.rename({"old": "new"})
    await store.commit([run(after(100), module="new", ms=1000)])

    assert (await store.recall(NOON)).modules.keys() == {"new"}
    assert len((await store.history(NOON - DAY, after(60))).transitions["new"]) == 1
    latency = (await store.history(NOON - DAY, after(60))).latency["new"]
    assert latency.p50_ms == pytest.approx(1000, rel=0.12)


async def test_sweeping_deletes_what_is_past_its_time(store: Store) -> None:
    """Observations and rollups each have theirs; transitions and incidents stay for ever."""
    old = [run(NOON - 10 * DAY + timedelta(seconds=n)) for n in range(1200)]
    await store.commit([*old, run(NOON - DAY), *trouble()])
    assert await store.sweep(NOON, 7 * DAY, 20 * DAY) == 1200
    assert len(await kept(store)) == 2
    assert await store.sweep(NOON, 7 * DAY, 7 * DAY) == 1
    assert await store.sweep(NOON + 999 * DAY, DAY, DAY) == 2 + 2
    assert len((await store.history(NOON, NOON + DAY)).transitions) == 1
    assert len((await store.recall(NOON)).incidents) == 1


def marked(through: int, at: float = 0, epoch: str = "e1") -> Marked:
    """An agent has brought so much."""
    return Marked("sao", "box-123456", epoch, through, after(at))


async def test_what_an_agent_brought_and_how_far_it_came_are_stored_together(shelf: Shelf) -> None:
    """The newest mark of each outbox is recalled; none of it where the runs could not be stored."""
    store = await shelf.open()
    await store.commit([run(after(1)), marked(1), run(after(2)), marked(2), marked(7, epoch="e2")])
    bad = replace(incident("payments"), title={"en": Unstorable()})
    with pytest.raises(TypeError, match="Unstorable"):
        await store.commit([run(after(3)), marked(3), Saved(bad, None, NOON)])  # type: ignore[arg-type]
    store = await shelf.open()
    assert (await store.recall(NOON)).marks == {("sao", "box-123456", "e1"): 2, ("sao", "box-123456", "e2"): 7}
    assert len(await kept(store)) == 2


async def test_marks_that_have_not_moved_for_long_are_forgotten(store: Store) -> None:
    """Agents come and go."""
    await store.commit([marked(1), marked(2, at=10 * 86400, epoch="e2")])
    await store.sweep(NOON + 90 * DAY + timedelta(seconds=1), DAY, DAY)
    assert list((await store.recall(NOON)).marks.values()) == [2]


async def test_late_runs_count_for_the_time_in_which_they_were_made(store: Store) -> None:
    """In rollups and charts, like those that came in time; discarded ones do not."""
    await store.commit([replace(run(after(-3000)), late=True), replace(run(after(-2000)), discarded=True)])
    history = await store.history(NOON - DAY, after(60))
    assert (await store.recall(NOON)).seen_at == after(-2999.9)
    assert len(history.latency["checkout"].points) == 1


async def test_a_seeded_past_is_there_and_goes_on(store: Store) -> None:
    """The demo begins with 90 days; what happens next adds to the hour that is under way."""
    past = Rollup("checkout", "http", "here", NOON, Bin(runs=9, seconds=0.9, buckets={60: 9}))
    resolved = incident(resolved_at=after(60))
    await store.seed([moved("checkout", Status.UP, NOON - 90 * DAY).transition], [resolved], [past])
    await store.commit([run(after(30), ms=10_000)])
    history = await store.history(NOON - DAY, after(60))
    assert history.incidents == (resolved,)
    assert [t.since for t in history.transitions["checkout"]] == [NOON - 90 * DAY]
    assert history.latency["checkout"].p50_ms == pytest.approx(106, rel=0.12)


async def test_closing_twice_is_fine(store: Store) -> None:
    """Whoever tidies up need not know whether somebody did already."""
    await store.close()
    await store.close()


STORING = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


PLACES = count()


@STORING
@given(observation=strategies.observations(), result=strategies.results())
async def test_an_observation_comes_back_equal(store: Store, observation: Observation, result: Result) -> None:
    """Whatever a prober saw, down to the microsecond and the strangest character."""
    observation = strategies.moved(observation, f"place-{next(PLACES)}")  # no two examples are the same run
    await store.commit([Keep(observation, result)])
    instant = timedelta(microseconds=1)
    found = await store.observations(
        observation.module, observation.probe, since=observation.at, until=observation.at + instant, limit=1000
    )
    assert (observation, result) in found


@STORING
@given(one=strategies.incidents())
async def test_an_incident_comes_back_equal(store: Store, one: Incident) -> None:
    """Members, evidence, timeline and all."""
    await store.commit([Saved(one, None, NOON)])
    assert await store.incident(one.id) == one


@STORING
@given(track=strategies.tracks())
async def test_a_track_comes_back_equal(store: Store, track: Track) -> None:
    """A restart goes on with the very scores it had."""
    await store.commit([Remember("checkout", "http", "here", track)])
    assert (await store.recall(NOON)).tracks == {("checkout", "http", "here"): track}


async def test_a_resolved_incident_leaves_the_open_ones(store: Store) -> None:
    """Saving it again replaces it whole."""
    await store.commit([saved(incident())])
    await store.commit([saved(incident(resolved_at=after(60)))])
    assert (await store.recall(after(61))).incidents == ()
    found = await store.incident(incident().id)
    assert found is not None
    assert found.stage is Stage.RESOLVED


async def test_passed_runs_keep_their_reasons_to_themselves(store: Store) -> None:
    """A passed result has none, and none are made up."""
    await store.commit([run(NOON, PASSED)])
    [(_, result)] = await store.observations("checkout", since=NOON, until=after(1), limit=1)
    assert result == PASSED


async def test_what_people_did_survives_a_restart(shelf: Shelf) -> None:
    """Drafts, corrected texts, public wording, and who did what when."""
    store = await shelf.open()
    corrected = Update(after(5), Stage.IDENTIFIED, "said", author="person", body={"en": "x"}, updated_at=after(9))
    one = replace(
        incident(),
        published_at=None,
        title={"en": "Title"},
        summary={"pt-BR": "Resumo"},
        impact_said=True,
        by_hand=True,
        updates=(*incident().updates, corrected),
        acts=(Act(after(9), "corrected", "Ana \U0001f525", "key-1", {"update": 2, "was": {"en": "y"}}),),
    )
    await store.commit([saved(one)])
    store = await shelf.open()
    assert (await store.recall(NOON)).incidents == (one,)
    assert await store.incident(one.id) == one
    assert (await store.history(NOON - DAY, after(60))).incidents == (one,)


# -- planned work -----------------------------------------------------------------------------------------------------


async def test_planned_work_is_recalled_until_it_is_over_and_told_for_as_long_as_is_shown(shelf: Shelf) -> None:
    """The last word stands; work that is over is in the history of its time, and no longer on a board."""
    store = await shelf.open()
    before = announced(window(begins=after(0)), after(0), after(-600))
    done = ended(begun(before, after(0)), after(7200))
    coming = announced(window(begins=after(0)), after(86400), after(-600))
    await store.commit([Arranged(before, "scheduled"), Arranged(coming, "scheduled"), Arranged(done, "completed")])

    store = await shelf.open()
    assert (await store.recall(after(7200))).maintenances == (done, coming)
    assert (await store.recall(after(7201))).maintenances == (coming,)
    assert (await store.history(after(7000), after(90000))).maintenances == (done, coming)
    assert (await store.history(after(7300), after(90000))).maintenances == (coming,)


async def test_a_window_that_is_forgotten_is_gone(shelf: Shelf) -> None:
    """Also when it was stored in the same commit."""
    store = await shelf.open()
    await store.commit([Repeated("a", window()), Repeated("b", window()), Repeated("b", None)])
    await store.commit([Repeated("c", None)])
    store = await shelf.open()
    assert (await store.recall(NOON)).windows == (window(),)
    await store.commit([Repeated("a", None)])
    assert (await (await shelf.open()).recall(NOON)).windows == ()


async def test_planned_work_follows_a_module_to_its_new_id(shelf: Shelf) -> None:
    """What is worked on, what was counted, and what repeats; keys and ids stay."""
    store = await shelf.open()
    work = replace(announced(window(), NOON, NOON), counted=(Counted("checkout", NOON, None),))
    await store.commit([Arranged(work, "scheduled"), Repeated("nightly", window())])
    await store.rename({"checkout": "cart"})
    memory = await (await shelf.open()).recall(NOON)
    (moved_work,) = memory.maintenances
    assert (moved_work.modules, moved_work.counted[0].module, moved_work.id) == (("cart",), "cart", work.id)
    assert memory.windows[0].modules == ("cart",)


async def test_a_silence_is_recalled_until_it_is_over_and_told_for_as_long_as_is_shown(shelf: Shelf) -> None:
    """The last word stands; it follows a module to its new id, and keeps its own."""
    store = await shelf.open()
    scope = Scope(Match(modules=frozenset({"checkout"})))
    quiet = Silence("s1", scope, "Ana", "deploy", after(0), after(600), after(0))
    brief = replace(quiet, id="s2", begins=after(-10))
    await store.commit([Hushed(quiet, "added"), Hushed(brief, "added")])
    await store.commit([Hushed(replace(brief, ended_at=after(60), lifted_by="Bo"), "lifted")])
    await store.rename({"checkout": "cart"})

    store = await shelf.open()
    quiet = replace(quiet, scope=Scope(Match(modules=frozenset({"cart"}))))
    over = replace(quiet, id="s2", begins=after(-10), ended_at=after(60), lifted_by="Bo")
    assert (await store.recall(after(60))).silences == (over, quiet)
    assert (await store.recall(after(61))).silences == (quiet,)
    assert (await store.history(after(30), after(90))).silences == (over, quiet)
    assert (await store.history(after(90), after(100))).silences == (quiet,)


@STORING
@given(one=strategies.silences())
async def test_a_silence_comes_back_equal(store: Store, one: Silence) -> None:
    """Whatever people wrote."""
    await store.commit([Hushed(one, None)])
    assert one in (await store.history(strategies.START - DAY, NOON)).silences
    assert await store.check() == []


@STORING
@given(one=strategies.maintenances())
async def test_planned_work_comes_back_equal(store: Store, one: Maintenance) -> None:
    """Plan, timeline and what was counted, whatever people wrote."""
    await store.commit([Arranged(one, None)])
    found = (await store.history(strategies.START - DAY, NOON)).maintenances
    assert one in found
    assert await store.check() == []


async def test_the_audit_log_keeps_every_line_once_and_for_ever(shelf: Shelf) -> None:
    """Newest first, over a restart, a second commit of the same and a sweep; picked by everything that is in it."""
    store = await shelf.open()
    lines = [
        entry(after(0), "checkout"),
        entry(after(1), "3ox3gobcvya0", "incident.open", by=None),
        replace(entry(after(1), "3ox3gobcvya0", "incident.update", by="Bea"), outcome="refused"),
        entry(after(2), "", "session.login"),
    ]
    await store.commit([Audited(one) for one in lines])
    await store.commit([Audited(lines[0])])
    store = await shelf.open()
    await store.sweep(NOON + 999 * DAY, DAY, DAY)

    async def picked(**sought: Any) -> list[Entry]:
        return [one for _, one in await store.entries(Sought(**sought))]

    assert await picked() == lines[::-1]
    assert await picked(act="incident") == [lines[2], lines[1]]
    assert await picked(act="incident.open") == [lines[1]]
    assert await picked(act="inciden") == []
    assert await picked(by="Bea") == [lines[2]]
    assert await picked(subject="checkout") == [lines[0]]
    assert await picked(since=after(1), until=after(2)) == [lines[2], lines[1]]
    assert await store.check() == []
    assert (await store.entry(str(lines[1].request)), await store.entry(str(lines[2].request))) == (lines[1], None)
    assert await store.entry("another") is None


async def test_pages_of_the_audit_log_stand_still_while_it_grows(store: Store) -> None:
    """A page goes on behind the last line of the one before it."""
    await store.commit([Audited(entry(after(n))) for n in range(5)])
    first = await store.entries(Sought(limit=2))
    await store.commit([Audited(entry(after(n))) for n in range(5, 9)])
    second = await store.entries(Sought(limit=2, before=first[1][0]))
    assert [one.at for _, one in (*first, *second)] == [after(n) for n in (4, 3, 2, 2, 1, 0)]


SEARCHES: list[dict[str, Any]] = [
    {},
    *({"status": status} for status in KINDS),
    {"module": "checkout"},
    {"module": "other"},
    {"module": '"'},
    {"module": "check_ut"},
    {"since": after(3600)},
    {"until": after(60)},
    {"since": after(30), "until": after(3000), "status": "resolved"},
]


async def test_incidents_are_found_however_old_in_pages_that_join(store: Store) -> None:
    """What every page together holds is what the search finds among all; whatever the size of a page."""
    every = [
        incident("checkout", NOON - 900 * DAY, NOON - 899 * DAY),
        incident("checkout", after(0), after(50)),
        incident("payments", after(0.5), after(7000)),
        replace(incident("catalog", after(100)), published_at=None),
        replace(incident("checkout", after(100)), stage=Stage.MONITORING),
        incident("gift-card", after(200)),
    ]
    await store.commit([saved(one) for one in every])
    for search, limit in product(SEARCHES, (1, 2, 10)):
        wanted = sorted(filter(Search(**search).finds, every), key=place_of, reverse=True)
        found: list[Incident] = []
        last: Place | None = None
        while len(page := await store.incidents(Search(**search, after=last, limit=limit))) > limit:
            found += page[:limit]
            last = place_of(page[limit - 1])
        assert [one.id for one in (*found, *page)] == [one.id for one in wanted], search
