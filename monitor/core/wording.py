"""Wording: what an incident says to people, as sentences that any language can be put to.

A sentence is an English message with named places; the English text is the key of its translation in the theme's
catalogues. Nothing here knows a language, a zone or a clock, so page, feed, API and notice say the same thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.core.incident import Incident, Update
from monitor.core.module import Platform, Priority, Status
from monitor.core.observation import stamp
from monitor.core.text import Text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message and what fills its places: a text per language, another sentence, a list of either, or plain text.

    `instead`: what a person wrote in its place, by language.
    """

    message: str
    places: Mapping[str, "Place"] = field(default_factory=dict)
    instead: Text = field(default_factory=dict)


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
    "content.stale": N_("old or unusual data"),
    "content.empty": N_("empty answers"),
    "step": N_("purchases fail midway"),
    "upstream": N_("failing, judging by what depends on it"),
    "self": N_("cannot be checked at the moment"),
}


def seen(code: str) -> Sentence:
    """What a code looks like from outside."""
    prefix = max((p for p in SEEN if code.startswith(p)), key=len, default="http")
    return Sentence(SEEN[prefix], {"status": code.rpartition(".")[2]})


def witnessed(code: str, platform: Platform) -> Sentence:
    """What one sighting shows of the module it was made at: an answer that names another one speaks of that."""
    kind, _, named = code.partition(":")
    if kind == "upstream.signalled" and named:
        return Sentence(N_("its answers name {module}"), {"module": names(platform, (named,))})
    return seen(code)


def names(platform: Platform, modules: tuple[str, ...]) -> tuple[Place, ...]:
    """Names of modules; one that left the configuration keeps its id. Of very many, how many more there are."""
    return _cut(tuple(platform.modules[id].name if id in platform.modules else id for id in modules))


def _component_names(platform: Platform, components: tuple[str, ...]) -> tuple[Place, ...]:
    return _cut(tuple(platform.components[id].name if id in platform.components else id for id in components))


def _cut(places: Sequence[Place]) -> tuple[Place, ...]:
    more = len(places) - MOST_NAMED
    if more <= 0:
        return tuple(places)
    return (*places[:MOST_NAMED], more_of(str(more)))


def more_of(count: str) -> Sentence:
    """That there are more than can be told."""
    return Sentence(N_("and more: {count}"), {"count": count})


# What several modules have in common, to stand after "they share".
SHARED: dict[str, str] = {
    "host": N_("an address on the network"),
    "address": N_("an address on the network"),
    "certificate": N_("a certificate"),
    "dns_zone": N_("a name that has to be looked up ({value})"),
    "gateway": N_("the entrance in front of them"),
    "edge": N_("the network edge in front of them ({value})"),
    "region": N_("the region they run in"),
    "account": N_("the account"),
    "unknown": N_("something that cannot be seen from outside"),
}
URGENCY: dict[Priority, str] = {
    Priority.URGENT: N_("urgent"),
    Priority.HIGH: N_("high"),
    Priority.NORMAL: N_("normal"),
    Priority.LOW: N_("low"),
}
MEASURED: dict[Status, str] = {
    Status.UP: N_("{module} (works)"),
    Status.DEGRADED: N_("{module} (works badly)"),
    Status.DOWN: N_("{module} (down)"),
    Status.UNKNOWN: N_("{module} (not known)"),
}
OURS = frozenset(
    {
        *("opened", "worsened", "eased", "cause_changed", "member_added", "member_cleared", "resolved", "reopened"),
        *("outlived", "merged", "reported", "unmonitored", "raised"),
    }
)  # kinds of updates that are worded here
MOST_SPARED = 6  # components named as working
MOST_NAMED = 50  # modules or components named in one sentence


def title(incident: Incident, platform: Platform) -> Sentence:
    """The headline: which module, what several share, or which place; and what is seen."""
    if incident.title is not None:
        return Sentence("{text}", {"text": incident.title})
    what = seen(incident.cause.code)
    if incident.is_regional:
        return Sentence(N_("Only seen from {locations}: {seen}"), {"locations": incident.cause.locations, "seen": what})
    if incident.cause.scope == "shared":
        return Sentence(N_("Several modules at once: {seen}"), {"seen": what})
    (module,) = names(platform, (incident.root or "",))
    return Sentence(N_("{module}: {seen}"), {"module": module, "seen": what})


