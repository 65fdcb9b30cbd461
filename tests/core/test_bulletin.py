"""Who of the subscribers hears of what, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.bulletin import RELEVANT, Bulletin, Edition, Subject, bulletin_of, next_edition, told
from monitor.core.effect import Arranged, Saved
from monitor.core.incident import Incident, Stage, Update, with_update
from monitor.core.maintenance import Window, announced, begun
from monitor.core.observation import stamp
from monitor.core.subscriber import (
    Subscriber,
    Thread,
    asked,
    confirmed,
    failed,
    subscriber_from_json,
    subscriber_to_json,
    suffered,
    without_address,
)
from tests.store.past import NOON, after, incident
from tests.stories.beats import module, platform

SHOP = platform(module("catalog"), module("checkout"))
BROKEN = replace(incident("checkout"), published_at=NOON, updates=(), components=("a",))
ANA = Subscriber("ana", "email", "ana@example.com", "en", NOON, confirmed_at=NOON)


@dataclass
class World:
    """What was stored, and what one subscriber got of it."""

    one: Subscriber = ANA
    bulletins: list[Bulletin] = field(default_factory=list)
    subjects: dict[str, Subject] = field(default_factory=dict)
    got: list[Edition] = field(default_factory=list)
    repeated: Sequence[str] = ()

    def save(self, subject: Subject) -> None:
        """Stores it, as the store does: a bulletin where readers see more."""
        is_incident = isinstance(subject, Incident)
        effect = Saved(subject, None, NOON) if is_incident else Arranged(subject, None)  # type: ignore[arg-type]
        found = bulletin_of(effect)
        if found is not None and all((b.subject, b.step) != (found.subject, found.step) for b in self.bulletins):
            self.bulletins.append(replace(found, number=len(self.bulletins) + 1))
        if found is not None:
            self.subjects[found.subject] = subject

    def next(self, minutes: float = 30) -> Edition | None:
        """What is next, once nothing is calm any more."""
        found = self.look(minutes)
        assert not isinstance(found, datetime)
        return found

    def look(self, minutes: float) -> Edition | datetime | None:
        """What is next, or not before when."""
        now = NOON + timedelta(minutes=minutes)
        return next_edition(
            self.one, self.bulletins, lambda bulletin: self.subjects.get(bulletin.subject), SHOP, self.repeated, now
        )

    def deliver(self) -> list[str]:
        """Delivers all there is; the events, in order."""
        events = []
        while (edition := self.next()) is not None:
            self.one = told(self.one, edition)
            self.got.append(edition)
            events.append(edition.event)
        return events


def more(
    one: Incident, kind: str, stage: Stage = Stage.IDENTIFIED, minute: int = 1, author: str = "monitor"
) -> Incident:
    """The incident with one more entry."""
    ended = after(minute * 60) if stage in (Stage.RESOLVED, Stage.POSTMORTEM) else None
    return replace(with_update(one, Update(after(minute * 60), stage, kind, {}, author)), resolved_at=ended)


def test_an_incident_is_told_as_it_opens_changes_and_ends() -> None:
    """Once each; that a module joins or leaves is told along with the next one."""
    world, one = World(), more(BROKEN, "opened")
    world.save(one)
    assert world.deliver() == ["opened"]
    for kind in ("member_added", "member_cleared", "eased"):
        world.save(one := more(one, kind))
    assert world.deliver() == []
    world.save(one := more(one, "cause_changed"))
    assert world.deliver() == ["updated"]
    assert (world.got[-1].since, world.got[-1].step) == (1, 5)
    world.save(one := more(one, "said", author="person"))
    world.save(more(one, "resolved", Stage.RESOLVED))
    assert world.deliver() == ["resolved"]
    assert all(thread.over for thread in world.one.threads.values())


def test_what_was_over_before_anybody_could_be_told_is_told_once() -> None:
    """As something that was."""
    world, one = World(), more(BROKEN, "opened")
    world.save(one)
    world.save(more(one, "resolved", Stage.RESOLVED))
    assert world.deliver() == ["summary"]
    assert world.got[0].event_id == f"{BROKEN.id}-2"


def test_a_draft_is_told_to_nobody() -> None:
    """Published, it is told from its beginning."""
    world, draft = World(), replace(more(BROKEN, "opened"), published_at=None)
    world.save(draft)
    assert world.deliver() == []
    world.save(replace(more(draft, "eased"), published_at=after(300)))
    assert world.deliver() == ["opened"]
    assert (world.got[0].since, world.got[0].step) == (0, 2)


def test_only_those_hear_whose_components_are_touched() -> None:
    """And from then on until the end, also where it turns out to have been something else."""
    world = World(replace(ANA, components=frozenset({"b"})))
    world.save(one := more(BROKEN, "opened"))
    assert world.deliver() == []
    world.save(one := more(replace(one, components=("a", "b")), "member_added"))
    assert world.deliver() == ["opened"]
    world.save(one := more(replace(one, components=("a",)), "cause_changed"))
    world.save(more(one, "resolved", Stage.RESOLVED))
    assert world.deliver() == ["resolved"]


def test_the_monitor_may_think_better_of_it_before_anybody_hears_of_it_again() -> None:
    """For a minute; not of the beginning or the end, and not of what people say."""
    world = World()
    world.save(one := more(BROKEN, "opened", minute=0))
    assert world.look(0) is not None
    world.deliver()
    world.save(one := more(one, "cause_changed", minute=5))
    assert world.look(5) == after(360)
    world.save(more(replace(BROKEN, key="inc:other:x"), "opened", minute=5))
    other = world.look(5)
    assert isinstance(other, Edition)
    assert other.subject != one.id
    for kind, stage, author in (("said", Stage.IDENTIFIED, "person"), ("resolved", Stage.RESOLVED, "monitor")):
        fork = World(world.one, list(world.bulletins), dict(world.subjects))
        fork.one = told(fork.one, other)
        fork.save(more(one, kind, stage, 5, author))
        assert isinstance(fork.look(5), Edition)
    assert isinstance(world.look(6), Edition)


def test_topics_are_chosen() -> None:
    """Whoever wants planned work alone hears of no incident."""
    world = World(replace(ANA, topics=frozenset({"maintenance"})))
    world.save(more(BROKEN, "opened"))
    assert world.deliver() == []


def test_an_incident_that_comes_back_is_told_again_and_ends_again() -> None:
    """Opened and resolved come in pairs; what is learned afterwards is an update."""
    world = World()
    world.save(one := more(BROKEN, "opened"))
    assert world.deliver() == ["opened"]
    world.save(one := more(one, "resolved", Stage.RESOLVED))
    assert world.deliver() == ["resolved"]
    world.save(one := more(one, "reopened"))
    assert world.deliver() == ["opened"]
    world.save(one := more(one, "resolved", Stage.RESOLVED))
    world.save(more(one, "said", Stage.POSTMORTEM, author="person"))
    assert world.deliver() == ["resolved"]


def test_what_is_learned_afterwards_is_an_update() -> None:
    """Also for whoever subscribed only after it was over; the monitor's own second thoughts are none."""
    world = World()
    world.save(one := more(BROKEN, "opened", minute=0))
    world.save(one := more(one, "resolved", Stage.RESOLVED))
    assert world.deliver() == ["summary"]
    world.save(one := more(one, "reported", Stage.RESOLVED))
    assert world.deliver() == []
    world.save(more(one, "said", Stage.POSTMORTEM, author="person"))
    assert world.deliver() == ["updated"]


