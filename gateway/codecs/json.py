"""Each packet as one JSON object: for browsers and scripts."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from math import isinf
from typing import Any

import msgspec

from ..errors import CodecError
from ..options import write_count
from ..packet import Batch
from . import CodecOptions

DEEPEST = 32
"""Levels of arrays and objects that are read; deeper ones are refused."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A string that nothing closes matches to the end: else each quote in it would be tried again, in quadratic time.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_encode = msgspec.json.Encoder().encode
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes({*range(256)} - {*b"[]{}"})


def _float(digits: str) -> float:
    """A number as Python reads it: msgspec takes up to fifty times as long for one like 1e300."""
    value = float(digits)
    if isinf(value):
        raise ValueError("Number out of range")
    return value


_decode = msgspec.json.Decoder(float_hook=_float).decode


class Options(CodecOptions):
    """A packet is ``{"topic", "seq", "time", "text" or "base64"}``, and ``"fields"`` if it has any.

    ``time`` is RFC 3339 in UTC with microseconds. The payload is ``text`` where it is UTF-8, else ``base64`` (RFC 4648). In an object from
    a peer, ``text`` or ``base64`` is the payload, and ``fields`` are its fields. Other JSON is the payload as it is; an object without
    ``text`` and ``base64`` is its own fields too.
    """


class Codec:
    verbatim = False
    in_lines = True

    says_topic = True
    """A body names the topic of its packet, so that one session can get several topics."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def encode(self, batch: Batch) -> Sequence[bytes]:
        head = b'{"topic":%b,"seq":' % _encode(batch.topic)
        time = b',"time":"%b",' % rfc3339(batch.time).encode()
        numbered = zip(count(batch.seq), batch.payloads, batch.fields or [None] * batch.count, strict=False)
        return [b"%b%d%b%b%b" % (head, seq, time, _content(payload), _tail(fields)) for seq, payload, fields in numbered]

    def is_text(self, body: bytes) -> bool:
        return True

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        value = _parse(body)
        if not isinstance(value, dict):
            return body, None
        if "text" in value and "base64" in value:
            raise CodecError('an object with both "text" and "base64": one of them is the payload')
        fields = value.get("fields")
        if "text" in value:
            payload = _text(value["text"])
        elif "base64" in value:
            payload = _base64(value["base64"])
        else:
            return body, value
        if fields is not None and not isinstance(fields, dict):
            raise CodecError('"fields" is not an object')
        return payload, fields


def rfc3339(nanoseconds: int) -> str:
    """``2024-05-01T12:00:00.000000Z`` for ns since the epoch, rounded down to the microsecond."""
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _content(payload: bytes) -> bytes:
    try:
        return b'"text":' + _encode(payload.decode())
    except UnicodeDecodeError:
        return b'"base64":"%b"' % binascii.b2a_base64(payload, newline=False)


def _tail(fields: dict[str, Any] | None) -> bytes:
    return b"}" if fields is None else b',"fields":%b}' % _encode(fields)


_WRITE = 'write {"text": "..."}'


def _parse(body: bytes) -> Any:
    if not body:
        raise CodecError(f"0 bytes that are not JSON ({_WRITE}): an empty message")
    try:
        _check_depth(body)
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CodecError(f"{write_count(len(body), 'byte')} that are not JSON ({_WRITE}): {error}") from None
    if _pairs(value) != _without_strings(body).count(b":"):
        raise CodecError("an object has the same key twice")
    return value


def _without_strings(body: bytes) -> bytes:
    return _STRING.sub(b"", body) if b'"' in body else body


def _check_depth(body: bytes) -> None:
    """Refuse what is nested too deep, before anything recurses: pairs of brackets are taken out in bulk, from the inmost on."""
    if len(body) <= DEEPEST or body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    left = _without_strings(body).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(DEEPEST):
        if b"[]" not in left:
            break
        left = left.replace(b"[]", b"")
    # Pairs that are left have too many in them; brackets that nothing closes are no JSON, but may be too deep to try.
    if b"[]" in left or left.startswith(b"[" * (DEEPEST + 1)):
        raise CodecError(f"JSON nested deeper than {DEEPEST} levels")


def _pairs(value: Any) -> int:
    """The number of key-value pairs in a value, at all levels: less than the colons that were written when a key came twice.

    Level by level, each in bulk: a message can have half a million arrays.
    """
    pairs, level = 0, [value]
    while level:
        objects = [found for found in level if type(found) is dict]
        arrays = [found for found in level if type(found) is list]
        pairs += sum(map(len, objects))
        level = [*chain.from_iterable(arrays), *chain.from_iterable(map(dict.values, objects))]
    return pairs


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        raise CodecError('"text" is not a string')
    return value.encode()


def _base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise CodecError('"base64" is not a string')
    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise CodecError(f'"base64" is not base64 (RFC 4648): {error}') from None
