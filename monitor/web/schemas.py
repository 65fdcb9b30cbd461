"""Schemas: the objects of the operators' API as JSON Schema (2020-12), for its description.

Of what is sent to us every key is named and no other is taken; of what we answer every key is always there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.core.incident import Stage
from monitor.core.maintenance import WorkStage
from monitor.core.module import Priority, Status
from monitor.core.people import BEGINNING, IMPACTS
from monitor.core.reading import LONGEST, LONGEST_LINE, LONGEST_SUMMARY
from monitor.core.roster import Role
from monitor.web.spoken import LONGEST_NAME

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "minLength": 1}
INCIDENT_ID: Schema = {"type": "string", "pattern": "^[0-9a-z]{12}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
NEXT: Schema = {"type": ["string", "null"], "description": "Where the next page is; null at the end."}
SECONDS: Schema = {"type": "number", "minimum": 0}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """This, or null while it is not known."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def answered(properties: Mapping[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """An object of ours: every key is there, but those that only some have."""
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "required": needed, "properties": dict(properties)}


def sent(properties: Mapping[str, Schema], needed: Sequence[str] = ()) -> Schema:
    """An object that is sent to us: these keys and no others."""
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": list(needed)} if needed else {})


def one_of(words: Sequence[str]) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": [str(word) for word in words]}


def _said(longest: int, languages: Sequence[str], *, needed: bool = True) -> Schema:
    """A text in the site's first language, or one per language; `needed`: it says something."""
    text: Schema = {"type": "string", "maxLength": longest}
    by_language: Schema = {"type": "object", "propertyNames": {"enum": list(languages)}, "additionalProperties": text}
    if not needed:
        return {"anyOf": [text, by_language]}
    seen = {"pattern": r"[^\s\u0000-\u001f\u007f-\u009f]"}
    some = [{"required": [one], "properties": {one: seen}} for one in languages]
    return {"anyOf": [text | seen, by_language | {"anyOf": some}]}


def people(languages: Sequence[str], modules: Sequence[str], components: Sequence[str]) -> dict[str, Schema]:
    """What people say, by act; and the ids of what they may speak of."""
    author = {"type": ["string", "null"], "maxLength": LONGEST_NAME, "description": "Who says it; never published."}
    message, title = _said(LONGEST, languages), _said(LONGEST_LINE, languages)
    loose = _said(LONGEST, languages, needed=False)
    confirm: Schema = {
        "anyOf": [{"type": "boolean"}, ref("module_id")],
        "default": False,
        "description": "True for the cause that is named, or the id of the module it comes from.",
    }
    about = [
        {"required": [name], "properties": {name: {"type": ["array", "string"], "minItems": 1}}}
        for name in ("modules", "components")
    ]
    return {
        "module_id": one_of(modules) if modules else {"not": {}},
        "component_id": one_of(components) if components else {"not": {}},
        "open": {"anyOf": about}
        | sent(
            {
                "title": title,
                "message": message,
                "modules": {"anyOf": [listed(ref("module_id")), ref("module_id"), {"type": "null"}]},
                "components": {"anyOf": [listed(ref("component_id")), ref("component_id"), {"type": "null"}]},
                "impact": {**maybe(one_of(IMPACTS)), "default": "minor"},
                "status": {**maybe(one_of(BEGINNING)), "default": Stage.INVESTIGATING.value},
                "started_at": {**maybe(TIME), "description": "Within the last year, and not in the future."},
                "draft": {"type": "boolean", "default": False},
                "author": author,
            },
            ("title", "message"),
        ),
        "update": {
            "anyOf": [
                {"required": ["message"], "properties": {"message": message}},
                {"required": ["status"], "properties": {"status": {"const": Stage.RESOLVED.value}}},
            ]
        }
        | sent(
            {"message": maybe(loose), "status": maybe(one_of(list(Stage))), "confirm_cause": confirm, "author": author}
        ),
        "correct": sent({"message": message, "author": author}, ("message",)),
        "edit": sent(
            {
                "title": maybe(_said(LONGEST_LINE, languages, needed=False)),
                "summary": maybe(_said(LONGEST_SUMMARY, languages, needed=False)),
                "impact": maybe(one_of(IMPACTS)),
                "confirm_cause": confirm,
                "author": author,
            }
        ),
        "ending": sent({"message": maybe(loose), "confirm_cause": confirm, "author": author}),
        "learned": sent({"message": message, "confirm_cause": confirm, "author": author}, ("message",)),
        "author": sent({"author": author}),
    }


