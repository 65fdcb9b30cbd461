"""Spoken: the word that a person says of incidents, read from the object that was sent: as JSON, or by a form.

Everything here raises ValueError, with a sentence, for what can never be followed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from monitor.core.incident import Stage
from monitor.core.observation import moment
from monitor.core.word import Acknowledge, Correct, Edit, Lower, Open, Publish, Reply, Word, Write

Body = Mapping[str, Any]

LONGEST_NAME = 100  # characters of an author
KEYS: dict[str, tuple[str, ...]] = {
    "open": ("title", "message", "modules", "components", "impact", "status", "started_at", "draft", "author"),
    "update": ("message", "status", "confirm_cause", "author"),
    "correct": ("message", "author"),
    "edit": ("title", "summary", "impact", "confirm_cause", "author"),
    "acknowledge": ("author",),
    "resolve": ("message", "confirm_cause", "author"),
    "postmortem": ("message", "confirm_cause", "author"),
    "publish": ("author",),
    "lower": ("priority", "reason", "author"),
    "reply": ("store", "ticket", "at", "author"),
}


def word_of(act: str, id: str, body: Body, language: str, number: int = 0) -> Word:
    """The word for an act of `KEYS` on an incident; `language` is that of texts which are given once."""
    return _WORDS[act](id, body, language, number)


def author(body: Body) -> str | None:
    """Who says it, for the record of operators; never shown in public."""
    given = _word(body, "author") or ""
    if len(given) > LONGEST_NAME:
        raise ValueError(f"`author` is a name of up to {LONGEST_NAME} characters")
    said = "".join(one for one in " ".join(given.split()) if one.isprintable())
    return said or None


def _open(_: str, body: Body, language: str, __: int) -> Word:
    draft = body.get("draft", False)
    if not isinstance(draft, bool):
        raise ValueError("`draft` is true or false")
    return Open(
        title=_text(body, "title", language),
        body=_text(body, "message", language),
        modules=_names(body, "modules"),
        components=_names(body, "components"),
        impact=_word(body, "impact") or "minor",
        stage=_stage(body) or Stage.INVESTIGATING,
        started_at=_moment(body, "started_at"),
        draft=draft,
    )


def _update(id: str, body: Body, language: str, _: int) -> Word:
    return Write(id, _text(body, "message", language), _stage(body), _confirm(body))


def _correct(id: str, body: Body, language: str, number: int) -> Word:
    return Correct(id, number, _text(body, "message", language))


def _edit(id: str, body: Body, language: str, _: int) -> Word:
    return Edit(
        id,
        title=_text(body, "title", language) if "title" in body else None,
        summary=_text(body, "summary", language) if "summary" in body else None,
        impact=(_word(body, "impact") or "") if "impact" in body else None,
        confirm=_confirm(body),
    )


def _lower(id: str, body: Body, language: str, _: int) -> Word:
    return Lower(id, _word(body, "priority") or "", _text(body, "reason", language))


def _reply(id: str, body: Body, _: str, __: int) -> Word:
    at = _moment(body, "at")
    if at is None:
        raise ValueError("`at` is missing: when it was answered")
    return Reply(id, _word(body, "store") or "", _word(body, "ticket") or "", at)


def _ending(stage: Stage) -> Callable[[str, Body, str, int], Word]:
    def read(id: str, body: Body, language: str, _: int) -> Word:
        return Write(id, _text(body, "message", language), stage, _confirm(body))

    return read


_WORDS: dict[str, Callable[[str, Body, str, int], Word]] = {
    "open": _open,
    "update": _update,
    "correct": _correct,
    "edit": _edit,
    "acknowledge": lambda id, *_: Acknowledge(id),
    "resolve": _ending(Stage.RESOLVED),
    "postmortem": _ending(Stage.POSTMORTEM),
    "publish": lambda id, *_: Publish(id),
    "lower": _lower,
    "reply": _reply,
}


def _text(body: Body, key: str, language: str) -> dict[str, str]:
    """A text per language; one that was given once is in the site's first language."""
    said = body.get(key)
    if said is None:
        return {}
    if isinstance(said, str):
        return {language: said}
    if isinstance(said, dict) and all(isinstance(one, str) for one in said.values()):
        return dict(said)
    raise ValueError(f"`{key}` is a text, or an object with a text per language")


def _word(body: Body, key: str) -> str | None:
    said = body.get(key)
    if said is not None and not isinstance(said, str):
        raise ValueError(f"`{key}` is a text")
    return said


def _names(body: Body, key: str) -> tuple[str, ...]:
    said = body.get(key)
    listed = [] if said is None else [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise ValueError(f"`{key}` is a list of ids")
    return tuple(dict.fromkeys(listed))


def _stage(body: Body) -> Stage | None:
    said = _word(body, "status")
    try:
        return None if said is None else Stage(said)
    except ValueError:
        raise ValueError(f"`status` is one of {', '.join(Stage)}") from None


def _moment(body: Body, key: str) -> datetime | None:
    said = _word(body, key)
    try:
        return moment(said)
    except (ValueError, OverflowError):
        raise ValueError(f"`{key}` is a time with its zone, such as 2026-11-23T12:00:00Z") from None


def _confirm(body: Body) -> str | bool:
    said = body.get("confirm_cause", False)
    if not isinstance(said, str | bool):
        raise ValueError("`confirm_cause` is true, or the id of the module it comes from")
    return said
