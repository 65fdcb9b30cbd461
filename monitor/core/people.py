"""People: what follows from what a person says. They write, correct, end and publish; the monitor's own judging of
statuses goes on as if nobody had spoken.

A word that is not followed comes back with its reason. Said twice it is followed once: by the name of its request, or
where the same was said a moment ago.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.board import Board
from monitor.core.effect import Answered, Effect, Refusal, Spoken
from monitor.core.incident import Act, Cause, Change, Incident, Member, Stage, Update, key_of, with_update
from monitor.core.lowering import fitting, is_lower, limited, with_lowered
from monitor.core.module import Platform, Priority, Status
from monitor.core.observation import stamp
from monitor.core.reading import LONGEST_SUMMARY, read_line, read_text
from monitor.core.standing import save, with_cause
from monitor.core.text import Text
from monitor.core.word import Acknowledge, Correct, Edit, Lower, Open, Reply, Word, Write

IMPACTS = ("minor", "major", "critical")
PRIORITY = {"minor": Priority.NORMAL, "major": Priority.HIGH, "critical": Priority.URGENT}
LONGEST_TICKET = 40
AGAIN = timedelta(minutes=10)  # within which the same text is taken for the same request, sent once more
LONG_AGO = timedelta(days=366)
SEEN_NOW = timedelta(seconds=10)  # trouble of a place is looked for every second
BEGINNING = (Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.MONITORING)
OVER = (Stage.RESOLVED, Stage.POSTMORTEM)

Followed = tuple[Incident, Change | None, str, Mapping[str, Any]]  # what to save, what happened, the act and its detail


def heard(board: Board, spoken: Spoken, now: datetime) -> tuple[Board, list[Effect]]:
    """The board after a person's word, with what to store and the answer."""
    if isinstance(spoken.word, Open):
        return _open(board, spoken.word, spoken, now)
    id = spoken.word.incident
    incident = board.incidents.get(id, spoken.known)
    if incident is None:
        return board, [Answered(id, Refusal("unknown", f"there is no incident {id}"), changed=False)]
    if spoken.request is not None and any(act.request == spoken.request for act in incident.acts):
        return board, [Answered(id, changed=False)]
    if spoken.seen is not None and (late := overtaken(incident, spoken.word, spoken.seen)) is not None:
        return board, [Answered(id, late, changed=False)]
    found = _follow(board, incident, spoken.word, now)
    if found is None or isinstance(found, Refusal):
        return board, [Answered(id, found, changed=False)]
    incident, change, what, detail = found
    return _kept(board, incident, change, Act(now, what, spoken.by, spoken.request, detail), now)


def _kept(
    board: Board, incident: Incident, change: Change | None, act: Act, now: datetime
) -> tuple[Board, list[Effect]]:
    board, saved = save(board, replace(incident, acts=(*incident.acts, act)), change, now)
    return board, [*saved, Answered(incident.id)]


def _follow(board: Board, incident: Incident, word: Word, now: datetime) -> Followed | Refusal | None:
    """What becomes of an incident; None where nothing is new."""
    match word:
        case Write():
            return _write(board, incident, word, now)
        case Correct():
            return _correct(board, incident, word, now)
        case Edit():
            return _edit(board, incident, word)
        case Acknowledge():
            return _acknowledge(incident, now)
        case Reply():
            return _reply(board, incident, word, now)
        case Lower():
            return _lower(board, incident, word, now)
        case _:
            return _publish(incident, now)


CLASHES: Mapping[type[Word], tuple[str, ...]] = {  # acts of others after which these words are to be thought over
    Write: ("updated", "resolved", "postmortem"),
    Correct: ("corrected", "postmortem"),
    Edit: ("edited",),
    Lower: ("lowered", "edited"),
}


def overtaken(incident: Incident, word: Word, seen: int) -> Refusal | None:
    """Why a word does not hold any more that was made when its person had seen so many acts: what somebody else did
    since then would be lost, or stand there twice."""
    clashing = CLASHES.get(type(word), ())
    for act in incident.acts[seen:]:
        if act.what not in clashing or (
            isinstance(word, Correct) and act.detail.get("update") not in (None, word.number)
        ):
            continue
        who = act.by or "somebody else"
        return Refusal(
            "outdated", f"{who} was faster ({act.what}, {act.at:%H:%M:%S} UTC): look again, then say it again"
        )
    return None


# -- the timeline -----------------------------------------------------------------------------------------------------


