"""Gathering: what routes with a digest tell is kept until its time has come, and told in one message."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.concern import fits
from monitor.core.digest import Digest, Line, line_from_json, line_to_json
from monitor.core.effect import Effect, Gathered, Summed
from monitor.core.headline import what_of
from monitor.core.incident import Change, Incident
from monitor.core.outbox import Letter
from monitor.core.route import Rhythm
from monitor.core.silence import silenced

OWN = "self:digest:"  # what the ids of its letters begin with, before channel and moment
WHY = "digest "  # … and why they are sent, before what they tell
NEWS = frozenset({Change.OPENED, Change.REOPENED, Change.RESOLVED, Change.WORSENED, Change.EASED, Change.CAUSE_CHANGED})


def gathered(board: Board, incident: Incident, change: Change, at: datetime) -> tuple[Board, list[Effect]]:
    """A change of an incident, kept for whoever is told in digests: one line for each incident."""
    found: list[Effect] = []
    for channel, rhythm in _gatherers(board, incident, change):
        digest = board.digests.get(channel, Digest())
        due_at, fixed = digest.due_at, digest.fixed
        if not digest.lines or due_at is None:
            due_at, fixed = rhythm.next_at(at), rhythm.every is None
        line = Line(
            incident.id,
            what_of(incident, board.platform),
            incident.cause.code,
            incident.priority.value,
            incident.started_at,
            (incident.ended_at or incident.resolved_at) if not incident.is_open else None,
            incident.reopened,
        )
        digest = replace(digest, due_at=due_at, fixed=fixed, lines={**digest.lines, incident.id: line})
        board = _with(board, channel, digest)
        found.append(Gathered(channel, digest))
    return board, found


def told(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Digests whose time has come; of what is silenced then they tell the next time."""
    found: list[Effect] = []
    for channel, digest in board.digests.items():
        if digest.due_at is None or digest.due_at > now:
            continue
        hours = board.platform.hours.get(channel)
        if hours is not None and not hours.within(now):
            later = replace(digest, due_at=hours.opens_at(now), fixed=True)
            board = _with(board, channel, later)
            found.append(Gathered(channel, later))
            continue
        kept = {id: line for id, line in digest.lines.items() if _is_silenced(board, id, now)}
        lines = tuple(line for id, line in digest.lines.items() if id not in kept)
        rhythm = _rhythm(board, channel) if kept else None
        if kept and rhythm is None:
            kept, lines = {}, tuple(digest.lines.values())
        going_on = {line.incident for line in lines if line.ended_at is None}
        unended = (digest.unended - {line.incident for line in lines}) | going_on
        after = Digest(rhythm.next_at(now) if rhythm else None, bool(rhythm and rhythm.every is None), kept, unended)
        board = _with(board, channel, after)
        found.append(Gathered(channel, after))
        if lines:
            found.append(Summed(channel, now, lines))
    return board, found


def shifted(board: Board, by: timedelta, now: datetime) -> tuple[Board, list[Effect]]:
    """The clock was set: an hour stays an hour, and nine in the morning is nine by the new clock."""
    found: list[Effect] = []
    for channel, digest in board.digests.items():
        if digest.due_at is None:
            continue
        rhythm = _rhythm(board, channel)
        due_at = rhythm.next_at(now) if digest.fixed and rhythm is not None else digest.due_at + by
        digest = replace(digest, due_at=due_at)
        board = _with(board, channel, digest)
        found.append(Gathered(channel, digest))
    return board, found


def letter_of(summed: Summed) -> Letter:
    """The letter of a digest: by itself, so that no later one is told in its place. What it tells goes with it."""
    content = json.dumps([line_to_json(one) for one in summed.lines], ensure_ascii=False, separators=(",", ":"))
    incident = f"{OWN}{summed.channel}:{int(summed.at.timestamp())}"
    return Letter(incident, 1, summed.channel, "summary", f"{WHY}{content}", summed.at)


def lines_of(letter: Letter) -> list[Line] | None:
    """What the letter of a digest tells; None for any other."""
    if not letter.why.startswith(WHY):
        return None
    return [line_from_json(one) for one in json.loads(letter.why.removeprefix(WHY))]


def _gatherers(board: Board, incident: Incident, change: Change) -> Iterable[tuple[str, Rhythm]]:
    """The channels that are to hear of a change in a digest, and how often they hear."""
    found: dict[str, Rhythm] = {}
    for route in board.platform.routes:
        if route.digest is None:
            continue
        meant = fits(route.match, incident, board.platform)
        for channel in route.channels:
            digest = board.digests.get(channel, Digest())
            known = incident.id in digest.lines or (change is Change.RESOLVED and incident.id in digest.unended)
            if known or (meant and change in NEWS):
                found.setdefault(channel, route.digest)
    return found.items()


def _rhythm(board: Board, channel: str) -> Rhythm | None:
    routes = (one for one in board.platform.routes if one.digest is not None and channel in one.channels)
    return next((one.digest for one in routes), None)


def _is_silenced(board: Board, id: str, now: datetime) -> bool:
    incident = board.incidents.get(id)
    return incident is not None and silenced(board.silences.values(), incident, board.platform, now) is not None


def _with(board: Board, channel: str, digest: Digest) -> Board:
    return replace(board, digests={**board.digests, channel: digest})
