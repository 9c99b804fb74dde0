from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.lines import Framer, Options
from gateway.packet import EMPTY, Frames
from tests import samples


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class ReadTests(SynchronousTestCase):
    def test_line_ends(self) -> None:
        """LF and CR LF end a line, mixed as they come; a CR elsewhere is part of it; an empty line is a packet."""
        frames = framer().feed(b"a\nb\r\n\n\r\nc\rd\n\r\r\ne", 0.0)
        self.assertEqual(list(frames.payloads), [b"a", b"b", b"", b"", b"c\rd", b"\r"])
        self.assertEqual(frames.data, b"a\nb\r\n\n\r\nc\rd\n\r\r\n")

    def test_tail(self) -> None:
        """Without its end the last line is a packet after a clean end; else it is dropped and reported. Then the framer is as new."""
        for clean, payloads, events in ((True, [b"last"], []), (False, [], ["tail"])):
            framing = framer()
            framing.feed(b"one\nlast", 0.0)
            frames = framing.finish(clean)
            self.assertEqual((list(frames.payloads), [fault.event for fault in frames.faults]), (payloads, events))
            self.assertEqual(framing.feed(b"next\n", 0.0), Frames(b"next\n", 1, (b"next",)))

    def test_limit(self) -> None:
        """The limit is for the line without its end: one as long as that passes with either line end, and one byte more does not."""
        for ending in (b"\n", b"\r\n"):
            for cut in range(8):
                framing = framer(max=4)
                first, second = framing.feed((b"abcd" + ending)[:cut], 0.0), framing.feed((b"abcd" + ending)[cut:], 0.0)
                self.assertEqual([*first.payloads, *second.payloads, *first.faults, *second.faults], [b"abcd"])
            self.assertEqual([fault.event for fault in framer(max=4).feed(b"abcde" + ending, 0.0).faults], ["oversize"])
            self.assertEqual(list(framer(max=4, on_oversize="emit").feed(b"abcdefgh" + ending, 0.0).payloads), [b"abcd", b"efgh"])

    def test_noise(self) -> None:
        """After noise, as from a wrong baud rate, the line behind the next LF is whole."""
        framing = framer(max=100)
        frames = framing.feed(bytes(range(255, 10, -1)) + b"x\n$GPGGA,1\r\n", 0.0)
        self.assertEqual(list(frames.payloads), [b"$GPGGA,1"])
        self.assertEqual([fault.event for fault in frames.faults], ["oversize"])

    def test_escape(self) -> None:
        """With embedded = escape, what was written as escapes is read back; lines without a backslash are still cut at once."""
        framing = framer(embedded="escape")
        self.assertEqual(framing.feed(b"plain\n", 0.0).delimiter, b"\n")
        self.assertEqual(list(framing.feed(rb"a\nb\\n" + b"\nc\n", 0.0).payloads), [b"a\nb\\n", b"c"])
        framing.feed(rb"a\n", 0.0)
        self.assertEqual(list(framing.finish(True).payloads), [b"a\n"])

    def test_real_log(self) -> None:
        """The lines of a GPS log are those that Python's own reading finds, whatever the size of the reads."""
        log = samples.nmea("signalk/gps-head64k.log")
        expected = [line.removesuffix(b"\r") for line in log.split(b"\n")[:-1]]
        for size in (1, 7, 64, 4095, 65536):
            framing, found = framer(), []
            for start in range(0, len(log), size):
                found += framing.feed(log[start : start + size], 0.0).payloads
            self.assertEqual(found, expected)

    def test_no_statement_per_packet(self) -> None:
        """A read of a thousand lines runs as many lines of Python as a read of ten: nothing is done packet by packet."""
        self.assertEqual(self._statements(b"x" * 63 + b"\n", 10), self._statements(b"x" * 63 + b"\n", 1000))
        self.assertEqual(self._statements(b"x" * 62 + b"\r\n", 10), self._statements(b"x" * 62 + b"\r\n", 1000))

    def _statements(self, line: bytes, count: int) -> int:
        framing, writer, seen = framer(), framer(), 0

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal seen
            seen += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            frames = framing.feed(line * count, 0.0)
            writer.reframe(frames)
        finally:
            sys.settrace(before)
        self.assertEqual(frames.count, count)
        return seen


class WriteTests(SynchronousTestCase):
    def test_ending(self) -> None:
        """Lines are written with LF, or with the ending of the options."""
        self.assertEqual(framer().encode([b"a", b"", b"b"]), b"a\n\nb\n")
        self.assertEqual(framer(ending=r"\r\n").encode([b"a", b"b"]), b"a\r\nb\r\n")
        self.assertEqual(framer(ending=r"\r").encode([b"a", b"b\rc", b"d\ne"]), b"a\rb\rc\rd\re\r")
        self.assertEqual(framer().encode([]), b"")

    def test_embedded(self) -> None:
        """A payload of several lines is split by default; it can be refused or escaped."""
        payloads = [b"a\r\nb\n", b"c"]
        self.assertEqual(framer().encode(payloads), b"a\nb\nc\n")
        self.assertEqual(framer(embedded="escape").encode(payloads), rb"a\r\nb\n" + b"\nc\n")
        with self.assertRaises(CodecError):
            framer(embedded="reject").encode(payloads)

    def test_too_long(self) -> None:
        """A line that a reader with the same limit would drop is refused; many short ones together are not."""
        with self.assertRaisesRegex(CodecError, "a packet of 5 bytes is longer than framing.max = 4 bytes"):
            framer(max=4).encode([b"ok", b"abcde"])
        self.assertEqual(framer(max=4).encode([b"abcd"] * 3), b"abcd\n" * 3)

    def test_reframe(self) -> None:
        """The bytes of another link's lines are written as they are where their line ends fit, else with those of this side."""
        lf, crlf, mixed, stray = b"a\nb\n", b"a\r\nb\r\n", b"a\nb\r\n", b"a\r\r\nb\n"
        for data, to_lf, to_crlf in ((lf, lf, crlf), (crlf, lf, crlf), (mixed, lf, None), (stray, None, None)):
            frames = framer().feed(data, 0.0)
            self.assertEqual(framer().reframe(frames), to_lf)
            self.assertEqual(framer(ending=r"\r\n").reframe(frames), to_crlf)
            self.assertIsNone(framer(ending=r"\r").reframe(frames))
            self.assertIsNone(framer(embedded="escape").reframe(frames))
        self.assertIsNone(framer(max=2).reframe(framer().feed(b"abc\n", 0.0)))
        self.assertIsNone(framer().reframe(Frames(b"a\nb\n", 2, delimiter=b"\n")))
        self.assertEqual(framer().reframe(EMPTY), None)


class OptionsTests(SynchronousTestCase):
    def test_refused(self) -> None:
        """An empty ending, a negative limit and an ending that the escapes need are configuration errors."""
        for options in ({"ending": ""}, {"max": "0"}, {"ending": "n", "embedded": "escape"}, {"embedded": "maybe"}):
            with self.assertRaises(ValidationError):
                Options(**options)  # type: ignore[arg-type]
