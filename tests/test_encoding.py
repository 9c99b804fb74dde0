"""A framing and a codec, joined."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.encoding import StreamEncoder, decoded
from gateway.errors import CodecError
from gateway.framing import lines
from gateway.packet import Batch, Frames
from gateway.registry import load


def batch(data: bytes, count: int) -> Batch:
    return Batch("t", "run", 1, 0, "", Frames(data, count, delimiter=b"\n", strip=b"\r"))


def codec(name: str) -> Any:
    module = load("codec", name)
    return module.Codec(module.Options())


class EncoderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.unsayable: list[CodecError] = []

    def encoder(self, name: str, **options: Any) -> StreamEncoder:
        return StreamEncoder(lines.Framer(lines.Options(**options)), codec(name), lambda batch, error: self.unsayable.append(error))

    def test_shortcut(self) -> None:
        """Packets that were cut by the same rule go out without being taken apart: the very same bytes where nothing changes."""
        received = batch(b"a\nb\n", 2)
        self.assertIs(self.encoder("raw")(received), received.data)
        self.assertEqual(self.encoder("raw")(batch(b"a\r\nb\n", 2)), b"a\nb\n")

    def test_codec_first(self) -> None:
        """The codec makes the bodies, the framing frames them."""
        self.assertEqual(self.encoder("hex")(batch(b"a\nb\n", 2)), b"61\n62\n")

    def test_unsayable(self) -> None:
        """A packet that cannot be carried is told, and the others go."""
        self.assertEqual(self.encoder("hex", max=2)(batch(b"a\nlong\nb\n", 3)), b"61\n62\n")
        self.assertEqual(len(self.unsayable), 1)


class DecodedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.bad: list[CodecError] = []

    def test_as_received(self) -> None:
        """Payloads that are what was received leave the bytes as they were."""
        frames = batch(b'{"a":1}\n[2]\n', 2).frames
        found, fields = decoded(frames, codec("json"), "drop", self.bad.append)
        self.assertIs(found, frames)
        self.assertEqual(fields, [{"a": 1}, None])

    def test_bad(self) -> None:
        """What cannot be read is left out, or forwarded as it is; the others are decoded either way."""
        frames = batch(b"61\nzz\n", 2).frames
        self.assertEqual(decoded(frames, codec("hex"), "drop", self.bad.append)[0], Frames(b"a", 1, (b"a",)))
        self.assertEqual(decoded(frames, codec("hex"), "forward", self.bad.append)[0], Frames(b"azz", 2, (b"a", b"zz")))
        self.assertEqual(len(self.bad), 2)
