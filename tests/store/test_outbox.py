"""What every store promises of its letters, held against all of them: in memory, SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from monitor.core.digest import Digest, Line
from monitor.core.effect import Gathered, Happened, Informed, Summed
from monitor.core.gathering import lines_of
from monitor.core.intent import Intent, Notice, Withheld
from monitor.core.outbox import LEASE, Letter, State, again, buried, claimed, collapsed, dead, delivered, failed
from monitor.core.outcome import events_object, letter_object, notices_object
from monitor.core.told import Told, Turn
from monitor.store import Store
from monitor.store.memory import MemoryStore
from monitor.store.schema import outbox
from monitor.store.sql import SqlStore
from tests.store.conftest import Shelf
from tests.store.past import NOON, after, incident, saved

INCIDENT = incident()
NEVER = 2**63 - 1  # microseconds: no such year


def happened(seq: int = 1, event: str = "opened", *said: Intent, channels: tuple[str, ...] = ("pager",)) -> Happened:
    """An event that is told to these channels."""
    notices = tuple(Notice(after(seq), "first", INCIDENT.id, name) for name in channels)
    return Happened(INCIDENT, seq, event, after(seq), (*notices, *said))


async def the_one(store: Store) -> Letter:
    """The only letter there is."""
    (letter,) = await store.outbox.letters(limit=10)
    return letter


async def test_letters_come_in_with_the_fact_and_survive_a_restart(shelf: Shelf) -> None:
    """One for each channel, with the incident as it was then; what was withheld stands with the event."""
    store = await shelf.open()
    withheld = Withheld(after(1), "explained_by:catalog", INCIDENT.id, "checkout")
    first = happened(1, "opened", withheld, channels=("pager", "chat"))
    await store.commit([saved(INCIDENT), first, happened(2, "eased", channels=())])
    store = await shelf.open()

    waiting = await store.outbox.waiting()
    assert [(one.channel, one.event, one.why, one.opens, one.page) for one in waiting] == [
        ("chat", "opened", "first", True, True),
        ("pager", "opened", "first", True, True),
    ]
    course = (await store.outbox.courses([INCIDENT.id, "another"]))[INCIDENT.id]
    assert [(one.seq, one.event, one.withheld) for one in course.happenings] == [
        (1, "opened", (("checkout", "explained_by:catalog"),)),
        (2, "eased", ()),
    ]
    assert list(course.letters) == waiting
    assert notices_object(course) == {
        "planned": 2,
        "delivered": 0,
        "withheld": [{"module": "checkout", "why": "explained_by:catalog"}],
    }
    assert [one["event"] for one in events_object(course)] == ["opened", "eased"]
    claim = await store.outbox.claim(claimed(waiting[1], after(5)), "mine", after(5))
    assert claim is not None
    assert (claim.incident, claim.external) == (INCIDENT, None)


async def test_a_repeated_commit_takes_nothing_back(store: Store) -> None:
    """The answer to a commit may be lost, so it is made again; by then a letter may be on its way or delivered."""
    await store.commit([happened()])
    letter = claimed(await the_one(store), after(5))
    assert await store.outbox.claim(letter, "mine", after(5)) is not None
    assert await store.outbox.settle(delivered(letter, after(6), "T-1"), (), "mine")
    await store.commit([happened()])
    assert (await the_one(store)).state is State.DELIVERED
    assert await store.outbox.waiting() == []


async def test_a_letter_is_taken_by_one_only_until_the_claim_ends(store: Store) -> None:
    """Then whoever comes sends it again, and the first one's word about it does not count any more."""
    await store.commit([happened()])
    letter = await the_one(store)
    mine = claimed(letter, after(5))
    assert await store.outbox.claim(mine, "mine", after(5)) is not None
    assert await store.outbox.claim(claimed(letter, after(6)), "theirs", after(6)) is None
    later = after(6) + LEASE
    theirs = claimed(mine, later)
    assert await store.outbox.claim(theirs, "theirs", later) is not None
    assert not await store.outbox.settle(delivered(mine, later, None), (), "mine")
    assert (await the_one(store)).state is State.SENDING
    assert await store.outbox.settle(delivered(theirs, later, None), (), "theirs")
    assert await store.outbox.claim(claimed(letter, later), "late", later + LEASE) is None
    found = await the_one(store)
    assert (found.state, found.attempts, found.settled_at) == (State.DELIVERED, 2, later)


