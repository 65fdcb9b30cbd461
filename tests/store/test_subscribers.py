"""What every store promises of subscribers and of what there is to tell them: in memory, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.bulletin import Bulletin
from monitor.core.effect import Saved
from monitor.core.incident import Stage, Update, with_update
from monitor.core.subscriber import Subscriber, Thread, confirmed
from monitor.store import Store
from tests.store.conftest import Shelf
from tests.store.past import NOON, after, incident, saved

INCIDENT = replace(
    incident(), published_at=NOON, updates=(Update(NOON, Stage.INVESTIGATING, "opened", {"module": "checkout"}),)
)
ANA = Subscriber("a1", "email", "Ana@example.com", "pt-BR", NOON, frozenset({"cart"}))


async def test_a_bulletin_comes_in_with_the_fact_once(shelf: Shelf) -> None:
    """The same commit made again, or a save that adds nothing for readers, brings no second one."""
    store = await shelf.open()
    more = with_update(INCIDENT, Update(after(60), Stage.RESOLVED, "resolved", {}))
    await store.commit([saved(INCIDENT)])
    await store.commit([saved(INCIDENT), Saved(replace(INCIDENT, acknowledged_at=after(5)), None, after(5))])
    await store.commit([saved(more)])
    store = await shelf.open()
    assert await store.subscribers.bulletins(0, NOON) == [
        Bulletin("incidents", INCIDENT.id, 1, NOON, 1),
        Bulletin("incidents", INCIDENT.id, 2, after(60), 2),
    ]
    assert await store.subscribers.bulletins(1, after(1)) == [Bulletin("incidents", INCIDENT.id, 2, after(60), 2)]
    assert await store.subscribers.newest() == 2


async def test_a_draft_brings_no_bulletin(store: Store) -> None:
    """Not before it is published, and then one, dated from that moment."""
    await store.commit([saved(replace(INCIDENT, published_at=None))])
    assert await store.subscribers.bulletins(0, NOON - timedelta(days=9)) == []
    await store.commit([saved(replace(INCIDENT, published_at=after(90)))])
    assert [one.at for one in await store.subscribers.bulletins(0, NOON)] == [after(90)]


async def test_numbers_are_never_given_twice(store: Store) -> None:
    """Old bulletins are forgotten, but never the newest: what is told next has a greater number."""
    await store.commit([saved(INCIDENT)])
    await store.subscribers.sweep(after(3600))
    assert await store.subscribers.newest() == 1
    more = with_update(INCIDENT, Update(after(60), Stage.RESOLVED, "resolved", {}))
    await store.commit([saved(more)])
    await store.subscribers.sweep(after(3600))
    assert [one.number for one in await store.subscribers.bulletins(0, NOON)] == [2]


async def test_a_subscriber_is_kept_whole(shelf: Shelf) -> None:
    """Over a restart, with how far it has heard."""
    store = await shelf.open()
    await store.subscribers.add(ANA)
    heard = replace(ANA, cursor=7, threads={"x": Thread(3, 8, True)}, failing_since=after(9), attempts=2)
    assert await store.subscribers.keep(heard)
    store = await shelf.open()
    assert await store.subscribers.all() == [heard]


async def test_who_was_erased_stays_away(store: Store) -> None:
    """What is written of it later, by whoever was just telling it something, brings nobody back."""
    await store.subscribers.add(ANA)
    await store.subscribers.erase([ANA.id, "nobody"])
    await store.subscribers.erase([])
    assert not await store.subscribers.keep(replace(ANA, cursor=9))
    assert not await store.subscribers.confirm(confirmed(ANA, None, 0, NOON))
    assert await store.subscribers.all() == []


async def test_one_address_is_confirmed_once(store: Store) -> None:
    """The request that was confirmed takes the place of every other one of that address, in whatever case."""
    again = replace(ANA, id="a2", address="ana@EXAMPLE.com", created_at=after(5))
    other = replace(ANA, id="b1", address="bea@example.com", created_at=after(6))
    for one in (ANA, again, other):
        await store.subscribers.add(one)
    assert await store.subscribers.confirm(confirmed(again, None, 4, after(9)))
    assert [(one.id, one.confirmed_at, one.cursor) for one in await store.subscribers.all()] == [
        ("a2", after(9), 4),
        ("b1", None, 0),
    ]
