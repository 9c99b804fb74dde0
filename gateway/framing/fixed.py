"""Packets of one size: sensors that send 12 bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field, field_validator, model_validator

from .. import framing
from ..errors import CodecError
from ..options import Duration, Integer, write_count
from ..packet import EMPTY, Fault, Frames
from . import FramingOptions

SELF_DELIMITING = True


class Options(FramingOptions):
    """Every packet has the same size. Nothing in the stream marks where one begins, so a lost byte shifts all that follow.

    ``resync`` finds the boundary again when the device pauses between its packets.
    """

    size: Integer = Field(description="the size of every packet, in bytes")
    resync: Duration = Field(
        0.0,
        ge=0,
        description="a silence of this length in a packet drops what came of it, so that the next byte begins a packet; 0: never",
    )

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: int) -> int:
        if size <= 0:
            raise ValueError('"size" is not greater than 0')
        return size

    @model_validator(mode="after")
    def _check_max(self) -> Self:
        if self.size > self.max:
            raise ValueError(f"size = {self.size} is more than max = {self.max}")
        return self


class Framer(framing.Framer):
    """Counts bytes; holds part of one packet."""

    def __init__(self, options: Options) -> None:
        self._size = options.size
        self._resync = options.resync
        self._partial = bytearray()

    @property
    def held(self) -> int:
        return len(self._partial)

    def feed(self, data: bytes, now: float) -> Frames:
        faults = self.expire(now).faults
        size = self._size
        self._partial += data
        end = len(self._partial) // size * size
        if self._resync and data:
            self.deadline = now + self._resync if end < len(self._partial) else None
        if not end:
            return Frames(b"", 0, (), faults=faults) if faults else EMPTY
        whole = bytes(memoryview(self._partial)[:end])
        del self._partial[:end]
        return Frames(whole, end // size, [whole[start : start + size] for start in range(0, end, size)], faults=faults)

    def expire(self, now: float) -> Frames:
        if self.deadline is None or now < self.deadline:
            return EMPTY
        text = f"{self.held} of {write_count(self._size, 'byte')}, then silence for framing.resync = {self._resync:g} s: dropped"
        return self._drop("noise", text)

    def finish(self, clean: bool) -> Frames:
        text = f"{self.held} of the {write_count(self._size, 'byte')} of a packet, then the stream ended: dropped"
        return self._drop("tail", text) if self.held else EMPTY

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        wrong = next((len(payload) for payload in payloads if len(payload) != self._size), None)
        if wrong is not None:
            raise CodecError(f"a packet of {write_count(wrong, 'byte')} cannot be written where framing.size = {self._size}")
        return b"".join(payloads)

    def _drop(self, event: str, text: str) -> Frames:
        fault = Fault(event, text, self.held)
        self._partial.clear()
        self.deadline = None
        return Frames(b"", 0, (), faults=(fault,))
