from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.enclosed import Framer, Options
from gateway.packet import Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class EnclosedTests(SynchronousTestCase):
    def faults(self, frames: Frames) -> list[tuple[str, int]]:
        return [(fault.event, fault.size) for fault in frames.faults]

    def test_packets(self) -> None:
        """What stands between STX and ETX is the payload; the data includes both."""
        wire = b"\x02 12.34 kg\x03\x02\x03"
        self.assertEqual(framer().feed(wire, 0.0), Frames(wire, 2, (b" 12.34 kg", b"")))
        self.assertEqual(framer().encode([b" 12.34 kg", b""]), wire)

    def test_outside(self) -> None:
        """Each run of bytes outside counts as noise once, or is a packet of its own, complete at the next start."""
        stream = b"\r\n\x02a\x03xyz\x02b\x03"
        frames = framer().feed(stream, 0.0)
        self.assertEqual((frames.data, list(frames.payloads), self.faults(frames)), (b"\x02a\x03\x02b\x03", [b"a", b"b"], [("noise", 5)]))
        self.assertEqual(frames.faults[0][1:5], ("bytes outside of framing.start and framing.end (2 times, 5 bytes dropped)", 5, False, 2))
        self.assertEqual(framer(outside="forward").feed(stream, 0.0), Frames(stream, 4, (b"\r\n", b"a", b"xyz", b"b")))

    def test_new_start(self) -> None:
        """A start inside begins the packet again: what came before it is noise, also when it was too long."""
        frames = framer().feed(b"\x02lost\x02kept\x03", 0.0)
        self.assertEqual((list(frames.payloads), self.faults(frames)), ([b"kept"], [("noise", 5)]))
        self.assertEqual(frames.faults[0].text, "a packet without an end: the next start came first (5 bytes dropped)")
        frames = framer(max=4).feed(b"\x02toolong\x02kept\x03", 0.0)
        self.assertEqual((list(frames.payloads), self.faults(frames)), ([b"kept"], [("oversize", 8)]))

    def test_many_starts(self) -> None:
        """A read full of starts is one fault, whatever stands between them; the packets among them are found, as is one read later."""
        framing = framer(max=8)
        frames = framing.feed(b"\x02" * 1000 + b"\x02ok\x03noise" + b"\x02much too long\x03" + b"\x02good\x03" + b"\x02" * 10 + b"la", 0.0)
        self.assertEqual(list(frames.payloads), [b"ok", b"good"])
        self.assertEqual(
            [(fault.event, fault.size, fault.times) for fault in frames.faults],
            [("oversize", 15, 1), ("noise", 1000 + 5 + 9, 1000 + 1 + 9)],
        )
        self.assertEqual(framing.feed(b"st\x03", 0.0), Frames(b"\x02last\x03", 1, (b"last",)))

    def test_start_over_two_reads(self) -> None:
        """A start that is cut by the end of a read counts where it began, also when the next read has many starts."""
        framing = framer(start="<<", end=">")
        found = [framing.feed(b"<", 0.0), framing.feed(b"<<x><<y><<z>", 0.0)]
        self.assertEqual([payload for frames in found for payload in frames.payloads], [b"<x", b"y", b"z"])

    def test_overlap(self) -> None:
        """An end whose last byte is a start's first counts where it is found first, also in a read with many starts."""
        frames = framer(start="ab", end="ca").feed(b"abxcabycaabzca", 0.0)
        self.assertEqual((list(frames.payloads), self.faults(frames)), ([b"x", b"z"], [("noise", 4)]))

    def test_held(self) -> None:
        """What is held is the payload, its bytes on the wire, and what may be part of an end."""
        framing = framer(start="<<", end=">>")
        framing.feed(b"<<ab>", 0.0)
        self.assertEqual(framing.held, 2 + 4 + 1)

    def test_lengths(self) -> None:
        """Start and end are 1 to 64 bytes long."""
        for name in ("start", "end"):
            self.assertEqual(len(getattr(Options.model_validate({name: "x" * 64}), name)), 64)
            for text in ("", "x" * 65):
                with self.assertRaisesRegex(ValidationError, name):
                    Options.model_validate({name: text})

    def test_long_marks(self) -> None:
        """Start and end may be several bytes, cut anywhere by reads; a part of one does not count."""
        stream = b"<<<a<b>><<c>>>"
        framing = framer(start="<<", end=">>")
        found = [framing.feed(stream[at : at + 1], 0.0) for at in range(len(stream))]
        self.assertEqual([payload for frames in found for payload in frames.payloads], [b"<a<b", b"c"])
        self.assertEqual([fault for frames in found for fault in self.faults(frames)], [("noise", 1)])

    def test_marks_that_share_bytes(self) -> None:
        """Where a start could begin within an end, the one that comes first counts, also when a read has many of them."""
        frames = framer(start="ba", end="ab").feed(b"baxaba" * 4, 0.0)
        self.assertEqual((list(frames.payloads), self.faults(frames)), ([b"x"] * 4, [("noise", 4)]))

    def test_tail(self) -> None:
        """A packet without its end is dropped, also after a clean end; bytes outside are one after a clean end, if they are forwarded."""
        for clean in (True, False):
            framing = framer()
            framing.feed(b"\x02abc", 0.0)
            self.assertEqual(self.faults(framing.finish(clean)), [("tail", 4)])
            self.assertEqual(list(framing.feed(b"\x02ok\x03", 0.0).payloads), [b"ok"])
        for clean, payloads in ((True, [b"abc"]), (False, [])):
            framing = framer(outside="forward")
            framing.feed(b"abc", 0.0)
            self.assertEqual(list(framing.finish(clean).payloads), payloads)

    def test_refused(self) -> None:
        """A payload that contains the start or the end, or would together with the end, is refused; so is one over the limit."""
        for options, payload in (
            ({}, b"a\x02b"),
            ({}, b"a\x03b"),
            ({"start": "<", "end": "--"}, b"a-"),
        ):
            with self.assertRaisesRegex(CodecError, r"contains framing\.start or framing\.end"):
                framer(**options).encode([payload])
        with self.assertRaisesRegex(CodecError, r"longer than framing\.max = 2"):
            framer(max=2).encode([b"abc"])

    def test_options(self) -> None:
        """Start and end must not be empty, and neither may begin with the other."""
        for options in ({"start": "|", "end": "|"}, {"start": "<", "end": "<>"}, {"start": "<<", "end": "<"}, {"start": ""}, {"end": ""}):
            with self.assertRaises(ValidationError):
                Options(**options)
