"""A framing and a codec, joined."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.framing import lines, silence
from gateway.packet import Batch, Frames
from gateway.registry import load
from gateway.wires._framed import Form, FramedWire


def batch(data: bytes, count: int) -> Batch:
    return Batch("t", "run", 1, 0, "", Frames(data, count, delimiter=b"\n", strip=b"\r"))


def codec(name: str) -> Any:
    module = load("codec", name)
    return module.Codec(module.Options())


def form(name: str = "raw", **options: Any) -> Form:
    return Form(lambda: lines.Framer(lines.Options(**options)), codec(name))


class EncodeTests(SynchronousTestCase):
    def test_shortcut(self) -> None:
        """Packets that were cut by the same rule go out without being taken apart: the very same bytes where nothing changes."""
        received = batch(b"a\nb\n", 2)
        encoded = FramedWire(form()).encode(received)
        self.assertEqual((encoded.packets, encoded.refused), (2, ()))
        self.assertIs(encoded.data, received.data)
        self.assertEqual(form().encode(batch(b"a\r\nb\n", 2)).data, b"a\nb\n")

    def test_codec_first(self) -> None:
        """The codec makes the bodies, the framing frames them."""
        self.assertEqual(form("hex").encode(batch(b"a\nb\n", 2)).data, b"61\n62\n")

    def test_verbatim(self) -> None:
        """Packets that are passed on go as they were received, whatever the framing."""
        passed = Form(lambda: lines.Framer(lines.Options()), codec("raw"), verbatim=True)
        self.assertEqual(passed.encode(batch(b"a\r\nb\n", 2)), (b"a\r\nb\n", 2, ()))

    def test_refused(self) -> None:
        """A packet that cannot be carried comes back with its place and the reason, and the others go."""
        encoded = form("hex", max=2).encode(batch(b"a\nlong\nb\n", 3))
        self.assertEqual((encoded.data, encoded.packets, [index for index, _ in encoded.refused]), (b"61\n62\n", 2, [1]))
        self.assertIn("2", str(encoded.refused[0][1]))

    def test_says(self) -> None:
        """Data can be said by every codec, events only by one whose bodies carry their topic."""
        for name, says in (("raw", False), ("json", True)):
            wire = FramedWire(form(name))
            self.assertEqual((wire.says("gps"), wire.says("gps/$events")), (True, says))


class FeedTests(SynchronousTestCase):
    def test_frames_and_faults(self) -> None:
        """What was found comes first, then what was wrong; where there is nothing, nothing comes."""
        wire = FramedWire(form(max=4))
        self.assertEqual(list(wire.feed(b"", 0)), [])
        frames, fault = wire.feed(b"ok\ntoo long\n", 0)
        self.assertEqual((frames, fault.event), (Frames(b"ok\n", 1, (b"ok",), faults=(fault,)), "oversize"))  # type: ignore[union-attr]

    def test_not_cut(self) -> None:
        """Packets that a codec leaves as they are come as they were received, not cut into payloads yet, which would take memory."""
        (frames,) = FramedWire(form()).feed(b"a\nb\n", 0)
        assert isinstance(frames, Frames)
        self.assertEqual((frames.count, frames.cost), (2, 4))

    def test_no_framer_before_the_first_byte(self) -> None:
        """Who only reads costs no framer, is never woken, and has no end of its own."""
        made: list[int] = []

        def make() -> lines.Framer:
            made.append(1)
            return lines.Framer(lines.Options())

        wire = FramedWire(Form(make, codec("raw")))
        before = len(made)
        self.assertEqual((wire.deadline, list(wire.expire(0)), list(wire.finish(True)), len(made) - before), (None, [], [], 0))

    def test_deadline(self) -> None:
        """A framing that waits says until when."""
        wire = FramedWire(Form(lambda: silence.Framer(silence.Options(interval=0.5)), codec("raw")))
        wire.feed(b"a", 10.0)
        self.assertEqual(wire.deadline, 10.5)
        self.assertEqual(list(wire.expire(10.5)), [Frames(b"a", 1, (b"a",))])
        self.assertIsNone(wire.deadline)

    def test_tail(self) -> None:
        """What is left at the end is a packet after a clean one; on_tail overrules; then the wire is as new."""
        for on_tail, clean, expected in (("auto", True, 1), ("auto", False, 0), ("emit", False, 1), ("drop", True, 0)):
            wire = FramedWire(Form(lambda: lines.Framer(lines.Options()), codec("raw"), on_tail=on_tail))  # type: ignore[arg-type]
            wire.feed(b"half", 0)
            events = wire.finish(clean)
            self.assertEqual([isinstance(event, Frames) for event in events], [bool(expected)], (on_tail, clean))
            self.assertEqual(list(wire.finish(clean)), [])
            self.assertEqual(wire.feed(b"a\n", 0)[0], Frames(b"a\n", 1, (b"a",)))

    def test_codec(self) -> None:
        """What a peer says in hex comes as bytes."""
        self.assertEqual(list(FramedWire(form("hex")).feed(b"0d0a\nff\n", 0)), [Frames(b"\r\n\xff", 2, (b"\r\n", b"\xff"))])
