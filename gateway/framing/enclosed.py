"""Packets between a start and an end: STX and ETX on many instruments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from .. import framing
from ..errors import CodecError
from ..options import Escaped, write_count
from ..packet import Frames
from . import FramingOptions, too_long
from ._assembly import Assembly
from ._search import Search

SELF_DELIMITING = True

_OUTSIDE = "bytes outside of framing.start and framing.end"
_UNENDED = "a packet without an end: the next start came first"


class Options(FramingOptions):
    """A packet is what stands between ``start`` and ``end``. A start inside a packet begins it again: what came before is noise."""

    start: Escaped = Field(b"\x02", min_length=1, max_length=64, description="the bytes that a packet starts with (default: STX)")
    end: Escaped = Field(b"\x03", min_length=1, max_length=64, description="the bytes that it ends with (default: ETX)")
    outside: Literal["drop", "forward"] = Field(
        "drop",
        description="bytes between an end and the next start: drop (they are counted as noise), forward (they are a packet of their own)",
    )

    @model_validator(mode="after")
    def _check_different(self) -> Self:
        if self.start.startswith(self.end) or self.end.startswith(self.start):
            raise ValueError("start and end cannot be told apart: neither may begin with the other (or use framing = delimiter)")
        return self


def _overlap(first: bytes, second: bytes) -> bool:
    """Whether ``second`` can begin inside ``first``, or at its end."""
    return second in first or any(first.endswith(second[:size]) for size in range(1, len(second)))


class Framer(framing.Framer):
    """Looks for the start, then for the end or another start. A read with many starts is split at all of them at once."""

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._start = options.start
        self._end = options.end
        self._forward = options.outside == "forward"
        self._outer = Search([options.start])
        self._inner = Search([options.start, options.end])
        self._apart = not _overlap(options.start, options.end) and not _overlap(options.end, options.start)
        self._inside = False
        self._pending = b""
        self._assembly = Assembly(options, "the next start or end", separate=True)

    @property
    def held(self) -> int:
        return self._assembly.held + len(self._pending)

    def feed(self, data: bytes, now: float) -> Frames:
        data, self._pending = self._pending + data, b""
        first, *pieces = data.split(self._start) if self._apart else (data,)
        if len(pieces) > 1:
            self._scan(first)
            self._scan(self._start)
            self._take_closed(pieces[:-1])
            data = pieces[-1]
        self._scan(data)
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        """A packet without its end is dropped, also at a clean end; bytes outside become the last packet then."""
        self._scan(b"", final=True)
        inside, self._inside = self._inside, False
        return self._assembly.finish(emit=clean and not inside)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join([self._encode(payload) for payload in payloads])

    def _take_closed(self, pieces: list[bytes]) -> None:
        """Take the pieces between starts. The start before the first piece has been taken; the one behind the last is taken here."""
        assembly, mark, end_mark = self._assembly, self._start, self._end
        data: list[bytes] = []
        payloads: list[bytes] = []
        outside = outside_size = unended = unended_size = 0
        assembly.clear()
        for piece in pieces:
            if len(piece) > self._max:
                assembly.extend(b"".join(data), payloads)
                data, payloads = [], []
                self._inside = False
                for part in (mark, piece, mark):
                    self._scan(part)
                assembly.clear()
                continue
            payload, end, rest = piece.partition(end_mark)
            if not end:
                unended += 1
                unended_size += len(mark) + len(piece)
                continue
            payloads.append(payload)
            data += (mark, payload, end)
            if rest and self._forward:
                payloads.append(rest)
                data.append(rest)
            elif rest:
                outside += 1
                outside_size += len(rest)
        assembly.extend(b"".join(data), payloads)
        if outside:
            assembly.fault("noise", _OUTSIDE, outside_size, outside)
        if unended:
            assembly.fault("noise", _UNENDED, unended_size, unended)
        self._inside = False
        self._scan(mark)

    def _scan(self, data: bytes, final: bool = False) -> None:
        data = self._pending + data
        position = 0
        while True:
            search = self._inner if self._inside else self._outer
            start, end, found = next(search.spans(data, position, final=final), (len(data), len(data), b""))
            self._take(data[position:start])
            if not found:
                self._pending = data[start:]
                return
            if found == self._start:
                self._begin()
            else:
                self._assembly.end(found)
                self._inside = False
            position = end

    def _take(self, piece: bytes) -> None:
        if piece:
            if not self._inside and not self._forward:
                self._assembly.reject("noise", _OUTSIDE)
            self._assembly.add(piece, piece)

    def _begin(self) -> None:
        assembly = self._assembly
        if self._inside:
            assembly.reject("noise", _UNENDED)
        if assembly.skipping or assembly.held:
            assembly.end()
        self._inside = True
        assembly.add(b"", self._start)

    def _encode(self, payload: bytes) -> bytes:
        if len(payload) > self._max:
            raise too_long(len(payload), self._max)
        framed = payload + self._end
        if next(self._inner.spans(framed))[0] != len(payload):
            raise CodecError(
                f"a packet of {write_count(len(payload), 'byte')} contains framing.start or framing.end, or would together with them"
            )
        return self._start + framed
