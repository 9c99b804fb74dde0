"""WebSocket frames to and from bytes: pure."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs import is_utf8
from gateway.web.frames import BINARY, TEXT, header, joined, messages, take_messages


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


class TakeMessagesTests(SynchronousTestCase):
    def test_whole_burst(self) -> None:
        """Short messages, text and binary, empty ones too, are unmasked all in one go."""
        bodies = [b"", b"G1 X10", b"\x00\xff" * 60, b"x" * 125]
        data = b"".join(client_frame(body, BINARY) for body in bodies)
        self.assertEqual(take_messages(data), (bodies, len(data)))

    def test_stops_before_what_is_not_plain(self) -> None:
        """A long, fragmented, control, unmasked, reserved or ill-encoded frame is left, with all behind it, for the full protocol."""
        good = client_frame(b"good")
        others = [
            client_frame(b"x" * 126),
            client_frame(b"part", 0x01),
            client_frame(b"rest", 0x80),
            client_frame(b"ping", 0x89),
            client_frame(b"\x03\xe8", 0x88),
            client_frame(b"rsv", 0xC1),
            b"\x81\x03abc" + b"mask",
            client_frame(b"\xff", TEXT),
            client_frame(b"\xed\xa0\x80", TEXT),
        ]
        for other in others:
            self.assertEqual(take_messages(good + other + good), ([b"good"], len(good)), other)

    @settings(derandomize=True, max_examples=40)
    @given(st.lists(st.binary(max_size=125), max_size=5), st.integers(0, 10**6))
    def test_cut_anywhere(self, bodies: list[bytes], cut: int) -> None:
        """A burst that is cut anywhere gives the whole frames before the cut, and the rest is there for the next time."""
        data = b"".join(client_frame(body, BINARY) for body in bodies)
        cut %= len(data) + 1
        first, taken = take_messages(data[:cut])
        self.assertLessEqual(taken, cut)
        second, rest = take_messages(data[taken:])
        self.assertEqual((first + second, taken + rest), (bodies, len(data)))


class Utf8Tests(SynchronousTestCase):
    def test_rfc_3629(self) -> None:
        """Surrogates, overlong forms, cut sequences and values past U+10FFFF are not UTF-8."""
        for body in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xff"):
            self.assertFalse(is_utf8(body), body)
        for body in (b"", b"a\x00b", "µ€𝄞".encode()):
            self.assertTrue(is_utf8(body), body)
