"""Writing payloads that may contain the delimiter (``framing.embedded``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from ..errors import CodecError
from ..options import write_count
from . import too_long
from ._search import Search

Embedded = Literal["split", "reject", "escape"]

_NAMED = {0x0D: b"\\r", 0x0A: b"\\n", 0x09: b"\\t", 0x00: b"\\0", 0x5C: b"\\\\"}
_MEANING = {escape[1:]: bytes((byte,)) for byte, escape in _NAMED.items()}
_USED_BY_ESCAPES = b"\\xrnt0123456789abcdef"


class Escape:
    """Backslash escapes for the bytes of the delimiters, and for the backslash."""

    def __init__(self, delimiters: Iterable[bytes]) -> None:
        special = sorted({*b"".join(delimiters), *b"\\"})
        self._special = re.compile(b"[" + b"".join(b"\\x%02x" % byte for byte in special) + b"]")
        self._escapes = {bytes((byte,)): _NAMED.get(byte, b"\\x%02x" % byte) for byte in special}
        self._escaped = re.compile(rb"\\(?:x([0-9a-f]{2})|([rnt0\\]))")

    def do(self, payload: bytes) -> bytes:
        return self._special.sub(lambda match: self._escapes[match.group()], payload)

    def undo(self, text: bytes) -> bytes:
        """The payload; a backslash that begins no escape stands for itself."""
        if b"\\" not in text:
            return text
        return self._escaped.sub(lambda match: bytes.fromhex(match[1].decode()) if match[1] else _MEANING[match[2]], text)


def check_escapable(delimiters: Iterable[bytes]) -> None:
    """Raise ValueError when a delimiter has a byte that escapes are written with."""
    for delimiter in delimiters:
        if set(delimiter) & set(_USED_BY_ESCAPES):
            raise ValueError(f"embedded = escape cannot go with the delimiter {delimiter!r}: escapes are written with its bytes")


class Writer:
    """Writes payloads, each with ``ending``, so that a reader that cuts at ``delimiters`` finds the same payloads.

    With ``embedded = split`` the reader finds the pieces of a payload that contains delimiters. ``limit`` is ``framing.max``.
    """

    def __init__(
        self, delimiters: Sequence[bytes], ending: bytes, embedded: Embedded, limit: int, *, keep: bool = False, skip_empty: bool = False
    ) -> None:
        self._ending = ending
        self._split = embedded == "split"
        self._escape = Escape([*delimiters, ending]) if embedded == "escape" else None
        self._limit = limit
        self._keep = keep
        self._skip_empty = skip_empty
        self._search = Search([*delimiters, ending])
        before = {*delimiters, ending} if keep else {ending}
        self._continuations = [each[len(end) :] for end in before for each in delimiters if each != end and each.startswith(end)]

    def write(self, payload: bytes) -> bytes:
        """Return the frame of one payload, or the frames of its pieces. Raises CodecError when a reader would not find the same."""
        pieces = [(body, ending) for body, ending in self._pieces(payload) if body or not self._skip_empty]
        if not pieces:
            raise CodecError("an empty packet cannot be written where framing.skip_empty = yes")
        return b"".join([self._frame(body, ending) for body, ending in pieces])

    def _pieces(self, payload: bytes) -> list[tuple[bytes, bytes]]:
        if not self._split and not self._keep:
            return [(payload, self._ending)]
        pieces, position, last = [], 0, (0, 0, b"")
        for last in self._search.spans(payload, final=True):
            start, end, found = last
            pieces.append((payload[position:start], found if self._keep else self._ending))
            position = end
        if position < len(payload) or not pieces:
            pieces.append((payload[position:], self._ending))
        if self._split:
            return pieces
        start, end, found = last
        return [(payload[:start], found) if found and end == len(payload) else (payload, self._ending)]

    def _frame(self, body: bytes, ending: bytes) -> bytes:
        text = self._escape.do(body) if self._escape else body
        if len(text) > self._limit:
            raise too_long(len(text), self._limit)
        if not self._split and not self._is_certain(text, ending):
            raise CodecError(
                f"a packet of {write_count(len(text), 'byte')} contains the delimiter, or would with its ending"
                " (framing.embedded = split sends it as several packets)"
            )
        return text + ending

    def _is_certain(self, text: bytes, ending: bytes) -> bool:
        """Whether a reader finds no delimiter before the ending, nor a longer one made of the previous ending and the first bytes."""
        frame = text + ending
        start, _, _ = next(self._search.spans(frame))
        return start == len(text) and not any(frame.startswith(each) or each.startswith(frame) for each in self._continuations)
