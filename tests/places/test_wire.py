"""What a place and the core tell each other comes across whole, or not at all."""

import json
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.effect import Ask, AskCanaries, Hold, Lagging, Missed
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.places import seal as sealing
from monitor.places import topics
from monitor.places.seal import MOST_OPENED, MOST_SEALED, Refused, Seal
from monitor.places.topics import Kind, Topic
from monitor.places.wire import (
    MOST_ITEMS,
    Acknowledged,
    Batch,
    Configuration,
    Document,
    Doubt,
    Gone,
    Heartbeat,
    Newest,
    Order,
    Orders,
    Time,
    pack,
    unpack,
)
from tests.depth import examples
from tests.strategies import moments, observations
from tests.strategies import moved as seen_from

pytestmark = pytest.mark.property

PLACE, AGENT = "sao-paulo", "probe-1-a1b2c3"
SEAL = Seal("a secret of thirty-two characters and more", PLACE)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

_names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
_times = moments(timedelta(microseconds=1))
_numbers = st.integers(1, 2**40)
_seconds = st.floats(0, 1e6)
_missed = st.builds(
    Missed,
    st.just(PLACE),
    _times,
    _times,
    _names,
    st.integers(-(10**9), 10**9).map(lambda n: timedelta(milliseconds=n)),
)
_doubts = st.builds(Doubt, st.builds(Lagging, _names, _names, st.just(PLACE)), _times)
_seen = observations().map(lambda one: observation_from_json(observation_to_json(seen_from(one, PLACE))))  # to the ms
_items = _seen | _missed | _doubts
_batches = st.tuples(_numbers, _numbers).flatmap(
    lambda pair: st.builds(
        Batch,
        agent=_names,
        epoch=_names,
        first=st.just(max(pair)),
        kept=st.just(min(pair)),
        sent_at=_times,
        items=st.lists(_items, min_size=1, max_size=3).map(tuple),
    )
)
_orders = st.builds(
    Orders,
    st.lists(
        st.builds(Order, st.builds(Ask, _names, _names, st.just(PLACE), _seconds), _times)
        | st.builds(Order, st.just(AskCanaries(PLACE)), _times)
        | st.builds(lambda m, p, until: Order(Hold(m, p, PLACE, until), until), _names, _names, _times),
        max_size=4,
    ).map(tuple),
)
_heartbeats = st.builds(
    Heartbeat,
    agent=_names,
    epoch=_names,
    at=_times,
    since=_times,
    digest=st.just("") | _names,
    waiting=st.integers(0, 10**9),
    oldest=_seconds,
    lost=st.integers(0, 10**9),
    skew=st.none() | st.floats(-1e9, 1e9),
    version=_names,
    trouble=st.text(max_size=50),
    probes=st.integers(0, 10**6),
)
_rosters = st.lists(_names, max_size=3).map(tuple)
_said = st.one_of(
    st.tuples(st.just(topics.observations(PLACE)), _batches),
    st.tuples(st.just(topics.heartbeat(PLACE)), _heartbeats),
    st.tuples(st.just(topics.gone(PLACE)), st.builds(Gone, _names, _names, _times, st.booleans())),
    st.tuples(st.just(topics.orders(PLACE)), _orders),
    st.tuples(
        st.just(topics.acknowledged(PLACE, AGENT)),
        st.builds(Acknowledged, st.just(AGENT), _names, st.integers(0, 2**40)),
    ),
    st.tuples(st.just(topics.time(PLACE, AGENT)), st.builds(Time, st.just(AGENT), _times, _times, _times, _rosters)),
    st.tuples(
        st.just(topics.configuration(PLACE)),
        st.builds(Configuration, _names, _times, st.dictionaries(_names, st.integers() | st.text(), max_size=3)),
    ),
)


@settings(max_examples=examples(160), deadline=None)
@given(_said)
def test_whatever_is_said_comes_across(said: tuple[str, Document]) -> None:
    """Each kind of document is read back as it was written, to the last digit."""
    topic, document = said
    assert unpack(SEAL, topic, pack(SEAL, topic, document)) == document


@settings(max_examples=examples(160), deadline=None)
@given(_said, st.data())
def test_what_was_tampered_with_is_refused(said: tuple[str, Document], data: st.DataObject) -> None:
    """One bit that changed on its way, a piece cut off or added: nobody reads any of it."""
    topic, document = said
    sealed = bytearray(pack(SEAL, topic, document))
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = data.draw(st.sampled_from(["bit", "cut", "added"]))
    if changed == "bit":
        sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    elif changed == "cut":
        del sealed[place:]
    else:
        sealed.insert(place, data.draw(st.integers(0, 255)))
        if bytes(sealed) == pack(SEAL, topic, document):
            return
    with pytest.raises(Refused) as refused:
        unpack(SEAL, topic, bytes(sealed))
    assert refused.value.why in ("seal", "form")


