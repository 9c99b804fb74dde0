"""Framings: where a packet starts and ends in a stream. One file per name; `registry.names("framing")` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from ..options import Options, Size
from ..packet import Frames

Oversize = Literal["drop", "emit", "close"]


class FramingOptions(Options):
    """What every framing has."""

    max: Size = Field(65536, ge=1, le=1 << 30, description="the longest packet, in bytes")
    on_oversize: Oversize = Field(
        "drop",
        description="a longer packet: drop (skip to the next boundary and count it), emit (cut it at the limit, nothing lost), close (end the session; a serial port resyncs)",
    )


class Framer(Protocol):
    """Bytes in, packets out; no clock, no I/O. See docs/house.md for the promises."""

    deadline: float | None

    def feed(self, data: bytes, now: float) -> Frames: ...
    def expire(self, now: float) -> Frames: ...
    def finish(self, clean: bool) -> Frames: ...
    def encode(self, payloads: Sequence[bytes]) -> bytes: ...
    def reframe(self, frames: Frames) -> bytes | None: ...
