"""COBS: packets encoded without zero bytes, each ended by one (Cheshire and Baker, Consistent Overhead Byte Stuffing, 1999)."""

from __future__ import annotations

from collections.abc import Sequence

from cobs import cobs

from .. import framing
from ..packet import Frames
from . import FramingOptions, too_long
from ._assembly import Assembly

SELF_DELIMITING = True

_REFUSED = "a packet is not COBS: a block in it is longer than what is left of the packet"
_FULL = 0xFF
"""The code of a block of 254 bytes that no zero follows."""


class Options(FramingOptions):
    """Frames of COBS, each ended by a zero byte. Empty frames are skipped; one that is no COBS is dropped, and counted as ``bad_frame``."""


class Framer(framing.Framer):
    """Decodes whole frames. A frame that is too long and is to be cut is decoded block by block."""

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._longest = options.max + options.max // 254 + 2
        self._cuts = options.on_oversize == "emit"
        self._blocks = bytearray()
        self._long = False
        self._assembly = Assembly(options, "the next zero byte", separate=True)

    @property
    def held(self) -> int:
        return len(self._blocks) + self._assembly.held

    def feed(self, data: bytes, now: float) -> Frames:
        first, *others = data.split(b"\0")
        self._take(first)
        if others:
            self._end()
            last = others.pop()
            self._take_closed(others)
            self._take(last)
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        """A packet without its zero byte is dropped, also at a clean end."""
        self._assembly.add(b"", bytes(self._blocks))
        self._clear()
        return self._assembly.finish(emit=False)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join([self._encode(payload) for payload in payloads])

    def _take_closed(self, pieces: list[bytes]) -> None:
        """Take whole frames: at once, but for those that may be too long."""
        data: list[bytes] = []
        payloads: list[bytes] = []
        bad = bad_size = 0
        for piece in pieces:
            if not piece:
                continue
            if len(piece) > self._max:
                self._assembly.extend(b"".join(data), payloads)
                data, payloads = [], []
                self._take(piece)
                self._end()
                continue
            if piece[0] <= len(piece):
                # Only what may be good: raising an error takes longer than this look.
                try:
                    payloads.append(cobs.decode(piece))
                except cobs.DecodeError:
                    pass
                else:
                    data += (piece, b"\0")
                    continue
            bad += 1
            bad_size += len(piece) + 1
        self._assembly.extend(b"".join(data), payloads)
        if bad:
            self._assembly.fault("bad_frame", _REFUSED, bad_size, bad)

    def _take(self, piece: bytes) -> None:
        self._blocks += piece
        self._long = self._long or len(self._blocks) > self._longest
        if not self._long:
            return
        if self._cuts and not self._assembly.skipping:
            self._decode_complete_blocks()
        else:
            if not self._assembly.skipping:
                self._assembly.refuse_oversize()
            self._assembly.add(b"", bytes(self._blocks))
            self._blocks.clear()

    def _decode_complete_blocks(self) -> None:
        """Decode all blocks that another one follows: only then is it certain whether a zero stands between them."""
        blocks, end, last = self._blocks, 0, 0
        while end < len(blocks) and end + blocks[end] < len(blocks):
            last = blocks[end]
            end += last
        if end:
            wire = bytes(blocks[:end])
            self._assembly.add(cobs.decode(wire) + (b"" if last == _FULL else b"\0"), wire)
            del blocks[:end]

    def _end(self) -> None:
        assembly, wire = self._assembly, bytes(self._blocks)
        if wire:
            try:
                content = cobs.decode(wire)
            except cobs.DecodeError:
                assembly.reject("bad_frame", _REFUSED)
                assembly.add(b"", wire)
            else:
                assembly.add(content, wire)
        if wire or self._long:
            assembly.end(b"\0")
        self._clear()

    def _clear(self) -> None:
        self._blocks.clear()
        self._long = False

    def _encode(self, payload: bytes) -> bytes:
        if len(payload) > self._max:
            raise too_long(len(payload), self._max)
        return bytes(cobs.encode(payload)) + b"\0"
