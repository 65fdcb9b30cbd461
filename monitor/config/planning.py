"""Planning: work that a person plans, in the words of `maintenance:` of the file, and times as people write them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from monitor.config import Config
from monitor.config.notices import Window as WindowSection
from monitor.config.notices import moment
from monitor.config.recurrence import AHEAD, starts, wall_of
from monitor.config.scalars import duration, duration_text
from monitor.core.agenda import LONGEST
from monitor.core.effect import Refusal, Scheduled
from monitor.core.identity import stable_id
from monitor.core.maintenance import Window
from monitor.core.reading import read_line, read_text
from monitor.core.text import Text

FARTHEST = timedelta(days=5 * 366)  # how far ahead work may be planned
OLDEST = timedelta(days=366)  # how long ago a rule may begin: all of its times since then are worked out


class Planner:
    """Reads what people plan, in the languages, the time zone and the modules of a configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def moment(self, said: str, now: datetime, zone: str | None = None) -> datetime:
        """A time: `2026-11-27T02:00`, in the site's zone unless it has an offset; `2026-11-27`, when that day begins;
        `now`; `+2h` from now.

        Raises ValueError with a sentence's end.
        """
        try:
            if said == "now":
                return now
            if said.startswith("+"):
                return now + duration(said[1:])
            if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
                said += "T00:00"
            return _in_zone(moment(said), zone or self._config.site.timezone)
        except (PydanticCustomError, OverflowError):
            raise ValueError("must be a time, such as 2026-11-27T02:00, now or +2h") from None

    def scheduled(self, body: Mapping[str, Any], request: str | None, now: datetime) -> Scheduled:
        """What a person plans, with the starts of the coming 90 days. Raises ValueError with a sentence that says what
        is wrong."""
        section = self._section(body, now)
        modules = tuple(dict.fromkeys(section.modules))
        unknown = [id for id in modules if id not in self._config.platform.modules]
        if unknown:
            raise ValueError(f"there is no module `{unknown[0][:100]}` in the configuration")
        zone = section.timezone or self._config.site.timezone
        begins = _in_zone(section.from_, zone)
        length = section.duration or (_in_zone(section.until or section.from_, zone) - begins)
        window = Window(
            id="",
            title=self._text("title", section.title),
            begins=begins,
            ends=begins + length,
            zone=zone,
            wall=wall_of(begins.astimezone(ZoneInfo(zone)), zone),
            rule=section.rrule,
            message=self._text("message", section.message or {}),
            modules=modules,
            excuses=tuple(dict.fromkeys(section.excuses)),
        )
        _check(window, now)
        named = request or "|".join(
            map(str, (begins, length, zone, window.rule, modules, sorted(window.title.items())))
        )
        window = Window(**{name: getattr(window, name) for name in window.__slots__} | {"id": stable_id(named)})
        ahead = starts(window, now, now + AHEAD)
        if not ahead and window.rule is None:
            raise ValueError("`until` lies in the past: there is nothing left to plan")
        return Scheduled(window, ahead)

    def next_starts(self, window: Window, now: datetime, count: int) -> tuple[datetime, ...]:
        """When a window begins: the next times, within five years."""
        return starts(window, now, now + FARTHEST)[:count]

    def _section(self, body: Mapping[str, Any], now: datetime) -> WindowSection:
        given = {name: value for name, value in body.items() if value is not None}
        zone = given.get("timezone") or self._config.site.timezone
        given.setdefault("from", "now")
        for name in ("from", "until"):
            if isinstance(given.get(name), str):
                given[name] = self._written(name, given[name], now, str(zone))
        if ("until" in given) == ("duration" in given):
            raise ValueError("say either `until` or `duration`")
        try:
            return WindowSection.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = next((str(one) for one in first["loc"]), "it")
            raise ValueError(f"`{name}` {_said(first)}") from None

    def _written(self, name: str, said: str, now: datetime, zone: str) -> str:
        try:
            return self.moment(said, now, zone).isoformat(timespec="seconds")
        except ValueError as error:
            raise ValueError(f"`{name}` {error}") from None

    def _text(self, name: str, text: Mapping[str, str]) -> Text:
        """One text per language; one that was written once is in the site's first language."""
        languages = self._config.site.languages
        said = {tag or languages[0]: one for tag, one in text.items()}
        read = read_line(said, name, languages) if name == "title" else read_text(said, name, languages, needed=False)
        if isinstance(read, Refusal):
            raise ValueError(read.reason)
        return read


def _in_zone(at: datetime, zone: str) -> datetime:
    try:
        return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (KeyError, ValueError):
        raise ValueError(f"`timezone` must be a time zone, such as America/Sao_Paulo, not `{zone[:60]}`") from None


def _check(window: Window, now: datetime) -> None:
    length = window.ends - window.begins
    if length <= timedelta(0):
        raise ValueError("`until` must be later than `from`")
    if length > LONGEST:
        raise ValueError(f"it would take longer than {duration_text(LONGEST)}")
    if window.rule is not None and now - window.begins > OLDEST:
        raise ValueError(f"`from` lies more than {duration_text(OLDEST)} back; a rule may begin with its next time")
    if window.begins - now > FARTHEST:
        raise ValueError(f"`from` lies farther ahead than {duration_text(FARTHEST)}")


def _said(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is no key of planned work"
    if error["type"] == "string_too_short":
        return "must not be empty"
    said = str(error["msg"])
    return said if error["type"] == "refused" else f"is wrong: {said[:1].lower()}{said[1:]}"
