"""SLIP: packets end with 0xC0 (END), and escapes stand for END and for the escape byte in them (RFC 1055)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import Field

from .. import framing
from ..errors import CodecError
from ..options import YesNo
from ..packet import Frames
from . import FramingOptions, too_long
from ._assembly import Assembly

SELF_DELIMITING = True

END, ESC, ESC_END, ESC_ESC = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
_REFUSED = "a packet with an escape that SLIP does not know: skipping to the next END"
_BAD_ESCAPE = re.compile(rb"\xdb[^\xdc\xdd]", re.DOTALL)


class Options(FramingOptions):
    """Frames of RFC 1055. Empty frames are skipped; one with an unknown escape is dropped, and counted as ``bad_escape``."""

    leading_end: YesNo = Field(
        False, description="whether an END is also written before each packet, so that noise on the line before it is a packet of its own"
    )


def _unescape(text: bytes) -> bytes:
    return text.replace(ESC_END, END).replace(ESC_ESC, ESC) if ESC in text else text


class Framer(framing.Framer):
    """Unescapes the bytes as they come. An END right before a packet belongs to its frame; further ones belong to none."""

    def __init__(self, options: Options) -> None:
        self._max = options.max
        self._lead = END if options.leading_end else b""
        self._assembly = Assembly(options, "the next END", separate=True)
        self._escape = b""
        self._begun = False
        self._led = b""

    @property
    def held(self) -> int:
        return self._assembly.held + len(self._escape) + len(self._led)

    def feed(self, data: bytes, now: float) -> Frames:
        first, *others = data.split(END)
        self._take(first)
        if others:
            self._end()
            last = others.pop()
            self._take_closed(others)
            self._take(last)
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        """A packet without its END is dropped, also at a clean end."""
        self._assembly.add(b"", self._escape)
        self._escape, self._begun, self._led = b"", False, b""
        return self._assembly.finish(emit=False)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join([self._encode(payload) for payload in payloads])

    def _take_closed(self, pieces: list[bytes]) -> None:
        """Take the pieces between two ENDs."""
        data: list[bytes] = []
        payloads: list[bytes] = []
        bad = bad_size = 0
        for piece in pieces:
            if not piece:
                self._led = END
            elif len(piece) > self._max:
                self._assembly.extend(b"".join(data), payloads)
                data, payloads = [], []
                self._take(piece)
                self._end()
            else:
                if ESC in piece and (piece.endswith(ESC) or _BAD_ESCAPE.search(piece)):
                    bad += 1
                    bad_size += len(self._led) + len(piece) + 1
                else:
                    payloads.append(_unescape(piece))
                    data += (self._led, piece, END)
                self._led = b""
        self._assembly.extend(b"".join(data), payloads)
        if bad:
            self._assembly.fault("bad_escape", _REFUSED, bad_size, bad)

    def _take(self, piece: bytes) -> None:
        if not piece:
            return
        assembly, text = self._assembly, self._escape + piece
        self._begun = True
        led, self._led = self._led, b""
        bad = _BAD_ESCAPE.search(text)
        end = bad.start() if bad else len(text) - text.endswith(ESC)
        assembly.add(_unescape(text[:end]), led + text[:end])
        self._escape = text[end:]
        if bad:
            self._refuse_escape()

    def _end(self) -> None:
        if not self._begun:
            self._led = END
            return
        if self._escape:
            self._refuse_escape()
        self._assembly.end(END)
        self._begun = False

    def _refuse_escape(self) -> None:
        self._assembly.reject("bad_escape", _REFUSED)
        self._assembly.add(b"", self._escape)
        self._escape = b""

    def _encode(self, payload: bytes) -> bytes:
        if not payload:
            raise CodecError("an empty packet cannot be written in SLIP: its readers skip it")
        if len(payload) > self._max:
            raise too_long(len(payload), self._max)
        return self._lead + payload.replace(ESC, ESC_ESC).replace(END, ESC_END) + END
