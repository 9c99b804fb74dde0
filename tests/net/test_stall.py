"""What a paused transport cannot notice itself. That a peer has gone is tried on real sockets in test_direct and the integration tests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.net import stall
from gateway.net.stall import Stall

from ..building import Wire


class StallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stall, self.wire = Stall(), Wire()
        self.gone = False
        self.patch(stall, "peer_reset", lambda transport: self.gone)

    def look(self, now: float, timeout: float = 30.0) -> str:
        found = self.stall.look(now, self.wire, timeout, waiting=5)
        return found.event if found else ""

    def test_takes_nothing(self) -> None:
        """Only who takes no byte at all for the timeout is stalled; a second block changes nothing."""
        self.wire.pending = 100
        self.stall.block(0.0, self.wire)
        self.stall.block(20.0, self.wire)
        self.assertEqual((self.look(29), self.look(30)), ("", "stalled"))
        self.wire.pending = 99
        self.assertEqual((self.look(31), self.look(60), self.look(61)), ("", "", "stalled"))
        self.assertEqual(self.look(1e9, timeout=0.0), "")

    def test_growing_is_no_progress(self) -> None:
        """Bytes that are added, by TLS's own answers, do not make a peer one that reads; what it takes of them does."""
        self.wire.pending = 100
        self.stall.block(0.0, self.wire)
        for now in range(10, 30, 10):
            self.wire.pending += 27
            self.assertEqual(self.look(now), "")
        self.wire.pending += 27
        self.assertEqual(self.look(30), "stalled")
        self.wire.pending -= 1
        self.assertEqual((self.look(31), self.look(60), self.look(61)), ("", "", "stalled"))

    def test_unblocked(self) -> None:
        """Who has taken everything is not looked after any more."""
        self.stall.block(0.0, self.wire)
        self.assertTrue(self.stall.lasts)
        self.stall.unblock()
        self.assertEqual((self.stall.lasts, self.look(1e9)), (False, ""))

    def test_reset_while_paused(self) -> None:
        """A reset is noticed at once, while nothing is read, and only then."""
        self.gone = True
        self.assertEqual(self.look(0), "")
        self.stall.pause()
        self.assertEqual((self.look(1), self.stall.lasts), ("vanished", True))
        self.stall.unpause()
        self.assertEqual(self.look(2), "")

    def test_paused_is_not_dead(self) -> None:
        """Nobody who is merely paused is taken for dead, however long."""
        self.stall.pause()
        self.assertEqual(self.look(1e9), "")
