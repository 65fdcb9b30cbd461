"""The closed list of cause codes: whose fault each one is by itself, and what class of cause it stands for.

Codes are labels, keys of sentences and part of stored facts, so the list only ever grows (`docs/judgement.md`).
Names follow Network Error Logging where it has one.
"""

from dataclasses import dataclass
from enum import StrEnum


class Blame(StrEnum):
    """Whose fault a failure is, before anybody looks at other modules."""

    TARGET = "target"
    EDGE = "edge"
    DNS = "dns"
    PATH = "path"
    UPSTREAM = "upstream"
    CONFIGURATION = "configuration"
    SELF = "self"
    BLOCKED = "blocked"


class CauseClass(StrEnum):
    """What kind of thing went wrong, as the incident's `class` names it."""

    DEPLOY = "deploy_or_config_change"
    DEPENDENCY = "dependency_failure"
    CAPACITY = "capacity_or_throttling"
    NETWORK = "network_or_edge"
    DATA = "data_store"
    EXTERNAL = "external_provider"
    STORE = "store_configuration"
    CERTIFICATE = "certificate"
    DNS = "dns"
    STALLED = "stalled_or_stale"
    UNKNOWN = "unknown"


# These blames say "not the module": its status never worsens because of them.
HARMLESS = frozenset({Blame.CONFIGURATION, Blame.SELF, Blame.BLOCKED})


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of the list. `deterministic` codes cannot be a passing blip: one repeat is proof enough."""

    blame: Blame
    cls: CauseClass
    deterministic: bool = False


_T, _E, _D, _P = Blame.TARGET, Blame.EDGE, Blame.DNS, Blame.PATH
_U, _C, _S, _B = Blame.UPSTREAM, Blame.CONFIGURATION, Blame.SELF, Blame.BLOCKED
_NET, _CAP, _UNK = CauseClass.NETWORK, CauseClass.CAPACITY, CauseClass.UNKNOWN
_CERT, _DEP, _STO = CauseClass.CERTIFICATE, CauseClass.DEPENDENCY, CauseClass.STORE

CODES: dict[str, Code] = {
    "dns.nxdomain": Code(_D, CauseClass.DNS, deterministic=True),
    "dns.nodata": Code(_D, CauseClass.DNS, deterministic=True),
    "dns.servfail": Code(_D, CauseClass.DNS),
    "dns.dnssec": Code(_D, CauseClass.DNS),
    "dns.refused": Code(_D, CauseClass.DNS),
    "dns.timeout": Code(_D, CauseClass.DNS),
    "dns.resolver_unreachable": Code(_S, CauseClass.DNS),
    "dns.bogus_answer": Code(_D, CauseClass.DNS),
    "tcp.refused": Code(_T, _NET),
    "tcp.reset_on_connect": Code(_T, _NET),
    "tcp.timeout": Code(_T, _NET),
    "tcp.unreachable": Code(_P, _NET),
    "tcp.address_family": Code(_T, _NET),
    "tls.cert_expired": Code(_T, _CERT, deterministic=True),
    "tls.cert_not_yet_valid": Code(_T, _CERT, deterministic=True),
    "tls.hostname_mismatch": Code(_T, _CERT, deterministic=True),
    "tls.self_signed": Code(_T, _CERT, deterministic=True),
    "tls.untrusted_root": Code(_T, _CERT, deterministic=True),
    "tls.unknown_issuer": Code(_T, _CERT, deterministic=True),
    "tls.incomplete_chain": Code(_T, _CERT, deterministic=True),
    "tls.revoked": Code(_T, _CERT, deterministic=True),
    "tls.expires_soon": Code(_T, _CERT),
    "tls.protocol": Code(_T, _NET),
    "tls.handshake_failed": Code(_T, _NET),
    "tls.closed": Code(_T, _NET),
    "tls.timeout": Code(_T, _NET),
    "http.closed": Code(_T, _UNK),
    "http.reset": Code(_T, _UNK),
    "http.ttfb_timeout": Code(_T, _UNK),
    "http.header_drip": Code(_T, _UNK),
    "http.transfer_timeout": Code(_T, _UNK),
    "http.slow_ttfb": Code(_T, _UNK),
    "http.slow_transfer": Code(_P, _NET),
    "http.truncated": Code(_T, _UNK),
    "http.bad_encoding": Code(_T, _UNK),
    "http.malformed": Code(_T, _UNK),
    "http.headers_too_large": Code(_T, _UNK),
    "http.body_too_large": Code(_T, _UNK),
    "http.redirect_loop": Code(_T, _UNK),
    "http.redirect_unexpected": Code(_T, _UNK),
    "http.redirect_scheme": Code(_T, _UNK),
    "http.429": Code(_B, _CAP),
    "http.500": Code(_T, _UNK),
    "http.501": Code(_T, _UNK),
    "http.502": Code(_E, _UNK),
    "http.503": Code(_T, _CAP),
    "http.504": Code(_E, _UNK),
    "http.505": Code(_T, _UNK),
    "http.507": Code(_T, CauseClass.DATA),
    "http.508": Code(_T, _UNK),
    "http.509": Code(_T, _CAP),
    "http.529": Code(_T, _CAP),
    **{f"http.{status}": Code(_C, _STO) for status in range(400, 500) if status != 429},
    **{f"cdn.cf_{status}": Code(_E, _NET) for status in (*range(520, 528), 530)},
    "cdn.cloudfront": Code(_E, _NET),
    "cdn.fastly": Code(_E, _NET),
    "cdn.akamai": Code(_E, _NET),
    "lb.aws": Code(_E, _NET),
    "edge.proxy_status": Code(_E, _NET),
    "blocked.waf": Code(_B, _NET),
    "blocked.captcha": Code(_B, _NET),
    "content.type": Code(_T, _UNK),
    "content.invalid_json": Code(_T, _UNK),
    "content.json_limits": Code(_T, _UNK),
    "content.invalid_encoding": Code(_T, _UNK),
    "content.empty": Code(_T, _UNK),
    "content.too_small": Code(_T, _UNK),
    "content.assertion": Code(_T, _UNK),
    "content.soft_error": Code(_T, _UNK),
    "content.maintenance": Code(_T, CauseClass.DEPLOY),
    "content.default_page": Code(_C, _STO),
    "content.login": Code(_C, _STO),
    "content.wrong_store": Code(_C, _STO),
    "content.stale": Code(_T, CauseClass.STALLED),
    "step.failed": Code(_T, _UNK),
    "step.precondition": Code(_C, _STO),
    "step.cleanup": Code(_C, _STO),
    "step.slow": Code(_T, _UNK),
    "upstream.signalled": Code(_U, _DEP),
    "upstream.inferred": Code(_U, _DEP),
    "self.connectivity": Code(_S, _UNK),
    "self.dns": Code(_S, _UNK),
    "self.resources": Code(_S, _UNK),
    "self.stall": Code(_S, _UNK),
    "self.unheard": Code(_S, _UNK),  # nothing is heard of the agent of a place
    "self.clock": Code(_S, _UNK),
    "self.storage": Code(_S, _UNK),
    "self.config": Code(_S, _UNK),
    "self.unsupported": Code(_S, _UNK),  # a kind of probe this installation cannot run
    "self.bug": Code(_S, _UNK),
}

SLOW_CODES = frozenset({"http.slow_ttfb", "http.slow_transfer", "step.slow"})


def code_of(code: str) -> Code:
    """The entry of a code; `upstream.signalled:MODULE` is looked up without its module. Raises KeyError."""
    return CODES[code.partition(":")[0]]


def code_for_status(status: int) -> str:
    """The code of an HTTP status that was not expected.

    Every 4xx has its own; 5xx outside the list is told as 500; anything below 400 is an answer that arrived
    whole and is not the one asked for.
    """
    if status < 400:
        return "content.assertion"
    exact = f"http.{status}"
    return exact if exact in CODES else "http.500"
