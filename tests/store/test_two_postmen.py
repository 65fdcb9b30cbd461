"""Two monitors on one PostgreSQL carry the same letters: each is sent by one of them, and in order."""

import asyncio
from collections import Counter
from datetime import timedelta

from monitor.clock import SystemClock
from monitor.core.effect import Happened
from monitor.core.intent import Notice
from monitor.core.outbox import Letter, claimed
from monitor.notify.channel import Message
from monitor.postman import Postman
from monitor.store.connect import open_sql
from tests.store.past import incident
from tests.test_postman import until, write

INCIDENTS, EVENTS = 15, 3


class Slow:
    """A channel that takes a moment, and keeps what arrives."""

    def __init__(self, came: list[str]) -> None:
        self._came = came

    async def deliver(self, message: Message) -> str | None:
        await asyncio.sleep(0.002)
        self._came.append(str(message.payload["event_id"]))
        return None

    async def close(self) -> None:
        pass


async def test_a_letter_is_sent_by_one_of_two_postmen(postgres_url: str) -> None:
    """However both hurry; what one of them never heard of before is kept in order by the claims all the same."""
    clock, came = SystemClock(), list[str]()
    first, second = await open_sql(postgres_url), await open_sql(postgres_url)
    try:
        postmen = [Postman(store.outbox, clock, write) for store in (first, second)]
        for one in postmen:
            one.use({"pager": Slow(came)})
        facts = []
        for number in range(INCIDENTS):
            one = incident(f"m{number}", clock.now())
            for seq in range(1, EVENTS + 1):
                at = clock.now() - timedelta(seconds=30 - seq)
                facts.append(Happened(one, seq, "worsened", at, (Notice(at, "first", one.id, "pager", seq == 1),)))
        await first.commit(facts)
        postmen[1].add(facts[-1], True)  # it knows the last event of an incident and not the ones before
        tasks = [asyncio.create_task(one.run()) for one in postmen]
        await until(lambda: len(came) >= INCIDENTS * EVENTS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert await first.outbox.waiting() == []
    finally:
        await first.close()
        await second.close()
    assert set(Counter(came).values()) == {1}
    seqs = [(id.rpartition("-")[0], int(id.rpartition("-")[2])) for id in came]
    for number in range(INCIDENTS):
        mine = [seq for id, seq in seqs if id == facts[number * EVENTS].incident.id]
        assert mine == [1, 2, 3]


async def test_of_many_who_claim_at_once_one_gets_it(postgres_url: str) -> None:
    """The others find it taken, without waiting for each other; when its claim has ended one of them gets it."""
    stores = [await open_sql(postgres_url) for _ in range(4)]
    try:
        now, one = SystemClock().now(), incident()
        await stores[0].commit([Happened(one, 1, "opened", now, (Notice(now, "first", one.id, "pager"),))])
        (letter,) = await stores[0].outbox.waiting()

        async def got(taken: Letter, at: timedelta) -> int:
            tries = [store.outbox.claim(taken, f"token{n}", now + at) for n, store in enumerate(stores)]
            return sum(one is not None for one in await asyncio.gather(*tries))

        assert await got(claimed(letter, now), timedelta(0)) == 1
        later = timedelta(seconds=31)
        assert await got(claimed(letter, now + later), later) == 1
    finally:
        for store in stores:
            await store.close()


async def test_who_comes_back_has_at_once_what_it_was_sending_and_leaves_others_theirs(postgres_url: str) -> None:
    """A process that was killed gave nothing back; the next one of the same monitor does that for it."""
    store = await open_sql(postgres_url)
    try:
        now, ids = SystemClock().now(), ("a", "b")
        facts = [
            Happened(one, 1, "opened", now, (Notice(now, "first", one.id, "pager"),))
            for one in (incident(id) for id in ids)
        ]
        await store.commit(facts)
        letters = await store.outbox.waiting()
        for letter, owner in zip(letters, ("ours-", "theirs-"), strict=True):
            assert await store.outbox.claim(claimed(letter, now), f"{owner}1", now) is not None
        await store.outbox.begin()
        assert [one.state for one in await store.outbox.waiting()] == ["sending", "sending"]
        await store.outbox.begin("ours-")
        assert [one.state for one in await store.outbox.waiting()] == ["pending", "sending"]
    finally:
        await store.close()
