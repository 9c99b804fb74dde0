from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs.json import DEEPEST, Codec, Options, rfc3339
from gateway.errors import CodecError
from gateway.packet import Batch, Frames

TIME = 1_714_564_800_123_456_789


def encoded(*payloads: bytes, fields: Any = None, topic: str = "gps") -> list[bytes]:
    batch = Batch(topic, "run", 41, TIME, "s1", Frames(b"".join(payloads), len(payloads), payloads, fields=fields))
    return list(Codec(Options()).encode(batch))


class WriteTests(SynchronousTestCase):
    def test_object(self) -> None:
        """A packet is one object, in a fixed order: topic, sequence number, time, and the payload as text where it is UTF-8."""
        head = b'{"topic":"gps","seq":%d,"time":"2024-05-01T12:00:00.123456Z",'
        self.assertEqual(
            encoded(b"a", '°"\\\n'.encode(), b"\xff\x00"),
            [head % 41 + b'"text":"a"}', head % 42 + '"text":"°\\"\\\\\\n"}'.encode(), head % 43 + b'"base64":"/wA="}'],
        )

    def test_fields(self) -> None:
        """A packet that has fields is written with them, and no other is."""
        one, two = encoded(b"a", b"b", fields=[None, {"lat": 51.5, "fix": True}])
        self.assertNotIn(b"fields", one)
        self.assertTrue(two.endswith(b'"text":"b","fields":{"lat":51.5,"fix":true}}'))

    def test_others_can_read_it(self) -> None:
        """Another JSON reader finds the same, whatever is in the topic and the payload."""
        topic, payload = 'feed/"ü\\', bytes(range(128))
        (body,) = encoded(payload, topic=topic)
        found = json.loads(body)
        self.assertEqual((found["topic"], found["seq"], found["text"].encode()), (topic, 41, payload))

    def test_empty_batch(self) -> None:
        """A batch without packets has no bodies."""
        self.assertEqual(encoded(), [])

    def test_time(self) -> None:
        """UTC with microseconds, always six digits, always Z; rounded down, so that no packet comes from the future."""
        for nanoseconds, text in (
            (0, "1970-01-01T00:00:00.000000Z"),
            (999, "1970-01-01T00:00:00.000000Z"),
            (1_000_000_000, "1970-01-01T00:00:01.000000Z"),
            (1_709_164_799_999_999_999, "2024-02-28T23:59:59.999999Z"),
        ):
            self.assertEqual(rfc3339(nanoseconds), text)


