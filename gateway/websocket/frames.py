"""WebSocket frames (RFC 6455, section 5.2): a batch becomes one bytes object, and a client's short whole frames are read in one go."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from itertools import chain

from ..codecs import is_utf8

TEXT, BINARY = 0x81, 0x82
"""The first byte of a whole text message and of a whole binary one: FIN and the opcode."""
GOING_AWAY, PROTOCOL_ERROR, POLICY_VIOLATION, MESSAGE_TOO_BIG, TRY_AGAIN_LATER = 1001, 1002, 1008, 1009, 1013
"""Close codes (RFC 6455, section 7.4.1; 1013 from the IANA registry)."""

CLOSE, _PING, _PONG = 0x88, 0x89, 0x8A
_BEGIN_TEXT, _BEGIN_BINARY, _MIDDLE, _LAST = 0x01, 0x02, 0x00, 0x80
_MASKED = 0x80
_SHORT = 126

PING = b"\x89\x00"
"""An empty ping. Anything that the peer sends afterwards counts as its answer, so it needs no number."""


def header(first: int, length: int) -> bytes:
    """The header of a frame whose payload has ``length`` bytes; the shortest of the three forms, as the RFC demands."""
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


class _Headers(dict[int, bytes]):
    """Headers by payload length: those of short payloads are made once, others when they are asked for."""

    def __init__(self, first: int) -> None:
        super().__init__((length, header(first, length)) for length in range(1024))
        self._first = first

    def __missing__(self, length: int) -> bytes:
        return header(self._first, length)


_header_of = {first: _Headers(first).__getitem__ for first in (TEXT, BINARY)}


def joined(first: int, bodies: Sequence[bytes]) -> bytes:
    """One message for each body (at least one), all text or all binary, joined. No Python statement runs once per packet."""
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


def pong(payload: bytes) -> bytes:
    """The answer to a ping."""
    return header(_PONG, len(payload)) + payload


_OUTSIDE = frozenset((TEXT, BINARY, _PING, _PONG))
_INSIDE = frozenset((_MIDDLE, _PING, _PONG))
_BEGIN = frozenset((_BEGIN_TEXT, _BEGIN_BINARY))
_GO_ON = _INSIDE | {_LAST}
_MOST_FRAMES = 16
_AWAITED = _OUTSIDE | {CLOSE}


def take_short(data: bytes, position: int, inside: bool, longest: int = _SHORT - 1) -> tuple[list[bytes], list[bytes], int]:
    """Take the client's frames from ``position`` on, as long as they are short, whole, and need no more than unmasking.

    Returns the payloads of the messages (``inside`` a fragmented message: of its middle fragments), the payloads of the pings, and the
    position of the first frame that was not taken; pongs are skipped. Not taken is a frame whose payload is longer than ``longest`` (125 at
    most), a Close, and one that is incomplete or invalid: they are left to Autobahn. ``position`` must be where a frame begins.
    """
    found: list[bytes] = []
    pings: list[bytes] = []
    end, kinds, limit = len(data), _INSIDE if inside else _OUTSIDE, min(longest, _SHORT - 1)
    while position + 6 <= end:
        first, length = data[position], data[position + 1] - _MASKED
        start = position + 6
        stop = start + length
        if not 0 <= length <= limit or stop > end or first not in kinds:
            break
        body = _unmasked(data, start, stop)
        if first == TEXT and not is_utf8(body):
            break
        if first < _PING:
            found.append(body)
        elif first == _PING:
            pings.append(body)
        position = stop
    return found, pings, position


def take_fragmented(data: bytes, position: int, longest: int) -> tuple[bytes, list[bytes], int] | None:
    """Take the fragmented message that begins at ``position``, if it is whole and has at most 16 frames, all short.

    Returns its payload, the payloads of the pings inside it, and the position behind it. None if there is no such message, it is longer
    than ``longest`` bytes, or it is invalid.
    """
    parts: list[bytes] = []
    pings: list[bytes] = []
    start, end, kinds = position, len(data), _BEGIN
    for _ in range(_MOST_FRAMES):
        if start + 6 > end:
            return None
        first, length = data[start], data[start + 1] - _MASKED
        stop = start + 6 + length
        if not 0 <= length < _SHORT or stop > end or first not in kinds:
            return None
        kinds = _GO_ON
        if first < _PING:
            parts.append(_unmasked(data, start + 6, stop))
        elif first == _PING:
            pings.append(_unmasked(data, start + 6, stop))
        start = stop
        if first == _LAST:
            body = b"".join(parts)
            wrong = len(body) > longest or (data[position] == _BEGIN_TEXT and not is_utf8(body))
            return None if wrong else (body, pings, stop)
    return None


def _unmasked(data: bytes, start: int, stop: int) -> bytes:
    length = stop - start
    mask = int.from_bytes((data[start - 4 : start] * 32)[:length], "little")
    return (int.from_bytes(data[start:stop], "little") ^ mask).to_bytes(length, "little")


def size_at(data: bytes, position: int) -> int | None:
    """How many bytes the frame at ``position`` has, with its header; None until that (14 bytes at most) is complete."""
    if len(data) < position + 2:
        return None
    masked, length = divmod(data[position + 1], _MASKED)
    extended = {126: 2, 127: 8}.get(length, 0)
    start = 2 + extended + 4 * masked
    if len(data) < position + start:
        return None
    return start + (int.from_bytes(data[position + 2 : position + 2 + extended], "big") if extended else length)


def is_awaited(data: bytes, position: int) -> bool:
    """Whether the incomplete frame at ``position``, whose header is complete, is short, and can be read at once when it is whole."""
    first, length = data[position], data[position + 1] - _MASKED
    if first not in _AWAITED or not 0 <= length < _SHORT:
        return False
    return first != TEXT or _may_become_utf8(data[position + 6 :], data[position + 2 : position + 6])


def _may_become_utf8(masked: bytes, mask: bytes) -> bool:
    try:
        codecs.utf_8_decode(bytes(byte ^ mask[index & 3] for index, byte in enumerate(masked)), "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def middle_fragment(payload: bytes) -> bytes:
    """A middle fragment as a client sends it, with a mask of zeros, which changes nothing."""
    head = bytearray(header(_MIDDLE, len(payload)))
    head[1] |= _MASKED
    return bytes(head) + bytes(4) + payload
