"""How a packet looks in the log of a link with ``trace``: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Direction = Literal["received", "write"]
_LONGEST = 4096


def traced(style: str, direction: Direction, payload: bytes) -> Iterator[str]:
    """Lines for one packet: ``hex`` gives ``received packet:[0x0d0a]``, ``text`` its repr, ``hexdump`` 16 bytes a line with ASCII.

    At most 4096 bytes of a packet are shown; what is left out is counted.
    """
    shown, rest = payload[:_LONGEST], max(0, len(payload) - _LONGEST)
    more = f" and {rest} bytes more" if rest else ""
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