def planning(languages: Sequence[str]) -> dict[str, Schema]:
    """What people say of planned work."""
    author = {"type": ["string", "null"], "maxLength": LONGEST_NAME}
    title, message = _said(LONGEST_LINE, languages), maybe(_said(LONGEST, languages, needed=False))
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


def answers() -> dict[str, Schema]:
    """What is answered, by name."""
    texts = {"type": "object", "additionalProperties": TEXT, "description": "A text per language of the site."}
    status = one_of(list(Status))
    member = {"id": ID, "role": one_of(["root", "affected"]), "status": status, "since": TIME, "until": maybe(TIME)}
    update = {
        "at": TIME,
        "status": one_of(list(Stage)),
        "author": one_of(["monitor", "person"]),
        "body": ref("texts"),
        "updated_at": maybe(TIME),
    }
    clock = {
        "plan": ID,
        "promise": one_of(["response", "update"]),
        "priority": one_of(list(Priority)),
        "limit_seconds": COUNT,
        "since": TIME,
        **dict.fromkeys(("half_at", "warning_at", "due_at", "stopped_at"), maybe(TIME)),
        "kept": maybe({"type": "boolean"}),
    }
    act = {"at": TIME, "what": TEXT, "by": maybe(TEXT), "detail": {"type": "object"}}
    return {
        "texts": texts,
        "error": answered({"error": TEXT}),
        "cause": _cause(),
        "incident": answered(
            {
                "id": INCIDENT_ID,
                "key": TEXT,
                "title": ref("texts"),
                "status": one_of(list(Stage)),
                "impact": one_of(IMPACTS),
                "priority": one_of(list(Priority)),
                "started_at": TIME,
                "detected_at": TIME,
                "published_at": maybe(TIME),
                "acknowledged_at": maybe(TIME),
                "resolved_at": maybe(TIME),
                "reopened": COUNT,
                "origin": one_of(["monitor", "person"]),
                "cause": ref("cause"),
                "modules": listed(answered(member)),
                "components": listed(ID),
                "updates": listed(answered(update)),
                "notices": maybe(ref("notices")),
                "events": maybe(listed(ref("happening"))),
                "merged_into": INCIDENT_ID,
                "wording": answered({"title": maybe(ref("texts")), "summary": maybe(ref("texts"))}),
                "acts": listed(answered(act)),
                "clocks": listed(answered(clock)),
            },
            optional=("merged_into", "events", "clocks"),
        ),
        "incidents": answered({"incidents": listed(ref("incident")), "next": NEXT}),
        "module": _module(status),
        "status": _status(),
        "asked": answered({"module": ID, "asked": listed(ID)}),
        "board": answered({"generated_at": TIME, "modules": listed(ID), "incidents": listed(INCIDENT_ID)}),
        "observation": _observation(),
        "sessions": answered({"sessions": listed(ref("session"))}),
        "session": answered(
            {
                **{
                    "id": ID,
                    "name": maybe(TEXT),
                    "role": one_of(list(Role)),
                    "how": one_of(["session", "token", "here"]),
                },
                **{"since": TIME, "seen_at": TIME, "address": TEXT, "browser": TEXT, "current": {"type": "boolean"}},
            }
        ),
    }


