"""Dialing a server."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.dial import StreamDial
from gateway.tls.failures import TlsFailed

from ..building import Wire, gone, keeper, make_link, make_runtime


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


class DialingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.dialed: list[Endpoint] = []
        self.link = make_link(self.runtime, "up", hears=("gps",), dial=StreamDial("central:7000", lambda: Endpoint(self.dialed)))

    def advance(self, seconds: float) -> None:
        self.runtime.reactor.advance(seconds)

    def test_refused_then_there(self) -> None:
        """A refused connection is tried again; the session begins when it is there."""
        self.dialed[0].result.errback(ConnectionRefusedError("refused"))
        self.assertEqual(keeper(self.link).state, "waiting")
        self.advance(1)
        self.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((keeper(self.link).state, len(self.link.sessions)), ("connected", 1))

    def test_tls_failures_are_counted(self) -> None:
        """Each attempt that TLS ends is counted by its event, and logged once by whoever keeps the link."""
        for number in range(3):
            self.dialed[number].result.errback(TlsFailed("host_mismatch", "its certificate is for other.example"))
            self.advance(60)
        self.assertEqual(self.link.counters["host_mismatch"], 3)
        lines = self.runtime.lines  # type: ignore[attr-defined]
        self.assertEqual(len([line for line in lines if "host_mismatch: its certificate is for other.example" in line]), 1)

    def test_lost_and_dialed_again(self) -> None:
        """A lost connection is dialed again, with a new endpoint, so that the name is resolved again."""
        self.dialed[0].succeed()
        self.advance(0)
        next(iter(self.link.sessions)).lost(gone("closed by the peer"))
        self.advance(1)
        self.assertEqual(len(self.dialed), 2)
        self.assertIsNot(self.dialed[0], self.dialed[1])

    def test_lost_before_it_was_told(self) -> None:
        """A connection that ends in the same turn in which it came is dialed again."""
        self.dialed[0].succeed()
        next(iter(self.link.sessions)).lost(gone("closed by the peer"))
        self.advance(0)
        self.assertEqual(keeper(self.link).state, "waiting")
        self.advance(1)
        self.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((keeper(self.link).state, len(self.link.sessions)), ("connected", 1))

    def test_connected_after_the_stop(self) -> None:
        """A connection that comes when nobody wants it any more gets no session."""
        self.link.stop()
        self.assertIsNone(self.dialed[0].factory.buildProtocol(None))

    def test_stopped_in_the_handshake(self) -> None:
        """A stop between TCP and the end of the TLS handshake cuts the connection."""
        protocol, wire = Protocol(), Wire()
        protocol.transport = wire
        self.dialed[0].result.callback(protocol)
        self.link.stop()
        self.assertTrue(wire.aborted)

    def test_stopped_while_dialing(self) -> None:
        """A stop cancels the attempt: no session comes of it, no timer is left."""
        self.link.stop()
        self.assertTrue(self.dialed[0].result.called)
        self.assertEqual(self.runtime.reactor.getDelayedCalls(), [])
