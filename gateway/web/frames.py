"""WebSocket data frames from a server, unfragmented and unmasked (RFC 6455, section 5.2): a batch becomes one bytes object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from ..codecs import is_utf8

TEXT, BINARY = 0x81, 0x82
"""The first byte of a whole text message and of a whole binary one: FIN and the opcode."""

PING = b"\x89\x00"
"""An empty ping. Anything the peer sends afterwards is taken as its answer, so it needs no number."""


def header(first: int, length: int) -> bytes:
    """The header of a frame whose payload has ``length`` bytes; the shortest of the three forms, as the RFC demands."""
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


class _Headers(dict[int, bytes]):
    """Header by payload length: short ones kept, long ones made when asked."""

    def __init__(self, first: int) -> None:
        super().__init__((length, header(first, length)) for length in range(1024))
        self._first = first

    def __missing__(self, length: int) -> bytes:
        return header(self._first, length)


_header_of = {first: _Headers(first).__getitem__ for first in (TEXT, BINARY)}


def joined(first: int, bodies: Sequence[bytes]) -> bytes:
    """One message for each body (at least one), all text or all binary, joined. No Python statement runs for a single packet."""
    lengths = list(map(len, bodies))
    if lengths.count(lengths[0]) == len(lengths):
        same = _header_of[first](lengths[0])
        return same + same.join(bodies)
    return b"".join(chain.from_iterable(zip(map(_header_of[first], lengths), bodies, strict=True)))


def messages(bodies: Sequence[bytes], is_text: Callable[[bytes], bool], ascii_source: bytes | None = None) -> bytes:
    """One message for each body, text where ``is_text`` says so, joined.

    ``is_text`` is asked once when everything is ASCII, so for ASCII its answer must not depend on the body. ``ascii_source``, if given,
    holds every byte of the bodies (the batch as it was received), and saves a join.
    """
    if not bodies:
        return b""
    source = b"".join(bodies) if ascii_source is None else ascii_source
    if source.isascii():
        return joined(TEXT if is_text(bodies[0]) else BINARY, bodies)
    text, binary = _header_of[TEXT], _header_of[BINARY]
    return b"".join([part for body in bodies for part in ((text if is_text(body) else binary)(len(body)), body)])


_MASKED = 0x80


def take_messages(data: bytes) -> tuple[list[bytes], int]:
    """The short whole messages that a client's bytes begin with, unmasked, and how many bytes they took.

    Stops at the first frame that is anything else: longer than 125 bytes, a fragment, a control frame, incomplete, or wrong in any way.
    A caller gives the rest to a full implementation of the protocol; it must not call this inside a frame or a fragmented message.
    """
    found: list[bytes] = []
    position, end = 0, len(data)
    while position + 6 <= end:
        first, length = data[position], data[position + 1] - _MASKED
        start = position + 6
        stop = start + length
        if not 0 <= length < 126 or stop > end or (first != BINARY and first != TEXT):
            break
        mask = int.from_bytes((data[position + 2 : start] * 32)[:length], "little")
        body = (int.from_bytes(data[start:stop], "little") ^ mask).to_bytes(length, "little")
        if first == TEXT and not is_utf8(body):
            break
        found.append(body)
        position = stop
    return found, position
