"""Audit: what the log says of a person's word, and of what became of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.core.effect import Answered, Deed, Lifted, Ordered, Said, Scheduled, Silenced, Spoken
from monitor.core.entry import Entry, brief, texts
from monitor.core.incident import Stage
from monitor.core.observation import stamp
from monitor.core.word import Acknowledge, Correct, Edit, Lower, Open, Publish, Reply, Word, Write

LONGEST_LINE = 100  # characters of a name, an address, an id

Told = tuple[str, str, Mapping[str, Any]]  # act, subject as far as it is known beforehand, detail
ENDINGS = {Stage.RESOLVED: "incident.resolve", Stage.POSTMORTEM: "incident.postmortem"}


def entry_of(said: Said, answer: Answered, id: str, now: datetime) -> Entry:
    """The line for a word that was followed, or refused."""
    act, subject, detail = told(said)
    refusal = answer.refusal
    detail = {**detail, **answer.detail} | ({} if refusal is None else {"refused": refusal.kind, "why": refusal.reason})
    return Entry(
        id=id,
        at=now,
        by=_line(said.by),
        how=said.how,
        address=_line(said.address),
        act=act,
        subject=_line(answer.id or subject) or "",
        outcome="done" if refusal is None else "refused",
        detail={key: brief(one) for key, one in detail.items() if one not in (None, "", [], (), {}, False)},
        request=said.request,
        digest=said.digest,
    )


def _line(text: str | None) -> str | None:
    """A name as it is kept: one line that can be read; ids of what was sought and is not there come from anybody."""
    return None if text is None else "".join(one for one in text[:LONGEST_LINE] if one.isprintable())


def told(said: Said) -> Told:
    """What was said, in the words of the log."""
    match said.event:
        case Spoken(word):
            return _spoken(word)
        case Scheduled(window):
            plan = {
                "title": texts(window.title),
                "message": texts(window.message),
                "from": stamp(window.begins),
                "until": stamp(window.ends),
                "rrule": window.rule,
                "modules": list(window.modules),
                "excuses": list(window.excuses),
            }
            return "maintenance.schedule", window.id, plan
        case Ordered(id, act, until, body):
            return f"maintenance.{act.value}", id, {"until": stamp(until), "message": texts(body)}
        case Silenced(scope, reason, until, begins, everything):
            match = scope.match
            named = {
                "modules": sorted(match.modules or ()),
                "components": sorted(match.components or ()),
                "groups": sorted(match.groups or ()),
                "priorities": sorted(match.priorities or ()),
                "codes": sorted(scope.codes or ()),
                "incident": scope.incident,
            }
            times = {"from": stamp(begins), "until": stamp(until), "all": everything}
            return "silence.add", "", {"reason": reason, **named, **times}
        case Lifted(id):
            return "silence.remove", id, {}
        case Deed(act, subject, detail):
            return act, subject, detail


def _spoken(word: Word) -> Told:
    match word:
        case Open():
            return (
                "incident.open",
                "",
                {
                    "title": texts(word.title),
                    "message": texts(word.body),
                    "modules": list(word.modules),
                    "components": list(word.components),
                    "impact": word.impact,
                    "status": word.stage.value,
                    "started_at": stamp(word.started_at),
                    "draft": word.draft,
                },
            )
        case Write():
            act = ENDINGS.get(word.stage, "incident.update") if word.stage else "incident.update"
            stage = word.stage.value if word.stage and act == "incident.update" else None
            return act, word.incident, {
                "message": texts(word.body), "status": stage, "confirm_cause": word.confirm
            }  # fmt: skip
        case Correct():
            return "incident.correct", word.incident, {"update": word.number, "message": texts(word.body)}
        case Edit():
            changes = {"title": word.title, "summary": word.summary, "impact": word.impact}
            own = [name for name, value in changes.items() if value is not None and not value]  # the monitor's again
            return "incident.edit", word.incident, {**changes, "own": own, "confirm_cause": word.confirm}
        case Acknowledge():
            return "incident.acknowledge", word.incident, {}
        case Reply():
            told = {"store": word.store, "ticket": word.ticket, "at": stamp(word.at)}
            return "incident.reply", word.incident, told
        case Lower():
            return "incident.lower", word.incident, {"priority": word.priority, "reason": texts(word.reason)}
        case Publish():
            return "incident.publish", word.incident, {}
