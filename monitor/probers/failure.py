"""Failure: what stopped an exchange, as one code of the closed list.

`Stopped` is raised where the reason is known at once. Everything else is an exception of the operating system, of
OpenSSL, of c-ares or of aiohttp; the tables here say what each means in the phase that was running. The phase comes
before the exception: a time limit says nothing but "too late", and only the phase tells what was late.
"""

import errno
import ssl
from collections.abc import Iterator
from contextlib import suppress

import aiohttp
from aiohttp import http_exceptions as parsing
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID


class Stopped(Exception):
    """The exchange ends here, and the code says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


# c-ares says (ares.h). 11 is our own resolver's closed port: nobody else's fault.
LOOKUP = {
    1: ("dns.nodata", "the name exists but has no address"),
    2: ("dns.servfail", "the name server could not read the question"),
    3: ("dns.servfail", "the name server failed"),
    4: ("dns.nxdomain", "the name does not exist"),
    5: ("dns.servfail", "the name server does not know this kind of question"),
    6: ("dns.refused", "the name server refused the question"),
    8: ("self.config", "the name is not a valid one"),
    10: ("dns.servfail", "the name server's answer could not be read"),
    11: ("dns.resolver_unreachable", "no name server of this machine could be reached"),
    12: ("dns.timeout", "no answer from the name server"),
    15: ("self.resources", "out of memory during the look-up"),
}

_OUT_OF = {
    errno.EMFILE: "no more files may be opened by this process",
    errno.ENFILE: "no more files may be opened on this machine",
    errno.EADDRNOTAVAIL: "no local port is free",
    errno.ENOMEM: "out of memory",
    errno.ENOBUFS: "out of network buffers",
}
_NO_ROUTE_HERE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

# OpenSSL: x509_vfy.h.
_CERTIFICATE = {
    10: "tls.cert_expired",
    9: "tls.cert_not_yet_valid",
    62: "tls.hostname_mismatch",
    64: "tls.hostname_mismatch",
    18: "tls.self_signed",
    19: "tls.untrusted_root",
    23: "tls.revoked",
}
_NO_ISSUER = (2, 20, 21)
_OTHER_PROTOCOL = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "UNKNOWN_PROTOCOL",
    "PROTOCOL_VERSION",
    "VERSION_TOO_LOW",
    "VERSION_TOO_HIGH",
    "NO_PROTOCOLS_AVAILABLE",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "BAD_RECORD_TYPE",
    "UNEXPECTED_MESSAGE",
)


def of_lookup(number: object, text: str, name: str) -> Stopped:
    """The c-ares error of a look-up."""
    code, said = LOOKUP.get(number if isinstance(number, int) else -1, ("self.dns", f"the look-up failed: {text}"))
    return Stopped(code, f"{name}: {said}")


def of_connect(error: OSError, address: str, ipv6: bool) -> Stopped:
    """A TCP connection that did not come about."""
    if ipv6 and error.errno in _NO_ROUTE_HERE:
        # IPv6 is only tried for names that have nothing else, and it is we who have no way there.
        return Stopped("self.connectivity", f"{address}: this machine has no IPv6 and the target has no IPv4 address")
    if own := out_of_resources(error):
        return own
    match error.errno:
        case errno.ECONNREFUSED:
            return Stopped("tcp.refused", f"{address} refused the connection")
        case errno.ECONNRESET | errno.ECONNABORTED:
            return Stopped("tcp.reset_on_connect", f"{address} reset the connection while it was made")
        case errno.ETIMEDOUT:
            return Stopped("tcp.timeout", f"{address} did not answer")
        case errno.EPERM | errno.EACCES | errno.ENETDOWN | errno.EAFNOSUPPORT:
            return Stopped("self.connectivity", f"{address}: this machine may not connect there: {error.strerror}")
    return Stopped("tcp.unreachable", f"{address} cannot be reached: {error.strerror or error}")


def of_handshake(error: OSError, sent: list[bytes]) -> Stopped:
    """A TLS handshake that did not come about; `sent` is the chain the server offered, if it got that far."""
    if own := out_of_resources(error):
        return own
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, sent)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or not isinstance(error, ssl.SSLError):
        if isinstance(error, ConnectionAbortedError):  # asyncio's own limit on handshakes
            return Stopped("tls.timeout", "the handshake did not end in time")
        return Stopped("tls.closed", "the server closed the connection during the handshake")
    reason = (error.reason or "").upper().replace(" ", "_")
    if "UNEXPECTED_EOF" in reason:
        return Stopped("tls.closed", "the server closed the connection during the handshake")
    if any(mark in reason for mark in _OTHER_PROTOCOL):
        return Stopped("tls.protocol", f"no TLS version in common, or not TLS on this port ({reason.lower()})")
    return Stopped("tls.handshake_failed", f"the handshake failed ({reason.lower() or error})")


def _of_certificate(error: ssl.SSLCertVerificationError, sent: list[bytes]) -> Stopped:
    said = error.verify_message
    leaf = _read(sent[0]) if sent else None
    if error.verify_code in _NO_ISSUER:
        if leaf is not None and len(sent) == 1 and leaf.issuer != leaf.subject and _names_issuer(leaf):
            return Stopped("tls.incomplete_chain", "the server sends its certificate without the intermediate one")
        return Stopped("tls.unknown_issuer", f"nobody we trust issued the certificate ({said})")
    with suppress(ValueError):  # a certificate may have ended in the year 0, of which no date can be made
        if leaf is not None and error.verify_code == 10:
            said = f"certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        if leaf is not None and error.verify_code == 9:
            said = f"certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    return Stopped(_CERTIFICATE.get(error.verify_code, "tls.unknown_issuer"), said)


def _read(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _names_issuer(leaf: x509.Certificate) -> bool:
    """Whether the certificate says where its issuer's can be fetched: a chain that browsers complete by themselves."""
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return any(one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access)


