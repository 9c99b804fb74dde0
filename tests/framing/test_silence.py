from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.framing.silence import Framer, Options, warnings
from gateway.packet import EMPTY, Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**{"interval": "30ms", **options}))


class SilenceTests(SynchronousTestCase):
    def test_limit_over_two_reads(self) -> None:
        """A packet that becomes as long as the limit ends there, without a fault; what is left begins the next."""
        framing = framer(max=4)
        framing.feed(b"ab", 0.0)
        self.assertEqual(framing.feed(b"cdef", 0.0), Frames(b"abcd", 1, (b"abcd",)))
        self.assertEqual(framing.held, 2)

    def test_least(self) -> None:
        """A limit of one byte and an interval as a number are allowed."""
        options = Options.model_validate({"interval": 1, "max": "1"})
        self.assertEqual((options.interval, options.max), (1.0, 1))

    def test_silence_ends_a_packet(self) -> None:
        """Each chunk restarts the interval; when it has passed, all bytes since the last packet are one."""
        framing = framer()
        self.assertIsNone(framing.deadline)
        self.assertEqual(framing.feed(b"ab", 1.0), EMPTY)
        self.assertEqual(framing.deadline, 1.03)
        self.assertEqual(framing.feed(b"cd", 1.02), EMPTY)
        self.assertEqual(framing.deadline, 1.05)
        self.assertEqual(framing.expire(1.04), EMPTY)
        self.assertEqual(framing.expire(1.05), Frames(b"abcd", 1, (b"abcd",)))
        self.assertIsNone(framing.deadline)

    def test_late_timer(self) -> None:
        """A chunk that comes after the deadline, but before the timer, begins a packet of its own."""
        framing = framer()
        framing.feed(b"ab", 1.0)
        self.assertEqual(framing.feed(b"cd", 1.03), Frames(b"ab", 1, (b"ab",)))
        self.assertEqual(framing.expire(1.06).payloads, [b"cd"])

    def test_full(self) -> None:
        """A packet as long as the limit is complete at once, also in the middle of a chunk; only what is left waits."""
        framing = framer(max=4)
        self.assertEqual(framing.feed(b"abcdefghij", 1.0), Frames(b"abcdefgh", 2, (b"abcd", b"efgh")))
        self.assertEqual(framing.feed(b"kl", 1.01), Frames(b"ijkl", 1, (b"ijkl",)))
        self.assertIsNone(framing.deadline)
        self.assertEqual(framing.expire(9.0), EMPTY)

    def test_never_empty(self) -> None:
        """No packet is empty: not after silence without bytes, nor at the end."""
        framing = framer()
        self.assertEqual(framing.feed(b"", 1.0), EMPTY)
        self.assertIsNone(framing.deadline)
        self.assertEqual(framing.expire(2.0), EMPTY)
        self.assertEqual(framing.finish(True), EMPTY)

    def test_tail(self) -> None:
        """The rest is a packet at a clean end; else it is dropped and reported."""
        for clean, payloads, events in ((True, [b"ab"], []), (False, [], ["tail"])):
            framing = framer()
            framing.feed(b"ab", 1.0)
            frames = framing.finish(clean)
            self.assertEqual((list(frames.payloads), [fault.event for fault in frames.faults]), (payloads, events))
            self.assertIsNone(framing.deadline)

    def test_drop_and_close(self) -> None:
        """With drop and close a packet longer than the limit is dropped up to the next silence; one as long as the limit is whole."""
        for policy in ("drop", "close"):
            framing = framer(max=4, on_oversize=policy)
            framing.feed(b"abcd", 1.0)
            self.assertEqual(framing.expire(2.0).payloads, [b"abcd"])
            fault = framing.feed(b"abcde", 3.0).faults[0]
            self.assertEqual((fault.event, fault.size, fault.fatal), ("oversize", 5, policy == "close"))
            framing.expire(4.0)
            framing.feed(b"ok", 5.0)
            self.assertEqual(framing.expire(6.0).payloads, [b"ok"])

    def test_encode(self) -> None:
        """Nothing stands between packets that are written."""
        self.assertEqual(framer().encode([b"ab", b"", b"cd"]), b"abcd")

    def test_options(self) -> None:
        """A wrong interval or limit is refused with the first rule that it breaks: required, a number, greater than 0."""
        for options, message in (
            ({}, "Field required"),
            ({"interval": ""}, '"interval" is required'),
            ({"interval": "0"}, '"interval" is required'),
            ({"interval": "0ms"}, '"interval" is required'),
            ({"interval": 0}, '"interval" is required'),
            ({"interval": "NaN"}, '"interval" is required'),
            ({"interval": float("nan")}, '"interval" is required'),
            ({"interval": "soon"}, '"interval" is not a number'),
            ({"interval": "-30ms"}, '"interval" is not greater than 0'),
            ({"interval": -1}, '"interval" is not greater than 0'),
            ({"interval": "30"}, "'30' is not a duration"),
            ({"interval": "30ms", "max": "big"}, '"max" is not a number'),
            ({"interval": "30ms", "max": "0"}, '"max" is not greater than 0'),
            ({"interval": "30ms", "max": "-1"}, '"max" is not greater than 0'),
        ):
            with self.assertRaisesRegex(ValidationError, message):
                Options(**options)  # type: ignore[arg-type]
        self.assertEqual(Options(interval="30ms", max="1KiB").interval, 0.03)  # type: ignore[arg-type]

    def test_warning(self) -> None:
        """An interval that USB adapters cannot keep gets a warning with the least one that they can."""
        self.assertEqual(warnings(Options(interval=0.010)), [])
        (text,) = warnings(Options(interval=0.005))
        self.assertIn("interval = 5ms", text)
        self.assertIn("10ms or more", text)
