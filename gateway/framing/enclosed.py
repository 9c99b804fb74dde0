"""Packets between a start and an end: STX and ETX on many instruments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from .. import framing
from ..errors import CodecError
from ..options import Escaped
from ..packet import Frames
from . import FramingOptions
from ._assembly import Assembly
from ._search import Search

SELF_DELIMITING = True


class Options(FramingOptions):
    """A packet is what stands between ``start`` and ``end``. A new start inside begins again: what came before it is noise."""

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


class Framer(framing.Framer):
    """Looks for the start, then for the end or another start."""

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._start = options.start
        self._end = options.end
        self._forward = options.outside == "forward"
        self._outer = Search([options.start])
        self._inner = Search([options.start, options.end])
        self._inside = False
        self._pending = b""
        self._assembly = Assembly(options, "the next start or end", separate=True)

    @property
    def held(self) -> int:
        return self._assembly.held + len(self._pending)

    def feed(self, data: bytes, now: float) -> Frames:
        self._scan(data)
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        """What lacks its end is no packet, at a clean end neither; what stood outside can be one."""
        self._scan(b"", final=True)
        inside, self._inside = self._inside, False
        return self._assembly.finish(emit=clean and not inside)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join([self._encode(payload) for payload in payloads])

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
                self._assembly.reject("noise", "bytes outside of framing.start and framing.end")
            self._assembly.add(piece, piece)

    def _begin(self) -> None:
        assembly = self._assembly
        if self._inside:
            assembly.reject("noise", "a packet without an end: the next start came first")
        if assembly.skipping or assembly.held:
            assembly.end()
        self._inside = True
        assembly.add(b"", self._start)

    def _encode(self, payload: bytes) -> bytes:
        if len(payload) > self._max:
            raise CodecError(f"a packet of {len(payload)} bytes is longer than framing.max = {self._max} bytes")
        framed = payload + self._end
        if next(self._inner.spans(framed))[0] != len(payload):
            raise CodecError(f"a packet of {len(payload)} bytes holds framing.start or framing.end, or would together with them")
        return self._start + framed
