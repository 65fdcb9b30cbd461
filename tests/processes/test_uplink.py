"""The real program in a network of its own whose cable is pulled, whose IPv6 leads nowhere, whose ports run out."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.processes.enclave import PORT, Enclave, enclave
from tests.processes.running import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

HOSTS = [f"11.0.0.{number}" for number in range(1, 5)]
CANARIES = [f"11.0.1.{number}" for number in range(1, 4)]
SIX = "2606:4700::1"
# A cable into which everything goes and out of which nothing comes.
HOLE = ["ip link add hole type veth peer name end", "ip link set hole up", "ip link set end up"]


def configuration(*modules: str, canaries: bool = True) -> str:
    """A monitor that tells somebody, over these modules."""
    places = ", ".join(f'"http://{one}:{PORT}/"' for one in CANARIES) if canaries else ""
    return f"""\
version: 1
site: {{languages: [en]}}
monitor: {{public: "127.0.0.1:8080", ops: "127.0.0.1:9464", canaries: [{places}]}}
defaults: {{interval: 5s, timeout: 2s, confirm: 2s}}
modules:
{chr(10).join(modules)}
channels: {{chat: {{kind: webhook, url: "http://127.0.0.1:1/"}}}}
notify: [{{steps: [{{to: [chat]}}]}}]
"""


def module(id: str, host: str, more: str = "") -> str:
    return f'  - {{id: {id}, probes: [{{id: home, kind: http, url: "http://{host}:{PORT}/"{more}}}]}}'


def rows(inside: Enclave, query: str) -> list[tuple[Any, ...]]:
    """What stands in its database."""
    with closing(sqlite3.connect(f"file:{inside.data / 'monitor.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("way", ["no route", "no answer"])
async def test_an_uplink_that_is_down_is_our_own_trouble(tmp_path: Path, way: str) -> None:
    """Eight modules on four hosts, several intervals without a network: no incident, no notice, one gap, one word about
    ourselves; statuses become unknown and come back."""
    async with enclave(tmp_path) as inside:
        everything = [*HOSTS, *CANARIES]
        inside.do(*(f"ip addr add {one}/32 dev lo" for one in everything))
        await inside.serve()
        modules = [module(f"m{n}", HOSTS[n % 4]) for n in range(8)]
        async with inside.running(configuration(*modules)) as monitor:
            await eventually(lambda: set(inside.statuses().values()) == {"up"}, 30, "all are up")
            if way == "no answer":
                inside.do(*HOLE, "ip addr add 11.9.9.9/32 dev hole")
                inside.do(*(f"ip neigh add {one} lladdr 02:00:00:00:00:01 dev hole" for one in everything))
            inside.do(*(f"ip addr del {one}/32 dev lo" for one in everything))
            if way == "no answer":
                inside.do("ip route add 11.0.0.0/16 dev hole")
            await eventually(lambda: inside.status()["monitor"]["status"] == "blind", 40, "it says that it is blind")
            assert inside.status()["monitor"]["reason"] == "self.connectivity"
            await asyncio.sleep(15)
            assert set(inside.statuses().values()) == {"unknown"}
            if way == "no answer":
                inside.do("ip route del 11.0.0.0/16 dev hole", "ip link del hole")
            inside.do(*(f"ip addr add {one}/32 dev lo" for one in everything))
            await eventually(lambda: set(inside.statuses().values()) == {"up"}, 60, "all are up again")
            await eventually(lambda: inside.status()["monitor"]["status"] == "ok", 60, "it sees")
            assert inside.incidents() == []
            assert await monitor.leave() == 0
        assert rows(inside, "SELECT count(*) FROM outbox") == [(0,)]
        assert rows(inside, "SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]
        ((code, seconds),) = rows(inside, "SELECT code, (until - since) / 1e6 FROM gaps")
        assert code == "self.connectivity"
        assert seconds > 15
        assert monitor.output.count("sees nothing") + monitor.output.count("blind") <= 1
        print(f"{way}: blind for {seconds:.0f} s, 0 incidents, 0 notices")


@pytest.mark.parametrize("way", ["no route", "no answer"])
async def test_ipv6_that_is_broken_here_is_no_failure_of_a_target(tmp_path: Path, way: str) -> None:
    """A target that has nothing else cannot be told; it was never reached, and all others are well."""
    async with enclave(tmp_path) as inside:
        inside.do(*(f"ip addr add {one}/32 dev lo" for one in [*HOSTS, *CANARIES]))
        if way == "no answer":
            inside.do(*HOLE, "ip -6 addr add 2606:4700::9/128 dev hole nodad", f"ip -6 route add {SIX}/128 dev hole")
            inside.do(f"ip -6 neigh add {SIX} lladdr 02:00:00:00:00:01 dev hole")
        await inside.serve()
        modules = [module("four", HOSTS[0]), module("six", f"[{SIX}]")]
        async with inside.running(configuration(*modules)) as monitor:
            await eventually(lambda: inside.statuses()["four"] == "up", 30, "the other is up")
            await asyncio.sleep(18)
            assert inside.statuses() == {"four": "up", "six": "unknown"}
            assert inside.incidents() == []
            assert await monitor.leave() == 0
        codes = rows(inside, "SELECT DISTINCT code FROM observations WHERE module = 'six'")
        assert codes == [("self.connectivity",)]


async def test_ipv6_that_works_here_is_believed(tmp_path: Path) -> None:
    """Once something was reached over it, a target that falls silent there is down."""
    async with enclave(tmp_path) as inside:
        inside.do(*(f"ip addr add {one}/32 dev lo" for one in [*HOSTS, *CANARIES]))
        inside.do(f"ip -6 addr add {SIX}/128 dev lo nodad")
        await inside.serve()
        modules = [module("four", HOSTS[0]), module("six", f"[{SIX}]")]
        async with inside.running(configuration(*modules)) as monitor:
            await eventually(lambda: inside.statuses()["six"] == "up", 30, "it is up")
            inside.do(*HOLE, "ip -6 addr add 2606:4700::9/128 dev hole nodad", f"ip -6 addr del {SIX}/128 dev lo")
            inside.do(f"ip -6 route add {SIX}/128 dev hole", f"ip -6 neigh add {SIX} lladdr 02:00:00:00:00:01 dev hole")
            await eventually(lambda: inside.statuses()["six"] == "down", 40, "it is down")
            (incident,) = inside.incidents()
            assert incident["cause"]["code"] == "tcp.timeout"
            assert await monitor.leave() == 0


async def test_ports_that_run_out_are_our_own_trouble(tmp_path: Path) -> None:
    """Ten local ports, forty targets that hold theirs for a second and a half: runs without one say nothing."""
    async with enclave(tmp_path) as inside:
        inside.do("ip addr add 11.0.0.1/32 dev lo")
        await inside.serve()
        modules = [module(f"m{n}", HOSTS[0]) for n in range(40)]
        async with inside.running(configuration(*modules, canaries=False)) as monitor:
            await eventually(lambda: set(inside.statuses().values()) == {"up"}, 30, "all are up")
            inside.do("echo '60000 60009' > /proc/sys/net/ipv4/ip_local_port_range")
            inside.delay.write_text("1.5")
            code = "SELECT count(*) FROM observations WHERE code = 'self.resources'"
            await eventually(lambda: rows(inside, code)[0][0] > 5, 60, "ports run out")
            await asyncio.sleep(10)
            assert not {"down", "degraded"} & set(inside.statuses().values())
            inside.do("echo '32768 60999' > /proc/sys/net/ipv4/ip_local_port_range")
            inside.delay.write_text("0")
            await eventually(lambda: set(inside.statuses().values()) == {"up"}, 60, "all are up")
            assert inside.incidents() == []
            assert await monitor.leave() == 0
        assert rows(inside, "SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')") == [(0,)]
        print(f"{rows(inside, code)[0][0]} runs found no port")
