"""Between a Twisted transport and a session."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.stream import StreamProtocol, stream_wires
from gateway.packet import Batch, Frames
from gateway.peer import Peer
from gateway.tls.failures import TlsFailed

from ..building import make_link, make_plan, make_runtime


class StreamTests(SynchronousTestCase):
    def test_up_and_down(self) -> None:
        """Bytes become packets, deliveries become writes, and the end ends the session."""
        runtime = make_runtime()
        link = make_link(runtime, "lan", hears=("gps",))
        heard: list[bytes] = []
        runtime.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        protocol, transport = StreamProtocol(link.new_session(Peer(False, name="peer"))), StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"a\nb")
        self.assertIs(transport.producer, protocol.session.writer)
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((heard, len(link.sessions), link.counters["tail"]), ([b"a"], 0, 1))

    def test_ended_by_tls(self) -> None:
        """TLS that fails in the middle of a session is counted by its event, and is why the session ended."""
        runtime = make_runtime()
        link = make_link(runtime, "lan")
        protocol = StreamProtocol(link.new_session(Peer(False, name="peer")))
        protocol.makeConnection(StringTransport())
        protocol.connectionLost(Failure(TlsFailed("tls_damaged", "sent a record that was damaged on its way")))
        self.assertEqual((link.counters["tls_damaged"], len(link.sessions)), (1, 0))
        self.assertIn("gone: tls_damaged: sent a record", runtime.lines[-1])  # type: ignore[attr-defined]

    def test_half_closed(self) -> None:
        """A client that has asked and closes its sending side hears answers for five seconds, and is closed then; a mere reader at once."""
        runtime = make_runtime()
        link = make_link(runtime, "lan", hears=("gps",))
        runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        asker, reader = (StreamProtocol(link.new_session(Peer(False, name=name))) for name in ("asker", "reader"))
        wires = [StringTransport(), StringTransport()]
        for protocol, wire in zip((asker, reader), wires, strict=True):
            protocol.makeConnection(wire)
        asker.dataReceived(b"?\n")
        for protocol in (asker, reader):
            IHalfCloseableProtocol(protocol).readConnectionLost()  # as Twisted calls it
        self.assertEqual([wire.disconnecting for wire in wires], [False, True])
        runtime.bus.publish(Batch("gps", "run", 1, 0, "gps#1", Frames(b"42\n", 1, delimiter=b"\n")))
        self.assertEqual(wires[0].value(), b"42\n")
        runtime.reactor.advance(4.9)
        self.assertFalse(wires[0].disconnecting)
        runtime.reactor.advance(0.1)
        self.assertTrue(wires[0].disconnecting)

    def test_messages(self) -> None:
        """A link that speaks in messages has no framing, and so no such wires."""
        self.assertRaisesRegex(TypeError, "speaks in messages", stream_wires, make_plan("web")._replace(framing=None))
