"""What all wires share: how packets are decoded and encoded, and what is said of those that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError
from gateway.packet import Fault, Frames
from gateway.wires import Encoded, decode, encode_each

from .test__framed import batch, codec


class EncodedTests(SynchronousTestCase):
    def test_refusal(self) -> None:
        """The log says of which topic packets were refused, and why the first one was."""
        encoded = Encoded(b"", 0, ((1, CodecError("too long")), (4, CodecError("empty"))))
        self.assertEqual(encoded.refusal("gps"), "a packet of gps cannot be written here: too long")

    def test_in_one_go(self) -> None:
        """Payloads are encoded together where that can be; one that is refused has the others encoded one by one."""
        asked: list[Sequence[bytes]] = []

        def encode(payloads: Sequence[bytes]) -> bytes:
            asked.append(payloads)
            if b"bad" in payloads:
                raise CodecError("no")
            return b"".join(payloads)

        self.assertEqual(encode_each((b"a", b"b"), encode), (b"ab", 2, ()))
        self.assertEqual(asked, [(b"a", b"b")])
        data, packets, refused = encode_each((b"a", b"bad", b"c"), encode)
        self.assertEqual((data, packets, [(index, str(why)) for index, why in refused]), (b"ac", 2, [(1, "no")]))


class DecodeTests(SynchronousTestCase):
    def bad(self, events: Any) -> list[Fault]:
        return [event for event in events if isinstance(event, Fault)]

    def test_as_received(self) -> None:
        """Payloads that are what was received leave the bytes as they were."""
        frames = batch(b'{"a":1}\n[2]\n', 2).frames
        (found,) = decode(frames, codec("json"), "drop")
        self.assertIs(found, frames)
        self.assertEqual(frames.fields, [{"a": 1}, None])

    def test_bad(self) -> None:
        """What cannot be read is left out, or forwarded as it is; the others are decoded either way, and a fault says so."""
        frames = batch(b"61\nzz\n", 2).frames
        for on_bad, expected, done in (
            ("drop", Frames(b"a", 1, (b"a",)), "dropped"),
            ("forward", Frames(b"azz", 2, (b"a", b"zz")), "forwarded"),
        ):
            found, fault = decode(frames, codec("hex"), on_bad)  # type: ignore[arg-type]
            self.assertIn(f"unreadable packet {done}: 2 bytes", fault.text)  # type: ignore[union-attr]
            self.assertEqual((found, fault.event, fault.times), (expected, "bad_packets", 1))  # type: ignore[union-attr]

    def test_nothing_good(self) -> None:
        """A read of which nothing can be read is a fault and no empty packet."""
        self.assertEqual([type(event) for event in decode(batch(b"zz\n", 1).frames, codec("hex"), "drop")], [Fault])

    def test_many_bad(self) -> None:
        """A read full of what cannot be read is one fault, with the first error and the number; with ``log`` there is one for each."""
        frames = batch(b"zz\n61\nzz\nzzz\n", 4).frames
        for policy, counts, text in (
            ("drop", [3], "3 unreadable packets dropped"),
            ("forward", [3], "3 unreadable packets forwarded"),
            ("log", [1, 1, 1], "unreadable packet dropped"),
        ):
            bad = self.bad(decode(frames, codec("hex"), policy))  # type: ignore[arg-type]
            self.assertEqual(([fault.times for fault in bad], bad[0].each), (counts, policy == "log"))
            self.assertIn(f"{text}: 2 bytes that are not hexadecimal", bad[0].text)
