"""History: ninety days of trouble that never was, believable enough for bars, incident pages and latency plots.

Each block of six days has one incident, drawn from the number of the block alone: so a demo started tomorrow shows
the same past as today's, moved on by a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import cos, pi
from random import Random

BLOCK = 6  # days with one incident among them: fifteen or so in ninety days
LAST_HOUR = 17  # nothing begins later in a day, so that none reaches into the six hours before a midnight

_SHORTEST, _LONGEST = timedelta(minutes=3), timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident that is over. `affected` are the modules that suffered with the root, with their status."""

    started_at: datetime
    ended_at: datetime
    module: str
    affected: tuple[tuple[str, str], ...]
    code: str
    status: str  # down | degraded


@dataclass(frozen=True, slots=True)
class _Plot:
    """A kind of trouble: who, what it looked like, who suffered, about how long, how often."""

    module: str
    code: str
    status: str
    affected: tuple[tuple[str, str], ...]
    minutes: float
    weight: int


_PLOTS = (
    _Plot("logistics", "http.503", "down", (("checkout", "down"),), 35, 3),
    _Plot("rates-and-benefits", "upstream.signalled", "down", (("checkout", "down"),), 25, 3),
    _Plot("catalog", "http.500", "down", (("checkout", "down"), ("search", "degraded")), 18, 2),
    _Plot("search", "http.slow_ttfb", "degraded", (), 50, 4),
    _Plot("search", "http.503", "down", (("store-framework", "degraded"),), 15, 2),
    _Plot("checkout", "http.500", "down", (), 12, 2),
    _Plot("checkout", "http.slow_ttfb", "degraded", (), 40, 2),
    _Plot("session", "http.504", "down", (), 9, 2),
    _Plot("vtex-id", "http.ttfb_timeout", "down", (("admin", "degraded"),), 22, 2),
    _Plot("file-system", "http.503", "down", (), 14, 2),
    _Plot("store-framework", "http.slow_ttfb", "degraded", (), 65, 2),
    _Plot("legacy-search", "content.stale", "degraded", (), 95, 1),
    _Plot("admin", "http.502", "down", (), 28, 2),
    _Plot("postal-code", "http.ttfb_timeout", "down", (), 11, 1),
    _Plot("profile", "http.500", "down", (), 16, 1),
    _Plot("vtex-io", "http.503", "down", (("store-framework", "down"), ("admin", "down")), 20, 1),
)

_FALLBACK = _Plot("", "http.500", "down", (), 20, 1)


def history(modules: Sequence[str], now: datetime, days: int = 90, seed: int = 7) -> list[PastIncident]:
    """The incidents of the days before today among these modules, oldest first; the same all day long."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    known = set(modules)
    plots = [plot for plot in _PLOTS if plot.module in known]
    plots = plots or [_Plot(id, _FALLBACK.code, _FALLBACK.status, (), _FALLBACK.minutes, 1) for id in modules]
    if not plots:
        return []
    today = midnight.toordinal()
    incidents = []
    for block in range((today - days) // BLOCK, today // BLOCK + 1):
        rng = Random(f"{seed}/{block}")
        day = block * BLOCK + rng.randrange(BLOCK)
        plot = rng.choices(plots, [plot.weight for plot in plots])[0]
        start = midnight + timedelta(
            days=day - today, hours=rng.randrange(2, LAST_HOUR - 1), seconds=rng.randrange(3600)
        )
        length = timedelta(minutes=plot.minutes * rng.lognormvariate(0, 0.5)) + timedelta(seconds=rng.randrange(60))
        if today - days <= day < today:
            end = start + min(_LONGEST, max(_SHORTEST, length))
            affected = tuple((id, status) for id, status in plot.affected if id in known)
            incidents.append(PastIncident(start, end, plot.module, affected, plot.code, plot.status))
    return sorted(incidents, key=lambda incident: incident.started_at)


# Milliseconds of the middle answer in a quiet hour; pages and searches take longer than look-ups.
_USUAL = {
    "store-framework": 310.0,
    "checkout": 190.0,
    "search": 120.0,
    "legacy-search": 160.0,
    "admin": 240.0,
    "vtex-io": 280.0,
    "file-system": 25.0,
    "faststore": 40.0,
}


def latency(module: str, at: datetime) -> tuple[float, float, float]:
    """Median, 95th and 99th percentile of a module around a moment, in milliseconds: slower on busy evenings."""
    own = Random(f"latency/{module}")
    usual = _USUAL.get(module, own.uniform(45, 110))
    at = at.astimezone(UTC)
    hour = at.hour + at.minute / 60
    busy = (1 - cos((hour - 8) / 24 * 2 * pi)) / 2  # least at 8 UTC, most at 20 UTC: night and evening in Brazil
    step = int(at.timestamp()) // 300
    noise = int.from_bytes(blake2b(f"{module}/{step}".encode(), digest_size=4).digest()) / 2**32
    middle = usual * (0.85 + 0.35 * busy) * (0.94 + 0.12 * noise)
    tail = own.uniform(1.9, 2.6) + 0.5 * busy
    return round(middle, 1), round(middle * tail, 1), round(middle * tail * (1.35 + 0.3 * noise), 1)
