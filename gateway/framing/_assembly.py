"""A packet that arrives in pieces: put together within a limit, or skipped to its end and reported."""

from __future__ import annotations

from ..options import write_count
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
        sums = [f"{self.count} times"] if self.count > 1 else []
        sums += [f"{write_count(self.size, 'byte')} dropped"] if self.size else []
        return Fault(event, f"{self.text} ({', '.join(sums)})" if sums else self.text, self.size, self.fatal, self.count)


class Assembly:
    """The packet that is being received, and what has been completed since the last `take`.

    A framer calls `add` for each piece of a packet's payload and `end` at its boundary, which ``boundary`` names in fault texts
    ("the next line end"). With ``separate`` the bytes on the wire differ from the payload and are passed beside it; else both are one.

    A fault counts the bytes of its packet that came up to the call of `take`. Those that follow are reported as ``skipped``, at the end of
    the packet or whenever they are as many as ``max``. There is one fault for each event between two calls of `take`, with the number of
    times and the sum of bytes: garbage must not cost more than packets do. Dropped bytes are counted as they were on the wire; what is
    held of a packet that has been cut is counted as payload.
    """

    def __init__(self, options: FramingOptions, boundary: str, *, separate: bool = False) -> None:
        self._max = options.max
        self._on_oversize = options.on_oversize
        self._boundary = boundary
        self._separate = separate
        self._content = bytearray()
        self._wire = bytearray()
        self._cut = False
        self._unreported: tuple[str, str, bool] | None = None
        self._dropped = 0
        self.skipping = False
        """Whether the rest of the present packet is being dropped."""
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
        """Append to the present packet. If it is now longer than ``max``, cut it, or skip the rest of it."""
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
        """Complete the present packet. ``wire``: the bytes of the boundary; ``keep``: those of them that belong to the payload."""
        if self.skipping:
            self._dropped += len(wire)
            self._report()
            self.skipping = False
            return
        self._data += (bytes(self._wire if self._separate else self._content), wire)
        self._payloads.append(bytes(self._content) + keep)
        self.clear()

    def reject(self, event: str, text: str, fatal: bool = False) -> None:
        """Drop what is held of the present packet, and all that comes before its end."""
        if not self.skipping:
            self._unreported = (event, text, fatal)
            self._dropped = self._size
            self.skipping = True
            self.clear()

    def refuse_oversize(self) -> None:
        """Reject the present packet because it is longer than ``max``."""
        text = f"a packet is longer than framing.max = {write_count(self._max, 'byte')}"
        if self._on_oversize == "close":
            self.reject("oversize", f"{text} (framing.on_oversize = close)", fatal=True)
        else:
            self.reject("oversize", f"{text}: skipping to {self._boundary}")

    def clear(self) -> None:
        """Forget what is held of the present packet, without a fault."""
        self._content.clear()
        self._wire.clear()
        self._cut = False

    def take(self) -> Frames:
        """Return what has been completed and what went wrong since the last call."""
        if self.skipping and (self._unreported or self._dropped >= self._max):
            self._report()
        if not self._payloads and not self._faults:
            return EMPTY
        faults = tuple([found.fault(event) for event, found in self._faults.items()])
        frames = Frames(b"".join(self._data), len(self._payloads), self._payloads, faults=faults)
        self._data, self._payloads, self._faults = [], [], {}
        return frames

    def extend(self, data: bytes, payloads: list[bytes]) -> None:
        """Add whole packets, none of them longer than ``max``; none may be in progress."""
        if payloads:
            self._data.append(data)
            self._payloads += payloads

    def fault(self, event: str, text: str, size: int, count: int = 1, fatal: bool = False) -> None:
        """Report that something went wrong ``count`` times, and ``size`` bytes in all were dropped. ``text`` describes the first time."""
        known = self._faults.get(event)
        if known is None:
            known = self._faults[event] = _Sum(text)
        known.size += size
        known.count += count
        known.fatal = known.fatal or fatal

    def finish(self, emit: bool) -> Frames:
        """Return what is left at the end of the stream: what is held is the last packet, or is dropped and reported."""
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
            self.fault("oversize", f"a packet is longer than framing.max = {write_count(limit, 'byte')}: cut there", 0)
        end = (len(self._content) - 1) // limit * limit
        whole = bytes(self._content[:end])
        self._payloads += [whole[start : start + limit] for start in range(0, end, limit)]
        self._data.append(bytes(self._wire) if self._separate else whole)
        del self._content[:end]
        self._wire.clear()

    def _report(self) -> None:
        if self._unreported:
            event, text, fatal = self._unreported
            self.fault(event, text, self._dropped, fatal=fatal)
            self._unreported = None
        elif self._dropped:
            self.fault("skipped", f"still skipping to {self._boundary}", self._dropped)
        self._dropped = 0
