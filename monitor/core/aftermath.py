"""Aftermath: what still fails though its root recovered has trouble of its own."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.cause import groups_of
from monitor.core.effect import Saved
from monitor.core.incident import Change, Incident, Stage, Update, key_of, with_update
from monitor.core.observation import stamp
from monitor.core.standing import is_unasked, last_failure, opened, save, silent_about, with_cause

OUTLIVES = timedelta(minutes=2)  # a member that fails so long after its root recovered has trouble of its own


def outlive(board: Board, incident: Incident, now: datetime) -> tuple[Board, list[Saved]]:
    """Members that still fail two minutes after their root recovered become incidents of their own."""
    root = incident.member(incident.cause.module) if incident.cause.module else None
    if root is None or root.until is None or not root.seen or now < root.until + OUTLIVES:
        return board, []
    end = root.until
    left = [m for m in incident.members if m.until is None and m.seen]
    if any(m.since > end for m in left):
        return board, []  # it began again after that: a relapse
    outlives = {m.module for m in left if last_failure(board, m.module) >= end + OUTLIVES}
    if not outlives or not all(m.module in outlives or is_unasked(board, m.module, end) for m in left):
        return board, []
    members = tuple(replace(m, until=now) if m.until is None else m for m in incident.members)
    over = replace(incident, members=members, resolved_at=now)
    over = with_update(over, Update(now, Stage.RESOLVED, "outlived", {"modules": sorted(outlives)}))
    board, saved = save(board, over, Change.RESOLVED, now)
    since = {m.module: m for m in left if m.module in outlives}
    unasked = [replace(m, role="affected") for m in left if m.module not in outlives]
    seen = silent_about(board, {m.module for m in unasked}, now)
    groups = groups_of(seen, now, {id: m.since for id, m in since.items()}, min(m.since for m in left))
    weighed = {id for group in groups for id in group.modules}
    unasked += [replace(m, role="affected") for id, m in since.items() if id not in weighed]
    for group in groups:
        own = [since[id] for id in group.modules if id in since]
        if not own:
            continue
        first, *others = sorted(own, key=lambda m: (m.module != group.root, m.since, m.module))
        begun = opened(board, replace(first, role="affected"), group, now)
        if begun.id in board.incidents:
            begun = replace(begun, key=key_of(first.module, end))
        members = (*begun.members, *(replace(m, role="affected") for m in others), *unasked)
        unasked = []
        trigger = {"kind": "aftermath", "module": root.module, "from": None, "to": None, "at": stamp(end)}
        begun = replace(begun, members=members, started_at=min(m.since for m in own))
        if over.published_at is not None:
            begun = replace(begun, published_at=now)  # readers are told that it goes on
        begun = with_cause(board, begun, replace(begun.cause, trigger=trigger))
        board, more = save(board, begun, Change.OPENED, now)
        saved += more
    return board, saved
