"""A packet that arrives in pieces: put together within a limit, or skipped to its end; told either way."""

from __future__ import annotations

from ..packet import EMPTY, Fault, Frames
from . import FramingOptions


class _Sum:
    """What went wrong under one name since the last `take`."""

    __slots__ = ("count", "fatal", "size", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.size = self.count = 0
        self.fatal = False

    def fault(self, event: str) -> Fault:
        told = [f"{self.count} times"] if self.count > 1 else []
        told += [f"{self.size} bytes dropped"] if self.size else []
        return Fault(event, f"{self.text} ({', '.join(told)})" if told else self.text, self.size, self.fatal, self.count)


class Assembly:
    """The packet that is being received, and what has been completed since the last `take`.

    A framer calls `add` for each piece of a packet's payload and `end` at its boundary. ``boundary`` names it for the fault texts ("the
    next line end"). With ``separate`` the bytes on the wire are not the payload, and are given beside it; else they are the same, and
    kept once. A fault tells all bytes that are dropped of its packet when the end came in the same read; what follows in later reads is
    told as ``skipped``, at the end or whenever it is as much as ``max``. However much goes wrong between two calls of `take`, there is one
    fault for each event, with a number and a sum: garbage must not cost more than packets do. Lost bytes are counted as they were on the
    wire; of a packet that has been cut, what is held counts as payload.
    """

    def __init__(self, options: FramingOptions, boundary: str, *, separate: bool = False) -> None:
        self._max = options.max
        self._on_oversize = options.on_oversize
        self._boundary = boundary
        self._separate = separate
        self._content = bytearray()
        self._wire = bytearray()
        self._cut = False
        self._untold: tuple[str, str, bool] | None = None
        self._dropped = 0
        self.skipping = False
        """Whether the rest of the present packet is not wanted any more."""
        self._data: list[bytes] = []
        self._payloads: list[bytes] = []
        self._faults: dict[str, _Sum] = {}

    @property
    def held(self) -> int:
        return len(self._content) + len(self._wire)

    @property
    def content(self) -> bytes:
        """The payload so far."""
        return bytes(self._content)

    def add(self, content: bytes, wire: bytes = b"") -> None:
        """More of the present packet. Longer than ``max`` it is cut, or skipped from here on."""
        if self.skipping:
            self._dropped += len(wire if self._separate else content)
            return
        self._content += content
        self._wire += wire
        if len(self._content) > self._max:
            if self._on_oversize == "emit":
                self._emit_pieces()
            else:
                self.refuse_oversize()

    def end(self, wire: bytes = b"", keep: bytes = b"") -> None:
        """The packet is complete. ``wire``: the bytes of the boundary; ``keep``: those of them that belong to the payload."""
        if self.skipping:
            self._dropped += len(wire)
            self._tell()
            self.skipping = False
            return
        self._data += (bytes(self._wire if self._separate else self._content), wire)
        self._payloads.append(bytes(self._content) + keep)
        self.clear()

    def reject(self, event: str, text: str, fatal: bool = False) -> None:
        """The present packet is not one: drop what is held of it, and whatever comes before its end."""
        if not self.skipping:
            self._untold = (event, text, fatal)
            self._dropped = self._size
            self.skipping = True
            self.clear()

    def refuse_oversize(self) -> None:
        """The present packet is longer than ``max``, and is not to be cut."""
        text = f"a packet is longer than framing.max = {self._max} bytes"
        if self._on_oversize == "close":
            self.reject("oversize", f"{text} (framing.on_oversize = close)", fatal=True)
        else:
            self.reject("oversize", f"{text}: skipping to {self._boundary}")

    def clear(self) -> None:
        """Forget the present packet; its owner has taken or told what there was."""
        self._content.clear()
        self._wire.clear()
        self._cut = False

    def take(self) -> Frames:
        """What has been completed and what went wrong since the last call."""
        if self.skipping and (self._untold or self._dropped >= self._max):
            self._tell()
        if not self._payloads and not self._faults:
            return EMPTY
        faults = tuple([found.fault(event) for event, found in self._faults.items()])
        frames = Frames(b"".join(self._data), len(self._payloads), self._payloads, faults=faults)
        self._data, self._payloads, self._faults = [], [], {}
        return frames

    def extend(self, data: bytes, payloads: list[bytes]) -> None:
        """Whole packets between two others, none of them longer than ``max``."""
        if payloads:
            self._data.append(data)
            self._payloads += payloads

    def fault(self, event: str, text: str, size: int, count: int = 1, fatal: bool = False) -> None:
        """Something went wrong ``count`` times, of which ``text`` tells the first, and so many bytes in all were dropped."""
        known = self._faults.get(event)
        if known is None:
            known = self._faults[event] = _Sum(text)
        known.size += size
        known.count += count
        known.fatal = known.fatal or fatal

    def finish(self, emit: bool) -> Frames:
        """The end of the stream: what is held is the last packet, or is dropped and told."""
        if self.skipping or (emit and self.held):
            self.end()
        elif self.held:
            self.fault("tail", f"part of a packet: the stream ended before {self._boundary}", self._size)
        self.clear()
        return self.take()

    @property
    def _size(self) -> int:
        return len(self._wire if self._separate and not self._cut else self._content)

    def _emit_pieces(self) -> None:
        limit = self._max
        if not self._cut:
            self._cut = True
            self.fault("oversize", f"a packet is longer than framing.max = {limit} bytes: cut there", 0)
        end = (len(self._content) - 1) // limit * limit
        whole = bytes(self._content[:end])
        self._payloads += [whole[start : start + limit] for start in range(0, end, limit)]
        self._data.append(bytes(self._wire) if self._separate else whole)
        del self._content[:end]
        self._wire.clear()

    def _tell(self) -> None:
        if self._untold:
            event, text, fatal = self._untold
            self.fault(event, text, self._dropped, fatal=fatal)
            self._untold = None
        elif self._dropped:
            self.fault("skipped", f"still on the way to {self._boundary}", self._dropped)
        self._dropped = 0
