"""Promises: what `plans:` of the configuration promises, as judging reads it."""

from collections.abc import Mapping
from typing import Any

from monitor.config.routes import calendar_of
from monitor.core.service import Promise


def promises_of(sections: Mapping[str, Any]) -> tuple[Promise, ...]:
    """Every plan, in order; what is not written is promised to nobody."""
    return tuple(
        Promise(
            plan=one["id"],
            name=one["name"],
            objective=one.get("objective"),
            hours=calendar_of(sections, one.get("hours")),
            response=one.get("response") or {},
            update=one.get("update") or {},
        )
        for one in sections.get("plans", ())
    )
