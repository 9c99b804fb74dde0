from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.framing.slip import Framer, Options
from gateway.packet import Frames


def framer(**options: Any) -> Framer:
    return Framer(Options(**options))


class SlipTests(SynchronousTestCase):
    def test_vectors(self) -> None:
        """END and ESC in a packet are written as the two escapes of RFC 1055, and read from them."""
        for payload, wire in (
            (b"abc", b"abc\xc0"),
            (b"\xc0", b"\xdb\xdc\xc0"),
            (b"\xdb", b"\xdb\xdd\xc0"),
            (b"\xdb\xdc\xdd\xc0", b"\xdb\xdd\xdc\xdd\xdb\xdc\xc0"),
        ):
            self.assertEqual(framer().encode([payload]), wire)
            self.assertEqual(framer().feed(wire, 0.0), Frames(wire, 1, (payload,)))

    def test_every_byte(self) -> None:
        """All 256 byte values pass, also when they come byte by byte: a read may end within an escape."""
        payload = bytes(range(256)) * 2
        wire = framer().encode([payload])
        framing, found = framer(), []
        for at in range(len(wire)):
            found += framing.feed(wire[at : at + 1], 0.0).payloads
        self.assertEqual(found, [payload])

    def test_empty_frames(self) -> None:
        """ENDs in a row are no packets; the one before a packet, which many senders write, belongs to it."""
        frames = framer().feed(b"\xc0\xc0\xc0a\xc0\xc0b\xc0\xc0", 0.0)
        self.assertEqual((frames.data, list(frames.payloads), frames.faults), (b"\xc0a\xc0\xc0b\xc0", [b"a", b"b"], ()))

    def test_many_bad_escapes(self) -> None:
        """A read full of packets with bad escapes is one fault, and the good ones among them are found."""
        frames = framer().feed(b"\xdba\xc0" * 100 + b"ok\xc0" + b"\xc0a\xdb\xc0" + b"a\xdb\xdc\xc0", 0.0)
        self.assertEqual(list(frames.payloads), [b"ok", b"a\xc0"])
        self.assertEqual([(fault.event, fault.size, fault.times) for fault in frames.faults], [("bad_escape", 304, 101)])

    def test_limit_among_others(self) -> None:
        """A packet that is too long is found among others of the same read, and one that is only long on the wire is not dropped."""
        frames = framer(max=4).feed(b"a\xc0" * 2 + b"abcde\xc0" + b"\xdb\xdc" * 4 + b"\xc0a\xc0", 0.0)
        self.assertEqual(list(frames.payloads), [b"a", b"a", b"\xc0" * 4, b"a"])
        self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("oversize", 6)])

    def test_bad_escape_at_the_end_of_a_read(self) -> None:
        """An escape that the END cuts is one that SLIP does not know, also where reads cut it; the next packet is good."""
        framing = framer()
        framing.feed(b"a\xdb", 0.0)
        frames = framing.feed(b"\xc0", 0.0)
        self.assertEqual((frames.count, [(fault.event, fault.size) for fault in frames.faults]), (0, [("bad_escape", 3)]))
        self.assertEqual(list(framing.feed(b"b\xc0", 0.0).payloads), [b"b"])

    def test_bad_escape_at_once(self) -> None:
        """A packet with a bad escape is told and dropped before its END comes."""
        framing = framer()
        frames = framing.feed(b"a\xdbx", 0.0)
        self.assertEqual(([(fault.event, fault.size) for fault in frames.faults], framing.held), ([("bad_escape", 3)], 0))

    def test_ends_read_by_read(self) -> None:
        """Further ENDs are no empty packets when each comes in a read of its own."""
        framing = framer()
        self.assertEqual([framing.feed(read, 0.0).count for read in (b"a\xc0", b"\xc0", b"\xc0", b"b\xc0")], [1, 0, 0, 1])

    def test_held(self) -> None:
        """What is held is the payload, its bytes on the wire with the END before it, and half of an escape."""
        framing = framer()
        framing.feed(b"\xc0", 0.0)
        self.assertEqual(framing.held, 1)
        framing.feed(b"ab\xdb", 0.0)
        self.assertEqual(framing.held, len(b"ab") + len(b"\xc0ab") + len(b"\xdb"))

    def test_leading_end(self) -> None:
        """With leading_end an END is written before each packet, and makes noise on the line a packet of its own."""
        wire = framer(leading_end="yes").encode([b"a", b"b"])
        self.assertEqual(wire, b"\xc0a\xc0\xc0b\xc0")
        self.assertEqual(list(framer().feed(b"noise" + wire, 0.0).payloads), [b"noise", b"a", b"b"])

    def test_bad_escape(self) -> None:
        """A packet with an unknown or incomplete escape is dropped, and no other."""
        for bad in (b"a\xdbb", b"\xdb\xdb\xdc", b"a\xdb", b"\xdb"):
            frames = framer().feed(b"one\xc0" + bad + b"\xc0two\xc0", 0.0)
            self.assertEqual(list(frames.payloads), [b"one", b"two"])
            self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("bad_escape", len(bad) + 1)])

    def test_limit(self) -> None:
        """The limit is for the payload, not for its escapes."""
        self.assertEqual(list(framer(max=4).feed(b"\xdb\xdc" * 4 + b"\xc0", 0.0).payloads), [b"\xc0" * 4])
        frames = framer(max=4).feed(b"\xdb\xdc" * 5 + b"\xc0ok\xc0", 0.0)
        self.assertEqual((list(frames.payloads), [(fault.event, fault.size) for fault in frames.faults]), ([b"ok"], [("oversize", 11)]))
        frames = framer(max=4, on_oversize="emit").feed(b"\xdb\xdc" * 5 + b"\xc0", 0.0)
        self.assertEqual((list(frames.payloads), frames.data), ([b"\xc0" * 4, b"\xc0"], b"\xdb\xdc" * 5 + b"\xc0"))

    def test_tail(self) -> None:
        """A packet without its END is dropped and reported, also after a clean end."""
        for clean in (True, False):
            framing = framer()
            framing.feed(b"abc\xdb", 0.0)
            self.assertEqual([(fault.event, fault.size) for fault in framing.finish(clean).faults], [("tail", 4)])
            self.assertEqual(list(framing.feed(b"\xdcok\xc0", 0.0).payloads), [b"\xdcok"])

    def test_refused(self) -> None:
        """An empty packet, which a reader would skip, and one over the limit cannot be written."""
        with self.assertRaisesRegex(CodecError, "an empty packet cannot be written in SLIP"):
            framer().encode([b""])
        with self.assertRaisesRegex(CodecError, r"longer than framing\.max = 2"):
            framer(max=2).encode([b"abc"])
