from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.framing.delimiter import Framer, Options
from gateway.options import Written


def framer(delimiter: str, **options: Any) -> Framer:
    return Framer(Options(delimiter=delimiter, **options))  # type: ignore[arg-type]


class DelimiterTests(SynchronousTestCase):
    def read(self, framing: Framer, *reads: bytes) -> list[bytes]:
        return [payload for read in reads for payload in framing.feed(read, 0.0).payloads]

    def test_barcode(self) -> None:
        """A scanner that ends with CR alone: each code is a packet as soon as its CR is there."""
        framing = framer(r"\r")
        self.assertEqual(self.read(framing, b"4006381333931\r40", b"06381333931\r"), [b"4006381333931", b"4006381333931"])

    def test_longest_alternative(self) -> None:
        """At each place the longest alternative counts, also when a read ends within it, in whatever order they were written."""
        for delimiter in (r"\r, \r\n, \n", r"\n, \r\n, \r"):
            self.assertEqual(self.read(framer(delimiter), b"a\r", b"\nb\r", b"c\n\r", b"\n"), [b"a", b"b", b"c", b""])

    def test_uncertain_at_the_end(self) -> None:
        """A delimiter that could have become a longer one counts at the end of the stream: the packet before it is whole."""
        framing = framer(r"\r, \r\n")
        self.assertEqual(self.read(framing, b"a\r"), [])
        frames = framing.finish(clean=False)
        self.assertEqual((frames.data, list(frames.payloads), frames.faults), (b"a\r", [b"a"], ()))

    def test_keep(self) -> None:
        """With keep the payload includes the delimiter that ended it, and is written as it is."""
        framing = framer(r"\r, \n", keep="yes")
        self.assertEqual(self.read(framing, b"a\rb\n\n"), [b"a\r", b"b\n", b"\n"])
        self.assertEqual(framing.encode([b"a\r", b"b\n", b"c"]), b"a\rb\nc\r")

    def test_skip_empty(self) -> None:
        """With skip_empty NULs in a row end one packet, and the further ones belong to none; without it they make empty packets."""
        frames = framer(r"\0", skip_empty="yes").feed(b"\0\0a\0\0\0b\0", 0.0)
        self.assertEqual((frames.data, list(frames.payloads), frames.faults), (b"a\0b\0", [b"a", b"b"], ()))
        self.assertEqual(self.read(framer(r"\0"), b"\0a\0\0"), [b"", b"a", b""])

    def test_overlapping_itself(self) -> None:
        """A delimiter whose end is its own beginning is found from the left, in one read as in many."""
        stream = b"a----b---c--"
        self.assertEqual(self.read(framer("--"), stream), [b"a", b"", b"b", b"-c"])
        self.assertEqual(self.read(framer("--"), *(stream[at : at + 1] for at in range(len(stream)))), [b"a", b"", b"b", b"-c"])

    def test_ending(self) -> None:
        """The first alternative is written, or the ending that was asked for."""
        self.assertEqual(framer(r"\r\n, \n").encode([b"a", b"b"]), b"a\r\nb\r\n")
        self.assertEqual(framer(r"\r\n, \n", ending=r"\r").encode([b"a\nb"]), b"a\rb\r")

    def test_overlapping_at_its_ends(self) -> None:
        """So is one whose last byte is its first."""
        self.assertEqual(self.read(framer("aba"), b"xababa", b".aba"), [b"x", b"ba."])

    def test_at_once(self) -> None:
        """A read is cut at a single delimiter without a search for each packet."""
        self.assertEqual(framer(r"\r").feed(b"a\rb\r", 0.0).delimiter, b"\r")

    def test_spelling(self) -> None:
        """Alternatives are separated by commas; a comma or a blank is written as an escape; what is written is read as the same."""
        for text, expected in (
            (r"\r\n", (b"\r\n",)),
            (r"\r\n, \n,\0", (b"\r\n", b"\n", b"\0")),
            (r"\x2c, \x20\x20", (b",", b"  ")),
            ("END, \\;", (b"END", b";")),
        ):
            options = Options(delimiter=text)  # type: ignore[arg-type]
            self.assertEqual(options.delimiter, expected)
            (written,) = (mark for mark in Options.model_fields["delimiter"].metadata if isinstance(mark, Written))
            self.assertEqual(Options(delimiter=written.text(expected)), options)  # type: ignore[arg-type]
        self.assertEqual(Options(delimiter=b"\0"), Options(delimiter=r"\0"))  # type: ignore[arg-type]

    def test_refused(self) -> None:
        """A delimiter that is missing, empty, misspelt or too long is refused with the reason."""
        for text, message in (
            ("", '"delimiter" is required'),
            (",", "an alternative is empty"),
            (r"\n,", "an alternative is empty"),
            (r"\q", "unknown escape"),
            ("x" * 65, "at most 64"),
        ):
            with self.assertRaisesRegex(ValidationError, message):
                Options(delimiter=text)  # type: ignore[arg-type]
        for empty in ({"delimiter": ()}, {"delimiter": "x", "ending": ""}):
            with self.assertRaisesRegex(ValidationError, "should have at least 1"):
                Options.model_validate(empty)
        with self.assertRaisesRegex(ValidationError, "Field required"):
            Options()  # type: ignore[call-arg]
        with self.assertRaisesRegex(ValidationError, "embedded = escape cannot go with"):
            Options(delimiter=r"\\", embedded="escape")  # type: ignore[arg-type]
