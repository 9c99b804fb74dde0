"""The wire of a WebSocket: a message is a packet, a packet is a frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from ..codecs import Codec
from ..packet import Batch, Frames
from ..wires import Encoded, Event, OnBad, decode
from .frames import messages


class MessageWire:
    """It has no state, so one serves all sessions of a link."""

    representation: Hashable = "messages"
    deadline: float | None = None

    def __init__(self, codec: Codec, on_bad: OnBad) -> None:
        self._codec = codec
        self._on_bad = on_bad

    def feed(self, bodies: Sequence[bytes], now: float) -> Sequence[Event]:
        data = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        frames = Frames(data, len(bodies), bodies)
        return (frames,) if self._codec.verbatim else decode(frames, self._codec, self._on_bad)

    def expire(self, now: float) -> Sequence[Event]:
        return ()

    def finish(self, clean: bool) -> Sequence[Event]:
        return ()

    def encode(self, batch: Batch) -> Encoded:
        frames = batch.frames
        # Pieces cut out of the data are ASCII when the data is; a framing that unescapes promises nothing of the kind.
        source = frames.data if self._codec.verbatim and frames.delimiter else None
        return Encoded(messages(self._codec.encode(batch), self._codec.is_text, source), batch.count)

    def says(self, topic: str) -> bool:
        return "/$" not in topic or getattr(self._codec, "says_topic", False)
