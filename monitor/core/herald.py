"""Herald: what each step decides becomes events of its incident, and who is told of them, in the same step.

So the fact and the words about it are stored together, or not at all. While no incident changes there is nothing to do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core import deadline, gathering
from monitor.core.board import Board
from monitor.core.effect import Arranged, Effect, Happened, Hushed, Informed, Saved
from monitor.core.findings import code_seen
from monitor.core.incident import Incident
from monitor.core.intent import Intent, Notice, Withheld
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.core.notice import ENDINGS, held, plan, turn
from monitor.core.silence import silenced
from monitor.core.told import Quiet, Told, Turn, moved

QUIET = ("waiting", *ENDINGS)  # turns that were told to be kept back when they came about
EVENTS = dict.fromkeys(QUIET, "opened")  # what a turn is called as an event, where that is not its kind
WAKE = timedelta(seconds=1)  # after work on a module has ended


def announced(board: Board, effects: list[Effect]) -> tuple[Board, list[Effect]]:
    """The effects, with an event and its notices behind each change of an incident."""
    promised = bool(board.platform.plans)
    if not any(type(one) in (Hushed, Arranged) or (type(one) is Saved and (one.change or promised)) for one in effects):
        return board, effects
    found: list[Effect] = []
    for effect in effects:
        found.append(effect)
        if isinstance(effect, Hushed) and effect.silence.is_lifted:
            lifted = effect.silence
            board, more = _let_go(board, lifted.until, lifted.ended_at or lifted.until)
            found += more
        if isinstance(effect, Arranged) and (ended := effect.work.ended_at) is not None:
            board, more = _let_go(board, effect.work.planned_until, ended)
            found += more
        if isinstance(effect, Saved) and effect.change is not None:
            incident, at, platform = effect.incident, effect.at, board.platform
            told = board.told.get(incident.id, Told())
            quiet = _kept_back(board, incident, at)
            if quiet is None and told.turns:
                told = _freed(told, _ends(board), at)
            told, said = plan(told, incident, effect.change, at, platform.routes, platform, quiet)
            told, event = _event(told, incident, effect.change.value, at, said)
            board, kept = gathering.gathered(_with(board, incident.id, told), incident, effect.change, at)
            found += [event, Informed(incident.id, told), *kept]
        if isinstance(effect, Saved) and promised:
            board, more = _timed(board, effect.incident)
            found += more
    return with_told(board), found


def turned(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """What has come due is told, in order of time; late turns come once."""
    if board.turn_at is None or board.turn_at > now:
        return board, []
    found: list[Effect] = []
    reminded: set[tuple[str, str]] = set()
    ready = [(one.at, id, n, one) for id, told in board.told.items() for n, one in enumerate(told.turns)]
    for _, id, _, one in sorted((each for each in ready if each[0] <= now), key=lambda each: each[:3]):
        told, incident = board.told[id], board.incidents.get(id)
        if not any(one is other for other in told.turns):
            continue  # what came before it made an end of it
        if incident is None:
            told = replace(told, turns=())
        elif one.kind == deadline.KIND and deadline.is_overtaken(told, one, now):
            told = deadline.passed_over(told, one)
        elif one.kind != "resolved" and (reason := _kept_back(board, incident, now)) is not None:
            told = held(told, one, max(reason.until, now + WAKE))
            said: list[Intent] = [Withheld(now, reason.why, id)] if one.kind not in QUIET else []
            found += _said(told, incident, one, now, said)
            told = replace(told, seq=told.seq + bool(said))
        elif one.kind == deadline.KIND:
            told, said = deadline.tell(told, incident, one, now, board.platform)
            found += _said(told, incident, one, now, said)
            told = replace(told, seq=told.seq + bool(said))
        else:
            told, said = turn(told, incident, one, now, board.platform.routes, board.platform)
            if one.kind == "reminder":  # two routes may remind the same channel at once
                said = [each for each in said if isinstance(each, Withheld) or (id, each.channel) not in reminded]
                reminded |= {(id, each.channel) for each in said if isinstance(each, Notice)}
            found += _said(told, incident, one, now, said)
            told = replace(told, seq=told.seq + bool(said))
        board = _with(board, id, told)
        found.append(Informed(id, told))
    board, more = gathering.told(board, now)
    return with_told(board), [*found, *more]


def shifted(board: Board, by: timedelta, now: datetime) -> tuple[Board, list[Effect]]:
    """The clock was set by so much, to `now`: what was to come in ten minutes still comes in ten minutes."""
    found: list[Effect] = []
    for id, before in board.told.items():
        if (told := deadline.shifted(moved(before, by, now), by, board.platform)) != before:
            board = _with(board, id, told)
            found.append(Informed(id, told))
    board, more = gathering.shifted(board, by, now)
    return with_told(board), [*found, *more]


def counted(board: Board, heard: Mapping[str, int]) -> Board:
    """After a restart: people have heard of this many events of these incidents, whatever of them is stored. The next
    one comes after them."""
    beyond = {id: seq for id, seq in heard.items() if seq > board.told.get(id, Told()).seq}
    told = {id: replace(board.told.get(id, Told()), seq=seq) for id, seq in beyond.items()}
    return replace(board, told={**board.told, **told})


def retimed(board: Board, effects: list[Effect], before: Platform) -> tuple[Board, list[Effect]]:
    """After a new configuration: clocks run by what its plans promise."""
    hours = {one.id: one.clock for one in board.platform.plans}
    changed = [one.id for one in before.plans if one.id in hours and one.clock != hours[one.id]]
    found = list(effects)
    for incident in board.incidents.values() if before.plans or hours else ():
        if (told := board.told.get(incident.id)) is not None and changed:
            board = _with(board, incident.id, deadline.forgotten(told, changed))
        board, more = _timed(board, incident)
        found += more
    return board, found


def _timed(board: Board, incident: Incident) -> tuple[Board, list[Effect]]:
    """What is to be told of its clocks, as they run now."""
    before = board.told.get(incident.id, Told())
    told = deadline.timed(before, incident, board.platform)
    if told == before:
        return board, []
    return _with(board, incident.id, told), [Informed(incident.id, told)]


def _said(told: Told, incident: Incident, one: Turn, now: datetime, said: list[Intent]) -> list[Effect]:
    event = deadline.event_of(one.what) if one.kind == deadline.KIND else EVENTS.get(one.kind, one.kind)
    return [_event(told, incident, event, now, said)[1]] if said else []


def _event(told: Told, incident: Incident, what: str, at: datetime, said: Iterable[Intent]) -> tuple[Told, Happened]:
    seq = told.seq + 1
    return replace(told, seq=seq), Happened(incident, seq, what, at, tuple(said))


def _kept_back(board: Board, incident: Incident, now: datetime) -> Quiet | None:
    """Until when nobody is to hear of an incident, and why."""
    if (silence := silenced(board.silences.values(), incident, board.platform, now)) is not None:
        return Quiet(silence.until, f"silenced:{silence.id}")
    return worked_on(board, incident)


def _ends(board: Board) -> set[datetime]:
    """When silences and planned work end."""
    return {one.until for one in board.silences.values()} | {one.planned_until for one in board.agenda.works.values()}


def _let_go(board: Board, until: datetime, at: datetime) -> tuple[Board, list[Effect]]:
    """A silence, or work, ended earlier than it was to: what it kept back comes now, unless something else keeps it
    back."""
    found: list[Effect] = []
    for id, before in board.told.items():
        told = _freed(before, {until}, at)
        if told != before:
            board = _with(board, id, told)
            found.append(Informed(id, told))
    return board, found


def _freed(told: Told, ends: set[datetime], at: datetime) -> Told:
    """What waited for the end of a silence, or of planned work, comes now."""

    def waited(one: Turn) -> bool:
        return one.fixed and (one.at in ends or one.kind in ENDINGS)

    turns = (replace(one, at=min(one.at, at)) if waited(one) else one for one in told.turns)
    return replace(told, turns=tuple(turns))


def worked_on(board: Board, incident: Incident) -> Quiet | None:
    """Until when planned work holds back what is said of an incident: all that fails is worked on, and fails in a way
    that the work announced."""
    failing = [m.module for m in incident.members if m.until is None and m.seen]
    if not failing or not board.agenda.going_on:
        return None
    works = [[one for one in board.agenda.concerning(id) if _is_announced(board, one, id)] for id in failing]
    if not all(works):
        return None
    first = min((one for some in works for one in some), key=lambda one: (one.planned_until, one.id))
    return Quiet(first.planned_until, f"maintenance:{first.id}")


def _is_announced(board: Board, work: Maintenance, module: str) -> bool:
    return work.excused(board.status(module), code_seen(board, module))


def _with(board: Board, id: str, told: Told) -> Board:
    """The board with what was told of an incident; what is over and forgotten there is forgotten here."""
    kept = {other: one for other, one in board.told.items() if other in board.incidents or one.turns}
    return with_told(replace(board, told={**kept, id: told}))


def with_told(board: Board) -> Board:
    """The board, knowing when the next turn comes."""
    due = [*(one.due_at for one in board.told.values()), *(one.due_at for one in board.digests.values())]
    return replace(board, turn_at=min(filter(None, due), default=None))
