"""The way in of one stream."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs import raw
from gateway.framing import Framer, lines, silence
from gateway.links.intake import Intake
from gateway.packet import Frames
from gateway.wires import Event
from gateway.wires._framed import Form, FramedWire


class IntakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.taken: list[Frames] = []
        self.times: list[int] = []
        self.failures = 0

    def take(self, event: Event, time: int) -> None:
        if isinstance(event, Frames):
            self.taken.append(event)
            self.times.append(time)

    def intake(self, framer: Framer) -> Intake:
        return Intake(self.wire(framer), self.clock, lambda: round(self.clock.seconds() * 1000), self.take, self.fail_now)

    def wire(self, framer: Framer) -> FramedWire:
        return FramedWire(Form(lambda: framer, raw.Codec(raw.Options())))

    def fail_now(self) -> None:
        self.failures += 1

    def payloads(self) -> list[bytes]:
        return [payload for frames in self.taken for payload in frames.payloads]

    def test_reads_and_end(self) -> None:
        """Frames come at each read, and the rest at a clean end."""
        intake = self.intake(lines.Framer(lines.Options()))
        intake.feed(b"a\nb")
        intake.finish(clean=True)
        self.assertEqual((self.payloads(), self.clock.getDelayedCalls()), ([b"a", b"b"], []))

    def test_one_timer(self) -> None:
        """A silence is noticed when it is over, with one timer however many reads came before."""
        intake = self.intake(silence.Framer(silence.Options(interval=0.05)))
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

    def test_time_of_the_last_byte(self) -> None:
        """A packet has the time when its last byte was read: also one that a silence ends, a late timer, or the end of the stream."""
        intake = self.intake(silence.Framer(silence.Options(interval=0.05)))
        intake.feed(b"timer")
        self.clock.advance(0.1)
        intake.feed(b"late")
        self.clock.rightNow += 0.1  # the reactor was busy: the bytes come before the timer
        intake.feed(b"end")
        self.clock.rightNow += 0.1
        intake.finish(clean=True)
        self.assertEqual((self.payloads(), self.times), ([b"timer", b"late", b"end"], [0, 100, 200]))

    def test_time_over_reads(self) -> None:
        """A line that came in two reads has the time of the second."""
        intake = self.intake(lines.Framer(lines.Options()))
        for text in (b"be", b"gun\nne", b"xt\n"):
            intake.feed(text)
            self.clock.advance(1)
        self.assertEqual(self.times, [1000, 2000])

    def test_end_stops_the_timer(self) -> None:
        """No timer outlives the stream."""
        intake = self.intake(silence.Framer(silence.Options(interval=0.05)))
        intake.feed(b"x")
        intake.finish(clean=False)
        intake.stop()
        self.assertEqual((self.payloads(), self.clock.getDelayedCalls()), ([], []))

    def test_faults(self) -> None:
        """Whoever takes may fail, at a silence, at a read and at the end: it is told each time, raised never, and no timer is left."""

        def raising(event: Event, time: int) -> None:
            raise ValueError("no")

        wire = self.wire(silence.Framer(silence.Options(interval=0.05)))
        intake = Intake(wire, self.clock, lambda: 0, raising, self.fail_now)
        intake.feed(b"x")
        self.clock.advance(0.06)
        intake.feed(b"y")
        self.clock.rightNow += 0.06
        intake.feed(b"z")
        intake.feed(b"w")
        intake.finish(clean=True)
        self.assertEqual((self.failures, self.clock.getDelayedCalls()), (3, []))

    def test_ended_within(self) -> None:
        """Where what ended before a read ends the stream too, the read is not looked at, and no timer is left."""
        framer = silence.Framer(silence.Options(interval=0.05))
        intake = Intake(self.wire(framer), self.clock, lambda: 0, lambda event, time: intake.finish(clean=False), self.fail_now)
        intake.feed(b"x")
        self.clock.rightNow += 0.1
        intake.feed(b"y")
        self.assertEqual((self.failures, [call for call in self.clock.getDelayedCalls() if call.active()]), (0, []))