def summary(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """The cause in plain words: which module, what is seen, what it drags along, what changed just before, who feels it
    and who does not, what the platform itself says."""
    cause = incident.cause
    sentences = [*_cause_in_words(incident, platform), *_before_it(incident, platform)]
    if incident.components:
        what_stands = _component_names(platform, incident.components)
        sentences.append(Sentence(N_("Affected: {components}."), {"components": what_stands}))
    elif incident.by_hand:
        what_stands = names(platform, tuple(member.module for member in incident.members))
        sentences.append(Sentence(N_("Affected: {components}."), {"components": what_stands}))
    if incident.spared and incident.components and incident.is_open:
        well = _component_names(platform, incident.spared[:MOST_SPARED])
        sentences.append(Sentence(N_("Not affected: {components}."), {"components": well}))
    if cause.scope != "location" and cause.module is not None and cause.state != "confirmed":
        sentences.append(Sentence(N_("How sure we are: {confidence}."), {"confidence": _percent(cause.confidence)}))
    return (*sentences, *platform_says(incident))


def public_summary(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """The cause as readers are told: a person's words where there are any."""
    if incident.summary is not None:
        return (Sentence("{text}", {"text": incident.summary}),)
    return summary(incident, platform)


def platform_says(incident: Incident) -> tuple[Sentence, ...]:
    """What the platform's own status page says of it; nothing while that is not known."""
    reports = incident.cause.platform_reports or {}
    if reports.get("found"):
        return (_reported(reports.get("incident")),)
    if reports.get("found") is False:
        silent, was_silent = N_("The platform reports nothing so far."), N_("The platform reported nothing meanwhile.")
        return (Sentence(silent if incident.is_open else was_silent),)
    return ()


def _reported(headline: object) -> Sentence:
    return Sentence(N_("The platform reports: “{report}”."), {"report": str(headline or "?")})


def _cause_in_words(incident: Incident, platform: Platform) -> list[Sentence]:
    cause = incident.cause
    what = seen(cause.code)
    if cause.scope == "location":
        only = N_("Only our checks from {locations} see this: {seen}. From everywhere else the modules answer.")
        return [Sentence(only, {"locations": cause.locations, "seen": what})]
    if incident.by_hand:
        root = names(platform, (cause.module,)) if cause.module else ()
        return [Sentence(N_("It comes from: {modules}."), {"modules": root})] if root else []
    dragged = tuple(member.module for member in incident.members if member.role == "affected")
    if cause.scope == "shared" and cause.shared is not None:
        kind = str(cause.shared.get("kind", "unknown"))
        thing = Sentence(SHARED.get(kind, SHARED["unknown"]), {"value": str(cause.shared.get("value") or "?")})
        together = Sentence(N_("These fail together: {modules}."), {"modules": names(platform, dragged)})
        return [together, Sentence(N_("What they share: {thing}. Seen: {seen}."), {"thing": thing, "seen": what})]
    if cause.module is None:
        likely = names(platform, cause.likely)
        return [Sentence(N_("The cause is probably one of: {modules}."), {"modules": likely})]
    (module,) = names(platform, (cause.module,))
    found = [Sentence(N_("{module}: {seen}."), {"module": module, "seen": what})]
    if dragged:
        found.append(Sentence(N_("Also failing because of it: {modules}."), {"modules": names(platform, dragged)}))
    return found


def _before_it(incident: Incident, platform: Platform) -> list[Sentence]:
    """What changed just before: a new version, or another module that came back."""
    trigger = incident.cause.trigger or {}
    if not trigger.get("module"):
        return []
    (module,) = names(platform, (str(trigger["module"]),))
    if trigger.get("kind") == "aftermath":
        return [Sentence(N_("{module} works again; this has outlasted it."), {"module": module})]
    if trigger.get("kind") == "version_change":
        versions: dict[str, Place] = {"before": str(trigger.get("from") or "?"), "after": str(trigger.get("to") or "?")}
        changed = N_("Just before, {module} changed from version {before} to {after}.")
        return [Sentence(changed, {"module": module, **versions})]
    return []


def line(incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """One precise line for whoever is on call: what broke, by what code, since when, seen from where, how sure, who
    suffers, who does not, what changed. Ids and codes as they stand in metrics and in the configuration."""
    cause = incident.cause
    shared = cause.shared or {}
    thing = f"{shared.get('kind', 'unknown')} {shared.get('value') or '?'}"
    what = cause.module or (thing if cause.scope == "shared" else incident.root) or ", ".join(cause.locations)
    places: dict[str, Place] = {
        "what": what or ", ".join(incident.components),
        "code": cause.code or "by hand",
        "since": stamp(incident.started_at) or "?",
    }
    sentences = [Sentence(N_("{what}: {code} since {since}."), places)]
    seen_from = tuple(sorted({one.location for one in cause.evidence}))
    if len(seen_from) == 1 and len(platform.locations) == 1:
        sentences.append(Sentence(N_("Single vantage: {locations}."), {"locations": seen_from}))
    elif seen_from:
        sentences.append(Sentence(N_("Seen from {locations}."), {"locations": seen_from}))
    likely = ", ".join(f"{one.module} {_percent(one.confidence)}" for one in cause.candidates[:3])
    if cause.module is None and likely:
        sentences.append(Sentence(N_("Candidates: {modules}."), {"modules": likely}))
    else:
        sentences.append(Sentence(N_("Confidence {confidence}."), {"confidence": _percent(cause.confidence)}))
    suffers = _cut([m.module for m in incident.members if m.role == "affected" and m.until is None])
    if suffers:
        sentences.append(Sentence(N_("Suffering: {modules}."), {"modules": suffers}))
    if incident.spared:
        sentences.append(Sentence(N_("Working: {components}."), {"components": _cut(incident.spared)}))
    return (*sentences, *_before_it(incident, platform), *platform_says(incident))


def _percent(confidence: float) -> str:
    """Rounded down: nothing is told to be surer than it is."""
    return f"{int(confidence * 100 + 1e-6)}\u00a0%"


def update_body(update: Update, incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    """One entry of the timeline in words; a person's text stands as it was written. Of ours, only the languages that a
    person corrected do."""
    if update.kind == "lowered":
        return _lowered(update, platform)
    if update.body is not None and update.kind not in OURS:
        return (Sentence("{text}", {"text": update.body}),)
    first, *others = _own_words(update, incident, platform)
    corrected = update.body or {}
    return replace(first, instead=corrected), *(replace(one, instead=dict.fromkeys(corrected, "")) for one in others)


def _own_words(update: Update, incident: Incident, platform: Platform) -> tuple[Sentence, ...]:
    params = update.params
    module = names(platform, tuple(params.get("modules") or [str(params.get("module") or incident.root or "")]))
    code = str(params.get("code", incident.cause.code))
    places: dict[str, Place] = {"module": module, "seen": witnessed(code, platform)}
    if incident.is_regional:
        return (_of_place(update, incident),)
    if incident.cause.scope == "shared" and update.kind == "cause_changed":
        return (*_cause_in_words(incident, platform),)
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
        case "raised":
            before, after = (Sentence(URGENCY[Priority(params[key])]) for key in ("from", "to"))
            again = N_("It got worse than it was: the priority is {after}, and no longer {before}.")
            return (Sentence(again, {"before": before, "after": after}),)
        case "outlived":
            left = names(platform, tuple(params.get("modules", ())))
            own = N_("It works again. What still fails goes on as an incident of its own: {modules}.")
            return (Sentence(own, {"modules": left}),)
        case "merged":
            return (Sentence(N_("This proved to be part of another incident, which goes on.")),)
        case "reported":
            return (_reported(params.get("report")),)
        case "unmonitored":
            return (Sentence(N_("No longer monitored: {module}."), places),)
        case _:
            return (Sentence(N_("Everything affected works again.")),)


def _of_place(update: Update, incident: Incident) -> Sentence:
    """An entry about a place in trouble."""
    places: dict[str, Place] = {"locations": incident.cause.locations, "seen": seen(incident.cause.code)}
    match update.kind:
        case "resolved":
            return Sentence(N_("Our checks from {locations} see everything again."), places)
        case "reopened":
            return Sentence(N_("The trouble is back, only seen from {locations}: {seen}."), places)
        case _:
            return Sentence(N_("Only seen from {locations}: {seen}."), places)


def _lowered(update: Update, platform: Platform) -> tuple[Sentence, ...]:
    """A priority that a person lowered, why, and what was measured at that moment."""
    before, after = (Sentence(URGENCY[Priority(update.params[key])]) for key in ("from", "to"))
    places: dict[str, Place] = {"before": before, "after": after, "reason": update.body or {}}
    said = [Sentence(N_("Priority lowered from {before} to {after}: {reason}"), places)]
    statuses: Mapping[str, str] = update.params.get("statuses") or {}
    if statuses:
        told = zip(names(platform, tuple(statuses)), statuses.values(), strict=False)
        each = tuple(Sentence(MEASURED[Status(status)], {"module": name}) for name, status in told)
        said.append(Sentence(N_("Measured at that moment: {modules}."), {"modules": each}))
    return tuple(said)
