"""Dialing a server, and staying connected."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gateway.dialing import DialingLink
from gateway.tls.failures import TlsFailed

from .building import Wire, make_house, make_plan


class Endpoint:
    """An endpoint whose connection comes when the test says so."""

    def __init__(self, dialed: list[Any]) -> None:
        self.dialed = dialed

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        self.result: Deferred[Any] = Deferred(lambda _: None)
        self.dialed.append(self)
        return self.result

    def succeed(self) -> StringTransport:
        transport = StringTransport()
        protocol = self.factory.buildProtocol(None)
        protocol.makeConnection(transport)
        self.result.callback(protocol)
        return transport


class Dialing(DialingLink):
    dialed: list[Endpoint]

    def endpoint(self) -> Any:
        return Endpoint(self.dialed)


class DialingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = make_house()
        self.link = Dialing(make_plan("up", hears=("gps",)), self.house, "central:7000", "central")
        self.link.dialed = []
        self.link.start()

    def advance(self, seconds: float) -> None:
        self.house.reactor.advance(seconds)

    def test_refused_then_there(self) -> None:
        """A refused connection is tried again; the session begins when it is there."""
        self.link.dialed[0].result.errback(ConnectionRefusedError("refused"))
        self.assertEqual(self.link.keeper.state, "waiting")
        self.advance(1)
        self.link.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((self.link.keeper.state, len(self.link.sessions)), ("connected", 1))

    def test_tls_failures_are_counted(self) -> None:
        """Each attempt that TLS ends is counted by its event, and logged once by whoever keeps the link."""
        for number in range(3):
            self.link.dialed[number].result.errback(TlsFailed("host_mismatch", "its certificate is for other.example"))
            self.advance(60)
        self.assertEqual(self.link.counters["host_mismatch"], 3)
        lines = self.house.lines  # type: ignore[attr-defined]
        self.assertEqual(len([line for line in lines if "host_mismatch: its certificate is for other.example" in line]), 1)

    def test_lost_and_dialed_again(self) -> None:
        """A lost connection is dialed again, with a new endpoint, so that the name is resolved again."""
        self.link.dialed[0].succeed()
        self.advance(0)
        next(iter(self.link.sessions)).lost("closed by the peer", clean=False)
        self.advance(1)
        self.assertEqual(len(self.link.dialed), 2)
        self.assertIsNot(self.link.dialed[0], self.link.dialed[1])

    def test_lost_before_it_was_told(self) -> None:
        """A connection that ends in the same turn in which it came is dialed again."""
        self.link.dialed[0].succeed()
        next(iter(self.link.sessions)).lost("closed by the peer", clean=False)
        self.advance(0)
        self.assertEqual(self.link.keeper.state, "waiting")
        self.advance(1)
        self.link.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((self.link.keeper.state, len(self.link.sessions)), ("connected", 1))

    def test_connected_after_the_stop(self) -> None:
        """A connection that comes when nobody wants it any more gets no session."""
        self.link.stop()
        self.assertIsNone(self.link.dialed[0].factory.buildProtocol(None))

    def test_stopped_in_the_handshake(self) -> None:
        """A stop between TCP and the end of the TLS handshake cuts the connection."""
        protocol, wire = Protocol(), Wire()
        protocol.transport = wire
        self.link.dialed[0].result.callback(protocol)
        self.link.stop()
        self.assertTrue(wire.aborted)

    def test_stopped_while_dialing(self) -> None:
        """A stop cancels the attempt: no session comes of it, no timer is left."""
        self.link.stop()
        self.assertTrue(self.link.dialed[0].result.called)
        self.assertEqual(self.house.reactor.getDelayedCalls(), [])
