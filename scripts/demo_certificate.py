"""Make the demo's certificate: self-signed, for localhost only, good for a year.

``python -m scripts.demo_certificate FOLDER`` writes ``certificate.pem`` and ``private_key.pem`` into the folder; only the owner can read
the key. A certificate that is good for another week is kept.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

VALID = timedelta(days=365)
RENEW = timedelta(days=7)


def make(now: datetime) -> tuple[bytes, bytes]:
    """Return certificate and private key in PEM. The names are in the subject alternative name, where clients look (RFC 9525)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway demo")])
    loopback = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), private


def is_good(certificate: Path, key: Path, now: datetime) -> bool:
    """Whether there is a certificate with its key that is good for more than `RENEW`."""
    if not (certificate.exists() and key.exists()):
        return False
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc > now + RENEW


def main(folder: Path, now: datetime | None = None) -> None:
    """Make certificate and key in the folder, unless a good one is there; ``now`` is for tests."""
    now = now or datetime.now(UTC)
    certificate, key = folder / "certificate.pem", folder / "private_key.pem"
    if is_good(certificate, key, now):
        return
    folder.mkdir(parents=True, exist_ok=True)
    certificate_pem, key_pem = make(now)
    key.unlink(missing_ok=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key_pem)
    certificate.write_bytes(certificate_pem)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
