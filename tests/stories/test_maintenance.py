"""Planned work, played against the clock: what it excuses, what it does not, and what follows when it ends."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.core.agenda import WorkAct
from monitor.core.effect import Answered, Arranged, Ordered, Saved, Scheduled
from monitor.core.history import History
from monitor.core.maintenance import Maintenance, Window, WorkStage
from monitor.core.module import Component, Status
from monitor.core.overlay import spans_of
from monitor.core.rollup import ComponentStatus, component_status
from monitor.core.uptime import uptime
from monitor.core.weights import USUAL
from tests.stories.beats import START, Story, module, observation, seconds, story

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def window(
    begins: float = 2, ends: float = 10, *modules: str, excuses: tuple[str, ...] = (), id: str = "night"
) -> Window:
    """Work from so many minutes after the start until so many."""
    return Window(id, {"en": "Works"}, at(begins), at(ends), modules=modules, excuses=excuses)


def planned(window: Window, *names: str) -> Story:
    """A story of these modules in which that work was announced from the beginning."""
    one = story(*map(module, names))
    one.plan((window, [window.begins]))
    return one


def work(story: Story) -> Maintenance:
    """The only work there is."""
    (one,) = story.board.agenda.works.values()
    return one


def history(story: Story) -> History:
    """What the store would remember of changes of status."""
    moves: dict[str, list[object]] = {}
    for effect in story.effects:
        if hasattr(effect, "transition"):
            moves.setdefault(effect.transition.module, []).append(effect.transition)
    return History(transitions={id: tuple(found) for id, found in moves.items()})  # type: ignore[arg-type]


def figure(story: Story, module: str, minutes: float) -> tuple[float, float]:
    """(down, excluded) minutes of a module from the start until then."""
    works = list(story.board.agenda.works.values())
    found = uptime(spans_of(module, history(story), works, START, at(minutes), USUAL), START, at(minutes))
    return found.down_seconds / 60, found.excluded_seconds / 60


def test_a_failure_in_planned_work_opens_nothing_and_leaves_uptime_alone() -> None:
    """The status is kept as it is seen; there is no incident, nobody is paged, and the time does not count."""
    one = planned(window(), "catalog").play({"catalog": "++++++" + "-" * 6 + "+" * 12})
    assert one.changes == []
    assert [after for _, after, _ in one.transitions] == ["up", "down", "up"]
    assert work(one).stage is WorkStage.COMPLETED
    assert figure(one, "catalog", 12) == (0, 8)


def test_while_work_is_under_way_its_modules_say_so() -> None:
    """From its beginning to its end, whether they fail or not; the component shows it instead of the outage."""
    one = planned(window(2, 10, "catalog"), "catalog", "checkout")
    shop = Component("shop", {}, ("catalog", "checkout"))

    def shown() -> ComponentStatus | None:
        board = one.board
        return component_status(shop, {id: board.status(id) for id in board.modules}, board.planned)

    one.play({"catalog": "+++", "checkout": "+++"})
    assert (one.board.maintained, shown()) == (frozenset(), ComponentStatus.OPERATIONAL)
    one.play({"catalog": "   ++---", "checkout": "   +++++"})
    assert one.board.status("catalog") is Status.DOWN
    assert (one.board.maintained, shown()) == ({"catalog"}, ComponentStatus.MAINTENANCE)
    one.play({"catalog": " " * 8 + "+" * 14, "checkout": " " * 8 + "+" * 14})
    assert (one.board.maintained, shown()) == (frozenset(), ComponentStatus.OPERATIONAL)


def test_a_module_outside_the_plan_is_judged_as_ever() -> None:
    """Work on one module excuses no other; the component shows the outage, not the work."""
    one = planned(window(2, 10, "catalog"), "catalog", "checkout")
    one.play({"catalog": "++++++--------", "checkout": "++++++--------"})
    assert one.changes[0] == "opened"
    assert [m.module for m in one.incidents[0].members if m.seen] == ["checkout"]
    shop = Component("shop", {}, ("catalog", "checkout"))
    statuses = {id: one.board.status(id) for id in one.board.modules}
    assert component_status(shop, statuses, one.board.planned) is ComponentStatus.MAJOR


def test_what_is_worked_on_stays_a_candidate_for_the_root() -> None:
    """What needs it fails outside the plan: that is an incident, and the work is named as where it comes from."""
    one = story(module("catalog"), module("checkout", "catalog"))
    one.plan((window(2, 10, "catalog"), [at(2)]))
    one.play({"catalog": "++++++--------", "checkout": "+++++++-------"})
    (incident,) = one.incidents
    assert incident.cause.module == "catalog"
    assert [m.module for m in incident.members if m.seen] == ["checkout"]
    assert "catalog" in one.board.planned


def test_work_that_begins_before_other_work_ends_goes_on_excusing() -> None:
    """A failure in the first that lasts through the second is held until that ends, and dated when it began."""
    one = story(module("catalog"))
    first, second = window(2, 10), window(7, 15, id="more")
    one.plan((first, [first.begins]), (second, [second.begins]))
    one.play({"catalog": "++++++" + "-" * 22})
    assert one.incidents == []
    one.play({"catalog": " " * 28 + "-" * 8})
    assert [incident.started_at for incident in one.incidents] == [at(3)]
    assert seconds(one.incidents[0].detected_at) >= 15 * 60


def test_what_outlasts_the_work_is_an_incident_when_that_ends() -> None:
    """A window that ends mid-outage opens the incident at its end, dated when it truly began; only the time after the
    window counts against uptime."""
    one = planned(window(2, 6), "catalog").play({"catalog": "++++++" + "-" * 10})
    assert one.changes[0] == "opened"
    (incident,) = one.incidents
    assert incident.started_at == at(3)
    assert seconds(incident.detected_at) < 6 * 60 + 60
    down, excluded = figure(one, "catalog", 8)
    assert (down, excluded) == (2, 4)


def test_a_failure_near_the_end_that_is_only_sure_after_it_is_dated_by_its_first_run() -> None:
    """Which lies in the work; the last one needed does not."""
    one = planned(window(2, 6), "catalog").play({"catalog": "+" * 11 + "-" * 6})
    (incident,) = one.incidents
    assert incident.started_at == at(5.5)


def test_an_incident_from_before_the_work_stays_open_and_counts() -> None:
    """Announcing work hides no outage: it goes on through the window, and its time is not cut out."""
    one = planned(window(4, 10), "catalog").play({"catalog": "++" + "-" * 12 + "+" * 8})
    assert one.changes == ["opened", "resolved"]
    (incident,) = one.incidents
    assert incident.started_at == at(1)
    down, excluded = figure(one, "catalog", 10)
    assert down == 6
    assert excluded == pytest.approx(3, abs=0.1)  # from when it answered again


def test_a_failure_from_before_the_work_is_not_the_work_s() -> None:
    """It began earlier, though it is only sure once work is under way."""
    one = planned(window(2, 10), "catalog").play({"catalog": "+++" + "-" * 10})
    assert one.changes[0] == "opened"
    assert one.incidents[0].started_at == at(1.5)


def test_only_the_announced_kind_is_excused() -> None:
    """Work that may slow things down excuses slowness; an outage meanwhile is one."""
    slow = planned(window(2, 20, excuses=("slow",)), "catalog").play({"catalog": "+" * 6 + "~" * 12})
    assert slow.board.status("catalog") is Status.DEGRADED
    assert slow.changes == []
    down = planned(window(2, 20, excuses=("slow",)), "catalog").play({"catalog": "+" * 6 + "~" * 12 + "-" * 8})
    assert down.changes[0] == "opened"
    assert down.incidents[0].started_at >= at(9)


def test_a_code_may_be_excused_by_itself() -> None:
    """Status 503 is what was announced; an expired certificate is another fault."""
    quiet = planned(window(2, 20, excuses=("http.503",)), "catalog").play({"catalog": "+" * 6 + "-" * 8})
    loud = planned(window(2, 20, excuses=("http.503",)), "catalog").play({"catalog": "+" * 6 + "x" * 8})
    family = planned(window(2, 20, excuses=("tls",)), "catalog").play({"catalog": "+" * 6 + "x" * 8})
    assert (quiet.changes, loud.changes[:1], family.changes) == ([], ["opened"], [])


def test_a_restart_goes_on_with_the_work() -> None:
    """In the middle of it: what was excused still is, and it ends as planned, with the incident that follows."""
    one = planned(window(2, 8), "catalog").play({"catalog": "++++++" + "-" * 4})
    one.restart()
    one.plan((window(2, 8), [at(2)]))
    one.play({"catalog": " " * 10 + "-" * 5})
    assert one.changes == []
    one.play({"catalog": " " * 15 + "-" * 5})
    assert one.changes[0] == "opened"
    assert one.incidents[0].started_at == at(3)


def test_work_that_passed_while_the_monitor_was_off_has_taken_place() -> None:
    """It is told with its planned times; nothing of it is cut out twice."""
    one = planned(window(2, 8), "catalog").play({"catalog": "++"})
    one.restart(pause=1200)
    one.tick()
    assert (work(one).stage, work(one).started_at, work(one).ended_at) == (WorkStage.COMPLETED, at(2), at(8))


def test_a_person_makes_it_longer_and_ends_it() -> None:
    """The end that a person names holds against the window's own, and the work is over when the person says so."""
    one = planned(window(2, 6), "catalog").play({"catalog": "++++++----"})
    one.order(Ordered(work(one).id, WorkAct.EXTEND, at(12)))
    one.plan((window(2, 6), [at(2)]))
    one.play({"catalog": " " * 10 + "-" * 8})
    assert (one.changes, work(one).stage) == ([], WorkStage.IN_PROGRESS)
    one.order(Ordered(work(one).id, WorkAct.VERIFY))
    assert work(one).stage is WorkStage.VERIFYING
    one.order(Ordered(work(one).id, WorkAct.COMPLETE, body={"en": "Done."}))
    assert (one.changes, work(one).stage, work(one).ended_at) == (["opened"], WorkStage.COMPLETED, one.now)
    kinds = [update.kind for update in work(one).updates]
    assert kinds == ["scheduled", "begun", "extended", "verifying", "completed"]
    assert work(one).sequence == 4
    assert [update.author for update in work(one).updates] == ["monitor", "monitor", "person", "person", "person"]


