"""Who the far end is, by its certificate. Whatever cannot be checked is refused.

Twisted's own callback accepts a connection when its check of the host name raises an unexpected exception. Ours returns True only if
every check was made and passed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL.SSL import Connection, X509VerificationCodes
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from ..net.clock import utc
from ..net.hosts import is_address
from .failures import TlsFailed

MAX_RSA_BITS = 8192
_SHOWN_NAMES = 5
_SHOWN_CHARACTERS = 64
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._~:@%-]*/[!\"$->@-~]*", re.ASCII)
"""``scheme://authority/path`` (RFC 3986), without query and fragment."""

_Codes = X509VerificationCodes
_UNTRUSTED = {
    _Codes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "is signed by itself",
    _Codes.ERR_SELF_SIGNED_CERT_IN_CHAIN: "comes from a CA that is not ours",
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT: "comes from a CA that we do not know",
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "comes from a CA that we do not know, or its chain is incomplete",
    _Codes.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: "comes from a CA that we do not know, or its chain is incomplete",
    _Codes.ERR_CERT_SIGNATURE_FAILURE: "has a wrong signature",
}
_REFUSED = {
    _Codes.ERR_INVALID_PURPOSE: "is not meant for this end of a connection (extendedKeyUsage)",
    _Codes.ERR_CERT_CHAIN_TOO_LONG: "has a longer chain than 4 CA certificates above it",
    _Codes.ERR_CERT_REVOKED: "has been revoked",
    _Codes.ERR_INVALID_CA: "was signed by a certificate that is not a CA's",
    _Codes.ERR_PATH_LENGTH_EXCEEDED: "has a longer chain than its CA allows",
}

VerifyCallback = Callable[[Connection, Any, int, int, int], bool]


def quoted(text: object) -> str:
    """Text that a peer has chosen, fit for a log: quoted, and not long."""
    shown = repr(str(text)[:_SHOWN_CHARACTERS])
    return shown + "..." if len(str(text)) > _SHOWN_CHARACTERS else shown


def strict(host: str | None) -> VerifyCallback:
    """A callback for OpenSSL that accepts a certificate only if everything is right with it.

    OpenSSL has checked the chain, the times and the purpose; with ``host``, a DNS name or an IP address, the certificate must be for it.
    Any exception is a refusal. Its reason is a `TlsFailed` in ``refused`` of the connection's app data, which is the TLS transport.
    """

    def accept(connection: Connection, certificate: Any, number: int, depth: int, ok: int) -> bool:
        try:
            check(certificate.to_cryptography(), number, depth, bool(ok), host)
        except TlsFailed as error:
            connection.get_app_data().refused = error
            return False
        except BaseException as error:  # a check that could not be made was not passed
            text = f"its certificate cannot be checked: {type(error).__name__}: {quoted(error)}"
            connection.get_app_data().refused = TlsFailed("certificate_refused", text)
            return False
        return True

    return accept


def check(certificate: x509.Certificate, number: int, depth: int, ok: bool, host: str | None) -> None:
    """Raise TlsFailed unless OpenSSL accepts this certificate of the chain, and the far end's own (depth 0) is for ``host``."""
    if not ok or number != _Codes.OK:
        raise _explain(certificate, number, depth)
    if depth:
        return
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS:
        raise TlsFailed("certificate_refused", f"its RSA key has {key.key_size} bits, more than {MAX_RSA_BITS}")
    if host is not None:
        check_host(certificate, host)


def check_host(certificate: x509.Certificate, host: str) -> None:
    """Raise TlsFailed unless the certificate is for this DNS name or IP address, by its subjectAltName alone (RFC 6125, RFC 2818)."""
    try:
        if is_address(host):
            verify_certificate_ip_address(certificate, host)
        else:
            verify_certificate_hostname(certificate, host)
    except VerificationError:
        hint = "if it is the right one: server_name = one of its names"
        raise TlsFailed("host_mismatch", f"its certificate is for {_offered(certificate)}, not for {host!r}; {hint}") from None
    except CertificateError as error:
        raise TlsFailed("host_mismatch", f"its certificate names no host that could be {host!r}: {quoted(error)}") from None


def client_identity(certificate: x509.Certificate) -> str:
    """Who a client is: the last path segment of its only URI, else its only DNS name; by subjectAltName alone, never by CN.

    ``spiffe://example/dev/rover7`` is ``rover7``. The result is at most 64 letters, digits, dots, dashes and underscores, and one level of
    a topic. Raises TlsFailed for any other certificate.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        text = "its client certificate has no subjectAltName: issue one that has the client's URI or DNS name there"
        raise TlsFailed("identity_refused", text) from None
    # All characters count: urlsplit drops blanks, line ends and what follows ? or #, and two certificates would have one name.
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    hosts = names.get_values_for_type(x509.DNSName)
    if len(uris) == 1:
        identity = uris[0].rpartition("/")[2] if _URI.fullmatch(uris[0]) else ""
    elif not uris and len(hosts) == 1:
        identity = hosts[0].lower()
    else:
        found = f"{len(uris)} URIs and {len(hosts)} DNS names"
        raise TlsFailed("identity_refused", f"its client certificate has {found} in subjectAltName; it needs one URI, or one DNS name")
    if not _IDENTITY.fullmatch(identity):
        found = quoted(uris[0] if uris else hosts[0])
        text = f"its client certificate is for {found}; its name must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit"
        raise TlsFailed("identity_refused", text)
    return identity


def _explain(certificate: x509.Certificate, number: int, depth: int) -> TlsFailed:
    whose = "its certificate" if depth == 0 else f"the certificate of its CA {quoted(certificate.subject.rfc4514_string())}"
    clock = f"here it is {utc():%Y-%m-%d %H:%M} UTC: is the clock right?"
    if number == _Codes.ERR_CERT_HAS_EXPIRED:
        return TlsFailed("certificate_expired", f"{whose} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; {clock}")
    if number == _Codes.ERR_CERT_NOT_YET_VALID:
        text = f"{whose} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC; {clock}"
        return TlsFailed("certificate_not_yet_valid", text)
    if number in _UNTRUSTED:
        issuer = quoted(certificate.issuer.rfc4514_string())
        return TlsFailed("certificate_untrusted", f"{whose} {_UNTRUSTED[number]} (issuer {issuer}); to trust that CA: ca = FILE")
    if number in _REFUSED:
        return TlsFailed("certificate_refused", f"{whose} {_REFUSED[number]}")
    words = next((name for name, value in vars(_Codes).items() if value == number and name.startswith("ERR_")), f"error {number}")
    return TlsFailed("certificate_refused", f"{whose} was refused: {words.removeprefix('ERR_').replace('_', ' ').lower()}")


def _offered(certificate: x509.Certificate) -> str:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    offered = [quoted(name) for kind in (x509.DNSName, x509.IPAddress) for name in names.get_values_for_type(kind)]
    more = f" and {len(offered) - _SHOWN_NAMES} more" if len(offered) > _SHOWN_NAMES else ""
    return ", ".join(offered[:_SHOWN_NAMES]) + more if offered else "no DNS name or IP address"
