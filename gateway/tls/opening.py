"""The stage above TLS until the handshake is done, the same for connections that we accept and that we make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener, IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from .failures import TlsFailed
from .transport import TlsTransport

LINGER = 5.0
"""Seconds that a connection without an application has for its regular end."""


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class Connections:
    """Makes the OpenSSL connections that Twisted asks for, all of one context. ``server_name``: the name that a client asks for (SNI)."""

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
    """Stands above TLS until the handshake is done.

    Then ``completed(tls)`` is called, which is to hand the transport over or to close it. ``lost(error)`` is called if the connection ends
    before it is handed over.
    """

    transport: TlsTransport

    def __init__(self, completed: Callable[[TlsTransport], None], lost: Callable[[TlsFailed], None]) -> None:
        self._completed = completed
        self._lost = lost

    def handshakeCompleted(self) -> None:
        self.transport.beginning = b""
        self._completed(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost(self.transport.failed(reason))