def test_a_person_begins_work_early() -> None:
    """It is under way from that moment on, takes as long as was planned, and says who said so."""
    one = story(module("catalog"))
    one.order(Scheduled(window(20, 30, "catalog"), (at(20),)))
    one.order(Ordered(work(one).id, WorkAct.BEGIN))
    assert (work(one).stage, work(one).started_at) == (WorkStage.IN_PROGRESS, one.now)
    assert work(one).planned_until == one.now + 10 * MINUTE
    said = [(update.kind, update.author) for update in work(one).updates]
    assert said == [("scheduled", "person"), ("begun", "person")]


def test_what_makes_no_sense_is_refused_with_its_reason() -> None:
    """Nothing is stored, and whoever spoke hears why."""
    one = planned(window(2, 6), "catalog")
    id = work(one).id
    cases = [(WorkAct.COMPLETE, None), (WorkAct.VERIFY, None), (WorkAct.EXTEND, at(1)), (WorkAct.EXTEND, None)]
    for act, until in cases:
        before = work(one)
        one.order(Ordered(id, act, until))
        assert work(one) == before
        assert [e.refusal.kind for e in one.effects[-1:] if isinstance(e, Answered) and e.refusal] == ["conflict"]
    one.order(Ordered("nothing", WorkAct.CANCEL))
    assert [e.refusal.kind for e in one.effects[-1:] if isinstance(e, Answered) and e.refusal] == ["unknown"]