async def test_what_was_sent_without_a_claim_is_settled_without_one(store: Store) -> None:
    """As happens while the store is away; what is settled already stays as it is."""
    await store.commit([happened()])
    letter = claimed(await the_one(store), after(5))
    assert await store.outbox.settle(delivered(letter, after(5), None), (), None)
    assert not await store.outbox.settle(dead(letter, after(6), "late"), (), None)
    assert (await the_one(store)).state is State.DELIVERED


async def test_folded_letters_are_settled_with_the_one_that_said_it_all(store: Store) -> None:
    """Together or not at all."""
    await store.commit([happened(1), happened(2, "resolved")])
    first, last = await store.outbox.waiting()
    last = claimed(last, after(5))
    assert await store.outbox.claim(last, "mine", after(5), [first]) is not None
    folded = [collapsed(first, after(6), last)]
    assert not await store.outbox.settle(delivered(last, after(6), None), folded, "theirs")
    assert len(await store.outbox.waiting()) == 2
    assert await store.outbox.settle(delivered(last, after(6), None), folded, "mine")
    assert await store.outbox.counts() == {("pager", "delivered"): 1, ("pager", "collapsed"): 1}


async def test_a_failure_is_kept_with_its_reason_and_the_next_time(store: Store) -> None:
    """And what the service called the incident is known to the next letter of it."""
    await store.commit([happened(1), happened(2, "resolved")])
    first, last = await store.outbox.waiting()
    first = claimed(first, after(5))
    assert await store.outbox.claim(first, "mine", after(5)) is not None
    first = failed(first, after(6), "HTTP 503", 0.5)
    assert await store.outbox.settle(first, (), "mine")
    assert (await store.outbox.waiting())[0] == first
    first = claimed(first, after(9))
    assert await store.outbox.claim(first, "mine", after(9)) is not None
    assert await store.outbox.settle(delivered(first, after(9), "T-1"), (), "mine")
    claim = await store.outbox.claim(claimed(last, after(10)), "mine", after(10))
    assert claim is not None
    assert claim.external == "T-1"


async def test_a_dead_letter_can_be_sent_again(store: Store) -> None:
    """Others cannot."""
    await store.commit([happened()])
    letter = await the_one(store)
    assert not await store.outbox.revive(again(letter, after(9)))
    assert await store.outbox.settle(dead(letter, after(8), "HTTP 404"), (), None)
    assert await store.outbox.revive(again(letter, after(9)))
    assert [one.key for one in await store.outbox.waiting()] == [letter.key]


async def spoil(store: Store, seq: int, **values: object) -> None:
    """A row that cannot be what we wrote, as a disk that changes bytes leaves it."""
    if isinstance(store, SqlStore):
        async with store.writing() as connection:
            await connection.execute(update(outbox).where(outbox.c.seq == seq).values(values))
    else:
        assert isinstance(store, MemoryStore)
        store.outbox.rows[INCIDENT.id, seq, "pager"].update(values)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"at": NEVER}, f"at is {NEVER}"), ({"state": "pendinf"}, "state is 'pendinf'")],
    ids=["a moment beyond all years", "a word that is no state"],
)
async def test_a_row_that_cannot_be_read_stands_in_nobody_s_way(
    store: Store, values: dict[str, object], said: str
) -> None:
    """It comes as a dead letter that says why; once that is settled, those behind it are taken, and nothing is damaged
    any more."""
    await store.commit([happened(1), happened(2, "eased")])
    await spoil(store, 1, **values)
    found = [*await store.outbox.begin(), *await store.outbox.waiting()]
    broken, good = sorted(found, key=lambda one: one.seq)
    assert (broken.key, broken.state, broken.event) == ((INCIDENT.id, 1, "pager"), State.DEAD, "opened")
    assert said in (broken.last_error or "")
    assert good.state is State.PENDING
    assert {one.seq: one.state for one in await store.outbox.letters(limit=9)} == {1: State.DEAD, 2: State.PENDING}
    assert (await store.outbox.courses([INCIDENT.id]))[INCIDENT.id].letters == (broken, good)
    if isinstance(store, SqlStore):
        (problem,) = await store.check()
        assert problem.startswith(f"outbox: the row {INCIDENT.id}, 1, pager cannot be read")

    assert await store.outbox.settle(buried(broken, after(9)), (), None)
    assert await store.outbox.claim(claimed(good, after(9)), "mine", after(9)) is not None
    assert await store.outbox.counts() == {("pager", "dead"): 1, ("pager", "sending"): 1}
    assert await store.check() == []


