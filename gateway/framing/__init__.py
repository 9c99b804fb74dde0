"""Framings: where a packet starts and ends in a stream. One file for each name; `registry.names("framing")` lists them.

Besides ``Options`` and ``Framer`` a module says, in capitals, what others have to know of it; each is no by default:

- ``SELF_DELIMITING``: whether it finds packets in the bytes alone, however they are split up;
- ``OF_TEXT``: whether its packets are text as a rule, so that nobody misses a control byte which flow control takes out of the stream;
- ``VERBATIM``: whether it adds nothing, so that packets of others go out as they were received, with their delimiters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from ..errors import CodecError
from ..options import Options, Size, write_count
from ..packet import EMPTY, Frames

Oversize = Literal["drop", "emit", "close"]


class FramingOptions(Options):
    """The options that every framing has."""

    max: Size = Field(65536, ge=1, le=1 << 30, description="the longest packet, in bytes")
    on_oversize: Oversize = Field(
        "drop",
        description="a longer packet: drop (skip to the next boundary and count it), emit (cut it at the limit, nothing lost), close (end"
        " the session; a serial port resyncs)",
    )


class Framer(Protocol):
    """Finds the packets in a stream of bytes, and writes packets as a stream. It has no clock and does no I/O.

    Derive from it: it has defaults for what few framings need. Times are seconds of one monotonic clock. A byte costs no more when the
    stream comes in small pieces.
    """

    deadline: float | None = None
    """When `expire` must be called; None when the framing waits for nothing. Each `feed` and `expire` may change it."""

    @property
    def held(self) -> int:
        """Bytes that are kept of what was fed: at most 300 more than three times ``max``."""

    def feed(self, data: bytes, now: float) -> Frames:
        """Return the packets that these bytes complete, and what was wrong between them. Raises nothing, whatever the bytes."""

    def expire(self, now: float) -> Frames:
        """Return what is complete, or wrong, because no byte has come until ``now``."""
        return EMPTY

    def finish(self, clean: bool) -> Frames:
        """Return what is left at the end of the stream. Afterwards the framer is as new.

        With ``clean`` the rest is the last packet, unless it lacks the end or the size that a packet must have (fixed, length, enclosed,
        slip, cobs). A rest that is dropped is reported as ``tail``.
        """

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        """Return the frames of these payloads, joined.

        Raises CodecError, and writes none of them, when one is longer than ``max`` or would not be read back as it is. To write the
        others, encode one by one.
        """

    def reframe(self, frames: Frames) -> bytes | None:
        """Return what `encode` would for the payloads of these frames, made faster from their bytes; None where there is no such way."""
        return None


def too_long(size: int, limit: int) -> CodecError:
    """The error for a payload of ``size`` bytes, which no reader with the same ``max`` would accept."""
    return CodecError(f"a packet of {write_count(size, 'byte')} is longer than framing.max = {write_count(limit, 'byte')}")
