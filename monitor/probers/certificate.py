"""Certificate: the facts of a TLS connection, read once at the moment it stands.

Reading a certificate costs more than the rest of the bookkeeping of a run, and a target sends the same one for
months, so what was read is kept by its bytes.
"""

import ssl
import warnings
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any

from cryptography import x509

from monitor.core.observation import Certificate
from monitor.mask import clean

_NAMES = 100  # alternative names kept of one certificate
_CLIP = 200
_CHAIN = 16  # certificates read of one chain
_LARGE = 8 * 1024  # bytes, where others have one to five thousand: who sends that much may send another each time
_DER = 2  # OpenSSL's number for the encoding, where Python has no name for it yet


class WatchedTls(ssl.SSLObject):
    """A TLS object that keeps the chain it refused, so that a refusal can be explained without a second look."""

    def do_handshake(self) -> None:
        """As the standard one; the chain the server sent travels with the exception."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.sent = _ders(self, "get_unverified_chain")  # type: ignore[attr-defined]  # read by `sent_with`
            raise


def sent_with(error: BaseException) -> list[bytes]:
    """The chain that `WatchedTls` kept with a refusal, leaf first."""
    return list(getattr(error, "sent", ()))


def trusting(ca_file: str | None) -> ssl.SSLContext:
    """A client context that trusts the system's authorities and those of a file. Raises OSError."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # no browser has looked there for years
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    context.sslobject_class = WatchedTls
    return context


def facts_of(connection: ssl.SSLObject) -> Certificate | None:
    """What the server proved itself with; None when even that cannot be read."""
    sent = _ders(connection, "get_unverified_chain") or [connection.getpeercert(binary_form=True) or b""]
    verified = [one.not_after for der in _ders(connection, "get_verified_chain") if (one := _read(der))]
    leaf = _read(sent[0])
    if leaf is None:
        return None
    cipher = connection.cipher()
    return replace(
        _summary(leaf, sent),
        chain_not_after=min(verified, default=None),
        tls_version=connection.version(),
        cipher=iana_name(cipher[0]) if cipher else None,
    )


def facts_of_refused(sent: list[bytes]) -> Certificate | None:
    """What the server tried to prove itself with, leaf first: the evidence of a refusal."""
    leaf = _read(sent[0]) if sent else None
    return None if leaf is None else _summary(leaf, sent)


def _summary(leaf: "_Read", sent: list[bytes]) -> Certificate:
    return Certificate(
        not_after=leaf.not_after,
        subject=leaf.subject,
        issuer=leaf.issuer,
        sha256=leaf.sha256,
        serial=leaf.serial,
        alternative_names=leaf.alternative_names,
        earliest_not_after=min(one.not_after for der in sent if (one := _read(der))),
    )


def _ders(connection: ssl.SSLObject, method: str) -> list[bytes]:
    """A chain in DER. The method is public from Python 3.13 on and hidden one level down before."""
    public = getattr(connection, method, None)
    if public is not None:
        return list(islice(public() or (), _CHAIN))
    hidden: Any = getattr(getattr(connection, "_sslobj", None), method, None)
    if hidden is None:
        return []
    return [one.public_bytes(_DER) for one in islice(hidden() or (), _CHAIN)]


@dataclass(frozen=True, slots=True)
class _Read:
    not_after: datetime
    subject: str
    issuer: str
    sha256: str
    serial: str
    alternative_names: tuple[str, ...]


def _read(der: bytes) -> _Read | None:
    """The facts of one certificate; None for one that the library refuses, since targets may send anything."""
    return _read_before(der) if len(der) <= _LARGE else _read_now(der)


def _read_now(der: bytes) -> _Read | None:
    try:
        with warnings.catch_warnings():  # the library warns of names that are too long, and a target may send any
            warnings.simplefilter("ignore")
            return _facts(x509.load_der_x509_certificate(der), der)
    except Exception:
        return None


_read_before = lru_cache(maxsize=1024)(_read_now)


def _facts(read: x509.Certificate, der: bytes) -> _Read:
    return _Read(
        not_after=read.not_valid_after_utc,
        subject=_inert(read.subject.rfc4514_string()),
        issuer=_inert(read.issuer.rfc4514_string()),
        sha256=sha256(der).hexdigest(),
        serial=f"{read.serial_number:x}",
        alternative_names=_alternative_names(read),
    )


def _alternative_names(read: x509.Certificate) -> tuple[str, ...]:
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(_inert(str(getattr(one, "value", ""))) for one in names)[:_NAMES]


def _inert(text: str) -> str:
    return " ".join(clean(text).split())[:_CLIP]


def iana_name(cipher: str) -> str:
    """The registered name of a cipher that OpenSSL calls by its own: `ECDHE-RSA-AES128-GCM-SHA256`."""
    if cipher.startswith("TLS_"):
        return cipher
    name = cipher.replace("AES128", "AES-128").replace("AES256", "AES-256")
    name = name.replace("CHACHA20-POLY1305", "CHACHA20-POLY1305-SHA256")
    exchange, _, rest = name.partition("-AES-") if "-AES-" in name else name.partition("-CHACHA20-")
    if not rest:  # plain RSA key exchange: AES128-GCM-SHA256
        exchange, rest = "RSA", name.removeprefix("AES-")
    kind = "CHACHA20" if "CHACHA20" in name else "AES"
    if kind == "AES" and "GCM" not in rest and "CCM" not in rest:
        size, _, digest = rest.partition("-")
        rest = f"{size}-CBC-{digest}"
    return f"TLS_{exchange}_WITH_{kind}_{rest}".replace("-", "_")
