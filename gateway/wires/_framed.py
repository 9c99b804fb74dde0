"""From packets to the bytes of a stream and back: a framing and a codec, joined. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from ..codecs import Codec
from ..errors import CodecError
from ..framing import Framer
from ..packet import Batch, Frames

Fields = list[dict[str, Any] | None]


class StreamEncoder:
    """Called with a batch, gives the frames of its packets.

    ``unsayable(batch, index, error)`` hears of each packet that this framing cannot carry; the others go.
    """

    def __init__(self, framer: Framer, codec: Codec, unsayable: Callable[[Batch, int, CodecError], None]) -> None:
        self._framer = framer
        self._codec = codec
        self._unsayable = unsayable

    def __call__(self, batch: Batch) -> bytes:
        if self._codec.verbatim:
            shortcut = self._framer.reframe(batch.frames)
            if shortcut is not None:
                return shortcut
        bodies = self._codec.encode(batch)
        try:
            return self._framer.encode(bodies)
        except CodecError:
            return self._one_by_one(batch, bodies)

    def _one_by_one(self, batch: Batch, bodies: Sequence[bytes]) -> bytes:
        good: list[bytes] = []
        for index, body in enumerate(bodies):
            try:
                good.append(self._framer.encode((body,)))
            except CodecError as error:
                self._unsayable(batch, index, error)
        return b"".join(good)


def decoded(
    frames: Frames, codec: Codec, on_bad: Literal["drop", "forward", "log"], bad: Callable[[CodecError, int], None]
) -> tuple[Frames, Fields | None]:
    """The payloads and fields that the codec reads in each packet; ``bad`` hears of those that it cannot read.

    It is called with the first error and how many there were; with ``log`` for each error, and 1.

    Where payloads are what was received, the bytes stay as they were received too; else they are the payloads, one after the other.
    """
    payloads: list[bytes] = []
    fields: Fields = []
    first: CodecError | None = None
    errors = 0
    for body in frames.payloads:
        try:
            payload, found = codec.decode(body)
        except CodecError as error:
            first = first or error
            errors += 1
            if on_bad == "log":
                bad(error, 1)
            if on_bad != "forward":
                continue
            payload, found = body, None
        payloads.append(payload)
        fields.append(found)
    if first is not None and on_bad != "log":
        bad(first, errors)
    if payloads != list(frames.payloads):
        frames = Frames(b"".join(payloads), len(payloads), payloads)
    return frames, fields if any(fields) else None
