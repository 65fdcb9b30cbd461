"""Logbook: the audit log as operators read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.core.entry import Entry
from monitor.core.wording import N_
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.view import When

ACTS: dict[str, str] = {
    "incident": N_("Incidents"),
    "incident.open": N_("Incident opened by hand"),
    "incident.update": N_("Update written"),
    "incident.correct": N_("Update corrected"),
    "incident.edit": N_("Public wording edited"),
    "incident.acknowledge": N_("Acknowledged"),
    "incident.resolve": N_("Resolved by a person"),
    "incident.postmortem": N_("Postmortem written"),
    "incident.publish": N_("Published"),
    "incident.lower": N_("Priority lowered"),
    "incident.reply": N_("Answered in a ticket"),
    "maintenance": N_("Planned work"),
    "maintenance.schedule": N_("Work planned"),
    "maintenance.begin": N_("Planned work begun"),
    "maintenance.cancel": N_("Planned work withdrawn"),
    "maintenance.extend": N_("End of planned work moved"),
    "maintenance.verify": N_("Planned work being verified"),
    "maintenance.complete": N_("Planned work completed"),
    "silence": N_("Silences"),
    "silence.add": N_("Silence added"),
    "silence.remove": N_("Silence removed"),
    "notice": N_("Notices"),
    "notice.again": N_("Notice sent once more"),
    "notice.give-up": N_("Notice given up"),
    "notice.test": N_("Test notice sent"),
    "subscribers": N_("Subscribers"),
    "subscribers.export": N_("Subscribers exported"),
    "subscribers.erase": N_("Subscriber erased"),
    "probe.run": N_("Probes asked once more"),
    "configuration.reload": N_("Configuration reloaded"),
    "session": N_("Logins"),
    "session.login": N_("Logged in"),
    "session.logout": N_("Logged out"),
    "session.refused": N_("Login refused"),
    "session.revoked": N_("Session revoked"),
    "token.refused": N_("Wrong token"),
    "change.refused": N_("Change refused to a viewer"),
}
WAYS: dict[str, str] = {
    "token": N_("with the token"),
    "session": N_("with a login"),
    "here": N_("from this machine"),
    "command": N_("by a command"),
    "link": N_("by a link of a notice"),
    "mqtt": N_("over MQTT"),
    "signal": N_("by a signal"),
    "file": N_("the file was changed"),
    "schedule": N_("by schedule"),
}
DETAIL: dict[str, str] = {
    "title": N_("Title"),
    "message": N_("Message"),
    "summary": N_("Summary"),
    "impact": N_("Impact"),
    "status": N_("Status"),
    "modules": N_("Modules"),
    "components": N_("Components"),
    "groups": N_("Groups"),
    "priorities": N_("Priorities"),
    "codes": N_("Codes"),
    "incident": N_("Incident"),
    "from": N_("Begins"),
    "until": N_("Ends"),
    "rrule": N_("Repetition"),
    "excuses": N_("Excuses"),
    "all": N_("Everything"),
    "reason": N_("Reason"),
    "started_at": N_("Began"),
    "draft": N_("Draft"),
    "update": N_("Update"),
    "own": N_("In the monitor's words again"),
    "confirm_cause": N_("Cause confirmed"),
    "channel": N_("Channel"),
    "delivered": N_("Delivered"),
    "asked": N_("Probes asked"),
    "sessions": N_("Sessions ended"),
    "count": N_("Count"),
    "method": N_("Method"),
    "refused": N_("Refused"),
    "why": N_("Why"),
    "priority": N_("Priority"),
    "store": N_("Store"),
    "ticket": N_("Ticket"),
    "at": N_("Answered at"),
}


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of the log. `href` leads to what it is about, where that has a page; `detail` are names and values."""

    at: When
    who: str
    way: str
    address: str
    what: str
    refused: bool
    subject: str
    href: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LogbookView:
    """A page of the log. `acts` are what may be picked, by their word; `older` and `newest` are where other pages
    are, empty where there are none."""

    lines: tuple[LineView, ...]
    acts: tuple[tuple[str, str], ...]
    asked: Mapping[str, str]
    older: str
    newest: str


def logbook_view(lens: Lens, about: Mapping[str, Any]) -> LogbookView:
    """The page: `about` holds its `entries`, what was `asked` for, and the address of the page with `more`."""
    entries: Sequence[Entry] = about["entries"]
    return LogbookView(
        lines=tuple(_line(lens, one) for one in entries),
        acts=tuple((act, lens.word(word)) for act, word in ACTS.items()),
        asked=about["asked"],
        older=about["more"] or "",
        newest=about["newest"],
    )


def _line(lens: Lens, one: Entry) -> LineView:
    room = one.act.partition(".")[0]
    pages = {"incident": f"healthcheck/incidents/{one.subject}", "probe": f"healthcheck/modules/{one.subject}"}
    is_there = bool(one.subject) and one.subject.replace("-", "").isalnum() and one.subject.isascii()
    return LineView(
        at=exact(lens, one.at),
        who=one.by or "",
        way=lens.word(WAYS[one.how]) if one.how in WAYS else one.how,
        address=one.address or "",
        what=lens.word(ACTS[one.act]) if one.act in ACTS else one.act,
        refused=one.outcome == "refused",
        subject=one.subject,
        href=pages.get(room, "") if is_there and one.outcome == "done" else "",
        detail=tuple((_named(lens, name), text) for name, text in _pairs("", one.detail)),
    )


def _named(lens: Lens, name: str) -> str:
    """`title.en` as people read it: its word, and what of it."""
    key, _, rest = name.partition(".")
    word = lens.word(DETAIL[key]) if key in DETAIL else key
    return f"{word} ({rest})" if rest else word


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    """A value as names and texts: `title.en`, and what it says."""
    if isinstance(value, Mapping):
        return [pair for key, one in value.items() for pair in _pairs(f"{name}.{key}".lstrip("."), one)]
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return [(name, ", ".join(value))]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
