"""Dialing a server."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.connector import Connector
from gateway.links.dial import StreamDial
from gateway.links.link import Link
from gateway.links.stream import stream_wires
from gateway.tls.failures import TlsFailed
from gateway.tls.options import TlsOptions
from gateway.transports import unix

from .. import certificates
from ..building import Wire, gone, join, keeper, make_link, make_plan, make_runtime
from ..far_end import End, FarEnd, server_side


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
        next(iter(self.link.sessions)).lost(gone("closed by the peer", clean=True))
        self.advance(1)
        self.assertEqual(len(self.dialed), 2)
        self.assertIsNot(self.dialed[0], self.dialed[1])

    def test_told_in_the_next_turn(self) -> None:
        """A connection is told when the present turn is over, and no later."""
        self.dialed[0].succeed()
        self.assertEqual(keeper(self.link).state, "trying")
        self.assertEqual([call.getTime() for call in self.runtime.reactor.getDelayedCalls()], [self.runtime.reactor.seconds()])

    def test_lost_boundary(self) -> None:
        """A connection in which no next packet can be found is ended: the next one begins at a boundary."""
        transport = self.dialed[0].succeed()
        self.link.how.lost_boundary(next(iter(self.link.sessions)), "no boundary")
        self.assertTrue(transport.disconnecting)

    def test_only_while_used(self) -> None:
        """A server that is dialed only while somebody uses it is not dialed before, and is left after."""
        plan, dialed = make_plan("used"), list[Endpoint]()
        link = Link(plan, self.runtime, Connector(StreamDial("site:1", lambda: Endpoint(dialed)), while_used=True), stream_wires(plan))
        link.start()
        self.assertEqual(dialed, [])
        reader, _ = join(make_link(self.runtime, "lan", hears=("used",)))
        transport = dialed[0].succeed()
        reader.lost(gone())
        self.assertTrue(transport.disconnecting)

    def test_tuned(self) -> None:
        """Each transport that is connected is tuned, as the transport of the section wants it."""
        tuned: list[Any] = []
        make_link(self.runtime, "tuned", dial=StreamDial("site:1", lambda: Endpoint(self.dialed), tune=tuned.append))
        self.assertEqual(tuned, [])
        self.assertEqual([self.dialed[-1].succeed()], tuned)

    def test_secured(self) -> None:
        """With TLS a session begins when the server has proved to be the host that was asked for; else it is dialed again."""
        options = TlsOptions(ca=certificates.ca_file())
        for host, state, sessions in (("localhost", "connected", 1), ("other.example", "waiting", 0)):
            dial = StreamDial("site:1", lambda: Endpoint(self.dialed), host=host, tls=options)
            link = make_link(self.runtime, "secured", dial=dial)
            end = End(self.dialed[-1].factory.buildProtocol(None))
            self.assertEqual(len(link.sessions), 0)
            far = FarEnd(server_side(), end, server_side=True)
            far.talk()
            if not sessions:
                end.lose()
            self.advance(0)
            self.assertEqual((keeper(link).state, len(link.sessions), link.counters["host_mismatch"]), (state, sessions, 1 - sessions))

    def test_given_up(self) -> None:
        """An attempt that nobody answers is given up after ten seconds, and made again."""
        runtime = make_runtime(MemoryReactorClock())
        plan = make_plan("local")
        plan = plan._replace(options=unix.Options(codec=plan.options.codec, connect="/nowhere"))
        unix.make_link(plan, runtime).start()
        self.assertEqual(max(call.getTime() for call in runtime.reactor.getDelayedCalls()), 10.0)

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
