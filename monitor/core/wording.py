"""Wording: what an incident says to people, as sentences that any language can be put to.

A sentence is an English message with named places; the English text is the key of its translation in the theme's
catalogues. Nothing here knows a language, a zone or a clock, so page, feed, API and notice say the same thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.core.incident import Incident, Update
from monitor.core.module import Platform, Status, Text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message and what fills its places: a text per language, another sentence, a list of either, or plain text."""

    message: str
    places: Mapping[str, "Place"] = field(default_factory=dict)


Place = Text | Sentence | str | tuple["Place", ...]


def N_(message: str) -> str:
    """Marks a message for the catalogues."""
    return message


# What is seen, to stand after the module's name and a colon, so that no verb has to agree with a name. The longest
# prefix of a code wins.
SEEN: dict[str, str] = {
    "dns": N_("not found by name (DNS)"),
    "dns.timeout": N_("not found, the name servers do not answer"),
    "tcp": N_("not reachable"),
    "tcp.refused": N_("connections refused"),
    "tcp.timeout": N_("no connection in time"),
    "tls": N_("no secure connection"),
    "tls.cert": N_("certificate not valid"),
    "tls.cert_expired": N_("expired certificate"),
    "tls.hostname_mismatch": N_("certificate of another address"),
    "tls.self_signed": N_("certificate nobody vouches for"),
    "tls.untrusted_root": N_("certificate nobody vouches for"),
    "tls.unknown_issuer": N_("certificate nobody vouches for"),
    "tls.incomplete_chain": N_("incomplete certificate chain"),
    "tls.revoked": N_("revoked certificate"),
    "tls.expires_soon": N_("certificate expires soon"),
    "http": N_("wrong answers"),
    "http.closed": N_("connections closed without an answer"),
    "http.reset": N_("connections broken off"),
    "http.ttfb_timeout": N_("no answer in time"),
    "http.header_drip": N_("no answer in time"),
    "http.transfer_timeout": N_("answers not finished in time"),
    "http.slow_ttfb": N_("slow answers"),
    "http.slow_transfer": N_("slow answers"),
    "http.truncated": N_("answers broken off"),
    "http.bad_encoding": N_("damaged answers"),
    "http.malformed": N_("damaged answers"),
    "http.redirect": N_("visitors sent to the wrong place"),
    "http.4": N_("requests refused (status {status})"),
    "http.429": N_("requests throttled (status 429)"),
    "http.5": N_("errors (status {status})"),
    "http.502": N_("no valid answer from the servers behind it (status 502)"),
    "http.503": N_("overload or service switched off (status 503)"),
    "http.504": N_("no answer in time from the servers behind it (status 504)"),
    "cdn": N_("not reached behind the content network"),
    "lb": N_("not reached behind the load balancer"),
    "edge": N_("not reached behind the network edge"),
    "blocked": N_("our checks are refused"),
    "content": N_("unexpected answers"),
    "content.maintenance": N_("maintenance page"),
    "content.stale": N_("old data"),
    "content.empty": N_("empty answers"),
    "step": N_("purchases fail midway"),
    "upstream": N_("something it depends on fails"),
    "self": N_("cannot be checked at the moment"),
}


def seen(code: str) -> Sentence:
    """What a code looks like from outside."""
    prefix = max((p for p in SEEN if code.startswith(p)), key=len, default="http")
    return Sentence(SEEN[prefix], {"status": code.rpartition(".")[2]})


def names(platform: Platform, modules: tuple[str, ...]) -> tuple[Place, ...]:
    """Names of modules; one that left the configuration keeps its id."""
    return tuple(platform.modules[id].name if id in platform.modules else id for id in modules)


def _component_names(platform: Platform, components: tuple[str, ...]) -> tuple[Place, ...]:
    return tuple(platform.components[id].name if id in platform.components else id for id in components)


def title(incident: Incident, platform: Platform) -> Sentence:
    """The headline: which module, and what is seen."""
    if incident.title is not None:
        return Sentence("{text}", {"text": incident.title})
    (module,) = names(platform, (incident.root or "",))
    return Sentence(N_("{module}: {seen}"), {"module": module, "seen": seen(incident.cause.code)})


def summary(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """The cause in plain words: which module, what is seen, what it drags along, how sure we are."""
    cause = incident.cause
    what = seen(cause.code)
    sentences: list[Sentence] = []
    if cause.module is not None:
        (module,) = names(platform, (cause.module,))
        sentences.append(Sentence(N_("{module}: {seen}."), {"module": module, "seen": what}))
    else:
        likely = names(platform, tuple(one.module for one in cause.candidates[:3]))
        sentences.append(Sentence(N_("The cause is probably one of: {modules}."), {"modules": likely}))
    dragged = tuple(member.module for member in incident.members if member.role == "affected")
    if dragged and cause.module is not None:
        sentences.append(Sentence(N_("Also failing because of it: {modules}."), {"modules": names(platform, dragged)}))
    if incident.components:
        what_stands = _component_names(platform, incident.components)
        sentences.append(Sentence(N_("Affected: {components}."), {"components": what_stands}))
    return tuple(sentences)


def update_body(update: Update, incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """One entry of the timeline in words; a person's text stands as it was written."""
    if update.body is not None:
        return (Sentence("{text}", {"text": update.body}),)
    params = update.params
    module = names(platform, (str(params.get("module", incident.root)),))[0]
    code = str(params.get("code", incident.cause.code))
    places: dict[str, Place] = {"module": module, "seen": seen(code)}
    match update.kind:
        case "opened":
            slow = params.get("status") == Status.DEGRADED
            last = N_("It still works, but not well.") if slow else N_("We are watching it closely.")
            return (Sentence(N_("{module}: {seen}."), places), Sentence(last))
        case "worsened":
            return (Sentence(N_("It got worse. {module}: {seen}."), places),)
        case "eased":
            return (Sentence(N_("It got better, but is not well yet: {module}."), places),)
        case "cause_changed":
            return (Sentence(N_("What we see has changed. {module}: {seen}."), places),)
        case "member_added":
            return (Sentence(N_("Also affected: {module}."), places),)
        case "member_cleared":
            return (Sentence(N_("Working again: {module}."), places),)
        case "reopened":
            return (Sentence(N_("The trouble is back. {module}: {seen}."), places),)
        case "unmonitored":
            return (Sentence(N_("No longer monitored: {module}."), places),)
        case _:
            return (Sentence(N_("Everything affected works again.")),)
