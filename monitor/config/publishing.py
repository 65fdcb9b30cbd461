"""`publish`: what happens with a publication besides that it is served."""

from pydantic import Field

from monitor.config.expect import Lenient, Section, mapped
from monitor.config.scalars import Boolean, Duration, Id


class HookSection(Section):
    """A command that carries publications elsewhere."""

    command: list[str] = Field(min_length=1, description="Program and arguments; no shell reads them.")
    timeout: Duration = Field("2m", validate_default=True, description="Longest time of a run; then it is killed.")
    nul: Boolean = Field(False, description="Paths on its input end with NUL instead of a line break.")


class PublishSection(Lenient):
    """What happens with a publication."""

    hooks: dict[Id, HookSection] = mapped("Commands to run after a publication, by name.")
