"""The far end of a connection in memory, spoken by Python's own ssl module; and what a gateway's end needs around it."""

from __future__ import annotations

import ssl
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from . import certificates

PEER = IPv4Address("TCP", "192.0.2.7", 5122)


class Said:
    """A report that keeps what it is called with."""

    def __init__(self, link: str) -> None:
        self.texts: list[str] = []
        self.events: list[str] = []
        self.failures: list[Failure] = []
        self._link = link

    def __call__(self, event: str, text: str, *, peer: str = "", times: int = 1, level: str = "warn") -> None:
        self.events.append(event)
        if level == "failure":
            self.failures.append(Failure())
        else:
            self.texts.append(f"[{self._link}] {peer}: {text}")


class Application(Protocol):
    """Writes down what happens to it."""

    def __init__(self) -> None:
        self.data = b""
        self.reason: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason.value


class End(StringTransport):
    """Our end of a connection in memory; the protocol on it can change."""

    aborted = False

    def __init__(self, protocol: Any) -> None:
        super().__init__(peerAddress=PEER)
        self.protocol = protocol
        protocol.makeConnection(self)

    def abortConnection(self) -> None:
        self.aborted = True

    def lose(self, reason: Exception | None = None) -> None:
        """The connection has ended."""
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))


class FarEnd:
    """A TLS peer. ``error`` is what its ssl module raised; ``data`` what it has read."""

    def __init__(self, context: ssl.SSLContext, end: End, server_side: bool = False, name: str | None = "localhost") -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._end = end
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side, server_hostname=None if server_side else name)
        self.done = False
        self.error: ssl.SSLError | None = None
        self.data = b""

    def talk(self, step: int = 1 << 20) -> None:
        """Carry bytes both ways, at most ``step`` at once towards the gateway, until neither side has more to say."""
        while True:
            self._advance()
            sent, received = self._outgoing.read(), self._end.value()
            self._end.clear()
            if not sent and not received:
                return
            for start in range(0, len(sent), step):
                self._end.protocol.dataReceived(sent[start : start + step])
            if received:
                self._incoming.write(received)

    def write(self, data: bytes) -> None:
        self.tls.write(data)

    def _advance(self) -> None:
        try:
            if not self.done:
                self.tls.do_handshake()
                self.done = True
            while piece := self.tls.read(1 << 16):
                self.data += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            self.error = self.error or error


def client_side(certificate: tuple[str, str] | None = None, ca: str | None = None) -> ssl.SSLContext:
    """A client that trusts the tests' CA."""
    context = ssl.create_default_context(cafile=ca or certificates.ca_file())
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def server_side(certificate: tuple[str, str] | None = None, clients: str | None = None) -> ssl.SSLContext:
    """A server; with ``clients`` it requires certificates of that CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*(certificate or certificates.site()))
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