@settings(max_examples=examples(80), deadline=None)
@given(_said, _said)
def test_what_was_said_under_one_name_cannot_be_said_under_another(
    said: tuple[str, Document], other: tuple[str, Document]
) -> None:
    """Neither for another topic of the place, nor for another place, nor for another agent of it."""
    topic, document = said
    sealed = pack(SEAL, topic, document)
    if other[0] != topic:
        with pytest.raises(Refused, match="secret"):
            unpack(SEAL, other[0], sealed)
    elsewhere = topic.replace(PLACE, "lisbon")
    with pytest.raises(Refused):
        unpack(SEAL, elsewhere, sealed)
    with pytest.raises(Refused, match="secret"):
        unpack(Seal("a secret of thirty-two characters and more", "lisbon"), elsewhere, sealed)
    if AGENT in topic:
        with pytest.raises(Refused, match="secret"):
            unpack(SEAL, topic.replace(AGENT, "another"), sealed)


@settings(max_examples=examples(80), deadline=None)
@given(_said)
def test_another_secret_opens_nothing(said: tuple[str, Document]) -> None:
    """Whoever has the secret of another place, or an old one, neither reads nor writes."""
    topic, document = said
    with pytest.raises(Refused, match="secret"):
        unpack(Seal("another secret of thirty-two characters", PLACE), topic, pack(SEAL, topic, document))


@settings(max_examples=examples(160), deadline=None)
@given(st.sampled_from(list(Kind)), st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda
       inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
           ["agent", "epoch", "first", "kept", "items", "seen", "missed", "orders", "do", "until", "share", "through"])
           | st.text(max_size=5), inner, max_size=6), max_leaves=20))  # fmt: skip
def test_a_place_that_went_wrong_says_nothing_that_hurts(kind: Kind, raw: Any) -> None:
    """What was sealed with the right secret and makes no sense is refused like everything else, and told in a word."""
    topic = str(Topic(PLACE, kind, {Kind.OBSERVATIONS: "3", Kind.TIME: AGENT, Kind.ACKNOWLEDGED: AGENT}.get(kind, "")))
    with suppress(Refused):
        read = unpack(SEAL, topic, SEAL.close(topic, json.dumps(raw).encode()))
        assert unpack(SEAL, topic, pack(SEAL, topic, read)) == read


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(_times, min_size=1, max_size=8))
def test_what_was_said_before_is_old(times: list[datetime]) -> None:
    """Only what is newer than everything of the same name counts, in whatever order copies come."""
    newest, seen = Newest(), list[datetime]()
    for at in times:
        if not seen or at > max(seen):
            newest.look("heartbeat", at)
        else:
            with pytest.raises(Refused, match="before"):
                newest.look("heartbeat", at)
        newest.look(f"another {len(seen)}", at)
        seen.append(at)


def test_nesting_without_an_end_is_refused() -> None:
    """As is a number that is none, and one that fills a page."""
    topic = topics.heartbeat(PLACE)
    for said in (b"[" * 200_000, b'{"skew":NaN}', b'{"waiting":' + b"9" * 5000 + b"}", b"\xff", b"", b"[]", b"{}"):
        with pytest.raises(Refused, match="form"):
            unpack(SEAL, topic, SEAL.close(topic, said))


def test_what_unpacks_to_more_than_anybody_says_is_refused_before_it_is_there() -> None:
    """A kilobyte may stand for a gigabyte; no more of it is unpacked than there could honestly be."""
    topic = topics.heartbeat(PLACE)
    for size, why in ((MOST_OPENED, "form"), (MOST_OPENED + 1, "size")):
        nonce = bytes(12)
        packed = zlib.compress(bytes(size), 9)
        sealed = b"\x01" + nonce + SEAL._cipher.encrypt(nonce, packed, sealing._about(topic))
        assert len(sealed) < 20_000
        with pytest.raises(Refused) as refused:
            unpack(SEAL, topic, sealed)
        assert refused.value.why == why


def test_what_is_too_large_is_refused_on_both_sides() -> None:
    """Who sends hears of it, instead of a broker that hangs up on it; who receives does not even try to open it."""
    topic = topics.configuration(PLACE)
    noise = "".join(chr(0x4E00 + (n * n * 2654435761 >> 7) % 20000) for n in range(600_000))
    with pytest.raises(Refused, match="larger"):
        pack(SEAL, topic, Configuration("d", NOW, {"much": noise}))
    with pytest.raises(Refused, match="larger"):
        unpack(SEAL, topic, bytes(MOST_SEALED + 1))


