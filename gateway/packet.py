"""Frames, batches and packets: plain values that go from a framer over the bus to every reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """Something wrong in a stream. It is reported beside the good packets, never instead of them."""

    event: str
    """The counter's name: ``oversize``, ``noise``, ``tail``, ``bad_length``, ..."""
    text: str
    """For the log: what happened, how much, which limit."""
    size: int = 0
    """How many bytes were dropped because of it."""
    fatal: bool = False
    """True when the session must end (``framing.on_oversize = close``)."""
    times: int = 1
    """How often it happened: one read gives one fault for each kind of event."""


class Frames:
    """The whole packets that one read completed, and the faults between them.

    ``data`` has the bytes of exactly ``count`` packets as received, delimiters included. The payloads are either given, or cut from
    ``data`` on first use: each packet then ends with ``delimiter``, and one ``strip`` before that is removed if it is there.
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
        """One bytes object for each packet, without delimiters."""
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
    """One packet as an object of its own; `Batch` says what the fields are."""

    topic: str
    seq: int
    time: int
    payload: bytes
    fields: dict[str, Any] | None = None


class Batch:
    """Consecutive packets of one topic and one origin that one read completed.

    ``run`` is an id that is new whenever the source starts; ``seq`` is the number of the first packet, counted from 1 without gaps for
    each topic and run; ``time`` is when the last byte was read, in ns since the epoch; ``origin`` is the id of the session that it came
    from, ``reply_to`` that of the only session that it is for ("" for all). ``fields`` has one entry for each packet, or is None if the
    codec decodes no fields. A batch holds only plain values: it can be pickled and sent to another process or machine.
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
