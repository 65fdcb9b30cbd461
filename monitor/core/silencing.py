"""Silencing: what people say about silences, and what time does to them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from monitor.core.board import Board
from monitor.core.codes import CODES
from monitor.core.effect import Answered, Effect, Hushed, Lifted, Refusal, Silenced
from monitor.core.history import History
from monitor.core.module import Priority
from monitor.core.reading import LONGEST_LINE, read_line
from monitor.core.silence import LONGEST, Scope, Silence, id_of, lifted

KEPT = timedelta(days=1)  # how long the board remembers silences that are over
FARTHEST = timedelta(days=90)  # how far ahead one may begin
MOST = 1000  # silences that are not over, at once
MOST_NAMED = 2000  # ids that one may name of a kind
KINDS = frozenset(code.rsplit(".", depth)[0] for code in CODES for depth in range(code.count(".") + 1))


def heard(board: Board, event: Silenced | Lifted, now: datetime) -> tuple[Board, list[Effect]]:
    """The board after a person's word about silences, with what to store and the answer."""
    board, effects = passed(board, now)
    board, more = _add(board, event, now) if isinstance(event, Silenced) else _lift(board, event, now)
    return board, [*effects, *more]


def passed(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """What time does: silences end."""
    over = [replace(one, ended_at=one.until) for one in board.silences.values() if _is_due(one, now)]
    return _with(board, over, "ended", now) if over else (board, [])


def silences_of(board: Board, history: History) -> list[Silence]:
    """All silences that are remembered, the newest first; the board knows better than the store."""
    known = {one.id: one for one in history.silences} | dict(board.silences)
    return sorted(known.values(), key=lambda one: (one.begins, one.created_at, one.id), reverse=True)


def _is_due(one: Silence, now: datetime) -> bool:
    return one.ended_at is None and one.until <= now


def _with(board: Board, news: Iterable[Silence], change: str, now: datetime) -> tuple[Board, list[Effect]]:
    news = list(news)
    known = {**board.silences, **{one.id: one for one in news}}
    kept = {id: one for id, one in known.items() if one.ended_at is None or now - one.ended_at < KEPT}
    return replace(board, silences=kept), [Hushed(one, change) for one in news]


def _add(board: Board, event: Silenced, now: datetime) -> tuple[Board, list[Effect]]:
    found = _read(board, event, now)
    if isinstance(found, Refusal):
        return board, [Answered("", found, changed=False)]
    if found.id in board.silences:
        return board, [Answered(found.id, changed=False)]
    board, effects = _with(board, [found], "added", now)
    return board, [*effects, Answered(found.id)]


def _lift(board: Board, event: Lifted, now: datetime) -> tuple[Board, list[Effect]]:
    one = board.silences.get(event.id, event.known)
    if one is None:
        return board, [Answered(event.id, Refusal("unknown", f"there is no silence {event.id[:40]}"), changed=False)]
    if one.ended_at is not None:
        return board, [Answered(one.id, changed=False)]
    board, effects = _with(board, [lifted(one, now, event.by)], "lifted", now)
    return board, [*effects, Answered(one.id)]


# -- what a person wants ----------------------------------------------------------------------------------------------


def _read(board: Board, event: Silenced, now: datetime) -> Silence | Refusal:
    """The silence that is wanted, from now on at the earliest; or why there is none."""
    author, reason = event.by, read_line({"": event.reason}, "reason", ())
    begins = max(event.begins or now, now)
    wrong = (
        _nobody(author)
        or (reason if isinstance(reason, Refusal) else None)
        or _untimely(begins, event.until, now)
        or _strange(board, event.scope)
    )
    if wrong is None and event.scope.is_everything and not event.everything:
        wrong = Refusal("wrong", "say what is silenced: modules, components, groups, priorities, an incident or codes")
    if wrong is None and event.everything and not event.scope.is_everything:
        wrong = Refusal("wrong", "either everything is silenced, or what is named")
    if wrong is None and sum(one.ended_at is None for one in board.silences.values()) >= MOST:
        wrong = Refusal("conflict", f"there are {MOST:,} silences already: lift some")
    if wrong is not None:
        return wrong
    assert author is not None
    assert not isinstance(reason, Refusal)
    said = (event.scope, author, reason[""], event.until, event.request)
    ids = (id_of(*said, again) for again in range(MOST))
    id = next(one for one in ids if event.request or one not in board.silences or not _is_over(board, one))
    return Silence(id, event.scope, author, reason[""], begins, event.until, now, event.request)


def _is_over(board: Board, id: str) -> bool:
    return board.silences[id].ended_at is not None


def _nobody(author: str | None) -> Refusal | None:
    return None if author else Refusal("wrong", "say who silences it: the author is missing")


def _untimely(begins: datetime, until: datetime, now: datetime) -> Refusal | None:
    if until <= now:
        return Refusal("wrong", "its end lies in the past: there is nothing left to silence")
    if until <= begins:
        return Refusal("wrong", "its end must be later than its beginning")
    if until - begins > LONGEST:
        return Refusal("wrong", f"it would last longer than {LONGEST.days} days: that is not silence but neglect")
    if begins - now > FARTHEST:
        return Refusal("wrong", f"it would begin in more than {FARTHEST.days} days")
    return None


def _strange(board: Board, scope: Scope) -> Refusal | None:
    """Whether something is named that does not exist."""
    platform, match = board.platform, scope.match
    groups = {group.id for group in platform.groups}
    named: tuple[tuple[str, frozenset[str] | None, Collection[str]], ...] = (
        ("module", match.modules, platform.modules),
        ("component", match.components, platform.components),
        ("group", match.groups, groups),
        ("priority", match.priorities, tuple(Priority)),
        ("code of a cause", scope.codes, KINDS),
    )
    for what, ids, known in named:
        if len(ids or ()) > MOST_NAMED:
            return Refusal("wrong", f"it names more than {MOST_NAMED:,} of a kind")
        for id in sorted(ids or ()):
            if id not in known:
                return Refusal("wrong", f"there is no {what} `{id[:LONGEST_LINE]}`{_nearest(id, known)}")
    return _strange_incident(board, scope.incident)


def _strange_incident(board: Board, id: str | None) -> Refusal | None:
    if id is None:
        return None
    incident = board.incidents.get(id)
    if incident is None:
        return Refusal("unknown", f"there is no open incident {id[:40]}")
    return None if incident.is_open else Refusal("conflict", "the incident is over: there is nothing to silence")


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower: Mapping[str, str] = {str(one).lower(): str(one) for one in known}
    found = get_close_matches(word[:100].lower(), by_lower, 1, 0.6)
    return f"; did you mean `{by_lower[found[0]]}`?" if found else ""
