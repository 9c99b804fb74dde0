from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs.text import Codec, Options


class TextTests(SynchronousTestCase):
    def test_what_is_text(self) -> None:
        """A body is text where it is valid UTF-8: without lone continuation bytes, surrogates and incomplete characters."""
        codec = Codec(Options())
        for body, text in (
            (b"", True),
            (b"$GPGGA,1*00", True),
            ("21 °C".encode(), True),
            (b"\x80", False),
            (b"\xed\xa0\x80", False),
            (b"\xe2\x82", False),
        ):
            self.assertIs(codec.is_text(body), text, body)

    def test_payload(self) -> None:
        """What is received is the payload, whatever it looks like."""
        self.assertEqual(Codec(Options()).decode(b"\xff{}"), (b"\xff{}", None))
        self.assertTrue(Codec(Options()).verbatim)
