"""Packets that begin with their length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from .. import framing
from ..errors import CodecError
from ..options import Duration, Integer, YesNo, write_count
from ..packet import EMPTY, Frames
from . import FramingOptions, too_long
from ._assembly import Assembly

SELF_DELIMITING = True


class Options(FramingOptions):
    """A packet is a header, which is ``offset`` bytes and an unsigned length of ``width`` bytes, and as many bytes as the length says.

    The payload is the ``offset`` bytes and what follows the length; the length itself is not part of it. With ``counts_itself``, a length
    less than the header is noise: the next byte is tried as the start of a packet. Any other noise is taken for a length, and costs as
    many bytes, unless ``resync`` finds the boundary again.
    """

    width: Literal[1, 2, 4] = Field(2, description="the bytes of the length field")
    order: Literal["big", "little"] = Field("big", description="its byte order: big (network order) or little")
    offset: Integer = Field(0, ge=0, le=1024, description="bytes before the length field; they belong to the payload")
    counts_itself: YesNo = Field(False, description="whether the length includes the header (the bytes before the field, and the field)")

    resync: Duration = Field(
        0.0,
        ge=0,
        description="a silence of this length in a packet drops what came of it, so that the next byte begins a packet; 0: never",
    )

    @model_validator(mode="after")
    def _check_max(self) -> Self:
        if self.offset > self.max:
            raise ValueError(f"offset = {self.offset} is more than max = {self.max}")
        return self


class Framer(framing.Framer):
    """Reads a header, then counts down the bytes that follow. A packet that is too long is skipped, not stored."""

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._width = options.width
        self._order = options.order
        self._offset = options.offset
        self._counted = options.offset + options.width if options.counts_itself else 0
        self._cuts = options.on_oversize == "emit"
        self._fatal = options.on_oversize == "close"
        self._resync = options.resync
        self._header = bytearray()
        self._left: int | None = None
        self._assembly = Assembly(options, "the end of the packet", separate=True)

    @property
    def held(self) -> int:
        return len(self._header) + self._assembly.held

    def feed(self, data: bytes, now: float) -> Frames:
        if self.deadline is not None and now >= self.deadline:
            self._give_up()
        position = self._count_down(data, 0)
        if self._left is None and position < len(data):
            if self._header:
                data, position = bytes(self._header) + data[position:], 0
                self._header.clear()
            while self._left is None:
                position = self._take_whole(data, position)
                if len(data) - position < self._offset + self._width:
                    self._header += data[position:]
                    break
                position = self._count_down(data, self._read_header(data, position))
        if self._resync and data:
            self.deadline = now + self._resync if self._header or self._left is not None else None
        return self._assembly.take()

    def expire(self, now: float) -> Frames:
        if self.deadline is None or now < self.deadline:
            return EMPTY
        self._give_up()
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        """An incomplete packet is dropped, also at a clean end."""
        self._restart()
        return self._assembly.finish(emit=False)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join([self._encode(payload) for payload in payloads])

    def _give_up(self) -> None:
        self._restart()
        self._assembly.reject("noise", f"part of a packet, then silence for framing.resync = {self._resync:g} s: dropped")
        self._assembly.end()

    def _restart(self) -> None:
        """Take the next byte for the first of a header. What came of the present header will be dropped with its packet."""
        self._assembly.add(b"", bytes(self._header))
        self._header.clear()
        self._left = None
        self.deadline = None

    def _take_whole(self, data: bytes, position: int) -> int:
        """Take the packets that are whole in this read, up to the first that is wrong; return the place behind them."""
        if self._assembly.skipping:
            return position
        offset, width, counted, order = self._offset, self._width, self._counted, self._order
        start, payloads, size = position, [], len(data)
        while position + offset + width <= size:
            body = position + offset + width
            length = int.from_bytes(data[position + offset : body], order)
            end = body + length - counted
            if end > size or length < counted or offset + end - body > self._max:
                break
            payloads.append(data[position : position + offset] + data[body:end] if offset else data[body:end])
            position = end
        self._assembly.extend(data[start:position], payloads)
        return position

    def _read_header(self, data: bytes, position: int) -> int:
        """Begin the packet whose whole header is at ``position``, or skip to the next possible header; return the place reached."""
        assembly, offset, size = self._assembly, self._offset, self._offset + self._width
        length = int.from_bytes(data[position + offset : position + size], self._order)
        if length < self._counted:
            text = f"a length of {write_count(length, 'byte')} is less than the header's {self._counted} (framing.counts_itself = yes)"
            assembly.reject("bad_length", f"{text}: noise, or another framing; looking for the next possible header", self._fatal)
            start, last = position, len(data) - size
            while position <= last and int.from_bytes(data[position + offset : position + size], self._order) < self._counted:
                position += 1
            assembly.add(b"", data[start:position])
            if position <= last:
                assembly.end()
            return position
        if assembly.skipping:
            assembly.end()
        assembly.add(data[position : position + offset], data[position : position + size])
        self._left = length - self._counted
        if offset + self._left > self._max and not self._cuts:
            assembly.refuse_oversize()
        return position + size

    def _count_down(self, data: bytes, position: int) -> int:
        """Take what there is of the present packet, if one has begun; return the place behind it."""
        if self._left is None:
            return position
        taken = data[position : position + self._left]
        self._assembly.add(taken, taken)
        self._left -= len(taken)
        if not self._left:
            self._assembly.end()
            self._left = None
        return position + len(taken)

    def _encode(self, payload: bytes) -> bytes:
        if len(payload) > self._max:
            raise too_long(len(payload), self._max)
        if len(payload) < self._offset:
            raise CodecError(
                f"a packet of {write_count(len(payload), 'byte')} is shorter than the header it must begin with (framing.offset ="
                f" {self._offset})"
            )
        length, most = len(payload) - self._offset + self._counted, (1 << 8 * self._width) - 1
        if length > most:
            raise CodecError(f"a length of {length} bytes does not fit into framing.width = {self._width} (at most {most})")
        return payload[: self._offset] + length.to_bytes(self._width, self._order) + payload[self._offset :]
