"""Authority: a certificate authority made at start, and for each host kind one good certificate and one that expired.

Nothing here is trusted by anybody who was not handed `ca.pem`, and the authority's own key is never written down.
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=90)
EXPIRED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The two faces a host can show in a handshake."""

    good: ssl.SSLContext
    expired: ssl.SSLContext


class Authority:
    """Signs certificates for the simulator's hosts and keeps the files in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vtex-monitor simulator")])
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._own_certificate().public_bytes(Encoding.PEM))

    def contexts(self, kind: str, names: tuple[str, ...]) -> Contexts:
        """The server's side of TLS for some names, with a certificate in date and with one past it."""
        now = datetime.now(UTC)
        return Contexts(
            good=self._context(kind, names, now - timedelta(days=1), now + VALID_FOR),
            expired=self._context(f"{kind}-expired", names, now - VALID_FOR, now - EXPIRED_FOR),
        )

    def _context(self, label: str, names: tuple[str, ...], start: datetime, end: datetime) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        key_file, chain_file = self.directory / f"{label}.key", self.directory / f"{label}.pem"
        _write_private(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain_file, key_file)
        context.num_tickets = 0  # a resumed session would show no certificate, so an expired one would go unseen
        return context

    def _own_certificate(self) -> x509.Certificate:
        now = datetime.now(UTC)
        uses = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - VALID_FOR - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **uses), critical=True)
            .add_extension(self._identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _write_private(file: Path, content: bytes) -> None:
    """Writes a file that only its owner may read, from its first byte on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
