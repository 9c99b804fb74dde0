"""The stage before a session: one place, one deadline, one way on."""

from __future__ import annotations

from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.admission import Admission
from gateway.net.approach import Approach, hand_over


class Transport(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission = Admission(2, 2)
        self.happened: list[str] = []

    def approach(self, name: str = "it", host: str = "192.0.2.7") -> Approach:
        return Approach(self.clock, self.admission, host, lambda: self.happened.append(f"{name} evicted"))

    def late(self) -> None:
        self.happened.append(f"late at {self.clock.seconds():g}")

    def assert_nothing_left(self) -> None:
        self.assertEqual((len(self.admission), self.clock.getDelayedCalls()), (0, []))


class PlaceTests(Case):
    def test_one_place(self) -> None:
        """Each has one place until it leaves; leaving twice gives back no other's."""
        first, second = self.approach(), self.approach()
        first.leave()
        first.leave()
        self.assertEqual((len(self.admission), first.waits, second.waits), (1, False, True))
        second.leave()
        self.assert_nothing_left()

    def test_eviction(self) -> None:
        """The oldest is evicted for a newer one, and may leave at once; then nothing of it is left."""
        oldest = Approach(self.clock, self.admission, "192.0.2.7", lambda: oldest.leave())
        oldest.expect(5, self.late)
        others = [self.approach("second"), self.approach("third")]
        self.assertEqual((oldest.waits, self.clock.getDelayedCalls(), len(self.admission)), (False, [], 2))
        for other in others:
            other.leave()
        self.assertEqual(self.happened, [])
        self.assert_nothing_left()

    def test_sources(self) -> None:
        """Places are counted by source, so a network of IPv6 addresses evicts itself."""
        self.admission = Admission(10, 1)
        waiting = [self.approach(host, host) for host in ("2001:db8::1", "192.0.2.7", "2001:db8::2")]
        self.assertEqual(self.happened, ["2001:db8::1 evicted"])
        for each in waiting:
            each.leave()

    def test_no_admission(self) -> None:
        """A connection of ours has a deadline and no place."""
        approach = Approach(self.clock)
        approach.expect(1, self.late)
        self.assertEqual((len(self.admission), approach.waits), (0, True))
        approach.leave()
        self.assert_nothing_left()


class DeadlineTests(Case):
    def test_from_the_beginning(self) -> None:
        """A deadline counts from the beginning, whenever it is set, and replaces the one before."""
        self.clock.advance(100)
        approach = self.approach()
        approach.expect(5, lambda: self.happened.append("too early"))
        self.clock.advance(4)
        approach.expect(10, self.late)
        self.clock.advance(5.9)
        self.assertEqual(self.happened, [])
        self.clock.advance(0.2)
        self.assertEqual((self.happened, approach.began), (["late at 110.1"], 100))
        approach.leave()

    def test_over_already(self) -> None:
        """A deadline that is over when it is set is called in the next turn, and not from within."""
        approach = self.approach()
        self.clock.advance(7)
        approach.expect(5, self.late)
        self.assertEqual(self.happened, [])
        self.clock.advance(0)
        self.assertEqual(self.happened, ["late at 7"])
        approach.leave()

    def test_none_after_leaving(self) -> None:
        """Whoever has left is never late, not by a deadline that is set afterwards either."""
        approach = self.approach()
        approach.expect(5, self.late)
        approach.leave()
        approach.expect(5, self.late)
        self.clock.advance(10)
        self.assertEqual(self.happened, [])
        self.assert_nothing_left()


class CloseTests(Case):
    def test_cut_when_it_lingers(self) -> None:
        """Closing gives place and deadline back at once, ends the connection regularly, and cuts it when it has not ended in time."""
        approach, transport = self.approach(), Transport()
        approach.expect(1, self.late)
        approach.close(transport, 5)
        self.assertEqual((len(self.admission), approach.waits, transport.disconnecting, transport.aborted), (0, False, True, False))
        self.clock.advance(5)
        self.assertEqual((transport.aborted, self.happened), (True, []))
        self.assert_nothing_left()

    def test_not_cut_when_it_has_ended(self) -> None:
        """A connection that has ended, so that its protocol has left, is not cut."""
        approach, transport = self.approach(), Transport()
        approach.close(transport, 5)
        approach.leave()
        self.assert_nothing_left()

    def test_another_end(self) -> None:
        """A half close, for example, takes the place of the whole one."""
        approach, transport = self.approach(), Transport()
        approach.close(transport, 5, lambda: self.happened.append("half closed"))
        self.assertEqual((self.happened, transport.disconnecting), (["half closed"], False))
        approach.leave()


class Next(Protocol):
    def __init__(self, leaves: bool = False) -> None:
        self.leaves = leaves
        self.data = b""

    def connectionMade(self) -> None:
        if self.leaves:
            self.transport.loseConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.data += data


class TlsLike(Transport):
    """What a TLS transport looks like from above."""

    wrappedProtocol: object = None


class HandOverTests(SynchronousTestCase):
    def test_handed_over(self) -> None:
        """The protocol is connected, and the one that the transport feeds, a socket's or that of TLS; the rest comes first."""
        for transport, name in ((Transport(), "protocol"), (TlsLike(), "wrappedProtocol")):
            protocol = Next()
            hand_over(transport, protocol, b"rest")
            self.assertIs(getattr(transport, name), protocol)
            self.assertIs(protocol.transport, transport)
            self.assertEqual(protocol.data, b"rest")

    def test_leaves_at_once(self) -> None:
        """A protocol that closes as soon as it is connected does not get the rest."""
        protocol = Next(leaves=True)
        hand_over(Transport(), protocol, b"rest")
        self.assertEqual(protocol.data, b"")
