"""`subscribers`: how customers are told who asked for it, and what of that no single field can know."""

from collections.abc import Mapping
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
    """Tells what is wrong with the section, and where customers could not subscribe by mail."""
    root: Any = findings.root if isinstance(findings.root, dict) else {}
    channels, site, section = (_mapping(root.get(key)) for key in ("channels", "site", "subscribers"))
    mails = [str(id) for id, one in channels.items() if _is_mail(one)]
    through = section.get("through")
    if isinstance(through, str) and str(through) not in mails:
        known = ", ".join(mails) or "none"
        findings.error(("subscribers", "through"), f"`through` names no channel of kind email; known are {known}")
    if isinstance(site.get("subscribe_url"), str) and site["subscribe_url"] and not mails:
        findings.warning(
            ("site", "subscribe_url"), "`subscribe_url` without a channel of kind email: only programs can subscribe"
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_mail(channel: Any) -> bool:
    return isinstance(channel, dict) and channel.get("kind") == "email"
