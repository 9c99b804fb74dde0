"""Wires: the whole conversation of one session. Bytes in, events out; a batch in, bytes out. Pure: no clock, no I/O.

The default wire is a framing joined with a codec (`_framed`). Others wrap it or take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from ..codecs import Codec
from ..errors import CodecError
from ..packet import Batch, Fault, Frames

Event = Frames | Fault
"""What comes of bytes: packets, or something that is wrong with the stream."""

OnBad = Literal["drop", "forward", "log"]


class Encoded(NamedTuple):
    """A batch as its peer gets it."""

    data: bytes
    packets: int
    """How many packets are in it."""
    refused: tuple[tuple[int, CodecError], ...] = ()
    """The packets that cannot be said on this wire: their places in the batch, and why."""

    def refusal(self, topic: str) -> str:
        """For the log: that packets of this topic were refused, and why the first one was."""
        return f"a packet of {topic} cannot be written here: {self.refused[0][1]}"


class Wire(Protocol):
    """One session's conversation. Times are seconds of one monotonic clock."""

    @property
    def representation(self) -> Hashable | None:
        """Wires of one link with equal representations encode to the same bytes; None: this one has a state of its own."""

    @property
    def deadline(self) -> float | None:
        """When `expire` wants to be called; None: not at all. To be asked again after each `feed` and `expire`."""

    def feed(self, data: Any, now: float) -> Sequence[Event]:
        """What these bytes (of a stream) or bodies (of messages) say; raises nothing, whatever they are."""

    def expire(self, now: float) -> Sequence[Event]:
        """What the silence until now means."""

    def finish(self, clean: bool) -> Sequence[Event]:
        """The end of what the peer says; ``clean``: a regular one. The wire is as new after it."""

    def encode(self, batch: Batch) -> Encoded:
        """What the peer gets of a batch."""

    def says(self, topic: str) -> bool:
        """Whether the peer can tell what is of this topic from its data: into a raw stream nothing is ever mixed that is not data."""


def decode(frames: Frames, codec: Codec, on_bad: OnBad) -> Sequence[Event]:
    """The packets with the payloads and fields that the codec reads in them, and faults (``bad_packets``) for those that it cannot read.

    Where payloads are what was received, the bytes stay as they were received too; else they are the payloads, one after the other.
    The fault of ``on_bad = log`` is there for each packet, else once for all.
    """
    payloads: list[bytes] = []
    fields: list[dict[str, Any] | None] = []
    bad: list[CodecError] = []
    for body in frames.payloads:
        try:
            payload, found = codec.decode(body)
        except CodecError as error:
            bad.append(error)
            if on_bad != "forward":
                continue
            payload, found = body, None
        payloads.append(payload)
        fields.append(found)
    if payloads != list(frames.payloads):
        frames = Frames(b"".join(payloads), len(payloads), payloads)
    if any(fields):
        frames.fields = fields
    events: list[Event] = [frames] if frames.count else []
    if on_bad == "log":
        events += [Fault("bad_packets", f"unreadable packet dropped: {error}", each=True) for error in bad]
    elif bad:
        packets = "unreadable packet" if len(bad) == 1 else f"{len(bad)} unreadable packets"
        done = "forwarded" if on_bad == "forward" else "dropped"
        events.append(Fault("bad_packets", f"{packets} {done}: {bad[0]}", times=len(bad)))
    return events


def encode_each(payloads: Sequence[bytes], encode: Callable[[Sequence[bytes]], bytes]) -> Encoded:
    """Encode payloads together, or, where one of them is refused, one by one."""
    try:
        return Encoded(encode(payloads), len(payloads))
    except CodecError:
        pass
    good: list[bytes] = []
    refused: list[tuple[int, CodecError]] = []
    for index, payload in enumerate(payloads):
        try:
            good.append(encode((payload,)))
        except CodecError as error:
            refused.append((index, error))
    return Encoded(b"".join(good), len(good), tuple(refused))
