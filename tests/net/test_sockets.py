"""The options of TCP sockets."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from gateway.net.probes import tune_transport

from .test_direct import Connected


class SocketTests(Connected, SynchronousTestCase):
    def test_options(self) -> None:
        """Small packets go at once, and the kernel looks after dead peers."""
        tcp = socket.IPPROTO_TCP
        self.assertTrue(self.server.getsockopt(tcp, socket.TCP_NODELAY))
        self.assertTrue(self.server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertEqual(self.server.getsockopt(tcp, socket.TCP_KEEPIDLE), 30)
        self.assertEqual(self.server.getsockopt(tcp, socket.TCP_USER_TIMEOUT), 60_000)
        tune_transport(self.transport)
