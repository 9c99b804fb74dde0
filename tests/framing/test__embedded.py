from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing._embedded import Escape, Writer, check_escapable


class EscapeTests(SynchronousTestCase):
    def test_spelling(self) -> None:
        """The delimiter's bytes and the backslash are written as an INI file would have them; nothing else changes."""
        escape = Escape([b"\r\n", b"\x03"])
        self.assertEqual(escape.do(b"a\r\n\x03\\\x00z"), rb"a\r\n\x03\\" + b"\x00z")

    def test_every_spelling(self) -> None:
        """Each byte that has a letter is written and read with it, each other one in hex."""
        escape = Escape([b"\r\n\t\0\x03\xff"])
        payload, text = b"\r\n\t\0\x03\xff\\", rb"\r\n\t\0\x03\xff\\"
        self.assertEqual((escape.do(payload), escape.undo(text)), (text, payload))

    def test_others(self) -> None:
        """A backslash that begins no escape stands for itself when it is read."""
        self.assertEqual(Escape([b"\n"]).undo(rb"C:\q \xZZ \n" + b"\\"), b"C:\\q \\xZZ \n\\")

    @settings(derandomize=True, max_examples=200, database=None)
    @given(st.lists(st.sampled_from([b"\\", b"n", b"x", b"0a", b"\n", b"\r", b"q"])).map(b"".join))
    def test_round_trip(self, payload: bytes) -> None:
        """Any payload comes back, also one that looks like escapes."""
        escape = Escape([b"\n"])
        self.assertNotIn(b"\n", escape.do(payload))
        self.assertEqual(escape.undo(escape.do(payload)), payload)

    def test_escapable(self) -> None:
        """Delimiters with bytes that escapes are written with are refused."""
        check_escapable([b"\r\n", b"\0", b";", b"END"])
        for delimiter in (b"\\", b"n", b"a", b"7", b"END x"):
            with self.assertRaisesRegex(ValueError, "embedded = escape cannot go with the delimiter"):
                check_escapable([b"\n", delimiter])


class WriterTests(SynchronousTestCase):
    def refused(self, writer: Writer, payload: bytes) -> str:
        with self.assertRaises(CodecError) as caught:
            writer.write(payload)
        return str(caught.exception)

    def test_split(self) -> None:
        """Pieces are written as packets, each with the ending; a delimiter at the end of the payload begins no empty packet."""
        writer = Writer([b"\r\n", b"\n"], b"\r\n", "split", 10)
        for payload, expected in (
            (b"a", b"a\r\n"),
            (b"a\nb", b"a\r\nb\r\n"),
            (b"a\r\n\nb\n", b"a\r\n\r\nb\r\n"),
            (b"", b"\r\n"),
            (b"\n", b"\r\n"),
            (b"a" * 9 + b"\n" + b"b" * 9, b"a" * 9 + b"\r\n" + b"b" * 9 + b"\r\n"),
        ):
            self.assertEqual(writer.write(payload), expected)

    def test_reject(self) -> None:
        """A payload that contains the delimiter is refused, and one that would together with its ending or with the previous one."""
        self.assertIn("framing.embedded", self.refused(Writer([b"\n"], b"\n", "reject", 10), b"a\nb"))
        self.assertIn("framing.embedded", self.refused(Writer([b"\r\n", b"\n"], b"\n", "reject", 10), b"a\r"))
        self.assertIn("framing.embedded", self.refused(Writer([b"\r", b"\r\n"], b"\r", "reject", 10), b"\nb"))
        self.assertIn("framing.embedded", self.refused(Writer([b"\r", b"\rOK\rEND"], b"\r", "reject", 10), b"OK"))
        self.assertIn("framing.embedded", self.refused(Writer([b"aa"], b"aa", "reject", 10), b"ba"))
        self.assertEqual(Writer([b"\r\n"], b"\r\n", "reject", 10).write(b"a\r\rb\n"), b"a\r\rb\n\r\n")

    def test_the_ending_before(self) -> None:
        """Refused is what would become part of the ending before: of the one that is written, or of any that may have been kept."""
        delimiters = [b"\r", b"\r\n"]
        self.assertEqual(Writer(delimiters, b"\r\n", "reject", 10).write(b"\nb"), b"\nb\r\n")
        self.assertIn("framing.embedded", self.refused(Writer(delimiters, b"\r\n", "reject", 10, keep=True), b"\nb"))

    def test_the_packet_behind(self) -> None:
        """Refused is what would become a longer delimiter together with the ending and the packet behind it."""
        self.assertIn("framing.embedded", self.refused(Writer([b"x", b"axb"], b"x", "reject", 10), b"a"))

    def test_limit(self) -> None:
        """The limit is for what a reader finds between two delimiters: for pieces, and for escapes as they are written."""
        text = "a packet of 11 bytes is longer than framing.max = 10 bytes"
        self.assertEqual(Writer([b"\n"], b"\n", "reject", 10).write(b"a" * 10), b"a" * 10 + b"\n")
        self.assertEqual(self.refused(Writer([b"\n"], b"\n", "reject", 10), b"a" * 11), text)
        self.assertEqual(self.refused(Writer([b"\n"], b"\n", "split", 10), b"b\n" + b"a" * 11), text)
        self.assertEqual(self.refused(Writer([b"\n"], b"\n", "escape", 10), b"a" * 9 + b"\n"), text)

    def test_keep(self) -> None:
        """Where payloads have their delimiter, that one is written, and the ending only where there is none."""
        for embedded in ("split", "reject", "escape"):
            writer = Writer([b"\r", b"\n"], b"\r", embedded, 10, keep=True)  # type: ignore[arg-type]
            self.assertEqual(writer.write(b"a\n"), b"a\n")
            self.assertEqual(writer.write(b"a"), b"a\r")
        self.assertEqual(Writer([b"\r", b"\n"], b"\r", "split", 10, keep=True).write(b"a\nb\n\nc"), b"a\nb\n\nc\r")
        self.refused(Writer([b"\r", b"\n"], b"\r", "reject", 10, keep=True), b"a\nb\n")
        self.assertEqual(Writer([b"\r", b"\n"], b"\r", "escape", 10, keep=True).write(b"a\nb\n"), b"a\\nb\n")

    def test_skip_empty(self) -> None:
        """Empty pieces, which a reader would skip, are not written; a payload that has no others is refused."""
        writer = Writer([b"\0"], b"\0", "split", 10, skip_empty=True)
        self.assertEqual(writer.write(b"a\0\0b"), b"a\0b\0")
        for payload in (b"", b"\0\0"):
            self.assertIn("framing.skip_empty", self.refused(writer, payload))
