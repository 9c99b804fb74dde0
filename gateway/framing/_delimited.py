"""Packets that end with one of some byte strings: what `lines` and `delimiter` share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pydantic import Field

from ..packet import Frames
from . import Framer, FramingOptions
from ._assembly import Assembly
from ._embedded import Embedded, Escape, Writer
from ._search import Search


class DelimitedOptions(FramingOptions):
    """The options of framings by delimiter."""

    embedded: Embedded = Field(
        "split",
        description="a payload to be written that contains the delimiter: split (it is sent as several packets, in one write), reject (it"
        r" is refused and counted), escape (\r, \n, \xNN stand for the delimiter's bytes and \\ for the backslash, in what is written and"
        " in what is read)",
    )


class Delimited(Framer):
    """Cuts a stream behind each delimiter.

    ``cut`` is a delimiter at which whole reads can be cut at once, without a Python statement for each packet; ``strip`` is then removed
    from the end of each piece (see `Frames`). This must give the same packets as the search for the delimiters. Empty: always search.
    """

    def __init__(
        self,
        options: DelimitedOptions,
        delimiters: Sequence[bytes],
        ending: bytes,
        boundary: str,
        *,
        keep: bool = False,
        skip_empty: bool = False,
        cut: bytes = b"",
        strip: bytes = b"",
    ) -> None:
        self._max = options.max
        self._ending = ending
        self._keep = keep
        self._skip_empty = skip_empty
        self._cut = cut
        self._strip = strip
        self._search = Search(delimiters)
        self._pending = b""
        self._assembly = Assembly(options, boundary)
        self._writer = Writer(delimiters, ending, options.embedded, options.max, keep=keep, skip_empty=skip_empty)
        self._escape = Escape([*delimiters, ending]) if options.embedded == "escape" else None

    @property
    def held(self) -> int:
        return self._assembly.held + len(self._pending)

    def feed(self, data: bytes, now: float) -> Frames:
        frames = self._feed_at_once(data)
        if frames is None:
            self._scan(data)
            frames = self._assembly.take()
        return self._unescaped(frames) if self._escape else frames

    def finish(self, clean: bool) -> Frames:
        self._scan(b"", final=True)
        return self._unescaped(self._assembly.finish(emit=clean))

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        joined = self._ending.join([*payloads, b""])
        return joined if self._is_plain(joined, payloads) else b"".join([self._writer.write(payload) for payload in payloads])

    def reframe(self, frames: Frames) -> bytes | None:
        """The bytes as they were received, where they were cut by the same rule and have the right ending."""
        same = frames.delimiter == self._cut and frames.strip == self._strip
        if not self._cut or not same or self._escape or self._ending != self._cut:
            return None
        return frames.data if self._fits(frames.data) else None

    def _feed_at_once(self, data: bytes) -> Frames | None:
        """All packets up to the last delimiter in one piece; None where the delimiters must be searched for."""
        cut = self._cut
        if not cut or self._assembly.skipping:
            return None
        end = data.rfind(cut) + len(cut)
        if end < len(cut) or len(data) - end > self._max:
            return None
        whole = data if end == len(data) else data[:end]
        if self.held:
            whole = b"".join((self._assembly.content, self._pending, whole))
        if not self._fits(whole):
            return None
        self._assembly.clear()
        self._pending = b""
        if end < len(data):
            self._scan(data[end:])
        return Frames(whole, whole.count(cut), delimiter=cut, strip=self._strip)

    def _fits(self, whole: bytes) -> bool:
        """Whether no piece is longer than ``max``. It leaps from one delimiter to the last one within reach, so few searches are needed."""
        cut = self._cut
        position, reach = 0, self._max + len(cut)
        while len(whole) - position > reach:
            found = whole.rfind(cut, position, position + reach)
            if found < 0:
                return False
            position = found + len(cut)
        return True

    def _scan(self, data: bytes, final: bool = False) -> None:
        data = self._take_certain(self._pending + data)
        position, stop = 0, len(data)
        for start, end, found in self._search.spans(data, final=final):
            if not found:
                stop = start
                break
            self._take(data[position:start], found)
            position = end
        self._assembly.add(data[position:stop])
        self._pending = data[stop:]

    def _take_certain(self, data: bytes) -> bytes:
        """Take the packets whose delimiter no further byte can change, all at once where none is too long; return the rest."""
        pieces, found, rest = self._search.split(data)
        if not pieces:
            return data
        self._take(pieces[0], found[0])
        if len(data) > self._max and max(map(len, pieces)) > self._max:
            for piece, delimiter in zip(pieces[1:], found[1:], strict=True):
                self._take(piece, delimiter)
            return rest
        pairs = [*zip(pieces[1:], found[1:], strict=True)]
        if self._skip_empty:
            pairs = [pair for pair in pairs if pair[0]]
        payloads = [piece + delimiter for piece, delimiter in pairs] if self._keep else [piece for piece, _ in pairs]
        self._assembly.extend(b"".join(chain.from_iterable(pairs)), payloads)
        return rest

    def _take(self, piece: bytes, found: bytes) -> None:
        """End a packet with this piece and the delimiter found behind it."""
        assembly = self._assembly
        assembly.add(piece)
        if assembly.held or assembly.skipping or not self._skip_empty:
            assembly.end(found, found if self._keep else b"")

    def _unescaped(self, frames: Frames) -> Frames:
        if self._escape is None or b"\\" not in frames.data:
            return frames
        payloads = [self._escape.undo(payload) for payload in frames.payloads]
        return Frames(frames.data, frames.count, payloads, faults=frames.faults)

    def _is_plain(self, joined: bytes, payloads: Sequence[bytes]) -> bool:
        """Whether all payloads, joined with the ending, can be written as they are."""
        cut, strip, ending = self._cut, self._strip, self._ending
        if not cut or self._escape or ending not in (cut, strip + cut) or joined.count(cut) != len(payloads):
            return False
        if strip and ending == cut and strip in joined and strip + cut in joined:
            return False
        return len(joined) <= self._max or max(map(len, payloads)) <= self._max
