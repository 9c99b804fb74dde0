"""Factories for connections with TLS: an application is built only when the handshake is done and the far end is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from ..net.admission import Admission
from ..net.approach import Approach, hand_over
from ..net.building import Build, built
from ..net.hosts import is_address
from ..net.report import Report
from ..peer import Peer
from .arrival import Arrivals
from .contexts import client_context
from .failures import TlsFailed
from .opening import LINGER, Connections, Opening
from .options import TlsOptions
from .transport import TlsTransport


def server_factory(
    build: Build,
    options: TlsOptions,
    *,
    report: Report,
    reactor: Any,
    admission: Admission,
    alpn: Sequence[bytes] = (),
) -> Factory:
    """A factory for accepted connections: it builds an application for each that is secured, or speaks plain text where that is allowed.

    ``build(address, peer)`` is called once for such a connection: its protocol takes the transport over, None closes it. Every other
    connection is closed, and reported under a named event. Raises ConfigError when the files of ``options`` cannot be used.
    """
    return Arrivals(build, options, report, reactor, admission, alpn)


def client_factory(
    build: Build,
    options: TlsOptions,
    host: str,
    *,
    report: Report,
    reactor: Any,
    failed: Callable[[Failure], None],
    alpn: Sequence[bytes] = (),
) -> Factory:
    """A factory for connections that we make, to be given to an endpoint.

    For each connection either ``build`` is called, when the server has proved to be ``host`` (or ``server_name``), or, if it ends before
    that, ``failed`` with a `TlsFailed`, whose event the caller counts. If ``build`` raises an exception, ``failed`` gets a NoProtocol.
    A server may refuse our certificate after the handshake (TLS 1.3): then the application's ``connectionLost`` gets the `TlsFailed`.
    Plain text is never spoken. Raises ConfigError when the files of ``options`` cannot be used.
    """
    return _Client(build, options, host, report, reactor, failed, alpn)


class _Client(Factory):
    noisy = False

    def __init__(
        self,
        build: Build,
        options: TlsOptions,
        host: str,
        report: Report,
        reactor: Any,
        failed: Callable[[Failure], None],
        alpn: Sequence[bytes],
    ) -> None:
        self.build = build
        self.report = report
        self.reactor = reactor
        self.failed = failed
        if options.verify == "no":
            report("unverified", "connects to ANYBODY who answers there (verify = no); set ca, and verify = yes", peer=host)
        self.timeout = options.handshake_timeout
        name = _ascii(options.server_name or host)
        asked = None if is_address(name) else name.encode()
        self._wrapping = TLSMemoryBIOFactory(Connections(client_context(options, name, alpn), asked), True, self, reactor)

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return _Attempt(self, addr).begin(self._wrapping)


def _ascii(host: str) -> str:
    """A host name as it is in DNS and in certificates (RFC 5891), without the root's dot."""
    host = host.removesuffix(".")
    if host.isascii():
        return host
    return host.encode("idna").decode()


class _Attempt:
    """One connection of ours until it has its application."""

    def __init__(self, client: _Client, address: Any) -> None:
        self._client = client
        self._address = address
        self._error: TlsFailed | None = None
        self._approach = Approach(client.reactor)
        self._approach.expect(client.timeout, self._too_slow)

    def begin(self, wrapping: TLSMemoryBIOFactory) -> TlsTransport:
        """The protocol for the connection."""
        self._tls = TlsTransport(wrapping, Opening(self._completed, self._lost))
        return self._tls

    def _completed(self, tls: TlsTransport) -> None:
        self._approach.leave()
        application = built(self._client.build, self._address, Peer(True), self._client.report, self._client.failed)
        if application is None:
            self._approach.close(tls, LINGER)
        else:
            hand_over(tls, application)

    def _too_slow(self) -> None:
        text = f"the TLS handshake did not finish within {self._client.timeout:g} s (handshake_timeout)"
        self._error = TlsFailed("tls_handshake_timeout", text)
        self._tls.abortConnection()

    def _lost(self, error: TlsFailed) -> None:
        failed = self._approach.waits
        self._approach.leave()
        if failed:
            self._client.failed(Failure(self._error or error))
