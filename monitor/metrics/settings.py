"""Settings: what a probe is configured to do, for `debug=true`, and what of it nobody may read."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from monitor.core.probe import Probe
from monitor.mask import mask_of

LINE = 2000  # characters of one line of a debug page
_PARTS = re.compile(r"[\s=;,:]+")  # `Bearer abc`, `session=abc; theme=dark`: who echoes one rarely echoes the rest
OPEN_HEADERS = frozenset(("accept", "accept-encoding", "accept-language", "content-type", "user-agent", "host"))


def settings_of(probe: Probe) -> str:
    """The settings, one a line. Of what may hold a secret only the name stands here."""
    ask, expect = probe.ask, probe.expect
    told = {
        "probe": "/".join(probe.key),
        "kind": probe.kind,
        "target": probe.instance,
        "interval": f"{probe.interval.total_seconds():g}s",
        "timeout": f"{probe.timeout.total_seconds():g}s",
        "locations": ", ".join(probe.locations),
        "role": probe.role.value,
        "method": getattr(ask, "method", None),
        "headers": ", ".join(name for name, _ in getattr(ask, "headers", ())),
        "follow": getattr(ask, "follow", None),
        "steps": ", ".join(step.name for step in probe.steps),
        "expect.status": ", ".join(f"{low}-{high}" for low, high in expect.status) if hasattr(ask, "url") else None,
        "expect.header": ", ".join(name for name, _ in expect.header),
        "expect.text": str(len(expect.of_body) or ""),
        "expect.json": ", ".join(path for path, _ in expect.json),
    }
    return "\n".join(f"{name}: {value}" for name, value in told.items() if value not in (None, ""))


def hidden_in(probe: Probe, secrets: frozenset[str]) -> Callable[[str], str]:
    """Hides in a line what the configuration took from outside, and what a probe sends besides its question: values of
    headers and of a query, users, passwords, bodies."""
    asks = [probe.ask, *(getattr(step.ask, "http", None) for step in probe.steps)]
    hidden = {value for one in asks for value in _sent(one)}
    mask = mask_of(secrets | frozenset(filter(None, hidden)))
    return lambda line: mask.line(line, LINE) if line.strip() else ""


def _sent(ask: object) -> list[str]:
    headers = [value for name, value in getattr(ask, "headers", ()) if name.lower() not in OPEN_HEADERS]
    words = [word for value in headers for word in _PARTS.split(value)]
    try:
        url = urlsplit(str(getattr(ask, "url", "")))
    except ValueError:
        url = urlsplit("")
    users = [getattr(ask, name, None) or "" for name in ("username", "password", "secret")]
    sent = [
        data.decode("utf-8", "replace") for data in (getattr(ask, "body", None), getattr(ask, "send", None)) if data
    ]
    query = [value for _, value in parse_qsl(url.query)]
    return [*headers, *words, *query, url.query, url.username or "", url.password or "", *users, *sent]
