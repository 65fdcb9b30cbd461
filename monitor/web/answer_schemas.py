"""What the operators' API answers of incidents, modules and ourselves as JSON Schema, for its description."""

from monitor.core.incident import Stage
from monitor.core.module import Priority, Status
from monitor.core.people import IMPACTS
from monitor.core.roster import Role
from monitor.web.schemas import (
    COUNT,
    ID,
    INCIDENT_ID,
    NEXT,
    SECONDS,
    SHARE,
    TEXT,
    TIME,
    Schema,
    answered,
    listed,
    maybe,
    one_of,
    ref,
)


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
