"""The certificate by which the read API is known: a given one, or one that is made at the start."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from usher.core.errors import UsherError

_VALID: Final = timedelta(days=3650)
"""Its key lives as long as the process, and is never stored."""
_EARLY: Final = timedelta(hours=1)
"""For clocks that are behind."""


@dataclass(frozen=True, slots=True)
class Identity:
    """In PEM: the chain and its key, and what a client trusts."""

    chain: bytes
    key: bytes = field(repr=False)
    authority: bytes


def make_identity(host: str) -> Identity:
    """An authority that signs this one certificate and is forgotten. Who makes another is another."""
    root, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    issuer = _name("usher read API authority")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    own = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    authority = (
        _begun(issuer, issuer, root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(own, critical=False)
        .sign(root, SHA256())
    )
    leaf = (
        _begun(_name("usher read API"), issuer, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        .sign(root, SHA256())
    )
    pem, secret = Encoding.PEM, _sealed(key, b"")
    return Identity(leaf.public_bytes(pem), secret, authority.public_bytes(pem))


def read_identity(folder: Path, host: str) -> Identity:
    """`tls.crt` and `tls.key`, and `ca.crt` where there is one: without it, the certificate itself is trusted.

    Raises UsherError for what is missing or no PEM, and for a certificate that is not for this host.
    """
    try:
        chain, key = (folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes()
        authority = (folder / "ca.crt").read_bytes() if (folder / "ca.crt").exists() else chain
        leaf = x509.load_pem_x509_certificate(chain)
        load_pem_private_key(key, None)
        x509.load_pem_x509_certificate(authority)
    except OSError as error:
        raise _unusable(folder, f"{Path(str(error.filename)).name} can't be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise _unusable(folder, "it has to hold tls.crt and tls.key in PEM, the key without a password") from error
    if host not in _hosts(leaf):
        raise _unusable(folder, f"it is not for {host}, by which clients know the read API (subjectAltName)")
    return Identity(chain, key, authority)


def load(context: ssl.SSLContext, identity: Identity) -> None:
    """The context shows this certificate from the next connection on. Raises UsherError where key and chain differ.

    The standard library takes files only: the key is in one under a password that nobody else knows, for a moment.
    """
    password = token_hex(32)
    key = load_pem_private_key(identity.key, None)
    with TemporaryDirectory() as folder:
        chain, sealed = Path(folder, "chain"), Path(folder, "key")
        chain.write_bytes(identity.chain)
        sealed.write_bytes(_sealed(key, password.encode()))
        try:
            context.load_cert_chain(chain, sealed, password)
        except ssl.SSLError as error:
            message = "the read API's certificate can't be used: tls.key is not the key of tls.crt"
            raise UsherError(message, reason="CertificateUnusable") from error


def _hosts(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _unusable(folder: Path, why: str) -> UsherError:
    return UsherError(f"the read API's certificate in {folder} can't be used: {why}", reason="CertificateUnusable")


def _sealed(key: PrivateKeyTypes, password: bytes) -> bytes:
    how = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _VALID)
    )