class ReadTests(SynchronousTestCase):
    def refused(self, body: bytes) -> str:
        with self.assertRaises(CodecError) as caught:
            Codec(Options()).decode(body)
        return str(caught.exception)

    def test_payloads(self) -> None:
        """An object's text or base64 is the payload; other JSON is its own payload and, if an object, its fields."""
        for body, expected in (
            (b'{"text": "TARE\\r\\n"}', (b"TARE\r\n", None)),
            (b'{"text": "\\u00b0", "seq": 1}', ("°".encode(), None)),
            (b'{"base64": "/wA="}', (b"\xff\x00", None)),
            (b'{"base64": ""}', (b"", None)),
            (b'{"text": "a", "fields": {"b": [1]}}', (b"a", {"b": [1]})),
            (b' {"set": 5} ', (b' {"set": 5} ', {"set": 5})),
            (b"{}", (b"{}", {})),
            (b"[1, 2]", (b"[1, 2]", None)),
            (b'"text"', (b'"text"', None)),
            (b"null", (b"null", None)),
        ):
            self.assertEqual(Codec(Options()).decode(body), expected)

    @settings(derandomize=True, max_examples=100, database=None)
    @given(
        st.binary(max_size=30),
        st.none() | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.booleans(), max_size=4),
    )
    def test_round_trip(self, payload: bytes, fields: dict[str, Any] | None) -> None:
        """What was written is read back, with its fields."""
        (body,) = encoded(payload, fields=[fields])
        self.assertEqual(Codec(Options()).decode(body), (payload, fields))

    def test_not_json(self) -> None:
        """What is not in RFC 8259 is refused: NaN, infinities, halves of surrogates, comments, bytes that are not UTF-8."""
        for body in (
            b"",
            b"{",
            b"NaN",
            b"[Infinity]",
            b"1e999",
            b'"\\ud800"',
            b'{"text":"\\udc00"}',
            b"'a'",
            b'"a\nb"',
            b"\xff",
            b'"\xff"',
            b"{} {}",
            b"// a\n1",
        ):
            self.assertIn('not JSON (write {"text": "..."})', self.refused(body))

    def test_wrong_types(self) -> None:
        """A payload that is not a string, not base64, or given twice is refused, and the error names the key."""
        for body, word in (
            (b'{"text": 5}', '"text" is not a string'),
            (b'{"base64": null}', '"base64" is not a string'),
            (b'{"base64": "/w"}', '"base64" is not base64'),
            (b'{"base64": "/w==\\n"}', '"base64" is not base64'),
            (b'{"base64": "_w=="}', '"base64" is not base64'),
            (b'{"base64": "\\u00fc"}', '"base64" is not base64'),
            (b'{"text": "a", "base64": "/w=="}', "both"),
            (b'{"text": "a", "fields": [1]}', '"fields" is not an object'),
        ):
            self.assertIn(word, self.refused(body))

    def test_same_key_twice(self) -> None:
        """An object with the same key twice is refused, at any depth; colons in strings are no keys."""
        for body in (b'{"text": "a", "text": "b"}', b'{"a": [{"b": 1, "b": 1}]}', b'{"a": 1, "\\u0061": 1}'):
            self.assertIn("same key twice", self.refused(body))
        Codec(Options()).decode(b'{"a:": {"b": ":", "c": "\\":"}, "d": [{"a:": 1}]}')

    def test_depth(self) -> None:
        """Deeper than 32 levels is refused before anything recurses; as many brackets side by side, or in strings, are fine."""
        codec = Codec(Options())
        codec.decode(b"[" * DEEPEST + b"]" * DEEPEST)
        codec.decode(b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST)
        codec.decode(b"[" + b"[]," * 1000 + b"[]]")
        codec.decode(b'["' + b"[" * 1000 + b'\\"' + b"{" * 1000 + b'"]')
        for body in (
            b"[" * 33 + b"]" * 33,
            b"[" * 1_000_000,
            b'{"a":' * 33 + b"1" + b"}" * 33,
            b'[{"a":' * 100_000,
            b'["\\"",' + b"[" * 40,
        ):
            self.assertIn(f"deeper than {DEEPEST} levels", self.refused(body))

    def test_numbers(self) -> None:
        """Numbers are what Python reads, to the last bit; those beyond the largest are refused."""
        for number in (b"1e300", b"1.7976931348623157e308", b"5e-324", b"1e-400", b"-0.0", b"9007199254740993.0", b"1E+5", b"0.1e1"):
            self.assertEqual(Codec(Options()).decode(b'{"a":[%b]}' % number)[1], {"a": [float(number)]})
        for number in (b"1.8e308", b"-1e309", b"1" * 310 + b".5"):
            self.assertIn("out of range", self.refused(b"[%b]" % number))

    def test_costly(self) -> None:
        """A number takes about as long to read as another one: large ones took fifty times as long, two seconds for a megabyte."""
        plain, large = (self._time_of(unit * 20_000) for unit in (b"1234.5,", b"1.5e300,"))
        self.assertLess(large, 8 * plain)

    def _time_of(self, values: bytes) -> float:
        codec, tries = Codec(Options()), []
        for _ in range(3):
            start = time.process_time()
            codec.decode(b"[%b0]" % values)
            tries.append(time.process_time() - start)
        return min(tries)

    def test_unclosed_strings(self) -> None:
        """A megabyte of quotes and brackets that nothing closes is refused in linear time."""
        self.refused(b"[" * 20 + b'"' + b'\\"[' * 350_000)
        self.refused(b"{" * 20 + b'"\\' * 500_000)