def of_timeout(phase: str | None, limit: float, any_byte: bool) -> Stopped:
    """The time limit struck in this phase."""
    code, said = {
        "resolve": ("dns.timeout", "the name was not resolved"),
        "connect": ("tcp.timeout", "no connection"),
        "tls": ("tls.timeout", "the TLS handshake did not end"),
        "transfer": ("http.transfer_timeout", "the body did not end"),
    }.get(
        phase or "",
        ("http.header_drip", "the headers began and did not end")
        if any_byte
        else ("http.ttfb_timeout", "connected, but no answer"),
    )
    return Stopped(code, f"{said} within {limit:g} s")


def of_exchange(error: BaseException, phase: str | None) -> Stopped | None:
    """An exception of aiohttp or of the socket under it, once connected; None when it is none we know."""
    chain = list(_causes(error))
    for one in chain:
        if isinstance(one, Stopped):
            return one
    for one in chain:
        if isinstance(one, OSError) and (own := out_of_resources(one)):
            return own
    if any(isinstance(one, MemoryError) for one in chain):
        return Stopped("self.resources", "out of memory")
    if phase is None:
        return Stopped("self.config", f"the request cannot be made: {_said(error)}") if _ours(error) else None
    return _of_answer(error, chain)


def _of_answer(error: BaseException, chain: list[BaseException]) -> Stopped | None:
    if any(isinstance(one, parsing.ContentEncodingError) for one in chain):
        return Stopped("http.bad_encoding", f"the body does not match its Content-Encoding: {_said(chain[-1])}")
    if not isinstance(error, OSError) and any(map(_too_large, chain)):
        return Stopped("http.headers_too_large", "a header line over 8,190 bytes, or more than 128 headers")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Stopped("http.truncated", f"the body ended early: {_said(chain[-1])}")
    if isinstance(error, aiohttp.ClientResponseError | parsing.HttpProcessingError):
        # aiohttp gives these status 400 although no such answer came: nothing readable came at all.
        if any(_of_chunks(one) for one in chain):
            return Stopped("http.truncated", f"the body cannot be put together: {_said(chain[-1])}")
        return Stopped("http.malformed", f"not an HTTP answer: {_said(chain[-1])}")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Stopped("http.closed", "the server closed the connection without an answer")
    if any(isinstance(one, ssl.SSLError) for one in chain):
        # In TLS 1.3 a server that wants a client certificate says so only after the handshake.
        return Stopped("tls.handshake_failed", f"the server ended TLS: {_said(chain[-1])}")
    if isinstance(error, aiohttp.ClientOSError) and error.errno in (errno.ECONNRESET, errno.EPIPE):
        return Stopped("http.reset", "the connection was reset after the request went out")
    if isinstance(error, aiohttp.ClientOSError) and error.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
        return Stopped("tcp.timeout", "the connection fell silent")
    if isinstance(error, aiohttp.ClientConnectionError):
        return Stopped("http.closed", f"the connection ended: {_said(error)}")
    return None


def out_of_resources(error: OSError) -> Stopped | None:
    """Our own machine ran out of something."""
    return Stopped("self.resources", _OUT_OF[error.errno]) if error.errno in _OUT_OF else None


def _too_large(error: BaseException) -> bool:
    return isinstance(error, parsing.LineTooLong) or "too many" in str(error).lower()


def _of_chunks(error: BaseException) -> bool:
    """Rubbish between the chunks of a body; found together with the headers when both came in one piece."""
    return isinstance(error, parsing.TransferEncodingError) or "chunk" in str(error).lower()[:60]


def _ours(error: BaseException) -> bool:
    return isinstance(error, aiohttp.InvalidURL | ValueError | TypeError | UnicodeError)


def _said(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return text[:200] or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1
