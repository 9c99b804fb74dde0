"""OpenSSL contexts for a ``[tls NAME]`` section, and the checks of the files that it names.

A context is built once and shared by all connections. It allows TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3;
no resumption, renegotiation or compression.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from cryptography import x509
from OpenSSL import SSL

from ..errors import ConfigError
from ..net.clock import utc
from ..options import write_count
from .certificates import check_pair, has_names, read_certificates, read_key, wrong_dates
from .options import Role, TlsOptions
from .verify import strict

VERIFY_DEPTH = 4
EXPIRES_SOON = timedelta(days=21)
_TLS12_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}


def check_files(options: TlsOptions, role: Role = "client") -> list[str]:
    """What is wrong with the files that a section names, each as ``option: what, and what to do``; empty if all is well.

    ``role``: how the section is used; a server needs a certificate. Dates are left to `warnings`: a machine whose clock is set late must
    start all the same.
    """
    problems = []
    if role != "client" and options.certificate is None:
        problems.append("certificate: a listener needs one: set certificate and private_key")
    for check in (_check_certificate, _check_key, _check_ca):
        try:
            check(options)
        except ConfigError as error:
            problems.append(str(error))
    if not problems:
        try:
            client_context(options, "localhost")
        except ConfigError as error:
            problems.append(str(error))
    return problems


def warnings(options: TlsOptions, role: Role = "client", now: datetime | None = None) -> list[str]:
    """What is unsafe in a section, or makes peers refuse us: each as ``option: what``. Files that cannot be read are left to `check_files`.

    ``role``: how the section is used. ``now``: wall-clock time, by default the present.
    """
    found = []
    verify = options.verify if role != "server" else ""  # an option for clients
    if verify == "no":
        found.append("verify: no: ANYBODY CAN POSE AS THE SERVER and read and change everything; set ca, and verify = yes")
    elif verify == "ca-only":
        found.append("verify: ca-only: whoever has any certificate of this CA can pose as the server")
    if options.fallback == "any":
        found.append("fallback: any: anybody who connects is served in plain text, unless they choose TLS")
    elif options.fallback == "allowlist":
        found.append(f"fallback: clients in {', '.join(map(str, options.fallback_from))} are served in plain text, unless they choose TLS")
    if options.fallback_write:
        found.append("fallback_write: yes: clients that speak plain text may write, though they are not authenticated")
    if options.certificate is not None:
        try:
            chain = read_certificates(options.certificate, "certificate")
        except ConfigError:
            return found
        now = now or utc()
        left = chain[0].not_valid_after_utc - now
        if wrong := wrong_dates(chain[0], options.certificate, now):
            found.append(f"certificate: {wrong} Peers will refuse it")
        elif left < EXPIRES_SOON:
            end = f"{chain[0].not_valid_after_utc:%Y-%m-%d}"
            found.append(f"certificate: {options.certificate} expires on {end}, in {write_count(left.days, 'day')}: renew it")
        if role != "client" and not has_names(chain[0]):
            found.append(f"certificate: {options.certificate} has no name in subjectAltName, where clients look for it, so they refuse it")
        if any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
            found.append(f"certificate: {options.certificate}: a certificate is not followed by its issuer, as many clients need it")
    return found


def server_context(options: TlsOptions, alpn: Sequence[bytes] = ()) -> SSL.Context:
    """The context of a listener. Raises ConfigError.

    ``alpn``: the protocols that it speaks. A client that offers only others is served without any.
    """
    context = _context(options, SSL.TLS_SERVER_METHOD)
    if alpn:
        known = tuple(alpn)

        def select(_: SSL.Connection, offered: Sequence[bytes]) -> Any:
            return next((name for name in known if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS)

        context.set_alpn_select_callback(select)
    if options.client_certificates != "none" and options.ca is not None:
        for certificate in _trust(context, options.ca):
            context.add_client_ca(certificate)
        must = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if options.client_certificates == "required" else 0
        context.set_verify(SSL.VERIFY_PEER | must, strict(None))
    return context


def client_context(options: TlsOptions, host: str, alpn: Sequence[bytes] = ()) -> SSL.Context:
    """The context of connections to one server, whose certificate must be for ``host``. Raises ConfigError."""
    context = _context(options, SSL.TLS_CLIENT_METHOD)
    if alpn:
        context.set_alpn_protos(list(alpn))
    if options.verify == "no":
        context.set_verify(SSL.VERIFY_NONE)
        return context
    if options.ca is not None:
        _trust(context, options.ca)
    else:
        context.set_default_verify_paths()
    context.set_verify(SSL.VERIFY_PEER, strict(host if options.verify == "yes" else None))
    return context


def _context(options: TlsOptions, method: int) -> SSL.Context:
    context = SSL.Context(method)
    context.set_min_proto_version(_VERSIONS[options.minimum])
    context.set_cipher_list(_TLS12_CIPHERS)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_verify_depth(VERIFY_DEPTH)
    if options.certificate is not None and options.private_key is not None:
        chain = read_certificates(options.certificate, "certificate")
        key: Any = read_key(options.private_key, options.passphrase)
        try:
            context.use_certificate(chain[0])
            for issuer in chain[1:]:
                context.add_extra_chain_cert(issuer)
            context.use_privatekey(key)
            context.check_privatekey()
        except (SSL.Error, TypeError) as error:
            # Keys that are too short, or of a kind that is of no use for TLS.
            raise ConfigError(f"OpenSSL refuses {options.certificate} with its key: {error}", key="certificate") from None
    return context


def _trust(context: SSL.Context, path: str) -> list[x509.Certificate]:
    """Trust the CAs in this file, and return them."""
    found = read_certificates(path, "ca")
    try:
        context.load_verify_locations(path)
    except SSL.Error as error:
        raise ConfigError(f"OpenSSL refuses {path}: {error}", key="ca") from None
    return found


def _check_certificate(options: TlsOptions) -> None:
    if options.certificate is not None:
        read_certificates(options.certificate, "certificate")


def _check_key(options: TlsOptions) -> None:
    if options.private_key is None or options.certificate is None:
        return
    key = read_key(options.private_key, options.passphrase)
    try:
        chain = read_certificates(options.certificate, "certificate")
    except ConfigError:
        return  # _check_certificate reports it
    check_pair(chain, key)


def _check_ca(options: TlsOptions) -> None:
    if options.ca is not None:
        read_certificates(options.ca, "ca")
