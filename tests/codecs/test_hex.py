from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs.hex import Codec, Options
from gateway.errors import CodecError
from gateway.packet import Batch, Frames


class HexTests(SynchronousTestCase):
    def test_digits(self) -> None:
        """A byte is two lower-case digits, and the message is text."""
        codec = Codec(Options())
        self.assertEqual(codec.encode(Batch("a", "r", 1, 0, "s", Frames(b"\r\n\xff", 2, (b"\r\n\xff", b"")))), [b"0d0aff", b""])
        self.assertTrue(codec.is_text(b"0d0a"))
        self.assertFalse(codec.verbatim)

    def test_reading(self) -> None:
        """Both cases and blanks between the bytes are read."""
        for body in (b"0d0aff", b"0D0AFF", b" 0d 0A\tff\r\n"):
            self.assertEqual(Codec(Options()).decode(body), (b"\r\n\xff", None))

    def test_refused(self) -> None:
        """Half a byte, other characters and other scripts' digits are refused, with an example of what is right."""
        for body in (b"0d0", b"0 d", b"0x0d", b"xyz", b"0d,0a", "\u0660\u0661".encode(), b"\xff"):
            with self.assertRaisesRegex(CodecError, "not hexadecimal digits.*0d0a"):
                Codec(Options()).decode(body)
