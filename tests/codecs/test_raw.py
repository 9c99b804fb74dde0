from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs.raw import Codec, Options


class RawTests(SynchronousTestCase):
    def test_never_text(self) -> None:
        """Every message is binary, also one that could be text; what is received is the payload."""
        codec = Codec(Options())
        self.assertFalse(codec.is_text(b"abc"))
        self.assertEqual(codec.decode(b'{"text": "x"}'), (b'{"text": "x"}', None))
        self.assertTrue(codec.verbatim)
