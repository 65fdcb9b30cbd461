"""Guide: what every code means, whose it is and what to do: the causes that the monitor names, and the error codes of
VTEX's own answers. Nothing is said that the code alone does not tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from monitor.core.codes import CODES, Blame
from monitor.core.vtexcodes import DETAILS, TRAPS, VTEX
from monitor.core.wording import N_, Sentence, seen

LONGEST = 80  # characters of what somebody may ask for

WHOSE: dict[Blame, str] = {
    Blame.TARGET: N_("The module's own."),
    Blame.EDGE: N_("That of the network edge in front of the module, or of the module behind it."),
    Blame.DNS: N_("That of whoever keeps the name: its zone or its name servers."),
    Blame.PATH: N_("That of the network between here and there."),
    Blame.UPSTREAM: N_("That of another module, which this one depends on."),
    Blame.CONFIGURATION: N_("That of the shop's settings, or of what was asked: not the platform's."),
    Blame.SELF: N_("The monitor's own: no module is blamed."),
    Blame.BLOCKED: N_("Nobody's failure: the answer is a refusal of our checks."),
}
# What to do, by the longest prefix of a code.
ADVICE: dict[str, str] = {
    "dns": N_("Check the records of the name at whoever keeps the zone, and when the domain runs out."),
    "dns.dnssec": N_("Check the signatures of the zone and the DS record at the registrar."),
    "dns.resolver": N_("Check the name servers that the monitor's machine uses."),
    "tcp": N_("Wait for the platform; if it is your own server, see whether it runs and what a firewall lets through."),
    "tcp.unreachable": N_("Try from another network: if it works there, tell your provider."),
    "tls": N_("Ask whoever runs the address; browsers refuse it as well."),
    "tls.cert": N_("Renew the certificate where the domain is managed; shoppers see a warning until then."),
    "tls.hostname_mismatch": N_("Have the certificate cover this very name, and see where the name leads."),
    "tls.incomplete_chain": N_("Have the server send the intermediate certificates too."),
    "tls.expires_soon": N_("Renew the certificate before it runs out."),
    "http": N_("Follow the incident; if only your shop is struck, open a ticket with the time and the code."),
    "http.slow": N_("Follow the incident; put off imports and other heavy work until it is over."),
    "http.redirect": N_("Check the redirects of the shop's domain and bindings."),
    "http.4": N_("Check credentials, permissions and the address that was asked."),
    "http.401": N_("Check the app key and token, and whether they have run out."),
    "http.403": N_("Check which permissions the key or the user has."),
    "http.404": N_("Check the address and the account's name."),
    "http.429": N_("Ask less often and wait as long as Retry-After says; spread integrations over time."),
    "http.503": N_("Follow the incident; try again later and more slowly, so that it can recover."),
    "http.507": N_("Follow the incident: the place where the data is kept is full."),
    "cdn": N_("Follow the incident; the status page of the content network may say more."),
    "lb": N_("Follow the incident; behind the load balancer nobody answers."),
    "edge": N_("Follow the incident; the network edge may say more on its own status page."),
    "blocked": N_("Let the monitor's address pass the firewall or the bot protection."),
    "content": N_("Open the page yourself; if it is wrong there too, undo what was published last."),
    "content.maintenance": N_("Wait for the end of the work that the page announces."),
    "content.default_page": N_("Check where the domain leads: the shop is not what answers there."),
    "content.login": N_("Check whether the shop is closed to visitors, or the session has ended."),
    "content.wrong_store": N_("Check the domain's binding: another shop answers there."),
    "content.stale": N_("See whether indexing, feeds and jobs run; what was changed lately may show late."),
    "step": N_("Try the purchase by hand up to that step, and see what the shop says there."),
    "step.precondition": N_("See that the product, postal code and payment that are tried still exist."),
    "step.cleanup": N_("See whether test orders were left over, and cancel them."),
    "upstream": N_("Look at the module that is named: this one recovers with it."),
    "self": N_("Operators look at the monitor's machine; the platform may be well."),
    "self.config": N_("Operators mend the configuration; `monitor check` says where."),
}
HEADS = {"meaning": N_("What it means"), "whose": N_("Whose it is"), "advice": N_("What to do")}
COULD_NOT = N_("Checkout could not use {module}.")
WITH_DETAIL = N_("Checkout could not use {module}: {detail}.")
OF_PLATFORM = N_("That of {module}, which Checkout depends on.")
OF_SHOP = N_("That of the shop's settings or of the request: no outage.")
WAIT = N_("Follow the incident of {module}; without one, open a ticket with code, time and operationId.")
MEND = N_("Mend the setting or the request, then try again; others are not struck.")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a code. `kind` is `cause` or `vtex`, `module` the name of the part of the platform that one of
    VTEX names; `blame` and `cls` are of causes."""

    code: str
    kind: str
    meaning: Sentence
    whose: Sentence
    advice: tuple[Sentence, ...]
    module: str | None = None
    blame: str | None = None
    cls: str | None = None


