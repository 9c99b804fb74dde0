"""The way in of one stream."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.framing import lines, silence
from gateway.intake import Intake
from gateway.packet import Frames


class IntakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.taken: list[Frames] = []
        self.failures = 0

    def fail_now(self) -> None:
        self.failures += 1

    def payloads(self) -> list[bytes]:
        return [payload for frames in self.taken for payload in frames.payloads]

    def test_reads_and_end(self) -> None:
        """Frames come at each read, and the rest at a clean end."""
        intake = Intake(lines.Framer(lines.Options()), self.clock, self.taken.append, self.fail_now)
        intake.feed(b"a\nb")
        intake.finish(clean=True)
        self.assertEqual((self.payloads(), self.clock.getDelayedCalls()), ([b"a", b"b"], []))

    def test_one_timer(self) -> None:
        """A silence is noticed when it is over, with one timer however many reads came before."""
        intake = Intake(silence.Framer(silence.Options(interval=0.05)), self.clock, self.taken.append, self.fail_now)
        for _ in range(10):
            intake.feed(b"x")
            self.clock.advance(0.03)
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(self.payloads(), [])
        self.clock.advance(0.05)
        self.assertEqual((self.payloads(), self.clock.getDelayedCalls()), ([b"x" * 10], []))
        intake.feed(b"y")
        self.clock.advance(0.06)
        self.assertEqual(self.payloads(), [b"x" * 10, b"y"])

    def test_end_stops_the_timer(self) -> None:
        """No timer outlives the stream."""
        intake = Intake(silence.Framer(silence.Options(interval=0.05)), self.clock, self.taken.append, self.fail_now)
        intake.feed(b"x")
        intake.finish(clean=False)
        intake.stop()
        self.assertEqual((self.payloads(), self.clock.getDelayedCalls()), ([], []))

    def test_faults(self) -> None:
        """Whoever takes may fail, at a read, at a silence and at the end: it is told each time, raised never, and no timer is left."""

        def raising(frames: Frames) -> None:
            raise ValueError("no")

        intake = Intake(silence.Framer(silence.Options(interval=0.05)), self.clock, raising, self.fail_now)
        intake.feed(b"x")
        self.clock.advance(0.06)
        intake.finish(clean=True)
        self.assertEqual((self.failures, self.clock.getDelayedCalls()), (3, []))
