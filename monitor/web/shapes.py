"""Shapes: the objects of the audit log and of a module's dossier, for the description; and examples of what is sent."""

from collections.abc import Sequence

from monitor.core.entry import ACTS, OUTCOMES, WAYS
from monitor.core.module import Priority, Status, Strength
from monitor.web.schemas import ID, NEXT, SHARE, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref


def kept() -> dict[str, Schema]:
    """What is answered of the audit log and of modules."""
    entry = {
        "id": ID,
        "at": TIME,
        "by": maybe(TEXT),
        "how": one_of(WAYS),
        "from": {**maybe(TEXT), "description": "The address it came from, as this side saw it."},
        "act": one_of(ACTS),
        "subject": {**maybe(TEXT), "description": "The id of what it is about."},
        "outcome": one_of(OUTCOMES),
        "detail": {"type": "object", "description": "What was said or changed, long texts cut short; why not, if not."},
        "request": {**maybe(TEXT), "description": "The Idempotency-Key."},
    }
    result = {
        "outcome": one_of(["passed", "slow", "failed", "unknown"]),
        "code": maybe(TEXT),
        "blame": maybe(TEXT),
        "reasons": listed(TEXT),
    }
    move = {"at": TIME, "since": TIME, "before": one_of(list(Status)), "after": one_of(list(Status))}
    more = {
        "description": ref("texts"),
        "priority": one_of(list(Priority)),
        "objective": maybe(SHARE),
        "runbook": maybe(TEXT),
        "depends_on": listed(answered({"module": ID, "strength": one_of(list(Strength))})),
        "components": listed(ID),
        "runs": listed(ref("run")),
        "transitions": {**listed(answered(move)), "description": "The newest first."},
        "versions": listed(answered({"probe": ID, "name": TEXT, "before": maybe(TEXT), "since": TIME})),
    }
    judged = answered({"result": answered(result), "discarded": {"type": "boolean"}})
    return {
        "entry": answered(entry),
        "audit": answered({"entries": listed(ref("entry")), "next": NEXT}),
        "modules": answered({"modules": listed(ref("module")), "next": NEXT}),
        "run": {"allOf": [ref("observation"), judged], "description": "Secrets are masked in all of it."},
        "dossier": {"allOf": [ref("module"), answered(more)]},
    }


def examples(language: str, modules: Sequence[str]) -> dict[str, Schema]:
    """An example of what is sent, by its name."""
    module = next(iter(modules), "checkout")
    text = {language: "We are looking into it."}
    shown: dict[str, object] = {
        "open": {"title": {language: "Slow"}, "message": text, "modules": [module], "impact": "minor", "author": "Ana"},
        "update": {"message": text, "status": "identified", "author": "Ana"},
        "correct": {"message": text, "author": "Ana"},
        "edit": {"title": {language: "Slow checkout"}, "summary": None, "impact": "major", "author": "Ana"},
        "ending": {"message": {language: "It works again."}, "confirm_cause": True, "author": "Ana"},
        "learned": {"message": {language: "A disk was full."}, "author": "Ana"},
        "author": {"author": "Ana"},
        "reply": {"store": None, "ticket": "4711", "at": "2026-11-23T12:10:00Z", "author": "Ana"},
        "lowering": {"priority": "normal", "reason": {language: "One shop only, and it can sell."}, "author": "Ana"},
        "plan": {
            "title": {language: "New database"},
            "modules": [module],
            "from": "2026-11-29T02:00",
            "duration": "2h",
        },
        "work_act": {"message": {language: "Done earlier."}, "author": "Ana"},
        "extension": {"until": "+30m", "author": "Ana"},
        "whose": {"author": "Ana"},
        "whom": {"address": "customer@example.com", "author": "Ana"},
        "wish": {"email": "customer@example.com", "language": language},
        "hush": {"modules": [module], "until": "2h", "reason": "deploy of the new search", "author": "Ana"},
    }
    if not modules:  # nothing can be spoken of
        del shown["open"], shown["plan"], shown["hush"]
    return {name: {"example": one} for name, one in shown.items()}