def test_nobody_is_told_of_what_is_long_past() -> None:
    """Not even that it was."""
    world = World()
    world.save(more(BROKEN, "opened"))
    assert world.next(RELEVANT.total_seconds() / 60) is not None
    assert world.next(RELEVANT.total_seconds() / 60 + 2) is None


def test_planned_work_is_told_as_it_is_announced_and_as_it_goes_on() -> None:
    """Work of the configuration that repeats is told only as it begins: three months of it stand in every plan."""
    window = Window("w", {"en": "x"}, after(3600), after(7200))
    for author, repeated, first in (
        ("person", ["w"], ["scheduled"]),
        ("monitor", [], ["scheduled"]),
        ("monitor", ["w"], []),
    ):
        world, work = World(repeated=repeated), announced(window, window.begins, NOON, author)
        world.save(work)
        assert world.deliver() == first
        world.save(begun(work, after(3600)))
        assert world.deliver() == ["begun"]


def test_whoever_confirms_hears_of_what_is_new_from_then_on() -> None:
    """And whoever confirms once more, with other wishes, goes on where they were."""
    waiting = replace(ANA, confirmed_at=None)
    first = confirmed(waiting, None, 9, after(5))
    assert (first.confirmed_at, first.cursor) == (after(5), 9)
    assert confirmed(first, None, 99, after(9)) is first
    heard = replace(first, cursor=12, threads={"x": Thread(2, 12)})
    again = confirmed(replace(waiting, id="b"), heard, 20, after(9))
    assert (again.cursor, again.threads) == (12, heard.threads)


def test_whoever_confirms_begins_without_a_blemish() -> None:
    """However hard they were to ask: what failed until then is not counted with what fails from then on."""
    waiting = replace(ANA, confirmed_at=None, attempts=11, failing_since=NOON, next_at=after(600), refusals=4)
    one = confirmed(waiting, None, 9, after(5))
    assert (one.attempts, one.failing_since, one.next_at, one.refusals) == (0, None, None, 0)
    assert not suffered(failed(one, after(3 * 86400), timedelta(seconds=1)), after(3 * 86400))


