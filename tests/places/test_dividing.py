"""Agents of one place over a real broker: each asks what falls to it, as the core says who is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.places import rollcall, topics
from monitor.places.roster import asker_of
from monitor.places.wire import Configuration, Gone, Time
from monitor.store.memory import MemoryStore
from tests.notify.test_mqtt import mosquitto, until
from tests.places.core import agent, asking, core, listener
from tests.places.test_exchange import Agent, Core
from tests.places.test_link import PLAIN
from tests.processes.running import free_port


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That of a Mosquitto that lets anybody in."""
    port, folder = free_port(), tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, PLAIN.format(port)):
        yield port


async def test_an_agent_asks_its_part_and_goes_on_with_it(port: int, tmp_path: Path) -> None:
    """Everything, until another one is named; the same after a start at which nobody answers."""
    names = {f"p{number}" for number in range(20)}
    async with listener() as open_port, core(port) as there:
        async with agent(port, tmp_path / "data") as here:
            await there.tell(asking(dict.fromkeys(names, open_port)))
            await until(lambda: {one.probe for one in there.seen} == names)
            there.roster = (here.agent, "another-box")
            here._heartbeat()
            await until(lambda: here.part.roster)
            mine = {name for name in names if asker_of(("catalog", name), there.roster) == here.agent}
            assert 0 < len(mine) < len(names)
            await until(lambda: there.beats[-1].probes == len(mine))
            before = len(there.seen)
            await until(lambda: len(there.seen) > before + 3 * len(mine))
            assert {one.probe for one in there.seen[before + len(names) :]} <= mine
        there.answers, before = False, len(there.seen)
        async with agent(port, tmp_path / "data") as here:
            await until(lambda: here.part.roster == there.roster)
            await until(lambda: len(there.seen) > before + 2 * len(mine))
        assert {one.probe for one in there.seen[before:]} == mine
        assert there.whole()


async def test_the_core_says_at_once_who_is_there_no_more(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To those that are left, without being asked; and to whoever asks, in the answer."""
    monkeypatch.setattr(rollcall, "LISTENING", 0.0)
    one, two = Agent(port), Agent(port, name="box-2")
    async with Core(port, MemoryStore()).at_work(), one.there(), two.there():
        await until(lambda: one.got(Configuration))
        (share,) = one.got(Configuration)
        assert isinstance(share, Configuration)
        await one.beat(digest=share.digest)
        beat = await two.beat(digest=share.digest)
        await until(lambda: _rosters(one)[-1:] == [("box-1", "box-2")])
        await until(lambda: _rosters(two)[-1:] == [("box-1", "box-2")])
        await two.say(topics.gone("sao"), Gone("box-2", "e1", beat.since, orderly=True))
        await until(lambda: _rosters(one)[-1] == ("box-1",))
        await one.beat(digest=share.digest)
        count = len(one.got(Time))
        await until(lambda: len(one.got(Time)) > count)
        assert _rosters(one)[-1] == ("box-1",)


def _rosters(agent: Agent) -> list[tuple[str, ...]]:
    return [one.roster for one in agent.got(Time) if isinstance(one, Time)]
