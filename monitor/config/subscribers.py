"""`subscribers`: how customers are told who asked for it, and what of that no single field can know."""

from typing import Any

from pydantic import Field

from monitor.config.expect import Section
from monitor.config.findings import Findings
from monitor.config.scalars import Boolean


class SubscribersSection(Section):
    """How customers are told who subscribed. It takes `site.subscribe_url`, where they do that."""

    through: str | None = Field(
        None, description="The `email` channel whose server and sender mails go through; null: the first there is."
    )
    webhooks: Boolean = Field(True, description="Whether programs of customers are called.")
    allow_private: Boolean = Field(
        False, description="Whether those may lie at private addresses and go without TLS: for tests, inside a house."
    )


def check(findings: Findings) -> None:
    """Tells what is wrong with the section."""
    section: Any = findings.root.get("subscribers") if isinstance(findings.root, dict) else None
    through = section.get("through") if isinstance(section, dict) else None
    if not isinstance(through, str):
        return
    channels = findings.root.get("channels")
    mails = [id for id, one in channels.items() if _is_mail(one)] if isinstance(channels, dict) else []
    if str(through) not in mails:
        known = ", ".join(map(str, mails)) or "none"
        findings.error(("subscribers", "through"), f"`through` names no channel of kind email: known are {known}")


def _is_mail(channel: Any) -> bool:
    return isinstance(channel, dict) and channel.get("kind") == "email"
