"""Transports that send at once. Real sockets, no reactor: what Twisted would do later is called by hand."""

from __future__ import annotations

import socket

from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from gateway.direct import DirectServer, DirectUNIXServer, peer_gone, pending, tune_transport

from .building import Producer


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
    return server, client


class DirectTests(SynchronousTestCase):
    def setUp(self) -> None:
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

    def test_options(self) -> None:
        """Small packets go at once, and the kernel looks after dead peers."""
        tcp = socket.IPPROTO_TCP
        self.assertTrue(self.server.getsockopt(tcp, socket.TCP_NODELAY))
        self.assertTrue(self.server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertEqual(self.server.getsockopt(tcp, socket.TCP_KEEPIDLE), 30)
        self.assertEqual(self.server.getsockopt(tcp, socket.TCP_USER_TIMEOUT), 60_000)
        tune_transport(self.transport)

    def test_peer_gone(self) -> None:
        """A peer that closed or reset is seen without reading (F5)."""
        self.assertEqual(peer_gone(self.transport), "")
        self.client.sendall(b"unread")
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(peer_gone(self.transport), "closed")
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.client.close()
        self.assertEqual(peer_gone(self.transport), "reset")
        self.assertEqual(peer_gone(object()), "")


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
