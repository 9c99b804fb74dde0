"""What happens at a link: counted, logged, published."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.session import Session
from gateway.packet import Batch, Fault

from ..building import gone, join, make_link, make_runtime


class EventsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.link = make_link(self.runtime, "lan")
        self.session, _ = join(self.link, "10.0.0.1:5")
        self.published: list[Batch] = []

    def said(self) -> str:
        return self.runtime.lines[-1]  # type: ignore[attr-defined,no-any-return]

    def listen(self) -> None:
        self.runtime.bus.subscribe(["lan/$events"], self.published.append, "test")

    def enrol(self, told: list[Batch]) -> None:
        self.patch(Session, "answer", lambda session, batch: told.append(batch))
        self.session, _ = join(make_link(self.runtime, "web", codec="json"))

    def test_one_call(self) -> None:
        """One call counts, logs with link and peer, and publishes under LINK/$events, numbered from 1."""
        self.listen()
        self.link.report("noise", "7 bytes of noise", self.session, times=7, size=70)
        self.link.report("evicted", "gave its place", peer="10.0.0.9:9")
        self.assertEqual((self.link.counters["noise"], self.link.counters["evicted"]), (7, 1))
        self.assertIn("[lan] 10.0.0.1:5: 7 bytes of noise", self.runtime.lines)  # type: ignore[attr-defined]
        self.assertEqual(self.said(), "[lan] 10.0.0.9:9: gave its place")
        self.assertEqual([(batch.topic, batch.seq, batch.count, batch.data) for batch in self.published], [
            ("lan/$events", 1, 1, b"7 bytes of noise"), ("lan/$events", 2, 1, b"gave its place"),
        ])  # fmt: skip
        fields = {"event": "noise", "link": "lan", "peer": "10.0.0.1:5", "times": 7, "size": 70}
        self.assertEqual(self.published[0].fields, [fields])

    def test_levels(self) -> None:
        """Without a level nothing is logged; "each" is logged however often; everything else is limited by rate."""
        before = len(self.runtime.lines)  # type: ignore[attr-defined]
        for level, lines in (("", 0), ("each", 20), ("warn", 5)):
            for _ in range(20):
                self.link.report(f"level {level}", "x", level=level)
            self.assertEqual(sum(line == "[lan] x" for line in self.runtime.lines[before:]), lines, level)  # type: ignore[attr-defined]
            before = len(self.runtime.lines)  # type: ignore[attr-defined]
            self.assertEqual(self.link.counters[f"level {level}"], 20)

    def test_failure(self) -> None:
        """A fault of ours is logged at length once for each place and kind."""
        for _ in range(3):
            try:
                raise ValueError("no")
            except ValueError:
                self.link.report("failures", "failed while writing", self.session, level="failure")
        self.assertEqual(self.link.counters["failures"], 3)
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: failed while writing: ValueError: no")

    def test_nobody_hears_of_it(self) -> None:
        """Nothing is published, and no number is taken, while nobody hears the events of a link."""
        self.link.report("noise", "x")
        self.listen()
        self.link.report("noise", "y")
        self.assertEqual([batch.seq for batch in self.published], [1])

    def test_events_of_events(self) -> None:
        """What an event causes is counted and logged, and publishes no further event: two links that hear each other's come to rest."""
        one = make_link(self.runtime, "one", hears=("two/$events",), framing="fixed", framing_size=2)
        two = make_link(self.runtime, "two", hears=("one/$events",), framing="fixed", framing_size=2)
        for link in (one, two):
            join(link)
        before = one.counters["unsayable_packets"]
        one.report("noise", "too long for a packet of two bytes")
        self.assertEqual((one.counters["unsayable_packets"], two.counters["unsayable_packets"]), (before, 1))

    def test_told_to_one(self) -> None:
        """One address alone is told, under numbers of its own; where nobody can hear it, that is counted, and takes no number."""
        self.listen()
        told: list[Batch] = []
        self.link.tell("web#1", "refused", "no")
        self.enrol(told)
        for _ in range(2):
            self.link.tell("web#1", "refused", "no", packets=3)
        self.assertEqual([(batch.seq, batch.fields) for batch in told], [
            (1, [{"event": "refused", "link": "lan", "packets": 3}]), (2, [{"event": "refused", "link": "lan", "packets": 3}]),
        ])  # fmt: skip
        self.assertEqual((self.published, self.link.counters["untold_events"]), ([], 1))

    def test_whoever_has_gone_is_forgotten(self) -> None:
        """An address that comes again is numbered from 1: nothing is kept of those who have gone."""
        told: list[Batch] = []
        for _ in range(2):
            self.enrol(told)
            self.link.tell("web#1", "refused", "no")
            self.session.lost(gone())
        self.assertEqual([batch.seq for batch in told], [1, 1])

    def test_faults(self) -> None:
        """A fault in what a peer says counts under its name as often as it was, and its bytes as lost."""
        self.link.heard(self.session, Fault("noise", "7 times", 70, times=7), 0)
        self.assertEqual((self.link.counters["noise"], self.link.counters["lost_bytes"]), (7, 70))
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: 7 times")

    def test_dropped(self) -> None:
        """What was dropped for a session counts for the link and for it; nothing is not told."""
        self.session.dropped(1, "why", "full")
        self.assertEqual((self.link.counters["dropped_packets"], self.session.writer.account.lost), (1, 1))
        self.assertEqual(self.said(), "[lan] 10.0.0.1:5: 1 packet dropped: why")
        before = len(self.runtime.lines)  # type: ignore[attr-defined]
        self.session.dropped(0, "why", "full")
        self.assertEqual(len(self.runtime.lines), before)  # type: ignore[attr-defined]
