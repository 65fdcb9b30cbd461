"""Planned work as JSON Schema, for the API's description."""

from collections.abc import Sequence

from monitor.core.maintenance import WorkStage
from monitor.core.reading import LONGEST, LONGEST_LINE
from monitor.web.schemas import COUNT, ID, NEXT, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref, said, sent
from monitor.web.spoken import LONGEST_NAME


def planning(languages: Sequence[str]) -> dict[str, Schema]:
    """What people say of planned work."""
    author = {"type": ["string", "null"], "maxLength": LONGEST_NAME}
    title, message = said(LONGEST_LINE, languages), maybe(said(LONGEST, languages, needed=False))
    when = {
        "type": "string",
        "pattern": r"^(now|\+.+|[0-9]{4}-[0-9]{2}-[0-9]{2}.*)$",
        "description": "`2026-11-27T02:00` in the time zone, with an offset, `now`, or `+2h`.",
    }
    ids = {"type": ["array", "null"], "items": TEXT}
    return {
        "plan": {"oneOf": [{"required": [name], "properties": {name: TEXT}} for name in ("until", "duration")]}
        | sent(
            {
                "title": title,
                "message": message,
                "modules": {"type": ["array", "null"], "items": ref("module_id"), "description": "Empty: everything."},
                "excuses": {**ids, "description": "Codes of the failures that the work explains; empty: all."},
                "from": {**maybe(when), "default": "now"},
                "until": maybe(when),
                "duration": {"type": ["string", "null"], "description": "Such as `2h`."},
                "rrule": {"type": ["string", "null"], "description": "RFC 5545; absent: once."},
                "timezone": {"type": ["string", "null"]},
                "author": author,
            },
            ("title",),
        ),
        "work_act": sent({"message": message, "author": author}),
        "extension": sent({"until": when, "message": message, "author": author}, ("until",)),
    }


def planned() -> dict[str, Schema]:
    """What is answered of planned work. A window stands for work that is repeated."""
    update = {
        "at": TIME,
        "status": one_of(list(WorkStage)),
        "author": one_of(["monitor", "person"]),
        "body": ref("texts"),
    }
    work = {
        "id": ID,
        "key": TEXT,
        "window": maybe(TEXT),
        "title": ref("texts"),
        "message": maybe(ref("texts")),
        "status": one_of(list(WorkStage)),
        "planned_from": TIME,
        "planned_until": TIME,
        "started_at": maybe(TIME),
        "ended_at": maybe(TIME),
        "announced_at": maybe(TIME),
        "modules": listed(ID),
        "components": listed(ID),
        "excuses": listed(TEXT),
        "sequence": COUNT,
        "updates": listed(answered(update)),
    }
    window = {
        "id": ID,
        "title": ref("texts"),
        "message": maybe(ref("texts")),
        "from": TIME,
        "until": TIME,
        "rrule": maybe(TEXT),
        "timezone": TEXT,
        "modules": listed(ID),
        "excuses": listed(TEXT),
    }
    gone = {"id": ID, "status": {"const": WorkStage.CANCELLED.value}}
    return {
        "work": answered(work),
        "window": answered(window),
        "work_or_window": {"anyOf": [ref("work"), ref("window"), answered(gone)]},
        "works": answered({"maintenances": listed(ref("work")), "windows": listed(ref("window")), "next": NEXT}),
    }
