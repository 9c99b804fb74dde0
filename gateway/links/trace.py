"""How a packet looks in the log of a link with ``trace``: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from ..options import write_count

Direction = Literal["received", "write"]
_LONGEST = 4096


class Trace:
    """Traces in one style: ``hex``, ``hexdump`` or ``text``.

    With ``rate`` at most so many packets a second are traced; the others are counted in ``left_out``.
    """

    def __init__(self, style: str, rate: float | None = None) -> None:
        self._style = style
        self._rate = rate
        self._tokens, self._at = 0.0, float("-inf")
        self.left_out = 0

    def lines(self, direction: Direction, payloads: Iterable[bytes], now: float) -> Iterator[str]:
        """The log lines for some packets, at ``now`` seconds."""
        for payload in payloads:
            if self._rate is not None:
                self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._at) * self._rate)
                self._at = now
                if self._tokens < 1:
                    self.left_out += 1
                    continue
                self._tokens -= 1
            yield from traced(self._style, direction, payload)


def traced(style: str, direction: Direction, payload: bytes) -> Iterator[str]:
    """Lines for one packet: ``hex`` gives ``received packet:[0x0d0a]``, ``text`` its repr, ``hexdump`` 16 bytes a line with ASCII.

    At most 4096 bytes of a packet are shown; what is left out is counted.
    """
    shown, rest = payload[:_LONGEST], max(0, len(payload) - _LONGEST)
    more = f" and {write_count(rest, 'byte')} more" if rest else ""
    if style == "hex":
        yield f"{direction} packet:[0x{shown.hex()}]{more}"
    elif style == "text":
        yield f"{direction} packet: {shown.decode('utf-8', 'backslashreplace')!r}{more}"
    else:
        yield f"{direction} packet of {len(payload)} bytes"
        for offset in range(0, len(shown), 16):
            row = shown[offset : offset + 16]
            ascii_ = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            yield f"{offset:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{ascii_}|"
        if more:
            yield more.strip()
