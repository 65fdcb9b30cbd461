"""Certificates that are wrong in one way each, from an authority of our own."""

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NAME = "shop.test"
ACTING = "shop \u202egnp\x1b[31m <script>pwned=1</script>"  # what certificates made by hand are issued to
_NOW = datetime.datetime.now(datetime.UTC)


def _days(count: int) -> datetime.datetime:
    return _NOW + datetime.timedelta(days=count)


class Authorities:
    """The authority that probes trust (`ca_file`), and server contexts for every way a certificate can be wrong."""

    def __init__(self, folder: Path) -> None:
        self.trusted = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self.trusted.cert_pem.write_to_path(self.ca_file)
        self.intermediate = self.trusted.create_child_ca()

    def context(self, kind: str) -> ssl.SSLContext:
        """A server's context of one kind."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        match kind:
            case "good":
                self.trusted.issue_cert(NAME).configure_cert(context)
            case "expired":
                self.trusted.issue_cert(NAME, not_before=_days(-90), not_after=_days(-3)).configure_cert(context)
            case "ended in the year 0":
                self._ended_in_the_year_0(context)
            case "not yet valid":
                self.trusted.issue_cert(NAME, not_before=_days(3), not_after=_days(90)).configure_cert(context)
            case "ends soon":
                self.trusted.issue_cert(NAME, not_after=_days(5)).configure_cert(context)
            case "wrong name":
                self.trusted.issue_cert("other.test").configure_cert(context)
            case "common name only":
                self.trusted.issue_cert("owner@other.test", common_name=NAME).configure_cert(context)
            case "with intermediate":
                self.intermediate.issue_cert(NAME).configure_cert(context)
            case "unknown authority":
                trustme.CA().issue_cert(NAME).configure_cert(context)
            case "untrusted root":
                self._made(context, chain=True)
            case "self signed":
                self._made(context, own=True)
            case "leaf only":
                self._made(context, issuer_url=True)
            case "TLS 1.2":
                self.trusted.issue_cert(NAME).configure_cert(context)
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            case "client certificate wanted":
                self.trusted.issue_cert(NAME).configure_cert(context)
                context.verify_mode = ssl.CERT_REQUIRED
                self.trusted.configure_trust(context)
            case _:
                raise KeyError(kind)
        return context

    def _ended_in_the_year_0(self, context: ssl.SSLContext) -> None:
        """Of ours, but with a date that no library writes."""
        leaf = self.trusted.issue_cert(NAME, not_after=datetime.datetime(2055, 1, 1, tzinfo=datetime.UTC))
        told = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).tbs_certificate_bytes
        told = told.replace(b"20550101000000Z", b"00000101000000Z")
        key = serialization.load_pem_private_key(self.trusted.private_key_pem.bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        signature = key.sign(told, ec.ECDSA(hashes.SHA256()))
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ECDSA with SHA-256
        inside = told + algorithm + bytes([3, len(signature) + 1, 0]) + signature
        pem = ssl.DER_cert_to_PEM_cert(b"\x30\x82" + len(inside).to_bytes(2) + inside)
        with trustme.Blob(leaf.private_key_pem.bytes() + pem.encode()).tempfile() as path:
            context.load_cert_chain(path)

    def _made(self, context: ssl.SSLContext, own: bool = False, chain: bool = False, issuer_url: bool = False) -> None:
        """A leaf made by hand: self-signed, sent with its unknown root, or naming where its issuer can be fetched."""
        key, root_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ACTING)])
        issuer = subject if own else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some root")])
        leaf = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(0xBEEF)
            .not_valid_before(_days(-1))
            .not_valid_after(_days(30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
        )
        if issuer_url:
            place = x509.UniformResourceIdentifier("http://authority.test/issuer.der")
            access = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)]
            leaf = leaf.add_extension(x509.AuthorityInformationAccess(access), False)
        parts = [leaf.sign(key if own else root_key, hashes.SHA256())]
        if chain:
            parts.append(
                x509.CertificateBuilder()
                .subject_name(issuer)
                .issuer_name(issuer)
                .public_key(root_key.public_key())
                .serial_number(1)
                .not_valid_before(_days(-1))
                .not_valid_after(_days(30))
                .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
                .sign(root_key, hashes.SHA256())
            )
        pem = b"".join(part.public_bytes(serialization.Encoding.PEM) for part in parts)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with trustme.Blob(secret + pem).tempfile() as path:
            context.load_cert_chain(path)
