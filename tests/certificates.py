"""Throw-away certificates for the tests: right ones, and odd ones that nobody should accept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

DNS = x509.DNSName
URI = x509.UniformResourceIdentifier
EMAIL = x509.RFC822Name


def IP(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_address(text))


class Issued(NamedTuple):
    """A certificate with its key, and the certificates above it."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    chain: tuple[x509.Certificate, ...] = ()

    def write(self, folder: str, name: str, passphrase: bytes | None = None, mode: int = 0o600) -> tuple[str, str]:
        """Write both as PEM; the paths of certificate and key."""
        certificate, key = Path(folder, f"{name}.pem"), Path(folder, f"{name}.key")
        certificate.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain)))
        key.touch(0o600)
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        os.chmod(key, mode)
        return str(certificate), str(key)


def issue(
    issuer: Issued | None,
    *names: x509.GeneralName,
    common_name: str = "a test",
    ca: bool = False,
    purposes: Sequence[x509.ObjectIdentifier] = (SERVER, CLIENT),
    since: timedelta = -DAY,
    until: timedelta = 30 * DAY,
    rsa_bits: int = 0,
) -> Issued:
    """A certificate for these subjectAltNames, or none; without ``issuer`` it is signed by itself. Times count from now."""
    key: CertificateIssuerPrivateKeyTypes = (
        rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purposes and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    above = (issuer.certificate, *issuer.chain) if issuer is not None and issuer.certificate.issuer != issuer.certificate.subject else ()
    return Issued(signed, key, above)


OURS = "the CA of the tests"


def authority(name: str = OURS) -> Issued:
    """A CA; one for each name in a run."""
    return _authority(name)


@cache
def _authority(name: str) -> Issued:
    return issue(None, common_name=name, ca=True)


@cache
def odd_certificates() -> dict[str, Issued]:
    """What a client that looks for ``localhost`` must not accept, by what is wrong with it."""
    ca = authority()
    local = DNS("localhost")
    return {
        "no subjectAltName": issue(ca, common_name="localhost"),
        "an e-mail address only": issue(ca, EMAIL("root@localhost")),
        "an IP address as a DNS name": issue(ca, DNS("127.0.0.1")),
        "a wildcard for everything": issue(ca, DNS("*")),
        "a wildcard for a top-level domain": issue(ca, DNS("*.com")),
        "a URI that cannot be parsed": issue(ca, URI("urn:dev:localhost")),
        "another host": issue(ca, DNS("other.example")),
        "another address": issue(ca, IP("192.0.2.1")),
        "expired": issue(ca, local, since=-3 * DAY, until=-DAY),
        "not yet valid": issue(ca, local, since=DAY),
        "signed by itself": issue(None, local, common_name="self"),
        "an unknown CA": issue(authority("a stranger"), local),
        "for clients only": issue(ca, local, purposes=(CLIENT,)),
        "signed by no CA": issue(issue(ca, local, common_name="a leaf"), local),
    }


@cache
def folder() -> str:
    """A folder for the files of one run, in trial's own."""
    return mkdtemp(prefix="certificates-", dir=os.getcwd())


@cache
def site() -> tuple[str, str]:
    """Certificate and key of a server that is localhost, 127.0.0.1 and ::1."""
    return issue(authority(), DNS("localhost"), IP("127.0.0.1"), IP("::1")).write(folder(), "site")


@cache
def rover() -> tuple[str, str]:
    """Certificate and key of a client that is rover7."""
    return issue(authority(), URI("spiffe://example/dev/rover7")).write(folder(), "rover")


@cache
def ca_file(name: str = OURS) -> str:
    """The CA's certificate as a file."""
    return authority(name).write(folder(), name.replace(" ", "-"))[0]