def test_whoever_is_not_reached_for_days_is_given_up() -> None:
    """From the first failure of an unbroken row; our own trouble does not count."""
    ours = failed(ANA, NOON, timedelta(seconds=1), count=False)
    assert not suffered(ours, after(9 * 86400))
    theirs = failed(ours, NOON, timedelta(seconds=1))
    assert not suffered(theirs, after(3 * 86400 - 1))
    assert suffered(failed(theirs, after(86400), timedelta(seconds=1)), after(3 * 86400))
    waiting = replace(ANA, confirmed_at=None, attempts=11)
    assert not suffered(waiting, NOON)
    assert suffered(failed(waiting, NOON, timedelta(seconds=1)), NOON)
    again = asked(waiting, after(60))
    assert (again.asked_at, again.attempts, again.failing_since, again.next_at) == (after(60), 0, None, None)


FAILING = replace(ANA, asked_at=after(1), attempts=4, failing_since=after(2), next_at=after(3), refusals=2)
CHOSEN = replace(ANA, components=frozenset({"b", "a"}), topics=frozenset({"maintenance"}), format="statuspage")


@pytest.mark.parametrize("one", [ANA, CHOSEN, replace(ANA, cursor=9, threads={"x": Thread(1, 2, True)}), FAILING])
def test_a_subscriber_is_stored_whole(one: Subscriber) -> None:
    """Nothing is lost on the way."""
    assert subscriber_from_json(subscriber_to_json(one)) == one


def test_operators_see_of_a_subscriber_all_but_who_it_is() -> None:
    """What was chosen, when, and since when nothing arrives."""
    one = replace(CHOSEN, failing_since=after(2))
    assert without_address(one) == {
        **{"id": ANA.id, "kind": "email", "language": ANA.language, "components": ["a", "b"]},
        **{"topics": ["maintenance"], "format": "statuspage", "created_at": stamp(ANA.created_at)},
        **{"confirmed_at": stamp(ANA.confirmed_at), "failing_since": stamp(after(2))},
    }
    assert without_address(ANA)["components"] is None


KINDS = st.sampled_from(["member_added", "worsened", "cause_changed", "said", "resolve", "reopen", "move"])
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(KINDS, st.just("deliver"), st.just("crash"))), min_size=1, max_size=40
)


@given(STEPS, st.sampled_from([None, frozenset({"a"}), frozenset({"b"})]))
def test_whatever_happens_opened_and_ended_come_in_turns(
    steps: list[tuple[int, str]], components: frozenset[str] | None
) -> None:
    """Over random incidents, moments of delivery and crashes after one: a receiver that drops repeated ids is told of
    each incident in order, that it ended only once it began and in the end of every end; and of nothing twice but what
    stood in a message after which we died, before there was more to say."""
    world = World(replace(ANA, components=components))
    now = {n: more(replace(BROKEN, key=f"inc:{n}:x"), "opened", minute=0) for n in range(3)}
    seen: dict[str, int] = {}
    open_: set[str] = set()
    unsure: set[str] = set()

    def receive(edition: Edition) -> None:
        if edition.step <= seen.get(edition.subject, 0):
            return  # a repeat
        assert edition.since >= seen.get(edition.subject, 0) or edition.subject in unsure
        seen[edition.subject] = edition.step
        if edition.event == "opened":
            assert edition.subject not in open_ or edition.subject in unsure
            open_.add(edition.subject)
        elif edition.event in ("resolved", "summary"):
            assert (edition.event == "resolved") is (edition.subject in open_) or edition.subject in unsure
            open_.discard(edition.subject)

    def deliver() -> None:
        while (edition := world.next()) is not None:
            receive(edition)
            world.one = told(world.one, edition)
            unsure.discard(edition.subject)

    for one in now.values():
        world.save(one)
    for n, what in steps:
        one = now[n]
        match what:
            case "deliver":
                deliver()
            case "crash":
                if (edition := world.next()) is not None:
                    receive(edition)  # sent, but not written down
                    unsure.add(edition.subject)
            case "resolve":
                now[n] = more(one, "resolved", Stage.RESOLVED) if one.is_open else one
            case "reopen":
                now[n] = one if one.is_open else more(one, "reopened")
            case "move":
                now[n] = (
                    more(replace(one, components=("b",) if one.components == ("a",) else ("a",)), "cause_changed")
                    if one.is_open
                    else one
                )
            case _:
                now[n] = more(
                    one,
                    what,
                    one.stage if one.is_open else Stage.RESOLVED,
                    author="person" if what == "said" else "monitor",
                )
        world.save(now[n])
    for n, one in now.items():
        now[n] = more(one, "resolved", Stage.RESOLVED) if one.is_open else one
        world.save(now[n])
    deliver()
    assert open_ == set()
    assert world.next() is None
