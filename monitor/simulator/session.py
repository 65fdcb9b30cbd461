"""Session and segment: the browsing context a storefront opens before anything else."""

from base64 import urlsafe_b64encode

from monitor.simulator.visit import Answer, Endpoint, Visit, data, error

SEGMENT = (
    b'{"channel":"1","priceTables":null,"regionId":null,"currencyCode":"BRL","currencySymbol":"R$",'
    b'"countryCode":"BRA","cultureInfo":"pt-BR","channelPrivacy":"public"}'
)


async def open_session(visit: Visit) -> Answer:
    """A new session: 201, two tokens, and both as cookies."""
    if not isinstance(visit.object().get("public", {}), dict):
        return error(400, "ORD001", "public must be an object", visit)
    session = f"{visit.unique('session')}.{visit.unique('signature')}"
    segment = urlsafe_b64encode(SEGMENT).decode().rstrip("=")
    answer = data({"sessionToken": session, "segmentToken": segment}, 201)
    answer.cookies = (
        f"vtex_session={session}; path=/; secure; HttpOnly; SameSite=None",
        f"vtex_segment={segment}; path=/; secure; SameSite=None",
    )
    return answer


async def segment(visit: Visit) -> Answer:
    """The context of a session, for the caller that shows both cookies."""
    if "vtex_session" not in visit.cookies or "vtex_segment" not in visit.cookies:
        return error(400, "session-missing", "the cookies vtex_session and vtex_segment are needed", visit)
    return Answer(body=SEGMENT)


_API = ("commerce", "io", "store")

ENDPOINTS = (
    Endpoint("POST", _API, "/api/sessions", "session", open_session),
    Endpoint("GET", _API, "/api/segments", "session", segment),
)
