"""Two hundred modules look at the same kind of hostile server at once, by the rounds of the program.

Every one of them gets its code, the event loop stands still for less than 50 ms of our own work, memory grows by less
than 50 MB, and the healthy modules beside them stay healthy.
"""

import asyncio
import gc
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence

import pytest

from monitor.core.probe import Probe
from monitor.turns import SWITCH

from .adversaries import adversaries
from .crowd import HOSTILE, crowd, crowd_of, serving
from .looking import probe_of, reaching
from .strangers import kinds, probes_of

MOST_LAG, MOST_GROWTH = 0.05, 50_000_000
COSTLY = {"JSON just costly enough": 40, "JSON of numbers": 15}  # these wait for one thread, half a second each
CODES = {name: code for name, (code, _) in adversaries(small=True).items()}
# What strikes first, their trick or the time limit, is a matter of how fast the machine is.
ALSO = {
    "http.body_too_large": "http.transfer_timeout",
    "http.truncated": "http.transfer_timeout",
    "http.headers_too_large": "http.header_drip",
    "http.malformed": "http.header_drip",
}


@pytest.fixture(scope="module")
def ports() -> Iterator[Mapping[str, int]]:
    """Every server, in a process of its own; threads take turns and garbage is collected as in the program."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()
    with serving() as ports:
        asyncio.run(_warm(ports))
        yield ports
    gc.unfreeze()
    sys.setswitchinterval(before)


async def _warm(ports: Mapping[str, int]) -> None:
    """Takes on the memory that every later crowd has."""
    async with reaching() as reach:
        await crowd(reach, *crowd_of(ports, "endless body", 1))


async def holds_up_nobody(
    hostile: Sequence[Probe],
    healthy: Sequence[Probe],
    codes: Collection[str | None],
    *,
    growth: int = MOST_GROWTH,
    nameservers: Sequence[str] = (),
    patience: float = 0.2,
) -> None:
    """Such a crowd gets these codes and takes no more memory, however often it is looked at. A machine only ever adds
    to a hold-up: beyond the bound it is looked at twice more, and the least of them is what the code does."""
    late = []
    while len(late) < 3 and not (late and min(late) < MOST_LAG):
        async with reaching(nameservers=nameservers, lookup_timeout=patience) as reach:
            told = await crowd(reach, hostile, healthy)
        print(f"lag {told.lag * 1000:.0f} ms, growth {told.growth / 1e6:.1f} MB, {told.seconds:.1f} s")
        assert told.codes <= set(codes)
        assert {result.code for _, result in told.healthy} == {None}
        assert told.growth < growth
        late.append(told.lag)
    assert min(late) < MOST_LAG


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("name", CODES)
async def test_two_hundred_modules_at_a_hostile_server(ports: Mapping[str, int], name: str) -> None:
    """Over HTTP, each over a connection of its own."""
    code = CODES[name]
    slow = code is not None and (code.endswith("timeout") or code.endswith("drip"))
    hostile, healthy = crowd_of(ports, name, 1.5 if slow else 6.0)
    await holds_up_nobody(hostile[: COSTLY.get(name, HOSTILE)], healthy, {code, ALSO.get(code or "", code)})


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("name", kinds())
async def test_two_hundred_modules_of_another_kind(ports: Mapping[str, int], name: str) -> None:
    """Over everything else that probes speak."""
    probe, codes = probes_of(name, ports)
    _, healthy = crowd_of(ports, "healthy", 5)
    await holds_up_nobody([probe] * HOSTILE, healthy, codes)


@pytest.mark.slow
@pytest.mark.alone
async def test_two_hundred_modules_in_a_zone_of_thousands_of_addresses(ports: Mapping[str, int]) -> None:
    """Each looks up a name of its own there; the first answers of all leave nothing but the way over TCP."""
    server = f"127.0.0.1:{ports['dns: cut off, and 4,000 addresses']}"
    hostile = [probe_of(f"http://shop-{n}.example.com/", limit=3, allow_private=False) for n in range(HOSTILE)]
    _, healthy = crowd_of(ports, "healthy", 5)
    await holds_up_nobody(
        hostile,
        healthy,
        {"dns.bogus_answer", "dns.timeout"},
        growth=2 * MOST_GROWTH,  # c-ares makes objects of what came before anybody can leave some of it out
        nameservers=[server],
        patience=1.5,
    )
