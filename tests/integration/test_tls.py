"""TLS over real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from gateway.bus.numbering import Numbering
from gateway.links.events import Events
from gateway.links.runtime import Runtime
from gateway.net.admission import Admission
from gateway.net.direct import DirectPort
from gateway.net.linger import linger_close
from gateway.net.report import Report
from gateway.peer import Peer
from gateway.tls.handshake import client_factory, server_factory
from gateway.tls.options import TlsOptions

from .. import certificates
from ..far_end import client_side

reactor: Any = _reactor
BLOCK = os.urandom(1 << 16)


class Echo(Protocol):
    """Sends back what it gets; `ended` fires when it is lost."""

    def __init__(self, security: Peer) -> None:
        self.peer = security
        self.ended: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(None)


class ListeningTestCase(TestCase):
    """A listener on 127.0.0.1 whose clients are blocking sockets in threads."""

    timeout = 120

    def setUp(self) -> None:
        self.lines: list[str] = []
        log = Logger(namespace="gateway", observer=lambda event: self.lines.append(event["text"]))
        self.runtime = Runtime(reactor, memory=256 << 20, linger=2.0, log=log)
        self.addCleanup(self.runtime.stop)
        self.admission = Admission(20, 20)
        self.sessions: list[Echo] = []

    def tearDown(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._all_gone())

    async def _all_gone(self) -> None:
        for session in self.sessions:
            if session.transport.connected:  # type: ignore[union-attr]
                session.transport.abortConnection()  # type: ignore[union-attr]
            await session.ended
        while len(self.admission):
            await deferLater(reactor, 0.01)
        await maybeDeferred(self.port.stopListening)

    def build(self, address: Any, security: Peer) -> Any:
        self.sessions.append(Echo(security))
        return self.sessions[-1]

    def listen(self, **given: Any) -> tuple[str, int]:
        certificate, key = certificates.site()
        options = TlsOptions(**{"certificate": certificate, "private_key": key, **given})
        factory = server_factory(self.build, options, report=self.report_of("lan"), reactor=reactor, admission=self.admission)
        self.port = DirectPort(0, factory, 1024, "127.0.0.1", reactor)
        self.port.startListening()
        self.place = "127.0.0.1", self.port.getHost().port
        return self.place

    def report_of(self, name: str) -> Report:
        return Events(name, name, self.runtime, Numbering("run")).report

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.place, timeout=60)
        self.addCleanup(client.close)
        return client

    def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThread(function, *arguments)

    def echoed(self, data: bytes, certificate: tuple[str, str] | None = None) -> bytes:
        """What a TLS client gets back."""
        with client_side(certificate).wrap_socket(self.connect(), server_hostname="localhost") as client:
            return exchanged(client, data)


def exchanged(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    found = b""
    while len(found) < len(data) and (more := client.recv(1 << 16)):
        found += more
    return found


def end_of(client: socket.socket) -> bytes:
    """What comes until the connection ends, be it a regular end or not."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while more := client.recv(1 << 16):
            found += more
    return found


