"""What a link counts and says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import Item
from gateway.packet import Fault

from ..building import join, make_link, make_runtime


class BookkeepingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.link = make_link(self.runtime, "lan")
        self.session, _ = join(self.link, "10.0.0.1:5")

    def said(self) -> str:
        return self.runtime.lines[-1]  # type: ignore[attr-defined,no-any-return]

    def test_fault(self) -> None:
        """A fault counts under its name, its bytes as lost, and is said with link and peer."""
        self.link.fault(self.session, Fault("noise", "7 bytes of noise", 7))
        self.assertEqual((self.link.counters["noise"], self.link.counters["lost_bytes"]), (1, 7))
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: 7 bytes of noise")

    def test_faults(self) -> None:
        """Faults that a framer summed up count as many as they were."""
        self.link.fault(self.session, Fault("noise", "7 times", 70, times=7))
        self.assertEqual((self.link.counters["noise"], self.link.counters["lost_bytes"]), (7, 70))

    def test_drop_outbox(self) -> None:
        """What was in an outbox counts for the link and the session, and is given back."""
        box = self.link.new_outbox(lambda: None)
        box.offer(Item(b"abc", 3, "gps#1"))
        self.assertEqual(len(self.link.drop_outbox(self.session, box, "why")), 1)
        self.assertEqual((self.link.counters["dropped_packets"], self.session.dropped), (3, 3))
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: 3 packets dropped: why")

    def test_one(self) -> None:
        """One packet, byte or session is not several."""
        self.link.drop(self.session, 1, "why")
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: 1 packet dropped: why")
        self.link.refused("10.0.0.2:5", 1)
        self.assertEqual(self.said(), "[lan] 10.0.0.2:5: refused, there is 1 session (max_sessions)")

    def test_nothing_dropped(self) -> None:
        """Nothing is not told."""
        before = len(self.runtime.lines)  # type: ignore[attr-defined]
        self.link.drop(self.session, 0, "why")
        self.link.unsent(self.session, 0)
        self.assertEqual(len(self.runtime.lines), before)  # type: ignore[attr-defined]
