"""Certificates and private keys in PEM files. An error says what is wrong with the file, and what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ..errors import ConfigError
from ..options import Secret

MAX_SECRET, MAX_CERTIFICATES = 64 << 10, 1 << 20
"""The longest files that are read, in bytes: one with a key or a passphrase, and one with certificates."""


def read_certificates(path: str, key: str) -> list[x509.Certificate]:
    """All certificates in a PEM file, in its order, at least one. Raises ConfigError for ``key``, the option that named the file."""
    data = _read(path, key, MAX_CERTIFICATES)
    if not data.strip():
        raise ConfigError(f"{path} is empty: copy the certificate there again", key=key)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        if data[:1] == b"\x30":
            hint = f"it looks like DER; to convert it: openssl x509 -inform der -in {path} -out {path}.pem"
            hint += f" (a PKCS#12 file, .p12 or .pfx: openssl pkcs12 -in {path} -nodes -out {path}.pem)"
        elif b"PRIVATE KEY" in data and b"CERTIFICATE" not in data:
            hint = "it holds a private key: name that in private_key, and its certificate here"
        elif b"-----BEGIN CERTIFICATE-----" in data:
            hint = f"it is damaged ({error}): copy it there again"
        else:
            hint = "such a file begins with -----BEGIN CERTIFICATE-----"
        raise ConfigError(f"{path} holds no certificate in PEM form: {hint}", key=key) from None


def read_key(path: str, passphrase: Secret | None) -> PrivateKeyTypes:
    """The private key in a PEM file, which nobody else may be able to read. Never prompts for a passphrase. Raises ConfigError."""
    data = _read_private(path, "private_key")
    if b"PRIVATE KEY" not in data:
        hint = "such a file has a line -----BEGIN PRIVATE KEY-----"
        if data[:1] == b"\x30":
            hint = f"it looks like DER; to convert it: openssl pkey -inform der -in {path} -out {path}.pem"
        elif b"CERTIFICATE" in data:
            hint = "it holds a certificate: name that in certificate, and its key here"
        raise ConfigError(f"{path} holds no private key in PEM form: {hint}", key="private_key")
    encrypted = b"ENCRYPTED" in data
    if encrypted and passphrase is None:
        raise ConfigError(f"{path} is encrypted: give passphrase = file:PATH or env:NAME", key="private_key")
    secret = read_secret(passphrase, "passphrase") if passphrase is not None and encrypted else None
    try:
        return load_pem_private_key(data, secret)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise ConfigError(f"it does not decrypt {path}: correct the passphrase that file: or env: names", key="passphrase") from None
        raise ConfigError(f"{path} cannot be read: {error}", key="private_key") from None


def read_secret(secret: Secret, key: str) -> bytes:
    """The secret that a reference names, without a line end that an editor has left. Raises ConfigError for ``key``."""
    if secret.kind == "env":
        value = os.environ.get(secret.name)
        if value is None:
            raise ConfigError(f"the environment has no variable {secret.name}: set it where the gateway is started", key=key)
        return value.encode()
    data = _read_private(secret.name, key)
    return data.removesuffix(b"\n").removesuffix(b"\r")


def check_pair(chain: Sequence[x509.Certificate], key: PrivateKeyTypes) -> None:
    """Raise ConfigError unless the key belongs to the first certificate."""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ours = key.public_key().public_bytes(*form)
    matching = [index for index, each in enumerate(chain) if each.public_key().public_bytes(*form) == ours]
    if not matching:
        raise ConfigError("the key does not match the certificate: name the key that the certificate was made for", key="private_key")
    if matching[0] != 0:
        text = f"the key matches certificate {matching[0] + 1} of the file: put that first, its issuers behind it"
        raise ConfigError(text, key="certificate")


def wrong_dates(certificate: x509.Certificate, path: str, now: datetime) -> str:
    """Why the certificate is not valid at ``now``, and what to do; "" if it is."""
    if now < certificate.not_valid_before_utc:
        until = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        return f"{path} is not valid before {until}; here it is {now:%Y-%m-%d %H:%M} UTC: is the clock right?"
    if now > certificate.not_valid_after_utc:
        since = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        return f"{path} expired on {since}; here it is {now:%Y-%m-%d %H:%M} UTC: renew it, or is the clock wrong?"
    return ""


def has_names(certificate: x509.Certificate) -> bool:
    """Whether the certificate names a host, by subjectAltName alone (RFC 6125): the common name does not count."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return bool(names.get_values_for_type(x509.DNSName) or names.get_values_for_type(x509.IPAddress))


def _read(path: str, key: str, limit: int) -> bytes:
    try:
        file = Path(path)
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path} is not a regular file: name the file itself", key=key)
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}{_remedy(error)}", key=key) from None
    if len(data) > limit:
        raise ConfigError(f"{path} is longer than {limit} bytes: is it the right file?", key=key)
    return data


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ": put it there, or correct the path"
    if isinstance(error, PermissionError):
        return f": let the user of this program (uid {os.geteuid()}) read it, and enter its folders"
    return ""


def _read_private(path: str, key: str) -> bytes:
    """Read a secret file. OpenSSH's rule: one that belongs to us must be closed to everybody else."""
    data = _read(path, key, MAX_SECRET)
    status = Path(path).stat()
    if status.st_uid == os.geteuid() and status.st_mode & 0o077:
        raise ConfigError(f"{path} can be read by others (mode {status.st_mode & 0o777:04o}): chmod 600 {path}", key=key)
    return data
