from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.fixed import Framer, Options
from gateway.packet import EMPTY, Frames


def framer(size: int = 4, **options: Any) -> Framer:
    return Framer(Options(size=size, **options))


class FixedTests(SynchronousTestCase):
    def test_reads(self) -> None:
        """Packets of the size are found in reads of any size, and the data is their bytes."""
        framing = framer()
        self.assertEqual(framing.feed(b"abc", 0.0), EMPTY)
        self.assertEqual(framing.feed(b"defghi", 0.0), Frames(b"abcdefgh", 2, (b"abcd", b"efgh")))
        self.assertEqual(framing.held, 1)

    def test_resync(self) -> None:
        """With resync, silence drops what came of a packet: the next byte begins one."""
        framing = framer(resync="50ms")
        framing.feed(b"ab", 10.0)
        self.assertEqual(framing.deadline, 10.05)
        self.assertEqual(framing.expire(10.04), EMPTY)
        frames = framing.expire(10.05)
        self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("noise", 2)])
        self.assertIn("2 of 4 bytes, then silence for framing.resync = 0.05 s", frames.faults[0].text)
        self.assertIsNone(framing.deadline)
        self.assertEqual(framing.feed(b"abcd", 11.0), Frames(b"abcd", 1, (b"abcd",)))

    def test_resync_late(self) -> None:
        """A read that comes after the deadline, but before the timer, is not joined to what was held."""
        framing = framer(resync="50ms")
        framing.feed(b"ab", 10.0)
        frames = framing.feed(b"efgh", 10.06)
        self.assertEqual((list(frames.payloads), [fault.event for fault in frames.faults]), ([b"efgh"], ["noise"]))
        framing.feed(b"ab", 11.0)
        frames = framing.feed(b"ef", 11.06)
        self.assertEqual((frames.count, frames.data, [fault.event for fault in frames.faults]), (0, b"", ["noise"]))

    def test_resync_waits_from_the_last_byte(self) -> None:
        """Each byte starts the silence anew; a whole packet ends it; an empty read changes nothing."""
        framing = framer(resync="50ms")
        framing.feed(b"ab", 10.0)
        framing.feed(b"c", 10.04)
        framing.feed(b"", 10.06)
        self.assertEqual(framing.deadline, 10.09)
        self.assertEqual(framing.feed(b"d", 10.08).count, 1)
        self.assertIsNone(framing.deadline)

    def test_no_resync(self) -> None:
        """Without resync the framer waits for the rest of a packet for ever."""
        framing = framer()
        framing.feed(b"ab", 0.0)
        self.assertIsNone(framing.deadline)
        self.assertEqual(framing.feed(b"cd", 1e9).count, 1)

    def test_tail(self) -> None:
        """Part of a packet is dropped and reported, also after a clean end."""
        for clean in (True, False):
            framing = framer()
            framing.feed(b"abcdef", 0.0)
            self.assertEqual([(fault.event, fault.size) for fault in framing.finish(clean).faults], [("tail", 2)])
            self.assertEqual(framing.finish(clean), EMPTY)

    def test_encode(self) -> None:
        """A payload of another size is refused with both sizes."""
        self.assertEqual(framer().encode([b"abcd", b"efgh"]), b"abcdefgh")
        with self.assertRaisesRegex(CodecError, "a packet of 3 bytes cannot be written where framing.size = 4"):
            framer().encode([b"abcd", b"abc"])

    def test_options(self) -> None:
        """The size is required, more than 0, and not over the limit; errors say so."""
        for options, message in (
            ({}, "Field required"),
            ({"size": "0"}, '"size" is not greater than 0'),
            ({"size": "-3"}, '"size" is not greater than 0'),
            ({"size": "many"}, "'many' is not an integer"),
            ({"size": "100", "max": "99"}, "size = 100 is more than max = 99"),
            ({"size": "4", "resync": "50"}, "'50' is not a duration"),
        ):
            with self.assertRaisesRegex(ValidationError, message):
                Options(**options)
