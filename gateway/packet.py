"""Frames, batches and packets: plain values that travel from a framer over the bus to every reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """Something wrong in a stream, told beside the good packets and never instead of them."""

    event: str
    """The counter's name: ``oversize``, ``noise``, ``tail``, ``bad_length``, ..."""
    text: str
    """For a person: what, how much, which limit."""
    size: int = 0
    """Bytes that were dropped because of it."""
    fatal: bool = False
    """True when the session must end (``framing.on_oversize = close``)."""
    times: int = 1
    """How often it happened: what went wrong in one read is told once for each event, however much it was."""


class Frames:
    """What one read gave: whole packets, and the faults between them.

    ``data`` holds the bytes as received, delimiters included, of exactly ``count`` packets. The payloads are either given, or cut
    from ``data`` when somebody asks: it ends with ``delimiter``, and each piece loses one ``strip`` at its end.
    """

    __slots__ = ("_payloads", "count", "data", "delimiter", "faults", "strip")

    def __init__(
        self,
        data: bytes,
        count: int,
        payloads: Sequence[bytes] | None = None,
        delimiter: bytes = b"",
        strip: bytes = b"",
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self.data = data
        self.count = count
        self._payloads = payloads
        self.delimiter = delimiter
        self.strip = strip
        self.faults = faults

    @property
    def payloads(self) -> Sequence[bytes]:
        """One bytes object a packet, without delimiters."""
        if self._payloads is None:
            pieces = self.data.split(self.delimiter)
            pieces.pop()
            strip = self.strip
            if strip and strip in self.data:
                pieces = [piece.removesuffix(strip) for piece in pieces]
            self._payloads = pieces
        return self._payloads

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frames):
            return NotImplemented
        mine = (self.data, self.count, list(self.payloads), self.faults)
        return mine == (other.data, other.count, list(other.payloads), other.faults)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Frames({self.data!r}, {self.count}, {list(self.payloads)!r}, faults={self.faults!r})"


EMPTY = Frames(b"", 0, ())


class Packet(NamedTuple):
    """One message, for those who want an object for each."""

    topic: str
    seq: int
    time: int
    payload: bytes
    fields: dict[str, Any] | None = None


class Batch:
    """A run of packets of one topic and one origin that came out of one read.

    ``run`` names one life of the source; ``seq`` is the number of the first packet in it, gap-free from 1 for a topic and run;
    ``time`` is when the last byte was read, in ns since the epoch; ``origin`` is the id of the session that it came from, ``reply_to``
    that of the only session that may have it ("" for everybody). ``fields``, where a codec found any, has one entry a packet.
    Nothing in it is live: it can be pickled and sent to another process or machine.
    """

    __slots__ = ("fields", "frames", "origin", "reply_to", "run", "seq", "time", "topic")

    def __init__(
        self,
        topic: str,
        run: str,
        seq: int,
        time: int,
        origin: str,
        frames: Frames,
        reply_to: str = "",
        fields: Sequence[dict[str, Any] | None] | None = None,
    ) -> None:
        self.topic = topic
        self.run = run
        self.seq = seq
        self.time = time
        self.origin = origin
        self.frames = frames
        self.reply_to = reply_to
        self.fields = fields

    @property
    def data(self) -> bytes:
        return self.frames.data

    @property
    def count(self) -> int:
        return self.frames.count

    @property
    def payloads(self) -> Sequence[bytes]:
        return self.frames.payloads

    def packets(self) -> Iterator[Packet]:
        """An object for each packet, in order."""
        fields = self.fields or [None] * self.count
        for offset, (payload, found) in enumerate(zip(self.payloads, fields, strict=True)):
            yield Packet(self.topic, self.seq + offset, self.time, payload, found)

    def __repr__(self) -> str:
        return f"<Batch {self.topic} {self.run}:{self.seq}+{self.count} from {self.origin}>"
