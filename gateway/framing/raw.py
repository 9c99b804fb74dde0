"""No framing: each chunk, as it was read, is a packet."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from .. import framing
from ..options import write_count
from ..packet import EMPTY, Fault, Frames
from . import FramingOptions, Oversize

SELF_DELIMITING = False
VERBATIM = True


class Options(FramingOptions):
    """Each chunk, as it was read, is a packet. Its boundaries mean nothing; the bytes are passed on as they are."""

    on_oversize: Oversize = Field(
        "emit", description="a longer chunk: emit (cut it, nothing lost), drop (drop it and count it), close (end the session)"
    )


class Framer(framing.Framer):
    """Passes bytes on; holds none."""

    held = 0

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._on_oversize = options.on_oversize

    def feed(self, data: bytes, now: float) -> Frames:
        limit = self._max
        if not data:
            return EMPTY
        if len(data) <= limit:
            return Frames(data, 1, (data,))
        if self._on_oversize == "emit":
            pieces = [data[start : start + limit] for start in range(0, len(data), limit)]
            return Frames(data, len(pieces), pieces)
        text = f"a chunk of {len(data)} bytes is longer than framing.max = {write_count(limit, 'byte')}"
        text = f"{text} (framing.on_oversize = {self._on_oversize})"
        return Frames(b"", 0, (), faults=(Fault("oversize", text, len(data), self._on_oversize == "close"),))

    def finish(self, clean: bool) -> Frames:
        return EMPTY

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        """The payloads, joined; of any length, since no reader can tell where one ends."""
        return b"".join(payloads)

    def reframe(self, frames: Frames) -> bytes | None:
        """The bytes as they were received, with their delimiters."""
        return frames.data
