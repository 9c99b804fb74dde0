"""``transport = tcp``."""

from __future__ import annotations

import socket
from typing import Any

from pydantic import ValidationError
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from gateway.config.plan import LinkPlan
from gateway.peer import PLAIN
from gateway.registry import load
from gateway.transports import tcp

from ..building import Wire, make_runtime


def plan(**options: Any) -> LinkPlan:
    chosen = tcp.Options(codec=load("codec", "raw").Options(), **options)
    return LinkPlan("lan", "tcp", chosen, load("framing", "lines").Options())


class OptionsTests(SynchronousTestCase):
    def test_one_place(self) -> None:
        """Exactly one of listen and connect, and no port 0 to connect to."""
        for wrong in ({}, {"listen": "127.0.0.1:1", "connect": "127.0.0.1:1"}, {"connect": "127.0.0.1:0"}):
            self.assertRaises(ValidationError, tcp.Options, **wrong)
        self.assertEqual(tcp.Options(listen="[::1]:0").listen, ("::1", 0))

    def test_defaults(self) -> None:
        """A thousand sessions, 1 MiB for a slow one, which is then disconnected, and 30 s for one that takes nothing."""
        options = tcp.Options(listen="127.0.0.1:0")
        self.assertEqual((options.max_sessions, options.stall_timeout, options.idle_timeout), (1000, 30.0, 0.0))
        self.assertEqual((options.outbox.bytes, options.outbox.when_full), (1 << 20, "disconnect"))


class ListeningTests(SynchronousTestCase):
    def test_accepted(self) -> None:
        """Each client is a session named by its address; one too many is refused, counted and said."""
        runtime = make_runtime(MemoryReactorClock())
        link: Any = tcp.make_link(plan(listen="127.0.0.1:0", max_sessions=1), runtime)
        protocol = link.how.accepted(IPv4Address("TCP", "10.0.0.5", 4000), PLAIN)
        protocol.makeConnection(Wire())
        self.assertEqual([session.peer.name for session in link.sessions], ["10.0.0.5:4000"])
        self.assertIsNone(link.how.accepted(IPv4Address("TCP", "10.0.0.6", 4001), PLAIN))
        self.assertIn("[lan] 10.0.0.6:4001: refused, there is 1 session (max_sessions)", runtime.lines)  # type: ignore[attr-defined]

    def test_starts_and_stops(self) -> None:
        """A started link listens, a stopped one has no port and no timer left."""
        runtime = make_runtime(MemoryReactorClock())
        link: Any = tcp.make_link(plan(listen="127.0.0.1:0"), runtime)
        link.start()
        port = link.how.listener._port
        self.assertIn(port, runtime.reactor.readers)
        self.assertGreater(link.how.listener.address.port, 0)
        self.assertEqual(port.backlog, 1024)
        stopped = link.stop()
        runtime.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertEqual((runtime.reactor.readers, runtime.reactor.getDelayedCalls()), (set(), []))


class ConnectingTests(SynchronousTestCase):
    def test_tuned(self) -> None:
        """A connection that was dialed sends small packets at once, and its kernel looks after a dead peer, as those that were accepted."""
        link: Any = tcp.make_link(plan(connect="127.0.0.1:7000"), make_runtime(MemoryReactorClock()))
        session, wire = link.new_session(PLAIN), Wire()
        with socket.socket() as sock:
            wire.socket = sock  # type: ignore[attr-defined]
            session.connected(wire)
            self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def test_dials(self) -> None:
        """A connecting link dials its address as soon as it starts, and no more once it has stopped."""
        runtime = make_runtime(MemoryReactorClock())
        link: Any = tcp.make_link(plan(connect="127.0.0.1:7000"), runtime)
        link.start()
        self.assertEqual(link.how.keeper.state, "trying")
        link.stop()
        self.assertEqual(link.how.keeper.state, "stopped")
