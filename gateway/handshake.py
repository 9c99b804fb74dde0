"""From a connection to a session: TLS, its deadline, and who it is; the application is built only after all that.

A connection that is not there yet has a ticket of the admission (the server's), one timer, and nothing that belongs to the application.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocol,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from .admission import Admission, Ticket, source_of
from .failures import TlsFailed
from .linger import linger_close
from .notices import Notices
from .options import Address
from .security import Security
from .sniff import Verdict, describe, sniff
from .tls import TlsOptions, client_context, server_context
from .tls_transport import TlsTransport
from .verify import client_identity, is_address

LINGER = 5.0

Build = Callable[[IAddress, Security], IProtocol | None]

log = Logger(namespace="gateway")


def server_factory(
    build: Build,
    options: TlsOptions,
    *,
    link: str,
    reactor: Any,
    admission: Admission,
    notices: Notices,
    alpn: Sequence[bytes] = (),
) -> Factory:
    """A factory for accepted connections, which builds an application for each that is secured, or plain where that is allowed.

    ``build(address, security)`` is called once for such a connection; its protocol takes the transport over, None closes. Everybody else is
    closed, counted under an event and told through ``notices``. Raises ConfigError when the files of ``options`` cannot be used.
    """
    return _Server(build, options, link, reactor, admission, notices, alpn)


def client_factory(
    build: Build,
    options: TlsOptions,
    host: str,
    *,
    link: str,
    reactor: Any,
    failed: Callable[[Failure], None],
    alpn: Sequence[bytes] = (),
) -> Factory:
    """A factory for connections that we make, to be given to an endpoint.

    For each connection either ``build`` is called, after the handshake with the one that ``host`` (or ``server_name``) names, or ``failed``,
    with a `TlsFailed`, when it has ended. There is no way from here to plain text. Raises ConfigError when the files cannot be used.
    """
    return _Client(build, options, host, link, reactor, failed, alpn)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class _Connections:
    """Makes OpenSSL's connections for Twisted, all of one context."""

    def __init__(self, context: SSL.Context, server_name: bytes | None = None) -> None:
        self._context = context
        self._server_name = server_name

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if self._server_name is not None:
            connection.set_tlsext_host_name(self._server_name)
        return connection


