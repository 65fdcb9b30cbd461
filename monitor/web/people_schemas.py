"""What people say of incidents as JSON Schema, for the API's description."""

from collections.abc import Sequence

from monitor.core.incident import Stage
from monitor.core.module import Priority
from monitor.core.people import BEGINNING, IMPACTS, LONGEST_TICKET
from monitor.core.reading import LONGEST, LONGEST_LINE, LONGEST_SUMMARY
from monitor.web.schemas import TEXT, TIME, Schema, listed, maybe, one_of, ref, said, sent
from monitor.web.spoken import LONGEST_NAME


def people(languages: Sequence[str], modules: Sequence[str], components: Sequence[str]) -> dict[str, Schema]:
    """What people say, by act; and the ids of what they may speak of."""
    author = {"type": ["string", "null"], "maxLength": LONGEST_NAME, "description": "Who says it; never published."}
    message, title = said(LONGEST, languages), said(LONGEST_LINE, languages)
    loose = said(LONGEST, languages, needed=False)
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
                "title": maybe(said(LONGEST_LINE, languages, needed=False)),
                "summary": maybe(said(LONGEST_SUMMARY, languages, needed=False)),
                "impact": maybe(one_of(IMPACTS)),
                "confirm_cause": confirm,
                "author": author,
            }
        ),
        "ending": sent({"message": maybe(loose), "confirm_cause": confirm, "author": author}),
        "learned": sent({"message": message, "confirm_cause": confirm, "author": author}, ("message",)),
        "author": sent({"author": author}),
        "reply": sent(
            {
                "store": {**maybe(TEXT), "description": "The id of the store whose ticket it is; null: of none."},
                "ticket": {"type": "string", "minLength": 1, "maxLength": LONGEST_TICKET},
                "at": {**TIME, "description": "When it was answered: since the incident began."},
                "author": author,
            },
            ("ticket", "at"),
        ),
        "lowering": sent(
            {"priority": one_of(list(Priority)[1:]), "reason": message, "author": author}, ("priority", "reason")
        ),
    }
