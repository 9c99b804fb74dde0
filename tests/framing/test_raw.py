from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.framing.raw import Framer, Options
from gateway.packet import EMPTY, Fault, Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class RawTests(SynchronousTestCase):
    def test_chunks(self) -> None:
        """A chunk, the very object, is a packet; an empty chunk is none, and nothing is held."""
        data = b"abc\n"
        frames = framer().feed(data, 0.0)
        self.assertEqual(frames, Frames(data, 1, (data,)))
        self.assertIs(frames.data, data)
        self.assertIs(framer().feed(b"", 0.0), EMPTY)
        self.assertIs(framer().finish(True), EMPTY)

    def test_long_chunk(self) -> None:
        """By default a chunk over the limit is cut and nothing is lost; it can be dropped, or end the session."""
        self.assertEqual(framer(max=4).feed(b"abcdefghij", 0.0), Frames(b"abcdefghij", 3, (b"abcd", b"efgh", b"ij")))
        for policy in ("drop", "close"):
            text = f"a chunk of 5 bytes is longer than framing.max = 4 bytes (framing.on_oversize = {policy})"
            expected = Frames(b"", 0, (), faults=(Fault("oversize", text, 5, policy == "close"),))
            self.assertEqual(framer(max=4, on_oversize=policy).feed(b"abcde", 0.0), expected)
            self.assertEqual(framer(max=4, on_oversize=policy).feed(b"abcd", 0.0), Frames(b"abcd", 1, (b"abcd",)))

    def test_write(self) -> None:
        """Payloads are written one behind the other, of any length; received bytes as they are, with their delimiters."""
        self.assertEqual(framer(max=4).encode([b"abcdef", b"", b"g"]), b"abcdefg")
        self.assertEqual(framer().reframe(Frames(b"a\r\nb\r\n", 2, delimiter=b"\n", strip=b"\r")), b"a\r\nb\r\n")
