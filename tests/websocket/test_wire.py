"""A message is a packet, a packet is a frame."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.packet import Batch, Fault, Frames
from gateway.registry import load
from gateway.websocket.wire import MessageWire

from ..building import lines
from .test_frames import split


def wire(name: str = "text", on_bad: Any = "drop") -> MessageWire:
    codec = load("codec", name)
    return MessageWire(codec.Codec(codec.Options()), on_bad)


class ReadingTests(SynchronousTestCase):
    def test_one_run(self) -> None:
        """The messages of one read are one run of packets, the payloads as they came."""
        [frames] = wire().feed([b"a", b"", b"\xff"], 0.0)
        self.assertEqual(frames, Frames(b"a\xff", 3, [b"a", b"", b"\xff"]))

    def test_not_copied(self) -> None:
        """A message that comes alone is taken as it is, however long."""
        body = b"x" * 100
        [frames] = wire().feed([body], 0.0)
        assert isinstance(frames, Frames)
        self.assertIs(frames.data, body)

    def test_decoded(self) -> None:
        """The codec reads each message; what it cannot read is a fault, and the others are packets."""
        frames, fault = wire("json").feed([b'{"text":"VER?"}', b"{", b'{"unit":"kg"}'], 0.0)
        assert isinstance(frames, Frames) and isinstance(fault, Fault)
        self.assertEqual((frames.payloads, frames.fields), ([b"VER?", b'{"unit":"kg"}'], [None, {"unit": "kg"}]))
        self.assertEqual((fault.event, fault.times, fault.fatal), ("bad_packets", 1, False))
        [frames, _] = wire("hex", "forward").feed([b"zz"], 0.0)
        self.assertEqual(frames, Frames(b"zz", 1, [b"zz"]))

    def test_nothing_is_kept(self) -> None:
        """A message is whole or has not come: there is nothing to wait for, and nothing left at the end."""
        one = wire("json")
        one.feed([b"{"], 0.0)
        self.assertEqual((one.deadline, list(one.expire(9.0)), list(one.finish(True)), list(one.finish(False))), (None, [], [], []))


class WritingTests(SynchronousTestCase):
    def test_kinds_of_messages(self) -> None:
        """UTF-8 goes as text, other bytes as binary; with raw everything is binary."""
        for codec, expected in (("text", [0x81, 0x82, 0x81]), ("raw", [0x82, 0x82, 0x82])):
            encoded = wire(codec).encode(lines(b"plain", b"\xff\xfe", "µ".encode()))
            self.assertEqual([first for first, _ in split(encoded.data)], expected)
            self.assertEqual((encoded.packets, encoded.refused), (3, ()))

    def test_data_is_not_the_payload(self) -> None:
        """Where a framing unescapes, the bytes as received say nothing about the payload: a payload that is not UTF-8 is binary."""
        batch = Batch("gps", "run", 1, 0, "", Frames(b"ascii", 1, [b"\xff"]))
        self.assertEqual(split(wire().encode(batch).data), [(0x82, b"\xff")])

    def test_body_is_not_the_payload(self) -> None:
        """Nor do they about what a codec of its own makes of it."""
        batch = Batch("gps", "run", 1, 0, "", Frames("µ\n".encode(), 1, delimiter=b"\n"))
        self.assertEqual(split(wire("hex").encode(batch).data), [(0x81, b"c2b5")])

    def test_shared(self) -> None:
        """All wires of a link want the same bytes."""
        self.assertEqual(wire().representation, wire().representation)
        self.assertIsNotNone(wire().representation)

    def test_events(self) -> None:
        """What is no data goes only to a client that can tell it from data."""
        self.assertEqual([wire(name).says("gauge/$events") for name in ("json", "text", "raw", "hex")], [True, False, False, False])
        self.assertTrue(wire().says("gauge"))
