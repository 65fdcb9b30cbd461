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


# What is seen, as the end of a sentence that begins with the module's name. The longest prefix of a code wins.
SEEN: dict[str, str] = {
    "dns": N_("cannot be found by name (DNS)"),
    "dns.timeout": N_("cannot be found: the name servers do not answer"),
    "tcp": N_("cannot be reached"),
    "tcp.refused": N_("refuses connections"),
    "tcp.timeout": N_("does not accept connections in time"),
    "tls": N_("does not set up a secure connection"),
    "tls.cert": N_("shows a certificate that is not valid"),
    "tls.cert_expired": N_("shows an expired certificate"),
    "tls.hostname_mismatch": N_("shows the certificate of another address"),
    "tls.self_signed": N_("shows a certificate nobody vouches for"),
    "tls.untrusted_root": N_("shows a certificate nobody vouches for"),
    "tls.unknown_issuer": N_("shows a certificate nobody vouches for"),
    "tls.incomplete_chain": N_("shows an incomplete certificate chain"),
    "tls.revoked": N_("shows a revoked certificate"),
    "tls.expires_soon": N_("has a certificate that expires soon"),
    "http": N_("does not answer as it should"),
    "http.closed": N_("closes the connection without answering"),
    "http.reset": N_("breaks the connection off"),
    "http.ttfb_timeout": N_("does not answer in time"),
    "http.header_drip": N_("does not answer in time"),
    "http.transfer_timeout": N_("does not finish its answers in time"),
    "http.slow_ttfb": N_("answers slowly"),
    "http.slow_transfer": N_("answers slowly"),
    "http.truncated": N_("breaks its answers off"),
    "http.bad_encoding": N_("sends damaged answers"),
    "http.malformed": N_("sends damaged answers"),
    "http.redirect": N_("sends visitors to the wrong place"),
    "http.4": N_("refuses requests (status {status})"),
    "http.429": N_("refuses requests because there are too many"),
    "http.5": N_("answers with errors (status {status})"),
    "http.502": N_("gets no valid answer from the servers behind it (status 502)"),
    "http.503": N_("is overloaded or switched off (status 503)"),
    "http.504": N_("gets no answer in time from the servers behind it (status 504)"),
    "cdn": N_("is not reached behind the content network"),
    "lb": N_("is not reached behind the load balancer"),
    "edge": N_("is not reached behind the network edge"),
    "blocked": N_("refuses our checks"),
    "content": N_("answers, but not with what it should"),
    "content.maintenance": N_("shows a maintenance page"),
    "content.stale": N_("answers with old data"),
    "content.empty": N_("answers with nothing"),
    "content.invalid_json": N_("answers, but not with what it should"),
    "step": N_("fails in the middle of a purchase"),
    "upstream": N_("fails because something it depends on fails"),
    "self": N_("cannot be checked at the moment"),
}


def seen(code: str) -> Sentence:
    """What a code looks like from outside, as a sentence end."""
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
    (module,) = names(platform, (incident.root,))
    return Sentence(N_("{module} {seen}"), {"module": module, "seen": seen(incident.cause.code)})


def summary(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """The cause in plain words: which module, what is seen, what it drags along, how sure we are."""
    cause = incident.cause
    what = seen(cause.code)
    sentences: list[Sentence] = []
    if cause.module is not None:
        (module,) = names(platform, (cause.module,))
        sentences.append(Sentence(N_("{module} {seen}."), {"module": module, "seen": what}))
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
            return (Sentence(N_("{module} {seen}."), places), Sentence(last))
        case "worsened":
            return (Sentence(N_("It got worse: {module} {seen}."), places),)
        case "eased":
            return (Sentence(N_("It got better: {module} answers again, but not well yet."), places),)
        case "cause_changed":
            return (Sentence(N_("What we see has changed: {module} {seen}."), places),)
        case "member_added":
            return (Sentence(N_("{module} is affected too."), places),)
        case "member_cleared":
            return (Sentence(N_("{module} works again."), places),)
        case "reopened":
            return (Sentence(N_("The trouble is back: {module} {seen}."), places),)
        case "unmonitored":
            return (Sentence(N_("{module} is no longer monitored."), places),)
        case _:
            return (Sentence(N_("Everything affected works again.")),)