@implementer(IHandshakeListener)
class _Opening(Protocol):
    """Stands above TLS until the handshake is done, then gives its place to the application: nothing of it stays in the way of data."""

    def __init__(self, completed: Callable[[TlsTransport], None], lost: Callable[[TlsFailed], None]) -> None:
        self._completed = completed
        self._lost = lost

    def handshakeCompleted(self) -> None:
        self._completed(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost(self.transport.failed(reason))


def _hand_over(tls: TlsTransport, application: IProtocol) -> None:
    tls.beginning = b""
    tls.wrappedProtocol = application
    application.makeConnection(tls)


def _built(build: Build, address: IAddress, security: Security, link: str) -> IProtocol | None:
    """What ``build`` gives. Its exception closes this connection and harms no other."""
    try:
        return build(address, security)
    except Exception:
        log.failure("[{link}] {peer}: no session can be made", link=link, peer=peer_of(address))
        return None


def peer_of(address: Any) -> str:
    """A peer's address in a message: ``10.0.0.7:5122``, ``[::1]:5122``, or ``local`` where it has none."""
    host = getattr(address, "host", None)
    return str(Address(host, address.port)) if host is not None else "local"


class _Server(Factory):
    noisy = False

    def __init__(
        self, build: Build, options: TlsOptions, link: str, reactor: Any, admission: Admission, notices: Notices, alpn: Sequence[bytes]
    ) -> None:
        self.build = build
        self.options = options
        self.link = link
        self.reactor = reactor
        self.admission = admission
        self.notices = notices
        self.wrapping = TLSMemoryBIOFactory(_Connections(server_context(options, alpn)), False, self, reactor)

    def buildProtocol(self, addr: IAddress) -> Protocol:
        return _Arrival(self, addr)

    def may_be_plain(self, address: Any) -> bool:
        """Whether this client may speak plain text here."""
        if self.options.fallback != "allowlist":
            return self.options.fallback == "any"
        try:
            host = ipaddress.ip_address(getattr(address, "host", "").partition("%")[0])
        except ValueError:
            return False
        found = getattr(host, "ipv4_mapped", None) or host
        return any(found.version == network.version and found in network for network in self.options.fallback_from)


class _Arrival(Protocol):
    """An accepted connection: its first bytes, then the handshake, then its application."""

    def __init__(self, server: _Server, address: IAddress) -> None:
        self._server = server
        self._address = address
        self._beginning = b""
        self._told = False
        self._ticket: Ticket | None = None
        self._timer: Any = None

    def connectionMade(self) -> None:
        server, options = self._server, self._server.options
        self._may_be_plain = server.may_be_plain(self._address)
        patience = options.first_byte_timeout if self._may_be_plain else options.handshake_timeout
        self._started = server.reactor.seconds()
        self._timer = server.reactor.callLater(patience, self._silent)
        self._ticket = server.admission.enter(source_of(getattr(self._address, "host", "local")), self._evicted)

    def dataReceived(self, data: bytes) -> None:
        self._beginning += data
        verdict = sniff(self._beginning) if self._may_be_plain else Verdict.TLS
        if verdict is Verdict.TLS:
            self._secure()
        elif verdict is Verdict.SSLV2:
            self._refuse(TlsFailed("tls_handshake_failed", describe(self._beginning)))
        elif verdict is Verdict.PLAIN:
            self._go_plain(describe(self._beginning))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # Here only before TLS: port scans and load balancers that look whether somebody listens are no news.
        self._leave()

    # What may happen while it waits

    def _silent(self) -> None:
        options = self._server.options
        if self._beginning:
            self._refuse(TlsFailed("tls_handshake_timeout", f"{describe(self._beginning)}, then stopped for {options.first_byte_timeout:g} s"))
        elif self._may_be_plain and options.silent_is_plain:
            self._go_plain(f"was silent for {options.first_byte_timeout:g} s, and silent_is_plain = yes")
        else:
            waited = self._server.reactor.seconds() - self._started
            self._refuse(TlsFailed("tls_handshake_timeout", f"sent nothing for {waited:g} s"))

    def _too_slow(self) -> None:
        limit = self._server.options.handshake_timeout
        self._refuse(TlsFailed("tls_handshake_timeout", f"was not done with the TLS handshake after {limit:g} s (handshake_timeout)"))

    def _evicted(self) -> None:
        text = f"gave its place to a newcomer: too many connections are not authenticated ({len(self._server.admission)})"
        self._refuse(TlsFailed("evicted", text))

    # Its ways out

    def _secure(self) -> None:
        server = self._server
        beginning, self._beginning = self._beginning, b""
        self._timer.cancel()
        left = server.options.handshake_timeout - (server.reactor.seconds() - self._started)
        self._timer = server.reactor.callLater(max(0.0, left), self._too_slow)
        raw = self.transport
        tls = TlsTransport(server.wrapping, _Opening(self._authenticate, self._lost))
        self.transport = raw.protocol = tls
        tls.makeConnection(raw)
        tls.dataReceived(beginning)

    def _authenticate(self, tls: TlsTransport) -> None:
        try:
            identity = self._identity(tls)
        except TlsFailed as error:
            self._refuse(error)
            return
        except Exception as error:  # whoever cannot be named is nobody
            self._refuse(TlsFailed("identity_refused", f"its client certificate cannot be read: {type(error).__name__}: {error}"))
            return
        self._leave()
        application = _built(self._server.build, self._address, Security(True, identity), self._server.link)
        if application is None:
            self._close()
        else:
            _hand_over(tls, application)

    def _identity(self, tls: TlsTransport) -> str:
        # Asked again here: OpenSSL alone does not keep the policy under all circumstances (security F3).
        wanted = self._server.options.client_certificates
        if wanted == "none":
            return ""
        certificate = tls.getHandle().get_peer_certificate(as_cryptography=True)
        if certificate is not None:
            return client_identity(certificate)
        if wanted == "required":
            raise TlsFailed("client_certificate_missing", "sent no client certificate, and client_certificates = required")
        return ""

    def _go_plain(self, why: str) -> None:
        server, transport = self._server, self.transport
        beginning, self._beginning = self._beginning, b""
        self._leave()
        may_write = server.options.fallback_write
        self._say("plain_on_tls_port", f"is served in clear (fallback = {server.options.fallback}), {'may write' if may_write else 'reads only'}: it {why}")
        refusal = "" if may_write else "plain text on a TLS port only reads; to let it write: fallback_write = yes"
        application = _built(server.build, self._address, Security(False, may_write=may_write, why=refusal), server.link)
        if application is None:
            self._close()
            return
        transport.protocol = application
        application.makeConnection(transport)
        if beginning:
            application.dataReceived(beginning)

    def _refuse(self, error: TlsFailed) -> None:
        self._leave()
        self._say(error.event, error.text)
        self.transport.abortConnection()

    def _close(self) -> None:
        self._told = True
        self._timer = linger_close(self.transport, self._server.reactor, LINGER)

    def _lost(self, error: TlsFailed) -> None:
        """The connection ended under TLS, without a session."""
        self._leave()
        self._say(error.event, error.text)

    def _leave(self) -> None:
        """Not waiting any more, one way or the other."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._ticket is not None:
            self._ticket.leave()

    def _say(self, event: str, text: str) -> None:
        if not self._told:
            self._told = True
            link = self._server.link
            self._server.notices.say(f"{link}:{event}", f"[{link}] {peer_of(self._address)}: {event}: {text}")


class _Client(Factory):
    noisy = False

    def __init__(
        self,
        build: Build,
        options: TlsOptions,
        host: str,
        link: str,
        reactor: Any,
        failed: Callable[[Failure], None],
        alpn: Sequence[bytes],
    ) -> None:
        self.build = build
        self.link = link
        self.reactor = reactor
        self.failed = failed
        self.timeout = options.handshake_timeout
        name = _ascii(options.server_name or host)
        asked = None if is_address(name) else name.encode()
        self._wrapping = TLSMemoryBIOFactory(_Connections(client_context(options, name, alpn), asked), True, self, reactor)

    def buildProtocol(self, addr: IAddress) -> Protocol:
        return _Attempt(self, addr).begin(self._wrapping)


def _ascii(host: str) -> str:
    """A host name as DNS and certificates have it (RFC 5891), without the dot of the root."""
    host = host.removesuffix(".")
    if host.isascii():
        return host
    return host.encode("idna").decode()


class _Attempt:
    """One connection of ours until it has its application."""

    def __init__(self, client: _Client, address: IAddress) -> None:
        self._client = client
        self._address = address
        self._error: TlsFailed | None = None
        self._built = False
        self._timer: Any = client.reactor.callLater(client.timeout, self._too_slow)

    def begin(self, wrapping: TLSMemoryBIOFactory) -> TlsTransport:
        self._tls = TlsTransport(wrapping, _Opening(self._completed, self._lost))
        return self._tls

    def _completed(self, tls: TlsTransport) -> None:
        self._timer.cancel()
        self._built = True
        application = _built(self._client.build, self._address, Security(True), self._client.link)
        if application is None:
            self._timer = linger_close(tls, self._client.reactor, LINGER)
        else:
            _hand_over(tls, application)

    def _too_slow(self) -> None:
        text = f"the TLS handshake was not done after {self._client.timeout:g} s (handshake_timeout)"
        self._error = TlsFailed("tls_handshake_timeout", text)
        self._tls.abortConnection()

    def _lost(self, error: TlsFailed) -> None:
        if self._timer.active():
            self._timer.cancel()
        if not self._built:
            self._client.failed(Failure(self._error or error))
