"""`publish`: which incidents appear in public, and what happens with a publication besides that it is served."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from monitor.config.expect import Lenient, Section, listed, mapped, whole
from monitor.config.notices import Priorities
from monitor.config.scalars import Boolean, Duration, Id, Texts, duration, refuse
from monitor.core import match as core

AT_ONCE, APPROVED = "at_once", "approved"


def _when(value: Any) -> timedelta | None:
    """How long after its opening; None: once a person approved."""
    if value in (AT_ONCE, APPROVED):
        return timedelta(0) if value == AT_ONCE else None
    try:
        return duration(value)
    except PydanticCustomError:
        choices = f"`{AT_ONCE}`, `{APPROVED}` or a duration with its unit, such as 10m"
        raise refuse(f"must be {choices}") from None


When = Annotated[
    timedelta | None,
    PlainValidator(_when),
    WithJsonSchema({"type": "string", "pattern": r"^(at_once|approved|[0-9]+(\.[0-9]+)?(ms|s|m|h|d))$"}),
]


class PublishMatch(Section):
    """Which incidents a rule is about; all that is written must fit, and what is not written fits everything."""

    priority: Priorities | None = Field(None, description="Priority, or priorities, of the incident.")
    modules: Texts | None = Field(None, description="Module, or modules, that are touched.")
    group: Texts | None = Field(None, description="Group, or groups, of components that are touched.")


class PublishRule(Section):
    """When matching incidents appear in public."""

    match: PublishMatch = whole(PublishMatch, "Which incidents; empty: all.")
    when: When = Field(
        AT_ONCE,
        validate_default=True,
        description="`at_once`, so long after the incident opened, or `approved`: once a person publishes it.",
    )

    def core(self) -> core.PublishRule:
        """The same, as judgement reads it."""
        wanted = core.Match(
            priorities=_set(self.match.priority), groups=_set(self.match.group), modules=_set(self.match.modules)
        )
        return core.PublishRule(wanted, self.when)


class HookSection(Section):
    """A command that carries publications elsewhere."""

    command: list[str] = Field(min_length=1, description="Program and arguments; no shell reads them.")
    timeout: Duration = Field("2m", validate_default=True, description="Longest time of a run; then it is killed.")
    nul: Boolean = Field(False, description="Paths on its input end with NUL instead of a line break.")


class PublishSection(Lenient):
    """How incidents reach the public."""

    rules: list[PublishRule] = listed(
        "When incidents appear; the first rule that fits wins, without one it is at once."
    )
    hooks: dict[Id, HookSection] = mapped("Commands to run after a publication, by name.")


def _set(names: Any) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
