"""Following: whoever wants to read along what is seen, as `monitor record` does."""

import asyncio
from collections.abc import AsyncIterator

from monitor.core.observation import Observation

MOST = 2000  # observations that wait for whoever reads slowly; past that lines are missed


class Following:
    """Those who read along."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[Observation]] = set()

    def tell(self, observation: Observation) -> None:
        """Lets everybody read it; who is too slow misses lines."""
        for reader in self._readers:
            if not reader.full():
                reader.put_nowait(observation)

    async def follow(self) -> AsyncIterator[Observation]:
        """What is seen from now on."""
        reader: asyncio.Queue[Observation] = asyncio.Queue(MOST)
        self._readers.add(reader)
        try:
            while True:
                yield await reader.get()
        finally:
            self._readers.discard(reader)
