"""Transports that send at once. Real sockets, no reactor: what Twisted would do later is called by hand."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from typing import Any

from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import formatEventAsClassicLogText, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.building import InClear
from gateway.net.direct import DirectPort, DirectReactor, DirectServer, DirectUNIXPort, DirectUNIXServer
from gateway.net.probes import pending

from ..building import Producer
from ..far_end import Said


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    return server, client


class QuietTests(SynchronousTestCase):
    def test_ports_and_connectors(self) -> None:
        """Ports and connectors of either kind, from their start to their end, add no line of Twisted's own to the log."""
        lines: list[str] = []

        def observe(event: Any) -> None:
            lines.append(formatEventAsClassicLogText(event) or "")

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        reactor = MemoryReactorClock()
        path = os.path.join(tempfile.mkdtemp(), "s")
        self.addCleanup(shutil.rmtree, os.path.dirname(path))
        factory = InClear(lambda address, peer: None, Said("lan"))
        tcp_port, unix_port = DirectPort(0, factory, 5, "127.0.0.1", reactor), DirectUNIXPort(path.encode(), factory, 5, 0o600, reactor)
        for port in (tcp_port, unix_port):
            port.startListening()
        number = tcp_port.getHost().port
        tcp_connector = DirectReactor(reactor).connectTCP("127.0.0.1", number, factory)
        for connector in (tcp_connector, DirectReactor(reactor).connectUNIX(path, factory)):
            connector.disconnect()
        for port in (tcp_port, unix_port):
            port.stopListening()
        reactor.advance(1)
        self.assertEqual([line for line in lines if line], [])


class Connected:
    """A direct transport and its peer; mix in before a test case."""

    def setUp(self: Any) -> None:
        self.server, self.client = tcp_pair()
        self.addCleanup(self.client.close)
        self.addCleanup(self.server.close)
        self.server.setblocking(False)
        self.reactor = MemoryReactorClock()
        self.transport = DirectServer(self.server, Protocol(), ("127.0.0.1", 1), None, 1, self.reactor)

    def read(self, size: int) -> bytes:
        self.client.settimeout(10)
        got = b""
        while len(got) < size:
            got += self.client.recv(size - len(got))
        return got

    def fill(self) -> bytes:
        """Write until the kernel takes no more; all that was written."""
        written = b""
        chunk = bytes(range(256)) * 4096
        while not pending(self.transport):
            self.transport.write(chunk)
            written += chunk
        return written


class DirectTests(Connected, SynchronousTestCase):
    def test_at_once(self) -> None:
        """A write on an empty queue is sent within the call, without asking the reactor for anything."""
        self.transport.write(b"packet\n")
        self.assertEqual(self.read(7), b"packet\n")
        self.assertEqual((self.reactor.writers, pending(self.transport)), (set(), 0))

    def test_rest_is_queued(self) -> None:
        """What the kernel does not take is queued, the producer is paused, and resumed when it is gone; no byte is lost or doubled."""
        producer = Producer()
        self.transport.registerProducer(producer, True)
        written = self.fill()
        self.assertEqual(producer.calls, ["pause"])
        self.assertIn(self.transport, self.reactor.writers)
        self.transport.write(b"behind")
        got = b""
        while len(got) < len(written) + 6:
            got += self.client.recv(1 << 20)
            self.transport.doWrite()
        self.assertEqual(got == written + b"behind", True)
        self.assertEqual((producer.calls[-1], producer.calls.count("resume")), ("resume", 1))

    def test_reset_peer(self) -> None:
        """A write to a peer that has gone raises nothing at the writer: the reactor meets the error and ends the connection."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.client.close()
        self.transport.write(b"a")
        self.transport.write(b"b")
        self.assertIn(self.transport, self.reactor.writers)
        self.assertIsNotNone(self.transport.doWrite())

    def test_after_loss(self) -> None:
        """A write after the end is nothing."""
        self.transport.connected = False
        self.transport.write(b"late")
        self.assertEqual(pending(self.transport), 0)

    def test_behind_what_waits(self) -> None:
        """A write while something waits goes behind it, though there were room in the kernel by now."""
        written = self.fill()
        while self.client.recv(1 << 20, socket.MSG_DONTWAIT | socket.MSG_PEEK) and len(written):
            written = written[len(self.client.recv(1 << 20)) :]
            if len(written) <= pending(self.transport):
                break
        self.transport.write(b"behind")
        self.assertEqual(pending(self.transport), len(written) + 6)


class DirectUNIXTests(SynchronousTestCase):
    def test_at_once(self) -> None:
        """A UNIX connection sends at once too."""
        server, client = socket.socketpair()
        self.addCleanup(server.close)
        self.addCleanup(client.close)
        server.setblocking(False)
        transport = DirectUNIXServer(server, Protocol(), "", None, 1, MemoryReactorClock())
        transport.write(b"packet\n")
        self.assertEqual(client.recv(100), b"packet\n")


class DirectClientTests(SynchronousTestCase):
    def test_dialed(self) -> None:
        """Endpoints over the direct reactor make connections that send at once; all else is the reactor's."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            reactor = DirectReactor(MemoryReactorClock())
            reactor.advance(5)
            self.assertEqual(reactor.seconds(), 5)
            connector = reactor.connectTCP("127.0.0.1", listening.getsockname()[1], ClientFactory.forProtocol(Protocol))
            reactor.advance(0)
            listening.settimeout(10)
            server, _ = listening.accept()
            server.settimeout(10)
            self.addCleanup(server.close)
            transport = connector.transport
            self.addCleanup(transport.socket.close)
            transport.doConnect()
            transport.write(b"packet\n")
            self.assertEqual(server.recv(100), b"packet\n")
