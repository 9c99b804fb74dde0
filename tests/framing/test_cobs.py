from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.cobs import Framer, Options
from gateway.packet import Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class CobsTests(SynchronousTestCase):
    def test_vectors(self) -> None:
        """The examples of the paper and the edge cases: zeros, no byte, and runs of 254 and 255 bytes without a zero."""
        run = bytes(range(1, 255))
        for payload, wire in (
            (b"", b"\x01\0"),
            (b"\0", b"\x01\x01\0"),
            (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33\0"),
            (run, b"\xff" + run + b"\0"),
            (run + b"\xff", b"\xff" + run + b"\x02\xff\0"),
            (b"\0" + run, b"\x01\xff" + run + b"\0"),
        ):
            self.assertEqual(framer().encode([payload]), wire)
            self.assertEqual(framer().feed(wire, 0.0), Frames(wire, 1, (payload,)))

    def test_other_encoders(self) -> None:
        """A last block of 254 bytes may be followed by an empty one, as some encoders do."""
        run = bytes(range(1, 255))
        self.assertEqual(list(framer().feed(b"\xff" + run + b"\x01\0", 0.0).payloads), [run])

    def test_empty_frames(self) -> None:
        """Zero bytes in a row are no packets."""
        frames = framer().feed(b"\0\0\x02a\0\0\0\x02b\0", 0.0)
        self.assertEqual((frames.data, list(frames.payloads), frames.faults), (b"\x02a\0\x02b\0", [b"a", b"b"], ()))

    def test_bad_frame(self) -> None:
        """A frame with a block that is longer than the frame is dropped, and no other."""
        frames = framer().feed(b"\x02a\0\x09bad\0\x02b\0", 0.0)
        self.assertEqual(list(frames.payloads), [b"a", b"b"])
        self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("bad_frame", 5)])

    def test_many_bad_frames(self) -> None:
        """A read full of bad frames is one fault, and the good ones among them are found."""
        frames = framer().feed(b"\x02\0" * 100 + b"\x02a\0" + b"\x01\x02\0" * 2, 0.0)
        self.assertEqual(list(frames.payloads), [b"a"])
        self.assertEqual([(fault.event, fault.size, fault.times) for fault in frames.faults], [("bad_frame", 206, 102)])

    def test_limit(self) -> None:
        """The limit is for the payload without its overhead: one as long as that passes, one byte more does not."""
        for limit in (1, 4, 253, 254, 255, 508, 1000):
            for byte in (b"x", b"\0"):
                whole, long = (framer().encode([byte * size]) for size in (limit, limit + 1))
                self.assertEqual(list(framer(max=limit).feed(whole, 0.0).payloads), [byte * limit])
                for reads in ([long], [long[at : at + 1] for at in range(len(long))]):
                    framing = framer(max=limit)
                    frames = [framing.feed(read, 0.0) for read in reads]
                    faults = [fault for each in frames for fault in each.faults]
                    self.assertEqual([fault.event for fault in faults if fault.event != "skipped"], ["oversize"])
                    self.assertEqual((sum(fault.size for fault in faults), framing.held), (len(long), 0))

    def test_limit_among_others(self) -> None:
        """A frame that is too long is found among others of the same read, and one that is only long on the wire is not dropped."""
        short, whole, long = framer().encode([b"a"]), framer().encode([b"x" * 20]), framer().encode([b"x" * 21])
        frames = framer(max=20).feed(short + short + long + whole + short, 0.0)
        self.assertEqual(list(frames.payloads), [b"a", b"a", b"x" * 20, b"a"])
        self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("oversize", len(long))])

    def test_emit(self) -> None:
        """Cut at the limit, the pieces together are the payload, zeros between blocks included, and none is longer."""
        for payload in (b"x" * 2000, b"\0" * 50, b"ab\0" * 100, bytes(range(256)) * 8, b"x" * 254 + b"\0" + b"y" * 508):
            wire = framer().encode([payload])
            for reads in ([wire], [wire[at : at + 1] for at in range(len(wire))]):
                framing = framer(max=20, on_oversize="emit")
                frames = [framing.feed(read, 0.0) for read in reads]
                pieces = [piece for each in frames for piece in each.payloads]
                self.assertEqual((b"".join(pieces), b"".join(each.data for each in frames)), (payload, wire))
                self.assertEqual({len(piece) for piece in pieces[:-1]}, {20})

    def test_large_limit(self) -> None:
        """A payload as long as a large limit passes: a block in 254 bytes adds up."""
        payload = b"x" * (1 << 18)
        framing = framer(max=len(payload))
        self.assertEqual(list(framing.feed(framing.encode([payload]), 0.0).payloads), [payload])

    def test_held(self) -> None:
        """What is held is what has been decoded, its bytes on the wire, and the blocks that wait."""
        framing = framer(max=4, on_oversize="emit")
        framing.feed(b"\x0babcdefghij\x03kl", 0.0)
        self.assertEqual(framing.held, len(b"ij\0") + len(b"\x03kl"))

    def test_tail(self) -> None:
        """A packet without its zero byte is dropped and reported, also after a clean end."""
        for clean in (True, False):
            framing = framer()
            framing.feed(b"\x03ab", 0.0)
            self.assertEqual([(fault.event, fault.size) for fault in framing.finish(clean).faults], [("tail", 3)])
            self.assertEqual(list(framing.feed(b"\x02a\0", 0.0).payloads), [b"a"])

    def test_refused(self) -> None:
        """A packet over the limit cannot be written."""
        with self.assertRaisesRegex(CodecError, r"longer than framing\.max = 2"):
            framer(max=2).encode([b"abc"])