class ListenerTests(ListeningTestCase):
    async def test_both_ways(self) -> None:
        """What is written arrives whole in both directions, over real sockets and many records."""
        self.listen()
        self.assertEqual(await self.in_thread(self.echoed, BLOCK), BLOCK)
        self.assertEqual((self.sessions[0].peer, self.lines), (Peer(True), []))

    async def test_client_certificate(self) -> None:
        """A client comes in under the name in its certificate; one without never gets a session."""
        self.listen(ca=certificates.ca_file(), client_certificates="required")
        self.assertEqual(await self.in_thread(self.echoed, b"x", certificates.rover()), b"x")

        def refused() -> bytes:
            with client_side().wrap_socket(self.connect(), server_hostname="localhost") as client:
                return end_of(client)

        with contextlib.suppress(OSError):  # TLS 1.3: the alert comes at the first read
            self.assertEqual(await self.in_thread(refused), b"")
        self.assertEqual([session.peer.identity for session in self.sessions], ["rover7"])
        while not self.lines:
            await deferLater(reactor, 0.01)
        self.assertIn("client_certificate_missing", self.lines[0])

    async def test_one_port_for_both(self) -> None:
        """On a port with fallback TLS and plain clients are served at the same time, the plain ones in clear and named in the log."""
        self.listen(fallback="allowlist", fallback_from="127.0.0.0/8")
        plain = await self.in_thread(lambda: exchanged(self.connect(), b"$GPGGA\r\n"))
        secure = await self.in_thread(self.echoed, BLOCK)
        self.assertEqual((plain, secure), (b"$GPGGA\r\n", BLOCK))
        self.assertEqual([session.peer[:3] for session in self.sessions], [(False, "", False), (True, "", True)])
        self.assertEqual(len(self.lines), 1)

    async def test_a_silent_handshake(self) -> None:
        """A client that sends no handshake is disconnected, on a real clock."""
        self.listen(handshake_timeout=0.2)
        self.assertEqual(await self.in_thread(lambda: end_of(self.connect())), b"")
        self.assertEqual(self.sessions, [])

    async def test_silent_clients_lock_nobody_out(self) -> None:
        """With every place taken by silent clients, an honest one is served at once."""
        self.listen(handshake_timeout=60.0)
        silent = [await self.in_thread(self.connect) for _ in range(60)]
        self.assertEqual(await self.in_thread(self.echoed, b"here"), b"here")
        self.assertEqual((len(self.admission) <= 20, self.admission.evicted >= 40), (True, True))
        for client in silent:
            client.close()

    async def test_resets_in_the_handshake(self) -> None:
        """A connection that is reset anywhere in its handshake leaves nothing behind, and the next client is served."""
        self.listen()

        def reset(sent: bytes) -> None:
            client = self.connect()
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

        hello = hello_of_a_client()
        for size in (0, 1, 5, 6, 100, len(hello) - 1, len(hello)):
            await self.in_thread(reset, hello[:size])
        while len(self.admission):
            await deferLater(reactor, 0.01)
        self.assertEqual(self.sessions, [])
        self.assertEqual(await self.in_thread(self.echoed, b"next"), b"next")

    async def test_close_against_a_non_reader(self) -> None:
        """A session whose client reads nothing ends all the same when it is closed, within the linger time."""
        self.listen()
        client = await self.in_thread(lambda: client_side().wrap_socket(self.connect(), server_hostname="localhost"))
        while not self.sessions:
            await deferLater(reactor, 0.01)
        session = self.sessions[0]
        for _ in range(200):
            session.transport.write(BLOCK)  # type: ignore[union-attr]
        cut = linger_close(session.transport, reactor, 0.2)  # type: ignore[arg-type]
        await session.ended
        self.assertTrue(cut.called)
        client.close()


def hello_of_a_client() -> bytes:
    from ..tls.test_sniff import client_hello

    return client_hello()


class DialedTests(ListeningTestCase):
    async def test_gateway_to_gateway(self) -> None:
        """A connection that we dial, with a certificate, to a listener of ours: verified, named, and whole in both directions."""
        self.listen(ca=certificates.ca_file(), client_certificates="required")
        certificate, key = certificates.rover()
        options = TlsOptions(certificate=certificate, private_key=key, ca=certificates.ca_file())
        back: Deferred[bytes] = Deferred()
        dialed: list[Protocol] = []

        class Caller(Protocol):
            found = b""

            def connectionMade(self) -> None:
                self.transport.write(BLOCK)  # type: ignore[union-attr]

            def dataReceived(self, data: bytes) -> None:
                self.found += data
                if len(self.found) == len(BLOCK):
                    self.transport.loseConnection()  # type: ignore[union-attr]

            def connectionLost(self, reason: Failure = connectionDone) -> None:
                back.callback(self.found)

        def build(address: Any, security: Peer) -> Protocol:
            dialed.append(Caller())
            return dialed[-1]

        factory = client_factory(build, options, "localhost", report=self.report_of("up"), reactor=reactor, failed=back.errback)
        await HostnameEndpoint(reactor, b"127.0.0.1", self.place[1]).connect(factory)
        self.assertEqual(await back, BLOCK)
        self.assertEqual([session.peer for session in self.sessions], [Peer(True, "rover7")])
