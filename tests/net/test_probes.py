"""What is asked of a transport, and its half end. Real sockets, no reactor."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from gateway.net.probes import half_close, peer_reset, pending

from ..building import Wire
from .test_direct import Connected


class ProbeTests(Connected, SynchronousTestCase):
    def test_peer_reset(self) -> None:
        """A reset is seen without reading; a peer that has only closed is not taken for dead, for what it sent is still to be read."""
        self.assertFalse(peer_reset(self.transport))
        self.client.sendall(b"unread")
        self.client.shutdown(socket.SHUT_WR)
        self.assertFalse(peer_reset(self.transport))
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.client.close()
        self.assertTrue(peer_reset(self.transport))
        self.assertFalse(peer_reset(object()))

    def test_half_close(self) -> None:
        """A half close sends all and the end beside unread input; over TLS, or on what is no socket, it is a whole one."""
        self.client.sendall(b"unread")
        self.transport.write(b"last words")
        half_close(self.transport, secure=False)
        self.transport.doWrite()
        self.assertEqual(self.read(10), b"last words")
        self.assertEqual(self.client.recv(1), b"")
        wire = Wire()
        half_close(wire, secure=False)
        self.assertTrue(wire.disconnecting)

    def test_pending(self) -> None:
        """What waits is counted without what has been sent of it already."""
        written = len(self.fill())
        taken = len(self.client.recv(1 << 20))
        before = pending(self.transport)
        self.transport.doWrite()
        self.assertLess(pending(self.transport), before)
        self.assertGreaterEqual(written, taken + pending(self.transport))