def test_withdrawn_work_excuses_nothing_and_stays_withdrawn() -> None:
    """Also when its window is read again: a person said so."""
    one = planned(window(2, 10), "catalog")
    one.order(Ordered(work(one).id, WorkAct.CANCEL))
    one.plan((window(2, 10), [at(2)]))
    one.play({"catalog": "++++++" + "-" * 6})
    assert work(one).stage is WorkStage.CANCELLED
    assert one.changes[0] == "opened"


def test_work_that_a_person_plans_to_repeat_is_planned_at_each_start() -> None:
    """The same word once more is no news."""
    one, starts = story(module("catalog")), (at(2), at(2) + 7 * DAY)
    weekly = replace(window(2, 10, "catalog", id="weekly"), rule="FREQ=WEEKLY")
    assert one.order(Scheduled(weekly, starts)) == Answered("weekly")
    assert sorted(each.planned_from for each in one.board.agenda.works.values()) == list(starts)
    assert one.order(Scheduled(weekly, starts)) == Answered("weekly", changed=False)
    assert len(one.board.agenda.works) == 2


def test_a_person_s_work_is_no_window_of_the_configuration() -> None:
    """A plan that does not name it leaves it alone; saying it twice changes nothing."""
    one = story(module("catalog"))
    for _ in range(2):
        one.order(Scheduled(window(2, 10), (at(2),)))
    one.plan()
    assert work(one).stage is WorkStage.SCHEDULED
    assert sum(isinstance(e, Arranged) for e in one.effects) == 1
    assert one.play({"catalog": "++++++" + "-" * 6}).changes == []


def test_trouble_that_only_one_place_sees_in_what_is_worked_on_is_not_told() -> None:
    """Pages nobody: the place's trouble comes from the work."""
    places = ("a", "b", "c")
    for planned_work, changes in ((True, []), (False, ["opened"])):
        one = story(module("catalog", places=places), locations={place: place for place in places})
        if planned_work:
            one.plan((window(0, 30), [at(0)]))
        for beat in range(20):
            for place in places:
                outcome = "-" if place == "a" and beat > 2 else "+"
                one.feed(observation("catalog", START + timedelta(seconds=30 * beat), outcome, place))
            one.tick()
        assert [str(e.change) for e in one.effects if isinstance(e, Saved) and e.change] == changes
