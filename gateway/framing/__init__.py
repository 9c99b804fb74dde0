"""Framings: where a packet starts and ends in a stream. One file per name; `registry.names("framing")` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from ..options import Options, Size
from ..packet import EMPTY, Frames

Oversize = Literal["drop", "emit", "close"]


class FramingOptions(Options):
    """What every framing has."""

    max: Size = Field(65536, ge=1, le=1 << 30, description="the longest packet, in bytes")
    on_oversize: Oversize = Field(
        "drop",
        description="a longer packet: drop (skip to the next boundary and count it), emit (cut it at the limit, nothing lost), close (end"
        " the session; a serial port resyncs)",
    )


class Framer(Protocol):
    """Bytes in, packets out; no clock, no I/O. Derive from it: what few framings need has an answer here.

    Times are seconds of one monotonic clock. Every byte that is fed is looked at a bounded number of times, however the stream is cut.
    """

    deadline: float | None = None
    """When `expire` wants to be called; None for a framing that does not wait. To be asked again after each `feed` and `expire`."""

    @property
    def held(self) -> int:
        """Bytes kept of what was fed; at most three times ``max`` and 300 bytes."""

    def feed(self, data: bytes, now: float) -> Frames:
        """The packets that these bytes complete, and the faults between them; raises nothing, whatever the bytes."""

    def expire(self, now: float) -> Frames:
        """What the silence until now means."""
        return EMPTY

    def finish(self, clean: bool) -> Frames:
        """The end of the stream; the framer is as new after it.

        With ``clean`` what is left is the last packet, if it can be one: where a packet has an end or a size of its own (fixed, length,
        enclosed, slip, cobs) what lacks it is none. What is dropped is told as ``tail``.
        """

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        """The frames, joined. Raises CodecError when a payload could not be read back by the same framing, or is longer than ``max``.

        One such payload refuses them all: whoever wants the others encodes them one by one.
        """

    def reframe(self, frames: Frames) -> bytes | None:
        """What `encode` would give for the payloads of these frames, made from their bytes; None when that is no shortcut."""
        return None
