"""Sessions that come from a listener."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.acceptor import Acceptor, server_factory
from gateway.links.link import Link
from gateway.links.stream import stream_wires
from gateway.peer import PLAIN
from gateway.tls.options import TlsOptions

from .. import certificates
from ..building import Wire, deliver, gone, lines, make_plan, make_runtime
from ..far_end import PEER, End, FarEnd, client_side


class Listener:
    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self) -> None:
        self.told.append("start")

    def stop(self) -> Deferred[Any]:
        self.told.append("stop")
        return succeed(None)


class AcceptorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.listener = Listener()
        self.acceptor = Acceptor(lambda link, build: self.listener, lambda address: f"client {address}")
        plan = make_plan("lan", max_sessions=1)
        self.link = Link(plan, self.runtime, self.acceptor, stream_wires(plan))

    def accept(self, address: str) -> Any:
        return self.acceptor.accepted(address, PLAIN)  # type: ignore[arg-type]

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]

    def test_listens(self) -> None:
        """Others come to it, as many as it may have: the program needs files for them, and starts what it keeps before."""
        self.assertTrue(self.acceptor.listens)

    def test_factory_in_clear(self) -> None:
        """Without a [tls NAME] section each connection is built at once."""
        factory = server_factory(self.link, self.acceptor.accepted)
        End(factory.buildProtocol(PEER))
        self.assertEqual(len(self.link.sessions), 1)

    def test_factory_with_tls(self) -> None:
        """With one a connection is built when its handshake is done, with the identity of the client, which the log names."""
        certificate, key = certificates.site()
        tls = TlsOptions(certificate=certificate, private_key=key, ca=certificates.ca_file(), client_certificates="required")
        end = End(server_factory(self.link, self.acceptor.accepted, tls).buildProtocol(PEER))
        self.assertEqual(len(self.link.sessions), 0)
        FarEnd(client_side(certificates.rover()), end).talk()
        (session,) = self.link.sessions
        self.assertEqual((session.peer.secure, session.peer.identity), (True, "rover7"))
        self.assertIn(f"[lan] client {PEER}: connected as rover7", self.said())

    def test_begin_of_a_session(self) -> None:
        """A client that comes is counted, and told in the log."""
        self.accept("one").makeConnection(Wire())
        self.assertEqual(self.link.counters["connected"], 1)
        self.assertIn("[lan] client one: connected", self.runtime.lines)  # type: ignore[attr-defined]

    def test_life(self) -> None:
        """It listens from its start to its stop, and has a session for each client that is not one too many."""
        self.link.start()
        self.accept("one").makeConnection(Wire())
        self.assertIsNone(self.accept("two"))
        self.assertEqual([session.peer.name for session in self.link.sessions], ["client one"])
        self.assertEqual(self.link.counters["refused_sessions"], 1)
        self.assertIn("[lan] client two: refused, there is 1 session (max_sessions)", self.said())
        stopped = self.link.stop()
        self.assertEqual(self.listener.told, ["start", "stop"])
        self.assertNoResult(stopped)
        next(iter(self.link.sessions)).lost(gone("closed"))
        self.successResultOf(stopped)

    def test_end_of_a_session(self) -> None:
        """What waits for a client that goes is dropped and counted; the log says what it sent, and what it missed."""
        self.accept("one").makeConnection(wire := Wire())
        (session,) = self.link.sessions
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, lines(text), text + b"\n")
        session.lost(gone("closed by the peer"))
        self.assertEqual(self.link.counters["dropped_packets"], 1)
        self.assertIn("[lan] client one: gone: closed by the peer; it sent 0 bytes, 1 packet for it dropped", self.said())
        self.assertEqual(self.runtime.memory.used, 0)

    def test_lost_boundary(self) -> None:
        """Where no next packet can be found in what a client sends, its session ends."""
        self.accept("one").makeConnection(wire := Wire())
        self.acceptor.lost_boundary(next(iter(self.link.sessions)), "no boundary")
        self.assertTrue(wire.aborted)

    def test_after_the_stop(self) -> None:
        """Who comes when it has stopped gets no session."""
        self.acceptor.stop()
        self.assertIsNone(self.accept("late"))
