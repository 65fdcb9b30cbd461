"""Lookup: what the answer of a name server says of the name that was asked for, as one code.

Reads `Observation.dns`, which may come from a recording: what is not shaped as it should be says nothing.
"""

from collections.abc import Mapping
from typing import Any

from monitor.core.clause import shown

SIGNATURE_ERRORS = range(6, 13)  # extended errors (RFC 8914) that speak of DNSSEC

_RCODES = {
    "NXDOMAIN": ("dns.nxdomain", "the name does not exist"),
    "REFUSED": ("dns.refused", "the name server refused the question"),
    "SERVFAIL": ("dns.servfail", "the name server failed"),
}


def fault_of(dns: Mapping[str, Any]) -> tuple[str, str] | None:
    """The code of an answer that gives no record of the wanted type, and a sentence; None for one that does."""
    rcode, kind, answers, name = dns.get("rcode"), dns.get("type"), dns.get("answers"), dns.get("name", "?")
    if not isinstance(rcode, str) or not isinstance(answers, list | tuple):
        return None
    if rcode == "NOERROR":
        found = any(isinstance(one, Mapping) and one.get("type") == kind for one in answers)
        return None if found else ("dns.nodata", f"{name}: the name exists but has no record of type {kind}")
    extended = dns.get("extended_errors")
    errors = [one for one in extended if isinstance(one, Mapping)] if isinstance(extended, list | tuple) else []
    said = "; ".join(str(one["text"]) for one in errors if one.get("text"))
    code, sentence = _RCODES.get(rcode, ("dns.servfail", f"the name server answers {rcode}"))
    if rcode == "SERVFAIL" and any(one.get("code") in SIGNATURE_ERRORS for one in errors):
        code, sentence = "dns.dnssec", "the name server refuses an answer whose signature fails"
    elif rcode == "SERVFAIL" and dns.get("answers_unchecked") is True:
        code, sentence = "dns.dnssec", "the name server has an answer once it need not check signatures"
    return code, f"{name}: {sentence} ({said})" if said else f"{name}: {sentence}"


def records_of(dns: Mapping[str, Any]) -> str:
    """The records of an answer on one short line, for a reason."""
    answers = dns.get("answers")
    records = answers if isinstance(answers, list | tuple) else ()
    return shown(", ".join(str(one.get("data")) for one in records if isinstance(one, Mapping)) or None)