def _write(board: Board, incident: Incident, word: Write, now: datetime) -> Followed | Refusal | None:
    stage = word.stage or (incident.stage if incident.is_open else Stage.RESOLVED)
    body = read_text(word.body, "message", board.platform.languages, needed=word.stage is not Stage.RESOLVED)
    if isinstance(body, Refusal):
        return body
    if stage is Stage.POSTMORTEM and incident.is_open:
        return Refusal("conflict", "it is not over yet: a postmortem is written once it is resolved")
    if not incident.is_open and stage not in OVER:
        return Refusal("conflict", "it is over: write its postmortem, or open another incident")
    confirmed = _confirmed(board, incident, word.confirm)
    if isinstance(confirmed, Refusal):
        return confirmed
    if confirmed == incident and _was_said(incident, stage, body, now):
        return None
    if not incident.is_open:
        return _afterwards(confirmed, stage, body, now)
    if stage is not Stage.RESOLVED:
        return with_update(confirmed, _said(now, stage, body)), None, "updated", {}
    return _resolve(board, confirmed, body, now)


def _was_said(incident: Incident, stage: Stage, body: Text, now: datetime) -> bool:
    """Whether a person said just this a moment ago; or wants to end what a person ended, with nothing to add."""
    if not body:
        return not incident.is_open
    last = next((one for one in reversed(incident.updates) if one.author != "monitor"), None)
    same = last is not None and last.stage is stage and last.body == body and now - last.at <= AGAIN
    return same and incident.stage is stage


def _said(now: datetime, stage: Stage, body: Text) -> Update:
    return Update(now, stage, "said" if body else "resolved", author="person", body=body or None)


def _afterwards(incident: Incident, stage: Stage, body: Text, now: datetime) -> Followed | Refusal | None:
    """More about what is over. It has one postmortem: another text takes the place of the first."""
    learned = next((n for n, one in enumerate(incident.updates) if one.stage is Stage.POSTMORTEM), None)
    if learned is None:
        what = "postmortem" if stage is Stage.POSTMORTEM else "updated"
        return with_update(incident, _said(now, stage, body)), None, what, {}
    if stage is Stage.POSTMORTEM:
        return _corrected(incident, learned + 1, body, now)
    return Refusal("conflict", f"it is over and has its postmortem: correct that, which is update {learned + 1}")


def _resolve(board: Board, incident: Incident, body: Text, now: datetime) -> Followed | Refusal:
    failing = _failing(board, incident, now)
    if failing:
        return Refusal("conflict", f"still failing: {', '.join(failing)}; it is resolved once nothing fails any more")
    members = tuple(m if m.until else replace(m, until=max(now, m.since)) for m in incident.members)
    ended = replace(with_update(incident, _said(now, Stage.RESOLVED, body)), members=members, resolved_at=now)
    return ended, Change.RESOLVED, "resolved", {}


def _failing(board: Board, incident: Incident, now: datetime) -> list[str]:
    """What of an incident fails at the moment: ids of modules, or of places."""
    if incident.is_regional:
        lasting = [one for one in board.regional.values() if now - one.seen_at <= SEEN_NOW]
        return sorted({place for one in lasting for place in one.locations if place in incident.cause.locations})
    bad = (Status.DOWN, Status.DEGRADED)
    return [m.module for m in incident.members if m.until is None and m.seen and board.status(m.module) in bad]


def _correct(board: Board, incident: Incident, word: Correct, now: datetime) -> Followed | Refusal | None:
    body = read_text(word.body, "message", board.platform.languages)
    if isinstance(body, Refusal):
        return body
    if not 1 <= word.number <= len(incident.updates):
        return Refusal("unknown", f"there is no update {word.number}: it has {len(incident.updates)}")
    return _corrected(incident, word.number, body, now)


def _corrected(incident: Incident, number: int, body: Text, now: datetime) -> Followed | None:
    """The texts that are given take the place of those in the same languages; what stood there is kept in the act."""
    before = incident.updates[number - 1]
    body = {**(before.body or {}), **body}
    if body == before.body:
        return None
    after = replace(before, body=body, author="person", updated_at=now)
    updates = tuple(after if n == number else one for n, one in enumerate(incident.updates, 1))
    was = None if before.body is None else dict(before.body)
    return replace(incident, updates=updates), None, "corrected", {"update": number, "was": was}


# -- what stands above it ---------------------------------------------------------------------------------------------


