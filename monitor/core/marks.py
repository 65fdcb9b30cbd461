"""Marks: what walls, content networks and caches in front of a module say about themselves in an answer."""

from monitor.core.observation import Observation

# Only the application behind the gateway is named by it: whatever carries it is the application's own answer.
BACKEND = "x-vtex-janus-router-backend-app"

_CHALLENGE = ("captcha", "cf-chl", "challenge-platform", "px-captcha", "are you a human", "não sou um robô")


# What the pages of a wall say together when they refuse an address: Cloudflare's, Akamai's.
_REFUSAL = (("you have been blocked", "cloudflare"), ("access denied", "reference #"), ("access denied", "&#35;"))


def wall(observation: Observation) -> tuple[str, str] | None:
    """A bot wall or a captcha that answers instead of the module; only some addresses see it."""
    http = observation.http
    assert http is not None
    headers = http.headers
    if action := headers.get("cf-mitigated") or headers.get("x-amzn-waf-action"):
        code = "blocked.captcha" if "captcha" in action.lower() else "blocked.waf"
        return code, f"a wall in front answered ({action[:80]}), status {http.status}"
    if http.status in (403, 406, 429, 503) and BACKEND not in headers:
        body = (http.excerpt or "").lower()
        if any(mark in body for mark in _CHALLENGE):
            return "blocked.captcha", f"a challenge page answered, status {http.status}"
        if http.status == 403 and any(all(mark in body for mark in marks) for marks in _REFUSAL):
            return "blocked.waf", f"a wall in front refused us, status {http.status}"
    return None


def cdn(observation: Observation) -> str | None:
    """The code of an error that the edge made itself, told by its marks; None when the answer came from behind it."""
    http = observation.http
    assert http is not None
    headers, body = http.headers, (http.excerpt or "").lower()
    server = headers.get("server", "").lower()
    if (server == "cloudflare" or "cf-ray" in headers) and http.status in (*range(520, 528), 530):
        return f"cdn.cf_{http.status}"
    if http.status < 500:
        return None
    if BACKEND in headers:
        return None  # the application answered: host, edge and gateway did their work
    if "error=" in headers.get("proxy-status", ""):
        return "edge.proxy_status"
    if headers.get("x-cache", "").lower().startswith("error from cloudfront") and "cloudfront" in body:
        return "cdn.cloudfront"
    if "x-served-by" in headers and ("guru meditation" in body or "backend read error" in body):
        return "cdn.fastly"
    if "reference #" in body or "reference&#32;&#35;" in body:
        return "cdn.akamai"
    if server.startswith("awselb/"):
        return "lb.aws"
    return None


_MAINTENANCE = (
    *("under maintenance", "scheduled maintenance", "maintenance mode", "down for maintenance"),
    *("em manutenção", "manutenção programada", "en mantenimiento", "mantenimiento programado"),
)


def is_maintenance(observation: Observation) -> bool:
    """Whether an answer that is not the right one says that it is one of planned work."""
    http = observation.http
    body = (http.excerpt or "").lower() if http is not None else ""
    return any(mark in body for mark in _MAINTENANCE)


_CACHE = "x-vtex-cache-status"


def answered_by_cache(observation: Observation) -> str | None:
    """The header that says a cache in front answered; None when the module did. Such an answer proves the edge only."""
    headers = observation.http.headers if observation.http else {}
    return next(
        (name for name, said in headers.items() if name.startswith(_CACHE) and said.strip().upper() == "HIT"), None
    )