def test_a_batch_holds_so_many_and_one_at_least() -> None:
    """And nothing that was seen at another place than its own."""
    topic = topics.observations(PLACE)
    missed = Missed(PLACE, NOW, NOW, "self.stall")
    for items in ((), (missed,) * (MOST_ITEMS + 1)):
        with pytest.raises(Refused, match="form"):
            unpack(SEAL, topic, pack(SEAL, topic, Batch(AGENT, "e", 1, 1, NOW, items)))
    full = Batch(AGENT, "e", 7, 3, NOW, (missed,) * MOST_ITEMS)
    assert full.last == 506
    assert unpack(SEAL, topic, pack(SEAL, topic, full)) == full
    said = {**json.loads(SEAL.open(topic, pack(SEAL, topic, full))), "kept": 8}
    with pytest.raises(Refused, match="form"):
        unpack(SEAL, topic, SEAL.close(topic, json.dumps(said).encode()))


def test_what_was_seen_elsewhere_is_not_believed() -> None:
    """A place speaks for itself only."""
    topic = topics.observations(PLACE)
    seen = {"at": "2026-11-23T12:00:00Z", "module": "m", "probe": "p", "location": "lisbon"}
    said = {"agent": AGENT, "epoch": "e", "first": 1, "kept": 1, "sent_at": "2026-11-23T12:00:00Z"}
    with pytest.raises(Refused, match="form"):
        unpack(SEAL, topic, SEAL.close(topic, json.dumps({**said, "items": [{"seen": seen}]}).encode()))
    there = {**seen, "location": PLACE}
    assert unpack(SEAL, topic, SEAL.close(topic, json.dumps({**said, "items": [{"seen": there}]}).encode()))


def test_nothing_that_is_sealed_can_be_read_without_the_secret() -> None:
    """Not even that two messages say the same."""
    topic = topics.configuration(PLACE)
    share = Configuration("d", NOW, {"header": "X-VTEX-API-AppToken: hunter2hunter2"})
    one, two = pack(SEAL, topic, share), pack(SEAL, topic, share)
    assert b"hunter2" not in one
    assert one != two
    assert "hunter2" not in repr(share)


def test_a_short_secret_is_no_secret() -> None:
    """It would be guessed by whoever can read one message."""
    with pytest.raises(ValueError, match="32"):
        Seal("x" * 31, PLACE)


def test_a_digest_says_nothing_of_what_it_is_of() -> None:
    """Two places that are told the same do not have the same digest; one place always has."""
    assert SEAL.digest(b"the same") == SEAL.digest(b"the same") != SEAL.digest(b"another")
    assert SEAL.digest(b"the same") != Seal("another secret of thirty-two characters", PLACE).digest(b"the same")


@pytest.mark.parametrize(
    "topic",
    [
        "vtex-monitor/v1/sao-paulo",
        "vtex-monitor/v1/sao-paulo/",
        "vtex-monitor/v1//heartbeat",
        "vtex-monitor/v1/sao-paulo/heartbeat/more",
        "vtex-monitor/v1/sao-paulo/observations",
        "vtex-monitor/v1/sao-paulo/acknowledged",
        "vtex-monitor/v1/sao-paulo/unheard-of",
        "vtex-monitor/v2/sao-paulo/heartbeat",
        "x/vtex-monitor/v1/sao-paulo/heartbeat",
        "",
    ],
)
def test_other_topics_mean_nothing(topic: str) -> None:
    """Whatever else is published on the same broker is left alone."""
    with pytest.raises(Refused, match="topic"):
        unpack(SEAL, topic, b"whatever")


def test_topics_are_read_as_they_are_written() -> None:
    """Each has its own filter, by which the core reads it from every place."""
    for topic in (topics.observations(PLACE), topics.heartbeat(PLACE), topics.time(PLACE, AGENT)):
        assert str(topics.parse(topic)) == topic
    assert topics.observations(PLACE) == f"vtex-monitor/v1/sao-paulo/observations/{topics.shard_of(PLACE)}"
    assert topics.of_shard(3) == "vtex-monitor/v1/+/observations/3"
    assert topics.of_kind(Kind.GONE) == "vtex-monitor/v1/+/gone"
    assert {topics.shard_of(f"place-{n}") for n in range(200)} == set(range(topics.SHARDS))
