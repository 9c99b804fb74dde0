"""A framing and a codec, joined."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing import lines
from gateway.packet import Batch, Frames
from gateway.registry import load
from gateway.wires._framed import StreamEncoder, decoded


def batch(data: bytes, count: int) -> Batch:
    return Batch("t", "run", 1, 0, "", Frames(data, count, delimiter=b"\n", strip=b"\r"))


def codec(name: str) -> Any:
    module = load("codec", name)
    return module.Codec(module.Options())


class EncoderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.unsayable: list[int] = []

    def encoder(self, name: str, **options: Any) -> StreamEncoder:
        return StreamEncoder(lines.Framer(lines.Options(**options)), codec(name), lambda batch, index, error: self.unsayable.append(index))

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
        self.assertEqual(self.unsayable, [1])


class DecodedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.bad: list[tuple[str, int]] = []

    def hear_bad(self, error: CodecError, count: int) -> None:
        self.bad.append((str(error), count))

    def test_as_received(self) -> None:
        """Payloads that are what was received leave the bytes as they were."""
        frames = batch(b'{"a":1}\n[2]\n', 2).frames
        found, fields = decoded(frames, codec("json"), "drop", self.hear_bad)
        self.assertIs(found, frames)
        self.assertEqual(fields, [{"a": 1}, None])

    def test_bad(self) -> None:
        """What cannot be read is left out, or forwarded as it is; the others are decoded either way."""
        frames = batch(b"61\nzz\n", 2).frames
        self.assertEqual(decoded(frames, codec("hex"), "drop", self.hear_bad)[0], Frames(b"a", 1, (b"a",)))
        self.assertEqual(decoded(frames, codec("hex"), "forward", self.hear_bad)[0], Frames(b"azz", 2, (b"a", b"zz")))
        self.assertEqual([count for _, count in self.bad], [1, 1])

    def test_many_bad(self) -> None:
        """A read full of what cannot be read is told once, with the first error and the number; each is told where each is asked for."""
        frames = batch(b"zz\n61\nz\nzz\n", 4).frames
        for policy, counts in (("drop", [3]), ("forward", [3]), ("log", [1, 1, 1])):
            self.bad.clear()
            decoded(frames, codec("hex"), policy, self.hear_bad)  # type: ignore[arg-type]
            self.assertEqual([count for _, count in self.bad], counts)
            self.assertIn("2 bytes that are not hexadecimal", self.bad[0][0])
