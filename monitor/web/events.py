"""Events: what has changed on the board, for pages that stay open, as server-sent events.

One event says which modules look different and which incidents are open; a page asks for the rest. Whoever reads
slowly misses nothing: each event tells the difference between the board it was told last and the newest one.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from monitor.core.board import Board
from monitor.core.incident import Incident
from monitor.core.observation import stamp
from monitor.core.statement import incidents_of
from monitor.web.access import is_still_in
from monitor.web.counter import Counter

EVERY = 1.0  # seconds between looks at the board
BEAT = 15.0  # seconds of silence after which a sign of life is sent
RETRY_MS = 3000  # after which a browser calls again
MOST = 200  # pages that listen at once

Looks = Mapping[str, Any]  # module id → everything that is shown of it; equal looks, equal boxes


class Wire:
    """The handler. What a board looks like is worked out once, however many listen."""

    def __init__(self, counter: Counter, trouble: Callable[[], object] = lambda: None) -> None:
        self.counter = counter
        self.listening = 0
        self._trouble = trouble
        self._seen: tuple[Board | None, Looks] = (None, {})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Tells of changes until the reader hangs up."""
        if self.listening >= MOST:
            raise web.HTTPServiceUnavailable(text="Too many pages listen already.\n", headers={"Retry-After": "30"})
        self.listening += 1
        try:
            return await self._tell(request)
        finally:
            self.listening -= 1

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        known, silent = self._now(), 0.0
        try:
            await response.write(f"retry: {RETRY_MS}\n\n".encode() + self._event([]))
            while True:
                await asyncio.sleep(EVERY)
                silent += EVERY
                if not is_still_in(request):
                    break
                newest = self._now()
                if newest != known:
                    changed = [id for id in (newest[0] | known[0].keys()) if newest[0].get(id) != known[0].get(id)]
                    await response.write(self._event(sorted(changed)))
                    known, silent = newest, 0.0
                elif silent >= BEAT:
                    await response.write(b": still here\n\n")
                    silent = 0.0
        except ConnectionError:
            pass  # nobody listens any more
        return response

    def _event(self, changed: list[str]) -> bytes:
        board = self.counter.board()
        told = {
            "generated_at": stamp(self.counter.clock.now()),
            "modules": changed,
            "incidents": [one.id for one in incidents_of(board, self.counter.history()) if one.is_open],
        }
        return f"event: board\ndata: {json.dumps(told, separators=(',', ':'))}\n\n".encode()

    def _now(self) -> tuple[Looks, Looks, object]:
        """(modules, incidents, the monitor itself), as they look on a page."""
        board = self.counter.board()
        if self._seen[0] is not board:
            self._seen = (board, looks_of(board))
        incidents = {id: _look_of(one) for id, one in board.incidents.items()}
        blind = {place: vantage.blind_since for place, vantage in board.vantages.items()}
        hushed = [(one.id, one.ended_at) for one in board.silences.values()]
        return self._seen[1], incidents, (blind, board.ailing, self._trouble(), hushed)


def looks_of(board: Board) -> dict[str, Any]:
    """What is shown of each module, but for times that go on by themselves."""
    found: dict[str, Any] = {id: [board.modules.get(id), board.version_of(id)] for id in board.platform.modules}
    for (module, probe, place), track in board.tracks.items():
        if module in found and track.last is not None:
            found[module].append((probe, place, track.last.outcome, track.last.code))
    for one in board.incidents.values():
        for member in one.members if one.is_open else ():
            if member.module in found:
                found[member.module].append((one.id, member.role))
    return found


def _look_of(incident: Incident) -> tuple[object, ...]:
    cause = incident.cause
    people = (len(incident.acts), incident.acknowledged_at, incident.published_at)
    return (incident.stage, incident.impact, len(incident.updates), incident.members, cause.module, cause.code, people)
