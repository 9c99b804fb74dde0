"""Frames, batches and packets: plain values that go from a framer over the bus to every reader."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

Fields = Sequence[dict[str, Any] | None]
"""What a codec found in packets: one entry a packet."""

_PIECE = 64
"""Bytes that a payload of its own costs beside those in it."""


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
    each: bool = False
    """True when each one is to be logged (``on_bad = log``), however many there are."""


class Frames:
    """The whole packets that one read completed, and the faults between them.

    ``data`` has the bytes of exactly ``count`` packets as received, delimiters included. The payloads are either given, or cut from
    ``data`` on first use: each packet then ends with ``delimiter``, and one ``strip`` before that is removed if it is there. ``fields``
    has one entry for each packet, or is None if the codec decodes no fields.
    """

    __slots__ = ("_payloads", "count", "data", "delimiter", "faults", "fields", "strip")

    def __init__(
        self,
        data: bytes,
        count: int,
        payloads: Sequence[bytes] | None = None,
        delimiter: bytes = b"",
        strip: bytes = b"",
        faults: tuple[Fault, ...] = (),
        fields: Fields | None = None,
    ) -> None:
        self.data = data
        self.count = count
        self._payloads = payloads
        self.delimiter = delimiter
        self.strip = strip
        self.faults = faults
        self.fields = fields

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

    @property
    def cost(self) -> int:
        """Bytes of memory that these take, as far as they have been cut by now."""
        pieces = 0 if self._payloads is None else _PIECE * self.count + len(self.data)
        return len(self.data) + pieces + (_size(self.fields) if self.fields is not None else 0)

    def join(self) -> None:
        """Forget the payloads that were cut from the bytes: they can be cut again, and take as much memory once more."""
        if self.delimiter:
            self._payloads = None

    def without(self, skipped: Container[int]) -> Frames:
        """The packets but those at these places, with their fields; the bytes are then the payloads, one after the other."""
        kept = [index for index in range(self.count) if index not in skipped]
        payloads = [self.payloads[index] for index in kept]
        return Frames(b"".join(payloads), len(payloads), payloads, fields=self.fields and [self.fields[index] for index in kept])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frames):
            return NotImplemented
        mine = (self.data, self.count, list(self.payloads), self.faults)
        return mine == (other.data, other.count, list(other.payloads), other.faults)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Frames({self.data!r}, {self.count}, {list(self.payloads)!r}, faults={self.faults!r})"


def _size(fields: Fields) -> int:
    """Bytes of memory that fields take, with all that is in them; a key that many objects share counts once."""
    size = sys.getsizeof(fields)
    keys: dict[int, int] = {}
    found: list[Any] = [*fields]
    while found:
        value = found.pop()
        if value is None:
            continue
        size += sys.getsizeof(value)
        if isinstance(value, dict):
            keys.update(zip(map(id, value), map(sys.getsizeof, value), strict=True))
            found.extend(value.values())
        elif isinstance(value, list | tuple):
            found.extend(value)
    return size + sum(keys.values())


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
    from, ``to`` the only address that it is for ("" for all that hear the topic). A batch holds only plain values: it can be pickled and
    sent to another process or machine.
    """

    __slots__ = ("frames", "origin", "run", "seq", "time", "to", "topic")

    def __init__(
        self,
        topic: str,
        run: str,
        seq: int,
        time: int,
        origin: str,
        frames: Frames,
        to: str = "",
    ) -> None:
        self.topic = topic
        self.run = run
        self.seq = seq
        self.time = time
        self.origin = origin
        self.frames = frames
        self.to = to

    @property
    def fields(self) -> Fields | None:
        return self.frames.fields

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
