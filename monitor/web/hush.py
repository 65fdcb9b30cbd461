"""Hush: the silence that a person wants, read from the object that was sent: as JSON, or by a form.

Everything here raises ValueError, with a sentence, for what can never be followed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.core.effect import Silenced
from monitor.core.match import Match
from monitor.core.silence import Scope
from monitor.web.counter import Planner
from monitor.web.spoken import author

KINDS = ("modules", "components", "groups", "priorities", "codes")
KEYS = (*KINDS, "incident", "all", "from", "until", "reason", "author")


def silenced_of(body: Mapping[str, Any], request: str | None, planner: Planner, now: datetime) -> Silenced:
    """What a person wants silenced. An end such as `2h` counts from the beginning, `+2h` from now."""
    priorities, groups, components, modules, codes = (
        _ids(body, key) for key in ("priorities", "groups", "components", "modules", "codes")
    )
    begins = _moment(body, "from", planner, now)
    until = _moment(body, "until", planner, now, begins)
    if until is None:
        raise ValueError("say until when: `until` is missing")
    everything = body.get("all")
    if not isinstance(everything, bool | None):
        raise ValueError("`all` is true or false")
    return Silenced(
        scope=Scope(Match(priorities, groups, components, modules), _word(body, "incident") or None, codes),
        reason=_word(body, "reason") or "",
        until=until,
        begins=begins,
        everything=bool(everything),
        by=author(body),
        request=request,
    )


def _ids(body: Mapping[str, Any], key: str) -> frozenset[str] | None:
    """A list of ids, or one; none where none is given."""
    said = body.get(key)
    listed = [] if said is None else [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise ValueError(f"`{key}` is a list of ids")
    return frozenset(one.strip() for one in listed if one.strip()) or None


def _word(body: Mapping[str, Any], key: str) -> str | None:
    said = body.get(key)
    if said is not None and not isinstance(said, str):
        raise ValueError(f"`{key}` is a text")
    return said.strip() if said is not None else None


def _moment(
    body: Mapping[str, Any], key: str, planner: Planner, now: datetime, begins: datetime | None = None
) -> datetime | None:
    """A time; with `key` `until` also how long after the beginning."""
    said = _word(body, key)
    if not said:
        return None
    try:
        return planner.moment(said, now)
    except ValueError as error:
        wrong = error
    try:
        if key == "until":
            return planner.moment(f"+{said}", begins or now)
    except ValueError:
        raise ValueError("`until` must be a time, such as 2026-11-27T02:00, or how long, such as 2h") from None
    raise ValueError(f"`{key}` {wrong}")
