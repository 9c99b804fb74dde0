"""The stage above TLS until the handshake is done, the same for connections that we accept and that we make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocol,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..net.reports import Report
from ..options import Address
from ..peer import Peer
from .failures import TlsFailed
from .transport import TlsTransport

LINGER = 5.0
"""Seconds that a connection which gets no application has for its regular end."""

Build = Callable[[IAddress, Peer], IProtocol | None]


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class Connections:
    """Makes OpenSSL's connections for Twisted, all of one context. ``server_name``: what a client asks for (SNI)."""

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
class Opening(Protocol):
    """Stands above TLS until the handshake is done, then gives its place to the application: nothing of it stays in the way of data.

    ``completed(tls)`` decides what comes next; ``lost(why)`` is called if the connection ends while this is still in its place.
    """

    transport: TlsTransport

    def __init__(self, completed: Callable[[TlsTransport], None], lost: Callable[[TlsFailed], None]) -> None:
        self._completed = completed
        self._lost = lost

    def handshakeCompleted(self) -> None:
        self._completed(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost(self.transport.failed(reason))


def hand_over(tls: TlsTransport, application: IProtocol) -> None:
    """Give the secured connection to its application."""
    tls.beginning = b""
    tls.wrappedProtocol = application
    application.makeConnection(tls)


def built(build: Build, address: IAddress, security: Peer, report: Report) -> IProtocol | None:
    """What ``build`` gives. Its exception closes this connection and harms no other."""
    try:
        return build(address, security)
    except Exception:
        report("failures", peer_of(address), "no session can be made", Failure())
        return None


def peer_of(address: Any) -> str:
    """A peer's address in a message: ``10.0.0.7:5122``, ``[::1]:5122``, or ``local`` where it has none."""
    host = getattr(address, "host", None)
    return str(Address(host, address.port)) if host is not None else "local"