def _edit(board: Board, incident: Incident, word: Edit) -> Followed | Refusal | None:
    languages = board.platform.languages
    changed = _confirmed(board, incident, word.confirm)
    if isinstance(changed, Refusal):
        return changed
    if word.title is not None:
        title = read_line(word.title, "title", languages, needed=incident.by_hand)
        if isinstance(title, Refusal):
            return title
        changed = replace(changed, title=title or None)
    if word.summary is not None:
        summary = read_text(word.summary, "summary", languages, LONGEST_SUMMARY, needed=False)
        if isinstance(summary, Refusal):
            return summary
        changed = replace(changed, summary=summary or None)
    if word.impact == "" and incident.impact_said and not incident.by_hand:
        changed = _measured(board, changed)
    elif word.impact:
        if (strange := _strange_impact(word.impact)) is not None:
            return strange
        changed = replace(changed, impact=word.impact, impact_said=True)
        if incident.by_hand:
            priority, lowered = limited(incident, PRIORITY[word.impact])
            changed = replace(changed, priority=priority, lowered=lowered)
    if changed == incident:
        return None
    was = {name: text and dict(text) for name, text in (("title", incident.title), ("summary", incident.summary))}
    return changed, None, "edited", {**was, "impact": incident.impact}


def _measured(board: Board, incident: Incident) -> Incident:
    """The incident with the impact that it had before a person set one, or has now where that is worse."""
    before = next((act.detail["impact"] for act in incident.acts if act.what == "edited"), incident.impact)
    incident = replace(incident, impact=before, impact_said=False)
    return with_cause(board, incident, incident.cause) if incident.is_open else incident


def _strange_impact(impact: str) -> Refusal | None:
    known = impact in IMPACTS
    return None if known else Refusal("wrong", f"`{impact[:40]}` is no impact: it is one of {', '.join(IMPACTS)}")


def _confirmed(board: Board, incident: Incident, confirm: str | bool) -> Incident | Refusal:
    """The incident with its cause confirmed, if that is what was said; it stays whatever the evidence says later."""
    cause = incident.cause
    if confirm is False or (confirm is True and cause.state == "confirmed"):
        return incident
    if isinstance(confirm, str):
        if confirm not in board.platform.modules:
            return Refusal("wrong", f"there is no module `{confirm[:100]}` in the configuration")
        if confirm != cause.module:
            cause = replace(cause, scope="module", module=confirm, shared=None)
    elif cause.module is None and (cause.shared or {}).get("kind", "unknown") == "unknown":
        return Refusal("conflict", "no cause is named yet: say which module it comes from")
    cause = replace(cause, state="confirmed", confidence=1.0)
    if incident.is_open and not incident.by_hand:
        return with_cause(board, incident, cause)
    members = (replace(m, role="root" if m.module == cause.module else "affected") for m in incident.members)
    return replace(incident, cause=cause, members=tuple(members))


def _acknowledge(incident: Incident, now: datetime) -> Followed | Refusal | None:
    """A person says mine; some time later, that it still is: otherwise that expires."""
    last = next((act.at for act in reversed(incident.acts) if act.what == "acknowledged"), None)
    known = incident.acknowledged_at is not None
    if known and (not incident.is_open or (last is not None and timedelta(0) <= now - last < AGAIN)):
        return None
    if not incident.is_open:
        return Refusal("conflict", "it is over: there is nothing to acknowledge")
    acknowledged = replace(incident, acknowledged_at=incident.acknowledged_at or now)
    return acknowledged, Change.ACKNOWLEDGED, "acknowledged", {}


def _lower(board: Board, incident: Incident, word: Lower, now: datetime) -> Followed | Refusal | None:
    """It stays in the timeline with its reason, and with what is measured of its modules now."""
    if word.priority not in list(Priority):
        return Refusal("wrong", f"`{word.priority[:40]}` is no priority: it is one of {', '.join(Priority)}")
    reason = read_text(word.reason, "reason", board.platform.languages)
    if isinstance(reason, Refusal):
        return reason
    if not incident.is_open:
        return Refusal("conflict", "it is over: its priority stays as it was")
    priority = Priority(word.priority)
    if incident.lowered is not None and incident.priority is priority and now - incident.lowered.at <= AGAIN:
        return None
    if not is_lower(priority, incident.priority):
        return Refusal("conflict", f"its priority is {incident.priority} already: it can only be lowered")
    evidence = fitting(board, incident)
    statuses = {one.module: board.status(one.module) for one in incident.members if one.seen and one.until is None}
    detail = {"from": incident.priority, "to": priority, "evidence": evidence}
    return with_lowered(incident, priority, reason, statuses, now), Change.LOWERED, "lowered", detail