async def test_what_is_over_stays_over_when_its_row_cannot_be_read(store: Store) -> None:
    """It was delivered: that is told of it, and it is not given up."""
    await store.commit([happened()])
    assert await store.outbox.settle(delivered(await the_one(store), after(5), None), (), None)
    await spoil(store, 1, at=NEVER)
    assert await store.outbox.waiting() == []
    assert (await the_one(store)).state is State.DELIVERED


async def test_letters_are_found_by_channel_and_state_the_newest_first(store: Store) -> None:
    """A page at a time."""
    await store.commit([happened(seq, channels=("pager", "chat")) for seq in (1, 2, 3)])
    page = await store.outbox.letters("pager", "pending", limit=2)
    assert [one.seq for one in page] == [3, 2]
    assert [one.seq for one in await store.outbox.letters("pager", limit=2, after=page[-1].place)] == [1]
    every, place = list[Letter](), None
    while found := await store.outbox.letters(limit=1, after=place):
        every, place = every + found, found[0].place
    assert [one.key for one in every] == [one.key for one in await store.outbox.letters(limit=9)]
    assert await store.outbox.letters("pager", "dead", limit=2) == []
    news = replace(await the_first(store), incident="self:pager", seq=7, state=State.DELIVERED)
    await store.outbox.post([news, news])
    assert len(await store.outbox.letters(limit=20)) == 7


async def test_the_copy_of_an_incident_goes_with_the_observations(store: Store) -> None:
    """Nobody wants to hear of the event by then; that it happened, and what became of it, stays."""
    await store.commit([saved(INCIDENT), happened()])
    for days, known in ((6, True), (8, False)):
        await store.sweep(NOON + timedelta(days=days), timedelta(days=1), timedelta(days=400))
        letter = claimed(await the_one(store), NOON + timedelta(days=days))
        claim = await store.outbox.claim(letter, "mine", NOON + timedelta(days=days))
        assert claim is not None
        assert (claim.incident is not None) is known
    assert (await store.outbox.courses([INCIDENT.id]))[INCIDENT.id].happenings[0].event == "opened"


async def test_what_was_said_goes_a_while_after_the_incident_is_over(store: Store) -> None:
    """With all of it at once, once nothing is left to be told; of what goes on, everything stays."""
    ended = incident("catalog", NOON, NOON + timedelta(hours=1))
    unfinished = incident("search", NOON, NOON + timedelta(hours=1))
    due = Told(3, ("pager",), frozenset(), (Turn(after(60), "resolved"),), "")
    for one, told in ((INCIDENT, Told(1)), (ended, Told(2)), (unfinished, due)):
        notice = Notice(after(1), "first", one.id, "pager")
        await store.commit([saved(one), Informed(one.id, told), Happened(one, 1, "opened", after(1), (notice,))])
    alarm = replace(await the_first(store), incident="self:pager", seq=7, state=State.DELIVERED)
    await store.outbox.post([alarm])
    ids, pair = [INCIDENT.id, ended.id, unfinished.id], (timedelta(days=2), timedelta(days=30))
    await store.sweep(NOON + timedelta(days=6), *pair)
    assert set(await store.outbox.courses([*ids, "self:pager"])) == {*ids, "self:pager"}
    await store.sweep(NOON + timedelta(days=29), *pair)
    assert set(await store.outbox.courses([*ids, "self:pager"])) == set(ids)
    await store.sweep(NOON + timedelta(days=31), *pair)
    assert set(await store.outbox.courses(ids)) == {INCIDENT.id, unfinished.id}
    assert set((await store.recall(NOON)).told) == {INCIDENT.id, unfinished.id}


