"""The default wire: a framing and a codec, joined."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal

from ..codecs import Codec
from ..framing import Framer
from ..packet import Batch, Frames
from . import Encoded, Event, OnBad, decode, encode_each


class Form:
    """What all framed wires of a link have in common: how they read, and one encoding for all.

    ``verbatim``: packets go out as the bytes that were received. ``on_tail``: what is done with what is left at the end of a stream.
    """

    representation: Hashable = "stream"

    def __init__(
        self,
        make_framer: Callable[[], Framer],
        codec: Codec,
        *,
        on_bad: OnBad = "drop",
        on_tail: Literal["auto", "emit", "drop"] = "auto",
        verbatim: bool = False,
    ) -> None:
        self.make_framer = make_framer
        self.codec = codec
        self.on_bad: OnBad = on_bad
        self.on_tail = on_tail
        self.verbatim = verbatim
        self._framer = make_framer()

    def encode(self, batch: Batch) -> Encoded:
        """The frames of a batch."""
        if self.verbatim:
            return Encoded(batch.frames.data, batch.count)
        if self.codec.verbatim:
            shortcut = self._framer.reframe(batch.frames)
            if shortcut is not None:
                return Encoded(shortcut, batch.count)
        return encode_each(self.codec.encode(batch), self._framer.encode)


class FramedWire:
    """One stream. Its framer is made at the first byte: who only reads needs none."""

    __slots__ = ("_form", "_framer")

    def __init__(self, form: Form) -> None:
        self._form = form
        self._framer: Framer | None = None

    @property
    def representation(self) -> Hashable:
        return self._form.representation

    @property
    def deadline(self) -> float | None:
        return None if self._framer is None else self._framer.deadline

    def feed(self, data: bytes, now: float) -> Sequence[Event]:
        framer = self._framer
        if framer is None:
            framer = self._framer = self._form.make_framer()
        return self._events(framer.feed(data, now))

    def expire(self, now: float) -> Sequence[Event]:
        return () if self._framer is None else self._events(self._framer.expire(now))

    def finish(self, clean: bool) -> Sequence[Event]:
        framer, self._framer = self._framer, None
        if framer is None:
            return ()
        tail = self._form.on_tail
        return self._events(framer.finish(clean if tail == "auto" else tail == "emit"))

    def encode(self, batch: Batch) -> Encoded:
        return self._form.encode(batch)

    def says(self, topic: str) -> bool:
        return "/$" not in topic or getattr(self._form.codec, "says_topic", False)

    def _events(self, frames: Frames) -> Sequence[Event]:
        faults = frames.faults
        if not frames.count:
            return faults
        if self._form.codec.verbatim:
            return (frames, *faults) if faults else (frames,)
        return (*decode(frames, self._form.codec, self._form.on_bad), *faults)
