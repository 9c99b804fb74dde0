"""Between a Twisted transport and a session."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.session import Session
from gateway.stream import StreamProtocol, why

from .building import make_house, make_link


class StreamTests(SynchronousTestCase):
    def test_up_and_down(self) -> None:
        """Bytes become packets, deliveries become writes, and the end ends the session."""
        house = make_house()
        link = make_link(house, "lan", hears=("gps",))
        heard: list[bytes] = []
        house.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        protocol, transport = StreamProtocol(Session(link, "peer")), StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"a\nb")
        self.assertIs(transport.producer, protocol.session)
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((heard, len(link.sessions), link.counters["tail"]), ([b"a"], 0, 1))

    def test_why(self) -> None:
        """The reason for an end is short and readable."""
        self.assertEqual(why(Failure(ConnectionDone())), "closed by the peer")
        self.assertIn("non-clean", why(Failure(ConnectionLost())))