async def test_a_later_letter_is_not_taken_before_an_earlier_one(store: Store) -> None:
    """Unless it says what that one says; then both are taken, and both are free again when it could not be sent."""
    await store.commit([happened(1), happened(2, "eased"), happened(3, "resolved")])
    first, second, last = await store.outbox.waiting()
    last = claimed(last, after(5))
    assert await store.outbox.claim(last, "mine", after(5)) is None
    assert await store.outbox.claim(last, "mine", after(5), [second]) is None
    assert await store.outbox.claim(last, "mine", after(5), [first, second]) is not None
    for one in (first, second):
        assert await store.outbox.claim(claimed(one, after(6)), "theirs", after(6)) is None
    assert await store.outbox.settle(failed(last, after(7), "HTTP 503", 0.5), (), "mine")
    assert await store.outbox.claim(claimed(first, after(8)), "theirs", after(8)) is not None


async def the_first(store: Store) -> Letter:
    """The oldest that waits."""
    return (await store.outbox.waiting())[0]


async def test_who_was_told_what_is_recalled_with_its_incident(shelf: Shelf) -> None:
    """Also of an incident that was over long ago, where somebody still has to hear of that."""
    over = replace(incident(), resolved_at=NOON - timedelta(hours=2))
    waiting = Told(3, ("pager",), frozenset({"r"}), (Turn(after(60), "resolved"),), "module:checkout:http.503")
    store = await shelf.open()
    await store.commit([saved(over), Informed(over.id, waiting)])
    store = await shelf.open()
    memory = await store.recall(NOON)
    assert (memory.incidents, memory.told) == ((over,), {over.id: waiting})
    await store.commit([Informed(over.id, Told(4))])
    memory = await store.recall(NOON)
    assert (memory.incidents, memory.told) == ((), {})


async def test_what_was_gathered_and_its_letter_are_stored_together(shelf: Shelf) -> None:
    """A restart goes on with the rest; the letter carries what it tells, and is there once."""
    store = await shelf.open()
    line = Line("abc", {"en": "Catalog", "pt-BR": "Catálogo"}, "http.503", "low", after(0), after(60), 2)
    gathered = Digest(after(3600), lines={"abc": line}, unended=frozenset({"def"}))
    told = Turn(after(60), "escalated", ("boss",), True, timedelta(minutes=5), ("day", "step"), "business", fixed=True)
    waiting = Told(1, ("pager",), frozenset({"r"}), (told,), "x", mine_at=after(30))
    await store.commit([saved(INCIDENT), Gathered("mail", gathered), Informed(INCIDENT.id, waiting)])
    store = await shelf.open()
    memory = await store.recall(NOON)
    assert (memory.digests, memory.told) == ({"mail": gathered}, {INCIDENT.id: waiting})
    summed = Summed("mail", after(3600), (line, replace(line, incident="ghi", what=("catalog", {"en": "Search"}))))
    for _ in range(2):
        await store.commit([Gathered("mail", Digest(unended=gathered.unended)), summed])
    store = await shelf.open()
    assert (await store.recall(NOON)).digests == {"mail": Digest(unended=gathered.unended)}
    letter = await the_one(store)
    assert lines_of(letter) == list(summed.lines)
    assert (letter.channel, letter.event, letter.page) == ("mail", "summary", False)
    assert letter_object(letter)["why"] == "digest"


async def test_what_is_posted_once_is_never_posted_again(shelf: Shelf) -> None:
    """By its name, whatever became of the letters, after a restart and by whoever comes at the same moment."""
    store = await shelf.open()
    first = Letter("self:review:gold:2026-Q3", 1, "mail", "summary", "review {}", NOON)
    second = replace(first, channel="chat")
    both = await asyncio.gather(
        store.outbox.post_once({"review:acme": [first]}, NOON),
        store.outbox.post_once({"review:acme": [first], "review:beta": [first, second]}, NOON),
    )
    assert sorted(name for names in both for name in names) == ["review:acme", "review:beta"]
    assert {one.channel for one in await store.outbox.waiting()} == {"mail", "chat"}
    assert await store.outbox.posted(["review:acme", "review:gamma"]) == {"review:acme"}
    later = NOON + timedelta(days=10)
    await store.sweep(later, timedelta(days=7), timedelta(days=7))
    assert len(await store.outbox.waiting()) == 2  # what waits is not forgotten
    for one in (first, second):
        assert await store.outbox.settle(dead(one, later, "nobody there"), (), None)
    await store.sweep(later, timedelta(days=7), timedelta(days=7))
    assert await store.outbox.letters(limit=9) == []
    store = await shelf.open()
    assert await store.outbox.post_once({"review:acme": [first], "review:beta": []}, after(9)) == []
    assert await store.outbox.letters(limit=9) == []