def _reply(board: Board, incident: Incident, word: Reply, now: datetime) -> Followed | Refusal | None:
    """It is an answer to the plan of that store, whenever it is heard of."""
    client = next((one for one in board.platform.clients if one.id == word.store), None)
    if word.store and client is None:
        return Refusal("wrong", f"there is no store `{word.store[:100]}` in the configuration")
    if not word.ticket or len(word.ticket) > LONGEST_TICKET or not word.ticket.isprintable():
        return Refusal("wrong", f"`ticket` is its number, of up to {LONGEST_TICKET} letters")
    if not incident.started_at <= word.at <= now + SEEN_NOW:
        return Refusal("wrong", "it was answered after the incident began, and not in the future")
    plan = None if client is None else client.plan
    detail = {"at": stamp(word.at), "ticket": word.ticket, "store": word.store or None, "plan": plan}
    known = any(act.what == "replied" and act.detail == detail for act in incident.acts)
    return None if known else (incident, None, "replied", detail)


def _publish(incident: Incident, now: datetime) -> Followed | None:
    if incident.published_at is not None:
        return None
    return replace(incident, published_at=now), None, "published", {}


# -- by hand ----------------------------------------------------------------------------------------------------------


def _open(board: Board, word: Open, spoken: Spoken, now: datetime) -> tuple[Board, list[Effect]]:
    """Opens an incident by hand, unless this request, or one that says the same, has opened it already."""
    found = _opened(board, word, now)
    if isinstance(found, Refusal):
        return board, [Answered("", found, changed=False)]
    for one in board.incidents.values():
        if one.by_hand and _is_same(one, found, spoken.request, now):
            return board, [Answered(one.id, changed=False)]
    return _kept(board, found, Change.OPENED, Act(now, "opened", spoken.by, spoken.request), now)


def _is_same(one: Incident, other: Incident, request: str | None, now: datetime) -> bool:
    if request is not None and one.acts[0].request == request:
        return True
    said = [(i.title, i.components, [m.module for m in i.members], i.updates[0].body) for i in (one, other)]
    return said[0] == said[1] and one.is_open and now - one.detected_at <= AGAIN


def _opened(board: Board, word: Open, now: datetime) -> Incident | Refusal:
    platform = board.platform
    title = read_line(word.title, "title", platform.languages)
    body = read_text(word.body, "message", platform.languages)
    for wrong in (title, body, _strange_impact(word.impact), _strangers(platform, word)):
        if isinstance(wrong, Refusal):
            return wrong
    assert not isinstance(title, Refusal)
    assert not isinstance(body, Refusal)
    if word.stage not in BEGINNING:
        return Refusal("wrong", f"an incident begins as one of {', '.join(BEGINNING)}, not as {word.stage}")
    started_at = word.started_at or now
    if not timedelta(0) <= now - started_at <= LONG_AGO:
        return Refusal("wrong", "it began within the last year, and not in the future: planned work is maintenance")
    touched = {*word.components, *platform.components_of(word.modules)}
    return Incident(
        key=_key(board, (*word.modules, *word.components)[0], now),
        started_at=started_at,
        detected_at=now,
        published_at=None if word.draft else now,
        stage=word.stage,
        impact=word.impact,
        priority=PRIORITY[word.impact],
        cause=Cause("unknown", None, (), "", "unknown", 0.0),
        members=tuple(Member(id, "affected", board.status(id), started_at) for id in dict.fromkeys(word.modules)),
        components=tuple(id for id in platform.components if id in touched),
        updates=(_said(now, word.stage, body),),
        title=title,
        impact_said=True,
        by_hand=True,
    )


def _key(board: Board, subject: str, now: datetime) -> str:
    """A key that no incident has; those of the monitor's own never end like this."""
    taken, at = {one.key for one in board.incidents.values()}, now
    while (key := f"{key_of(subject, at)}:by-hand") in taken:
        at += timedelta(milliseconds=1)
    return key


def _strangers(platform: Platform, word: Open) -> Refusal | None:
    """Whether an incident is about something, and all of it is known."""
    if not word.modules and not word.components:
        return Refusal("wrong", "say what it is about: modules, components, or both")
    return _stranger("module", word.modules, platform.modules) or _stranger(
        "component", word.components, platform.components
    )


def _stranger(what: str, ids: Iterable[str], known: Mapping[str, Any]) -> Refusal | None:
    strange = next((id for id in ids if id not in known), None)
    return None if strange is None else Refusal("wrong", f"there is no {what} `{strange[:100]}` in the configuration")
