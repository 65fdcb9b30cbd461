"""Packing: whatever was seen comes back, and what is said again and again takes next to no room."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, MetaData, Table, insert

import monitor.store
from monitor.core.effect import Keep
from monitor.core.expectation import Outcome, Result
from monitor.core.observation import Http, Observation
from monitor.store.connect import open_sql
from monitor.store.packing import Packer, said_by, unpacked
from monitor.store.rows import document_of, instant, observation_row
from monitor.store.sqlite import begin_new, finish_new, writing_engine
from tests import strategies
from tests.store.past import NOON

PASSED = Result(Outcome.PASSED)
ETAG = '"{:08x}-461"'


def seen(number: int, etag: str = "") -> Observation:
    """A run that passed, every five seconds, with the `Date` of its answer."""
    at = NOON + timedelta(seconds=5 * number, microseconds=1009 * number)
    headers = {
        "server": "nginx/1.22.1",
        "date": f"{at:%a, %d %b %Y %H:%M:%S} GMT",
        "content-type": "application/json",
        "content-length": "1121",
    }
    took = 0.002 + number % 991 / 1e6
    phases = {"resolve": 1.1e-05, "connect": round(took / 9, 6), "processing": round(took / 2, 6), "transfer": 4.3e-05}
    http = Http(200, headers | ({"etag": etag} if etag else {}), 1121, "{}", "1.1", 0, 1121)
    scheduled = at - timedelta(microseconds=number % 40_000)
    return Observation(at, "checkout", "http", "here", scheduled, took, phases, "192.0.2.7:443", http=http)


@settings(max_examples=60, deadline=None)
@given(runs=st.lists(st.tuples(strategies.observations(), strategies.results()), min_size=1, max_size=4))
def test_every_document_comes_back(runs: list[tuple[Observation, Result]]) -> None:
    """Also after others of the same source, like it or not."""
    packer = Packer()
    for observation, result in runs:
        for discarded in (False, True, False):
            row = observation_row(Keep(observation, result, discarded=discarded))
            form, rest = packer.pack("a source", dict(row))
            assert (form.outcome, form.code, form.discarded) == (row["outcome"], row["code"], discarded)
            assert unpacked(row["at"], form.document, rest) == document_of(row)


@settings(max_examples=60, deadline=None)
@given(one=strategies.observations(), other=strategies.observations(), same=st.booleans())
def test_who_says_the_same_is_packed_without_a_look(one: Observation, other: Observation, same: bool) -> None:
    """It comes to what a look would have come to."""
    packer, source = Packer(), "a source"
    other = replace(other, http=one.http, address=one.address, values=one.values, dns=one.dns) if same else other
    if same:
        other = replace(other, failure=one.failure, certificate=one.certificate, steps=one.steps, phases=one.phases)
    for observation in (one, other):
        keep = Keep(observation, PASSED)
        told = said_by(keep)
        quick = None if told is None else packer.again(source, *told)
        looked = Packer() if quick else packer
        slow = looked.pack(source, observation_row(keep), None if told is None else told[0])
        assert quick in (None, slow)
    if same and one.steps is None and one.http is not None and "date" not in one.http.headers:
        assert quick is not None


def test_what_is_said_again_has_one_form() -> None:
    """The time of day, the moment it was due and how long it took do not make another one."""
    packer = Packer()
    packed = [packer.pack("a source", observation_row(Keep(seen(number), PASSED))) for number in range(200)]
    assert len({form for form, _ in packed}) == 1
    assert max(len(rest) for _, rest in packed) <= 16


def test_another_etag_is_a_few_bytes() -> None:
    """What differs is stored against what does not."""
    packer = Packer()
    packed = [
        packer.pack("a source", observation_row(Keep(seen(number, ETAG.format(number * 2654435761 % 2**32)), PASSED)))
        for number in range(200)
    ]
    assert len({form for form, _ in packed}) == 1
    assert max(len(rest) for _, rest in packed) <= 60


@pytest.mark.parametrize("rest", [b"", b"\x05\x01", b"\x01\x00garbage", b"\x02\x00\x01"])
def test_what_does_not_fit_together_is_no_document(rest: bytes) -> None:
    """A check of the store calls it damaged."""
    form, _ = Packer().pack("a source", observation_row(Keep(seen(1), PASSED)))
    with pytest.raises(ValueError, match=r"."):
        unpacked(0, form.document, rest)
    with pytest.raises(ValueError, match="its form is missing"):
        unpacked(0, None, b"\x01\x00")


async def test_a_passed_run_takes_little_of_a_disk(tmp_path: Path) -> None:
    """Rows of several sources, as they come, with everything that finds them again."""
    store = await open_sql(f"sqlite:///{tmp_path}/monitor.db")
    async with store.writing() as connection:
        for first in range(0, 4000, 200):
            runs = (replace(seen(n), module=f"module-{n % 20}") for n in range(first, first + 200))
            await store.store_runs(connection, (observation_row(Keep(one, PASSED)) for one in runs))
    await store.close()
    empty = await open_sql(f"sqlite:///{tmp_path}/empty.db")
    await empty.close()
    assert (_size(tmp_path / "monitor.db") - _size(tmp_path / "empty.db")) / 4000 <= 60


def _size(path: Path) -> int:
    return path.stat().st_size


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of either kind in which nothing is."""
    return f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def _filled_before(connection: Connection, runs: list[Keep]) -> None:
    """The tables before runs were packed, with these runs."""
    config = Config()
    config.set_main_option("script_location", str(Path(monitor.store.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0012")
    rows = [observation_row(one) for one in runs]
    old = Table("observations", MetaData(), *(Column(name) for name in rows[0]))
    connection.execute(insert(old), rows)


async def test_what_was_stored_before_is_still_there(url: str) -> None:
    """Runs of an older version come back equal: passed, failed, discarded, of canaries, at several places."""
    failed = Result(Outcome.FAILED, "http.503", None, ("status 503",))
    runs = [Keep(seen(number, ETAG.format(number % 3)), PASSED) for number in range(30)]
    runs += [Keep(replace(seen(number), location="there"), failed, discarded=number > 35) for number in range(30, 40)]
    runs += [Keep(replace(seen(40), module=None, probe="canary"), PASSED)]
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        draft = await asyncio.to_thread(begin_new, path)
        engine = writing_engine(draft)
        async with engine.begin() as connection:
            await connection.run_sync(_filled_before, runs)
        await engine.dispose()
        await asyncio.to_thread(finish_new, draft, path)
    else:
        from monitor.store.postgres import engine as postgres

        engine = postgres(url, readonly=False)
        async with engine.begin() as connection:
            await connection.run_sync(_filled_before, runs)
        await engine.dispose()
    store = await open_sql(url)
    for module in ("checkout", None):
        found = await store.observations(module, since=NOON, until=NOON + timedelta(hours=1), limit=99)
        mine = [one for one in runs if one.observation.module == module]
        assert len(found) == len(mine)
        for (observation, result), kept in zip(found, reversed(mine), strict=True):
            assert result == kept.result
            assert observation.at == instant(observation_row(kept)["at"])
            assert replace(observation, http=None) == replace(kept.observation, http=None)
            assert observation.http is not None
            assert observation.http.headers == getattr(kept.observation.http, "headers", None)
    await store.commit([Keep(seen(99), PASSED)])
    async with store.reading() as connection:
        told = (await connection.exec_driver_sql("SELECT count(*) FROM observations WHERE outcome = 'failed'")).scalar()
    assert told == 10
    await store.close()