def entry(code: str) -> Entry | None:
    """What is known of a code, in capitals or not; None for one that nobody knows. A cause may have its module behind a
    colon, and a detail that is not known is told as what precedes it."""
    wanted = code.strip()
    name = wanted.partition(":")[0].lower()
    if name in CODES:
        return _cause(name)
    known = {one.lower(): one for one in VTEX}
    lower = wanted.lower()
    found = known.get(lower) or (known.get(lower.partition(".")[0]) if lower.partition(".")[0] in _DETAILED else None)
    return None if found is None else _vtex(found)


def nearest(code: str) -> str | None:
    """The code that somebody may have meant."""
    lower = {one.lower(): one for one in (*CODES, *VTEX)}
    found = get_close_matches(code.strip().lower()[:LONGEST], lower, 1, 0.6)
    return lower[found[0]] if found else None


def anchor(code: str) -> str:
    """Where a code stands on the page of all of them; empty where it does not."""
    found = entry(code)
    return "" if found is None else found.code


def entries() -> Iterable[Entry]:
    """Every code, causes first."""
    yield from map(_cause, CODES)
    yield from map(_vtex, VTEX)


def alike(some: Iterable[Entry]) -> list[tuple[Entry, ...]]:
    """Entries that say the same, together."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for one in some:
        detail = one.meaning.places.get("detail")
        said = (one.meaning.message, detail.message if isinstance(detail, Sentence) else None, one.module)
        key = (*said, one.whose.message, *(each.message for each in one.advice))
        found.setdefault(key, []).append(one)
    return [tuple(one) for one in found.values()]


def help_for(code: str, links: Mapping[str, str]) -> str | None:
    """Where more is to be read of a code: what the operator named for it, or for the beginning of its name."""
    found = max((one for one in links if _is_about(one, code)), key=len, default=None)
    return None if found is None else links[found]


def _is_about(name: str, code: str) -> bool:
    return code == name or code.startswith((f"{name}.", f"{name}:"))


def _cause(code: str) -> Entry:
    about = CODES[code]
    advice = max((one for one in ADVICE if code.startswith(one)), key=len)
    return Entry(
        code,
        "cause",
        seen(code),
        Sentence(WHOSE[about.blame]),
        (Sentence(ADVICE[advice]),),
        blame=about.blame.value,
        cls=about.cls.value,
    )


def _vtex(code: str) -> Entry:
    known = VTEX[code]
    if known.module is None:
        return Entry(code, "vtex", Sentence(known.meaning or ""), Sentence(OF_SHOP), (Sentence(MEND),))
    places = {"module": known.module}
    said = Sentence(known.meaning or COULD_NOT, places)
    if known.detail is not None:
        said = Sentence(WITH_DETAIL, {**places, "detail": Sentence(known.detail)})
    trap = TRAPS.get(code.partition(".")[0])
    advice = (Sentence(WAIT, places), *((Sentence(trap),) if trap else ()))
    return Entry(code, "vtex", said, Sentence(OF_PLATFORM, places), advice, known.module)


_DETAILED = {one.lower() for one in DETAILS}
