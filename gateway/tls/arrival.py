"""Accepted connections on a port with TLS, until each has its application.

Where plain text is allowed too, the first bytes of a connection decide. The application is built when the handshake is done and the client
is identified. Until then a connection has one place, one timer and a few bytes; OpenSSL's memory is taken with its first byte only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from ..net.admission import Admission
from ..net.approach import Approach, hand_over
from ..net.building import Build, built, name_of
from ..net.report import Report
from ..peer import Peer
from .contexts import server_context
from .failures import TlsFailed
from .opening import LINGER, Connections, Opening
from .options import TlsOptions
from .sniff import Beginning, describe, sniff
from .transport import TlsTransport
from .verify import client_identity


class Arrivals(Factory):
    """Takes accepted connections; see `gateway.tls.handshake.server_factory`."""

    noisy = False

    def __init__(
        self, build: Build, options: TlsOptions, report: Report, reactor: Any, admission: Admission, alpn: Sequence[bytes]
    ) -> None:
        self.build = build
        self.options = options
        self.report = report
        self.reactor = reactor
        self.admission = admission
        self.pending: set[_Arrival] = set()
        self.wrapping = TLSMemoryBIOFactory(Connections(server_context(options, alpn)), False, self, reactor)

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return _Arrival(self, addr)

    def stopFactory(self) -> None:
        """Called when the port has closed: cut every connection that has no application yet."""
        for arrival in list(self.pending):
            arrival.abandon()

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
    """One accepted connection: its first bytes, then the handshake, then its application."""

    transport: Any

    def __init__(self, server: Arrivals, address: Any) -> None:
        self._server = server
        self._address = address
        self._may_be_plain = server.may_be_plain(address)
        self._beginning = b""
        self._reported = False

    def connectionMade(self) -> None:
        server, options = self._server, self._server.options
        server.pending.add(self)
        host = getattr(self._address, "host", "local")
        self._approach = Approach(server.reactor, server.admission, host, self._evicted)
        self._approach.expect(options.first_byte_timeout if self._may_be_plain else options.handshake_timeout, self._silent)

    def dataReceived(self, data: bytes) -> None:
        if not self._approach.waits:
            return  # the connection is being closed
        self._beginning += data
        beginning = sniff(self._beginning) if self._may_be_plain else Beginning.TLS
        if beginning is Beginning.TLS:
            self._secure()
        elif beginning is Beginning.SSLV2:
            self._refuse(TlsFailed("tls_handshake_failed", describe(self._beginning)))
        elif beginning is Beginning.PLAIN:
            self._go_plain(describe(self._beginning))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # Called only before TLS begins: port scans and the checks of load balancers are not worth a line.
        self._gone()

    def abandon(self) -> None:
        """Cut the connection, whatever it waits for."""
        self._reported = True
        self._gone()
        self.transport.abortConnection()

    # What may happen while it waits

    def _silent(self) -> None:
        options = self._server.options
        if self._beginning:
            self._refuse(TlsFailed("tls_handshake_timeout", f"{describe(self._beginning)}, then stopped (first_byte_timeout)"))
        elif self._may_be_plain and options.silent_is_plain:
            self._go_plain(f"was silent for {options.first_byte_timeout:g} s (silent_is_plain = yes)")
        else:
            waited = self._server.reactor.seconds() - self._approach.began
            advice = " (first_byte_timeout; to serve silent clients in plain text: silent_is_plain = yes)" if self._may_be_plain else ""
            self._refuse(TlsFailed("tls_handshake_timeout", f"sent nothing for {waited:g} s{advice}"))

    def _too_slow(self) -> None:
        limit = self._server.options.handshake_timeout
        self._refuse(TlsFailed("tls_handshake_timeout", f"did not finish the TLS handshake within {limit:g} s (handshake_timeout)"))

    def _evicted(self) -> None:
        places = self._server.admission
        text = f"cut for a newer connection: at most {places.limit}, {places.per_source} from one address, may be in their handshake"
        self._refuse(TlsFailed("evicted", text))

    # Its ways out

    def _secure(self) -> None:
        server = self._server
        beginning, self._beginning = self._beginning, b""
        self._approach.expect(server.options.handshake_timeout, self._too_slow)
        tls = TlsTransport(server.wrapping, Opening(self._authenticate, self._lost))
        raw, self.transport = self.transport, tls
        hand_over(raw, tls, beginning)

    def _authenticate(self, tls: TlsTransport) -> None:
        try:
            identity = self._identity(tls)
        except TlsFailed as error:
            self._refuse(error)
        except Exception as error:  # a client that cannot be identified is refused
            self._refuse(TlsFailed("identity_refused", f"its client certificate cannot be read: {type(error).__name__}: {error}"))
        else:
            self._serve(Peer(True, identity))

    def _identity(self, tls: TlsTransport) -> str:
        # Checked again, for OpenSSL alone does not enforce this in every case.
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
        options = self._server.options
        beginning, self._beginning = self._beginning, b""
        rights = "may write" if options.fallback_write else "reads only"
        self._report("plain_on_tls_port", f"{why}; it is served in plain text and {rights} (fallback = {options.fallback})")
        refusal = "" if options.fallback_write else "plain text on a TLS port only reads; to let it write: fallback_write = yes"
        self._serve(Peer(False, may_write=options.fallback_write, why=refusal), beginning)

    def _serve(self, peer: Peer, rest: bytes = b"") -> None:
        """Hand the connection over to its application, or close it if it gets none."""
        self._approach.leave()
        application = built(self._server.build, self._address, peer, self._server.report)
        if application is None:
            self._reported = True
            self._approach.close(self.transport, LINGER)
        else:
            self._gone()
            hand_over(self.transport, application, rest)

    def _refuse(self, error: TlsFailed) -> None:
        self._approach.leave()
        self._report(error.event, error.text)
        self.transport.abortConnection()

    def _lost(self, error: TlsFailed) -> None:
        """The connection ended under TLS, without a session."""
        self._gone()
        self._report(error.event, error.text)

    def _gone(self) -> None:
        """The connection has ended, or belongs to its application now."""
        self._approach.leave()
        self._server.pending.discard(self)

    def _report(self, event: str, text: str) -> None:
        """Report why the connection has no session under TLS, once."""
        if not self._reported:
            self._reported = True
            self._server.report(event, f"{event}: {text}", peer=name_of(self._address))