def _cause() -> Schema:
    evidence = {"at": TIME, "module": ID, "location": ID, "code": TEXT, "probe": ID, "detail": TEXT}
    trigger = {"kind": TEXT, "module": maybe(ID), "from": maybe(TEXT), "to": maybe(TEXT), "at": maybe(TIME)}
    return answered(
        {
            "scope": one_of(["module", "shared", "location", "unknown"]),
            "module": maybe(ID),
            "candidates": listed(answered({"module": ID, "confidence": SHARE})),
            "shared": maybe(answered({"kind": TEXT, "value": maybe(TEXT), "modules": listed(ID)})),
            "locations": listed(ID),
            "code": maybe(TEXT),
            "class": TEXT,
            "confidence": SHARE,
            "state": one_of(["suspected", "confirmed"]),
            "trigger": maybe(answered(trigger)),
            "summary": ref("texts"),
            "line": ref("texts"),
            "evidence": listed(answered(evidence)),
            "platform_reports": maybe(
                answered({"found": {"type": "boolean"}, "incident": maybe(TEXT), "url": maybe(TEXT)})
            ),
        }
    )


def _module(status: Schema) -> Schema:
    uptime = answered(
        {
            "ratio": maybe(SHARE),
            "coverage": SHARE,
            **{f"{name}_seconds": COUNT for name in ("down", "degraded", "excluded")},
        }
    )
    place = {
        "id": ID,
        "at": maybe(TIME),
        "outcome": maybe(one_of(["passed", "slow", "failed", "unknown"])),
        "code": maybe(TEXT),
        "blame": maybe(TEXT),
        "reasons": listed(TEXT),
    }
    probe = {
        "id": ID,
        "kind": TEXT,
        "role": one_of(["verdict", "evidence"]),
        "instance": TEXT,
        "off": maybe(TEXT),
        "status": status,
        "since": maybe(TIME),
        "locations": listed(answered(place)),
    }
    return answered(
        {
            "id": ID,
            "name": ref("texts"),
            "status": status,
            "since": maybe(TIME),
            "maintenance": {"type": "boolean"},
            "incident": maybe(INCIDENT_ID),
            "uptime": answered({window: uptime for window in ("24h", "7d", "30d", "90d")}),
            "latency": answered({f"p{share}_ms": maybe(SECONDS) for share in (50, 95, 99)}),
            "version": maybe(TEXT),
            "locations": listed(answered({"id": ID, "status": status})),
            "probes": listed(answered(probe)),
        }
    )


def _status() -> Schema:
    figure, past = {"type": "number"}, {"type": "boolean", "description": "Past its limit: something is wrong."}
    monitor = {
        "status": one_of(["ok", "degraded", "blind"]),
        "since": maybe(TIME),
        "reason": maybe(TEXT),
        "blind": {"type": "object", "additionalProperties": TIME, "description": "Since when, by location."},
        "troubles": answered({name: maybe(TEXT) for name in ("store", "publication", "configuration")}),
        "lag_seconds": {**maybe(SECONDS), "description": "How late the event loop is."},
        "events_waiting": COUNT,
        "steps_unwritten": COUNT,
        "signs": {
            **listed(
                answered({"id": TEXT, "value": figure, "limit": figure, "unit": TEXT, "code": TEXT, "past": past})
            ),
            "description": "Figures by which the monitor sees whether it is well itself.",
        },
    }
    indicator = one_of(["none", "minor", "major", "critical", "maintenance", "unknown"])
    return answered(
        {
            "generated_at": TIME,
            "data_until": maybe(TIME),
            "monitor": answered(monitor),
            "overall": answered({"indicator": indicator, "description": ref("texts")}),
            "contradictions": listed(answered({"kind": TEXT, "subject": maybe(TEXT), "since": maybe(TIME)})),
            "modules": listed(ref("module")),
        }
    )


def _observation() -> Schema:
    return answered(
        {
            "at": TIME,
            "module": maybe(ID),
            "probe": ID,
            "location": ID,
            "scheduled_at": TIME,
            "duration": SECONDS,
            "phases": {"type": "object", "additionalProperties": SECONDS},
            "address": maybe(TEXT),
            "failure": maybe(answered({"code": TEXT, "detail": TEXT})),
            **{name: {"type": ["object", "null"]} for name in ("http", "certificate", "dns")},
            "steps": {"type": ["array", "null"]},
            "values": {"type": "object"},
        }
    )
