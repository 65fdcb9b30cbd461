"""Period: moments of the past as people write them on a command line."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.period import midnight

_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGO = re.compile(r"-?(\d{1,6})([smhdw])")
WRITTEN = "a date such as 2026-11-01, a time such as 2026-11-01T08:00 or 2026-11-01T11:00:00Z, now, or -7d for 7 d ago"


def moment(said: str, now: datetime, zone: str) -> datetime:
    """A moment in UTC: a date (when it begins), a time (in the zone unless it has an offset), `now`, `today`,
    `yesterday`, or a length of time ago. Raises ValueError with a sentence's end."""
    said, there = said.strip(), ZoneInfo(zone)
    today = now.astimezone(there).date()
    if said == "now":
        return now
    if said in ("today", "yesterday"):
        return midnight(today - timedelta(days=said == "yesterday"), there)
    try:
        if ago := _AGO.fullmatch(said):
            return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
            return midnight(date.fromisoformat(said), there)
        at = datetime.fromisoformat(said)
        at = (at if at.tzinfo is not None else at.replace(tzinfo=there)).astimezone(UTC)
        if not 1971 <= at.year < 9000:
            raise ValueError
        return at
    except (ValueError, OverflowError):
        raise ValueError(f"must be {WRITTEN}") from None
