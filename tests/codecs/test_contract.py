"""What every codec promises, tested for all that the registry lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.codecs import Codec
from gateway.errors import CodecError
from gateway.packet import Batch, Frames

OPTIONS: dict[str, dict[str, Any]] = {"raw": {}, "text": {}, "json": {}, "hex": {}}
"""Options as in an INI file, for each codec; a new codec needs an entry here."""

EXAMPLES = settings(derandomize=True, max_examples=100, deadline=None, database=None)
PAYLOADS = st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode)), max_size=5)
_JSON = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b":", b",", b'"text"', b'"base64"', b'"a"', b"1", b"1e9", b"\\u", b"null", b" ", b"NaN"]
)
BODIES = st.one_of(
    st.binary(max_size=40), st.lists(_JSON, max_size=20).map(b"".join), st.text("0123456789abcdefABCDEF ", max_size=20).map(str.encode)
)


def codecs() -> list[tuple[str, Codec]]:
    return [(name, registry.make_codec(registry.load("codec", name).Options(**OPTIONS.get(name, {})))) for name in registry.names("codec")]


def batch(payloads: Sequence[bytes]) -> Batch:
    return Batch("a/b", "run", 7, 1_714_564_800_123_456_789, "s1", Frames(b"".join(payloads), len(payloads), payloads))


class CodecContract(SynchronousTestCase):
    def test_samples(self) -> None:
        """Every codec has options in this file: without them nothing below would test it."""
        for name in registry.names("codec"):
            self.assertIn(name, OPTIONS, f"the codec {name!r} is not tested: add options for it to OPTIONS in {__file__}")

    @EXAMPLES
    @given(PAYLOADS)
    def test_round_trip(self, payloads: list[bytes]) -> None:
        """There is one body for each packet, and it is read back as the payload; the bodies of a verbatim codec are the payloads."""
        for name, codec in codecs():
            bodies = codec.encode(batch(payloads))
            self.assertEqual([codec.decode(body)[0] for body in bodies], payloads, name)
            if codec.verbatim:
                self.assertEqual(list(bodies), payloads, name)

    @EXAMPLES
    @given(BODIES)
    def test_garbage(self, body: bytes) -> None:
        """Any body is read or refused in one line of text; nothing else is raised."""
        for name, codec in codecs():
            try:
                payload, fields = codec.decode(body)
            except CodecError as error:
                self.assertRegex(str(error), r"\A[^\n]{1,300}\Z", name)
            else:
                self.assertIsInstance(payload, bytes, name)
                self.assertIsInstance(fields, dict | None, name)

    @EXAMPLES
    @given(PAYLOADS)
    def test_text_is_utf8(self, payloads: list[bytes]) -> None:
        """What is sent as a text message is valid UTF-8: browsers close the connection otherwise (RFC 6455, 8.1)."""
        for _, codec in codecs():
            for body in codec.encode(batch(payloads)):
                if codec.is_text(body):
                    body.decode()
