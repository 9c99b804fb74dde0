"""The way in of one stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs import raw
from gateway.framing import Framer, lines, silence
from gateway.links.intake import Intake
from gateway.packet import Batch, Frames
from gateway.wires import Encoded, Event
from gateway.wires._framed import Form, FramedWire


class Waiting:
    """A wire that only waits: until ``deadline``, at which it fails; each read moves that on."""

    representation = None

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.asked: list[float] = []

    def feed(self, data: Any, now: float) -> Sequence[Event]:
        self.deadline = now + 1.0
        return ()

    def expire(self, now: float) -> Sequence[Event]:
        self.asked.append(now)
        raise ValueError("no")

    def finish(self, clean: bool) -> Sequence[Event]:
        return ()

    def encode(self, batch: Batch) -> Encoded:
        return Encoded(b"", 0)

    def says(self, topic: str) -> bool:
        return True


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

    def test_exactly_at_the_deadline(self) -> None:
        """A silence is over as soon as it is as long as it has to be, whether a timer or a read comes then."""
        intake = self.intake(silence.Framer(silence.Options(interval=0.5)))
        intake.feed(b"timer")
        self.clock.advance(0.5)
        intake.feed(b"read")
        self.clock.rightNow += 0.5
        intake.feed(b"end")
        self.assertEqual((self.payloads(), self.times), ([b"timer", b"read"], [0, 500]))

    def test_asked_at_the_deadline(self) -> None:
        """A wire is asked at its deadline, and not when it was before a read moved it on; one that fails then is not asked for ever."""
        wire = Waiting()
        intake = Intake(wire, self.clock, lambda: 0, self.take, self.fail_now)
        intake.feed(b"x")
        self.clock.advance(0.5)
        intake.feed(b"y")
        self.clock.advance(0.5)
        self.assertEqual((wire.asked, self.failures), ([], 0))
        self.clock.advance(0.5)
        self.assertEqual((wire.asked, self.failures, self.clock.getDelayedCalls()), ([1.5], 1, []))

    def test_no_deadline_any_more(self) -> None:
        """A wire that waits for nothing any more when the timer fires is not asked."""
        wire = Waiting()
        intake = Intake(wire, self.clock, lambda: 0, self.take, self.fail_now)
        intake.feed(b"x")
        wire.deadline = None
        self.clock.advance(1.0)
        self.assertEqual((wire.asked, self.failures, self.clock.getDelayedCalls()), ([], 0, []))

    def test_busy(self) -> None:
        """A silence that is over before its timer was made is noticed in the next turn: no timer is for the past."""
        self.clock.rightNow = 10.0
        wire = Waiting()

        def wall() -> int:
            self.clock.rightNow += 5.0
            return 0

        Intake(wire, self.clock, wall, self.take, self.fail_now).feed(b"x")
        self.assertEqual([call.getTime() for call in self.clock.getDelayedCalls()], [15.0])

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
        framer = silence.Framer(silence.Options(interval=0.05, max=2, on_oversize="emit"))

        def end(event: Event, time: int) -> None:
            self.take(event, time)
            intake.finish(clean=False)

        intake = Intake(self.wire(framer), self.clock, lambda: 0, end, self.fail_now)
        intake.feed(b"x")
        self.clock.rightNow += 0.1
        intake.feed(b"yy")
        self.assertEqual((self.payloads(), self.failures, self.clock.getDelayedCalls()), ([b"x"], 0, []))
