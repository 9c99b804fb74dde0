from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.length import Framer, Options
from gateway.packet import EMPTY, Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class LengthTests(SynchronousTestCase):
    def test_widths_and_orders(self) -> None:
        """One, two and four bytes, in both orders, with and without the header in the count: the payload is what follows."""
        for options, wire in (
            ({"width": 1}, b"\x03abc"),
            ({"width": 2}, b"\0\x03abc"),
            ({"width": 4}, b"\0\0\0\x03abc"),
            ({"width": 2, "order": "little"}, b"\x03\0abc"),
            ({"width": 4, "order": "little"}, b"\x03\0\0\0abc"),
            ({"width": 2, "counts_itself": "yes"}, b"\0\x05abc"),
        ):
            self.assertEqual(framer(**options).feed(wire, 0.0), Frames(wire, 1, (b"abc",)))
            self.assertEqual(framer(**options).encode([b"abc"]), wire)

    def test_offset(self) -> None:
        """Bytes before the length field begin the payload, without the field; with counts_itself they are counted too."""
        for options, wire in (
            ({"width": 1, "offset": "2"}, b"HD\x03abc"),
            ({"width": 1, "offset": "2", "counts_itself": "yes"}, b"HD\x06abc"),
        ):
            self.assertEqual(framer(**options).feed(wire, 0.0), Frames(wire, 1, (b"HDabc",)))
            self.assertEqual(framer(**options).encode([b"HDabc"]), wire)

    def test_empty(self) -> None:
        """A length of 0 is an empty packet, at once."""
        self.assertEqual(framer().feed(b"\0\0\0\0", 0.0), Frames(b"\0\0\0\0", 2, (b"", b"")))

    def test_oversize(self) -> None:
        """What is too long is skipped as far as its length says, without being stored; the next packet is good."""
        framing = framer(max=10)
        self.assertEqual([fault.event for fault in framing.feed(b"\0\x64", 0.0).faults], ["oversize"])
        self.assertEqual(framing.feed(b"x" * 9, 0.0), EMPTY)
        self.assertEqual([(fault.event, fault.size) for fault in framing.feed(b"x" * 21, 0.0).faults], [("skipped", 30)])
        self.assertEqual(framing.held, 0)
        frames = framing.feed(b"x" * 70 + b"\0\x02ok", 0.0)
        self.assertEqual((list(frames.payloads), [(fault.event, fault.size) for fault in frames.faults]), ([b"ok"], [("skipped", 70)]))

    def test_impossible(self) -> None:
        """A length less than the header is noise: the next possible header begins a packet; with close the session ends."""
        for policy in ("drop", "emit", "close"):
            framing = framer(counts_itself="yes", on_oversize=policy)
            frames = framing.feed(b"\0\0\0\0\x04ok", 0.0)
            self.assertEqual(list(frames.payloads), [b"ok"])
            ((event, text, size, fatal, *_),) = frames.faults
            self.assertEqual((event, size, fatal), ("bad_length", 3, policy == "close"))
            self.assertIn("a length of 0 bytes is less than the header's 2", text)

    def test_many_impossible(self) -> None:
        """Each run of impossible lengths counts once, a read full of them is one fault, and the packets between them are found."""
        frames = framer(width=1, counts_itself="yes").feed((b"\0" * 50 + b"\x02a") * 3, 0.0)
        self.assertEqual(list(frames.payloads), [b"a"] * 3)
        self.assertEqual([(fault.event, fault.size, fault.times) for fault in frames.faults], [("bad_length", 150, 3)])

    def test_impossible_over_two_reads(self) -> None:
        """A header behind noise may be cut by the end of a read; the packet that follows is found as soon as it is whole."""
        framing = framer(counts_itself="yes")
        self.assertEqual([(fault.event, fault.size) for fault in framing.feed(b"\0\0\0", 0.0).faults], [("bad_length", 2)])
        self.assertEqual(framing.feed(b"\x02", 0.0), Frames(b"\0\x02", 1, (b"",)))

    def test_impossible_byte_by_byte(self) -> None:
        """A run of impossible lengths counts once, however it is cut."""
        framing = framer(width=1, counts_itself="yes")
        frames = [framing.feed(b"\0", 0.0) for _ in range(3)]
        self.assertEqual([[(fault.event, fault.size) for fault in each.faults] for each in frames], [[("bad_length", 1)], [], []])

    def test_empty_behind_noise(self) -> None:
        """The next possible header may be that of an empty packet."""
        frames = framer(counts_itself="yes").feed(b"\0\0\0\x02", 0.0)
        self.assertEqual((list(frames.payloads), [(fault.event, fault.size) for fault in frames.faults]), ([b""], [("bad_length", 2)]))

    def test_impossible_again(self) -> None:
        """Noise behind a packet that ended noise is told as noise too."""
        framing = framer(width=1, counts_itself="yes")
        framing.feed(b"\0\0", 0.0)
        frames = framing.feed(b"\x02a\0\0\x02b", 0.0)
        self.assertEqual(list(frames.payloads), [b"a", b"b"])
        self.assertEqual([(fault.event, fault.size, fault.times) for fault in frames.faults], [("bad_length", 2, 1)])

    def test_resync(self) -> None:
        """With resync, silence within a packet or a header drops it: the next byte begins one."""
        for part in (b"\0", b"\0\x09abc"):
            framing = framer(resync="50ms")
            framing.feed(part, 1.0)
            self.assertEqual(framing.deadline, 1.05)
            self.assertEqual(framing.expire(1.0), EMPTY)
            self.assertEqual([(fault.event, fault.size) for fault in framing.expire(1.05).faults], [("noise", len(part))])
            self.assertIsNone(framing.deadline)
            self.assertEqual(framing.feed(b"\0\x02ok", 2.0).payloads, [b"ok"])
            self.assertIsNone(framing.deadline)
            framing.feed(part, 3.0)
            self.assertEqual(framing.feed(b"\0\x02ok", 4.0).payloads, [b"ok"])

    def test_resync_on_time(self) -> None:
        """A read that comes at the deadline itself is not joined to what was held."""
        framing = framer(resync="50ms")
        framing.feed(b"\0\x09abc", 1.0)
        self.assertEqual(framing.feed(b"\0\x02ok", 1.05).payloads, [b"ok"])

    def test_offset_up_to_the_limit(self) -> None:
        """A packet may be nothing but the bytes before its length; more of them than the limit are refused."""
        self.assertEqual(framer(offset=4, max=4).feed(b"abcd\0\0", 0.0).payloads, [b"abcd"])
        with self.assertRaisesRegex(ValidationError, "offset = 5 is more than max = 4"):
            framer(offset=5, max=4)

    def test_resync_of_an_oversize_packet(self) -> None:
        """With resync, noise that is read as a length of gigabytes is over after the silence, not after gigabytes."""
        framing = framer(width=4, resync="50ms")
        framing.feed(b"\xff\xff\xff\xff" * 10, 1.0)
        framing.expire(1.05)
        self.assertEqual(framing.feed(b"\0\0\0\x02ok", 2.0).payloads, [b"ok"])

    def test_tail(self) -> None:
        """An incomplete packet is dropped and reported with its header, also after a clean end."""
        for part in (b"\0", b"\0\x09abc"):
            for clean in (True, False):
                framing = framer()
                framing.feed(part, 0.0)
                self.assertEqual([(fault.event, fault.size) for fault in framing.finish(clean).faults], [("tail", len(part))])
                self.assertEqual(framing.feed(b"\0\x02ok", 0.0).payloads, [b"ok"])

    def test_longest_and_shortest(self) -> None:
        """As much is written as the length field can say, and as little as the bytes before it."""
        self.assertEqual(framer(width=1).encode([b"x" * 255]), b"\xff" + b"x" * 255)
        self.assertEqual(framer(offset=4).encode([b"abcd"]), b"abcd\0\0")

    def test_refused(self) -> None:
        """A payload that is too long for the length field, lacks the header, or is over the limit is refused with the option's name."""
        for options, payload, message in (
            ({"width": 1}, b"x" * 256, "a length of 256 bytes does not fit into framing.width = 1"),
            ({"width": 1, "counts_itself": "yes"}, b"x" * 255, "a length of 256 bytes"),
            ({"offset": "4"}, b"abc", "a packet of 3 bytes is shorter than the header it must begin with"),
            ({"max": 3}, b"abcd", "a packet of 4 bytes is longer than framing.max = 3"),
        ):
            with self.assertRaisesRegex(CodecError, message):
                framer(**options).encode([payload])

    def test_options(self) -> None:
        """Other widths and orders, and a header over the limit, are configuration errors."""
        for options in ({"width": 3}, {"order": "middle"}, {"offset": "-1"}, {"offset": "20", "max": "10"}):
            with self.assertRaises(ValidationError):
                Options(**options)  # type: ignore[arg-type]
