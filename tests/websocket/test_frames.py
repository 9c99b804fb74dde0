"""WebSocket frames to and from bytes: pure."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs import is_utf8
from gateway.websocket.frames import (
    BINARY,
    TEXT,
    header,
    is_awaited,
    joined,
    messages,
    middle_fragment,
    pong,
    size_at,
    take_fragmented,
    take_short,
)


def split(data: bytes) -> list[tuple[int, bytes]]:
    """An independent reading of server frames: (first byte, payload) of each."""
    found = []
    while data:
        first, length, start = data[0], data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10], "big"), 10
        found.append((first, data[start : start + length]))
        data = data[start + length :]
    return found


def client_frame(payload: bytes, first: int = TEXT, mask: bytes | None = None) -> bytes:
    """A masked frame as a client writes it."""
    mask = os.urandom(4) if mask is None else mask
    head = bytearray(header(first, len(payload)))
    head[1] |= 0x80
    return bytes(head) + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class HeaderTests(SynchronousTestCase):
    def test_shortest_form(self) -> None:
        """Each length has the shortest of the three forms, at their borders too."""
        self.assertEqual(header(TEXT, 125), b"\x81\x7d")
        self.assertEqual(header(TEXT, 126), b"\x81\x7e\x00\x7e")
        self.assertEqual(header(BINARY, 65535), b"\x82\x7e\xff\xff")
        self.assertEqual(header(BINARY, 65536), b"\x82\x7f" + (65536).to_bytes(8, "big"))


class MessagesTests(SynchronousTestCase):
    def test_joined_at_the_borders(self) -> None:
        """Every packet is one whole message, whatever its length, in order."""
        bodies = [b"x" * length for length in (0, 1, 125, 126, 1023, 1024, 65535, 65536)]
        self.assertEqual(split(joined(BINARY, bodies)), [(BINARY, body) for body in bodies])

    def test_joined_alike(self) -> None:
        """Packets of one length, as a sensor with a fixed frame sends them, are joined by their one header."""
        for length in (0, 64, 126, 70000):
            bodies = [bytes((number,)) * length for number in range(5)]
            self.assertEqual(split(joined(TEXT, bodies)), [(TEXT, body) for body in bodies])

    def test_ascii_asks_once(self) -> None:
        """When all is ASCII the kind is asked once for the batch, and not for each packet."""
        asked: list[bytes] = []

        def is_text(body: bytes) -> bool:
            asked.append(body)
            return True

        self.assertEqual(split(messages([b"a", b"b", b"c"], is_text)), [(TEXT, b"a"), (TEXT, b"b"), (TEXT, b"c")])
        self.assertEqual(asked, [b"a"])

    def test_mixed_batch(self) -> None:
        """In a batch with other bytes each packet is text or binary by itself."""
        bodies = [b"plain", "grün".encode(), b"\xff\xfe", b""]
        expected = [(TEXT, bodies[0]), (TEXT, bodies[1]), (BINARY, bodies[2]), (TEXT, b"")]
        self.assertEqual(split(messages(bodies, is_utf8)), expected)

    def test_raw_is_binary(self) -> None:
        """Where the codec says that nothing is text, ASCII is binary too."""
        self.assertEqual(split(messages([b"a"], lambda body: False)), [(BINARY, b"a")])

    def test_source_decides(self) -> None:
        """The bytes that the bodies were cut from stand for them in the question for ASCII."""
        self.assertEqual(split(messages([b"a", b"\xff"], is_utf8, b"a\n\xff\n")), [(TEXT, b"a"), (BINARY, b"\xff")])

    def test_nothing(self) -> None:
        """No packets are no bytes."""
        self.assertEqual(messages([], is_utf8), b"")

    @settings(derandomize=True, max_examples=60)
    @given(st.lists(st.binary(max_size=200), max_size=20))
    def test_round_trip(self, bodies: list[bytes]) -> None:
        """Whatever the packets are, the messages hold exactly them, and the text ones are UTF-8."""
        found = split(messages(bodies, is_utf8))
        self.assertEqual([body for _, body in found], bodies)
        for first, body in found:
            self.assertEqual(first, TEXT if is_utf8(body) else BINARY)


class TakeShortTests(SynchronousTestCase):
    def test_whole_burst(self) -> None:
        """Short messages, text and binary, empty ones too, are unmasked all in one go, with the pings among them; pongs are passed over."""
        bodies = [b"", b"G1 X10", b"\x00\xff" * 60, b"x" * 125]
        data = b"".join(client_frame(body, BINARY) + client_frame(b"?", 0x89) + client_frame(b"!", 0x8A) for body in bodies)
        self.assertEqual(take_short(b"123" + data, 3, False), (bodies, [b"?"] * 4, len(data) + 3))

    def test_middle_fragments(self) -> None:
        """Inside a message its short middle fragments are taken, up to the last or to a message that has no place there."""
        good = client_frame(b"a", 0x00) + client_frame(b"?", 0x89) + client_frame(b"b", 0x00)
        for other in (client_frame(b"last", 0x80), client_frame(b"new"), client_frame(b"new", 0x01), client_frame(b"x" * 126, 0x00)):
            self.assertEqual(take_short(good + other + good, 0, True), ([b"a", b"b"], [b"?"], len(good)), other)

    def test_stops_before_what_is_not_plain(self) -> None:
        """A long, fragmented, closing, unmasked, reserved or ill-encoded frame is left, with all behind it, for the full protocol."""
        good = client_frame(b"good")
        others = [
            client_frame(b"x" * 126),
            client_frame(b"part", 0x01),
            client_frame(b"rest", 0x80),
            client_frame(b"ping", 0x09),
            client_frame(b"\x03\xe8", 0x88),
            client_frame(b"rsv", 0xC1),
            b"\x81\x03abc" + b"mask",
            client_frame(b"\xff", TEXT),
            client_frame(b"\xed\xa0\x80", TEXT),
        ]
        for other in others:
            self.assertEqual(take_short(good + other + good, 0, False), ([b"good"], [], len(good)), other)

    def test_longest(self) -> None:
        """What is longer than a message may be is left too."""
        short, long = client_frame(b"x" * 10), client_frame(b"x" * 11)
        self.assertEqual(take_short(short + long, 0, False, 10), ([b"x" * 10], [], len(short)))

    @settings(derandomize=True, max_examples=40)
    @given(st.lists(st.binary(max_size=125), max_size=5), st.integers(0, 10**6))
    def test_cut_anywhere(self, bodies: list[bytes], cut: int) -> None:
        """A burst that is cut anywhere gives the whole frames before the cut, and the rest is there for the next time."""
        data = b"".join(client_frame(body, BINARY) for body in bodies)
        cut %= len(data) + 1
        first, _, taken = take_short(data[:cut], 0, False)
        self.assertLessEqual(taken, cut)
        second, _, end = take_short(data, taken, False)
        self.assertEqual((first + second, end), (bodies, len(data)))


class TakeFragmentedTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """A message in a few short fragments is taken with the pings inside it, text whose characters are cut too."""
        data = client_frame(b"\xc2", 0x01) + client_frame(b"?", 0x89) + client_frame(b"", 0x00) + client_frame(b"\xb5", 0x80)
        self.assertEqual(take_fragmented(b"12" + data + data, 2, 2), ("µ".encode(), [b"?"], len(data) + 2))
        for cut in range(len(data)):
            self.assertIsNone(take_fragmented(data[:cut], 0, 100))

    def test_left(self) -> None:
        """What is too long, of too many fragments, ill-encoded or out of order is left for the full protocol."""
        begin, last = client_frame(b"\xff", 0x02), client_frame(b"\xff", 0x80)
        self.assertIsNotNone(take_fragmented(begin + last, 0, 2))
        self.assertIsNone(take_fragmented(begin + last, 0, 1))
        self.assertIsNone(take_fragmented(begin + client_frame(b"", 0x00) * 15 + last, 0, 100))
        self.assertIsNone(take_fragmented(client_frame(b"\xff", 0x01) + last, 0, 100))
        for wrong in (begin, client_frame(b"a"), client_frame(b"\x03\xe8", 0x88), client_frame(b"", 0x09), b"\x80\x01a1234"):
            self.assertIsNone(take_fragmented(begin + wrong + last, 0, 100), wrong)
        self.assertIsNone(take_fragmented(last, 0, 100))


class SizeTests(SynchronousTestCase):
    def test_all_forms(self) -> None:
        """The size of a frame is known as soon as its header is there, in each of the three forms, masked or not."""
        for length in (0, 125, 126, 65535, 65536, 1 << 62):
            for mask in (b"", b"mask"):
                head = bytearray(header(TEXT, length))
                head[1] |= 0x80 if mask else 0
                whole = bytes(head) + mask
                self.assertEqual(size_at(b"12" + whole, 2), len(whole) + length)
                for cut in range(len(whole)):
                    self.assertIsNone(size_at(b"12" + whole[:cut], 2))

    def test_awaited(self) -> None:
        """An incomplete message, ping, pong or Close is waited for when it is short; no fragment is, and no text that is wrong already."""
        for payload, first in ((b"x" * 125, TEXT), (b"x" * 125, BINARY), (b"ping", 0x89), (b"pong", 0x8A), (b"\x03\xe8", 0x88)):
            self.assertTrue(is_awaited(client_frame(payload, first)[:-1], 0), first)
        self.assertTrue(is_awaited(client_frame("µ".encode())[:-1], 0))
        for payload, first in ((b"x" * 126, TEXT), (b"x", 0x01), (b"x", 0x00), (b"x", 0xC1), (b"\xff\xff", TEXT)):
            self.assertFalse(is_awaited(client_frame(payload, first)[:-1], 0), (payload, first))
        self.assertFalse(is_awaited(b"\x81\x05abc", 0))

    def test_written(self) -> None:
        """A pong is the answer to its ping; a fragment that we write for ourselves reads as it was."""
        self.assertEqual(split(pong(b"one")), [(0x8A, b"one")])
        self.assertEqual(take_short(middle_fragment(b"ab"), 0, True), ([b"ab"], [], 8))
        self.assertEqual(size_at(middle_fragment(b"x" * 70000), 0), 70014)


class Utf8Tests(SynchronousTestCase):
    def test_rfc_3629(self) -> None:
        """Surrogates, overlong forms, cut sequences and values past U+10FFFF are not UTF-8."""
        for body in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xff"):
            self.assertFalse(is_utf8(body), body)
        for body in (b"", b"a\x00b", "µ€𝄞".encode()):
            self.assertTrue(is_utf8(body), body)
