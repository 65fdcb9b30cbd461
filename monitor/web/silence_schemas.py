"""Silence schemas: the objects of the operators' API that speak of silences."""

from monitor.core.module import Priority
from monitor.core.silence import STATUSES
from monitor.web.schemas import ID, INCIDENT_ID, NEXT, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref, sent
from monitor.web.spoken import LONGEST_NAME


def silencing() -> dict[str, Schema]:
    """What is sent and answered, by name."""
    when = {"type": "string", "description": "`2026-11-27T02:00` in the site's zone, with an offset, `now`, or `+2h`."}

    def ids(one: Schema) -> Schema:
        return {"anyOf": [listed(one), one, {"type": "null"}]}

    hush = {
        "modules": ids(ref("module_id")),
        "components": ids(ref("component_id")),
        "groups": ids(ID),
        "priorities": ids(one_of(list(Priority))),
        "codes": {**ids(ID), "description": "Codes of causes, or how they begin: `http.503`, `tls`."},
        "incident": {**maybe(ID), "description": "An id, or how it begins."},
        "all": {"type": ["boolean", "null"], "description": "True: nothing is named, and everything is meant."},
        "from": {**maybe(TEXT), "description": when["description"], "default": "now"},
        "until": {
            **when,
            "description": f"{when['description']} Or how long after the beginning: `2h`. Seven days at most.",
        },
        "reason": {"type": "string", "maxLength": 200, "minLength": 1},
        "author": {"type": "string", "maxLength": LONGEST_NAME, "minLength": 1},
    }
    silence = {
        "id": INCIDENT_ID,
        "status": one_of(STATUSES),
        "modules": listed(ID),
        "components": listed(ID),
        "groups": listed(ID),
        "priorities": listed(one_of(list(Priority))),
        "incident": maybe(INCIDENT_ID),
        "codes": listed(ID),
        "all": {"type": "boolean"},
        "author": TEXT,
        "reason": TEXT,
        "from": TIME,
        "until": TIME,
        "created_at": TIME,
        "ended_at": maybe(TIME),
        "lifted_by": maybe(TEXT),
    }
    return {
        "hush": sent(hush, ("until", "reason", "author")),
        "silence": answered(silence),
        "silences": answered({"silences": listed(ref("silence")), "next": NEXT}),
    }
