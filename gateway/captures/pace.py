"""How fast a capture is played: its chunks become bursts of bytes, each with the time when it is due.

A replay in real time takes the times from the capture: from a first column with the time of each line (ISO 8601, or seconds since the
epoch, as ``ts`` and most loggers write them), or from the time of day in NMEA 0183 sentences (RMC, GGA, GNS, GLL, ZDA, GST, GBS).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import reduce
from operator import xor
from typing import NamedTuple

from ..framing import Framer

BURST = 0.01
"""The longest time, in seconds, whose packets are sent together when a rate is given."""
LARGEST = 60_000
"""The most bytes in a burst, and in a chunk read from a file."""
LONGEST_GAP = 60.0
"""The longest time between two lines, in seconds, that is waited for."""

_DAY = 86400.0
_COLUMN = re.compile(
    rb"(?:(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)|(?P<epoch>\d{9,10}(?:\.\d{1,9})?))[ \t]"
)
_SENTENCE = re.compile(
    rb"\$(?P<body>[A-Z]{2}(?:(?:RMC|GGA|GNS|ZDA|GST|GBS)|GLL,[^,*]*,[^,*]*,[^,*]*,[^,*]*),"
    rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d(?:\.\d{1,6})?)[^*\r\n]*)\*(?P<sum>[0-9A-Fa-f]{2})"
)

LineTime = Callable[[bytes], tuple[float | None, bytes]]
"""From a line of the capture to its time in seconds, or None, and the bytes that the device sent."""


class Burst(NamedTuple):
    """Bytes that are sent together, ``due`` seconds after the beginning."""

    due: float
    data: bytes


def column_time(line: bytes) -> tuple[float | None, bytes]:
    """The time in the first column of the line, and the line without that column, which the device did not send."""
    match = _COLUMN.match(line)
    if match is None:
        return None, line
    rest = line[match.end() :]
    if match["epoch"]:
        return float(match["epoch"]), rest
    try:
        return datetime.fromisoformat(match["iso"].decode()).timestamp(), rest
    except ValueError:
        return None, line


def nmea_time(line: bytes) -> tuple[float | None, bytes]:
    """The time of day in an NMEA sentence, if its checksum is right: a wrong digit could stop the replay for hours."""
    match = _SENTENCE.search(line)
    if match is None or reduce(xor, match["body"]) != int(match["sum"], 16):
        return None, line
    return int(match["hour"]) * 3600 + int(match["minute"]) * 60 + float(match["second"]), line


def line_time(head: bytes) -> LineTime | None:
    """How the times of a capture are read, judged by its beginning; None if it has none."""
    lines = head.splitlines()
    for find in (column_time, nmea_time):
        if any(find(line)[0] is not None for line in lines):
            return find
    return None


def at_once(chunks: Iterable[bytes]) -> Iterator[Burst]:
    """All chunks, due at once."""
    return (Burst(0.0, chunk) for chunk in chunks)


def at_rate(chunks: Iterable[bytes], rate: float, framer: Framer, by_line: bool) -> Iterator[Burst]:
    """``rate`` packets a second, counted by ``framer``, which has the capture's framing. ``by_line``: its packets are lines."""
    burst = max(1, int(rate * BURST))
    pieces: list[bytes] = []
    size = sent = count = 0
    for piece in lines(chunks) if by_line else single_bytes(chunks):
        pieces.append(piece)
        size += len(piece)
        count += framer.feed(piece, 0.0).count
        if count >= burst or size >= LARGEST:
            yield Burst(sent / rate, b"".join(pieces))
            sent += count
            size = count = 0
            pieces.clear()
    if pieces:
        yield Burst(sent / rate, b"".join(pieces))


def in_real_time(chunks: Iterable[bytes], find: LineTime, leapt: Callable[[float], None] = lambda gap: None) -> Iterator[Burst]:
    """Lines at the times that they have; a line without a time is sent with the one before it.

    There is no wait where the time runs backwards, nor for a gap longer than `LONGEST_GAP`: then the clock was set while the capture was
    made, or the device was off. ``leapt`` is called with the seconds of such a gap.
    """
    pieces: list[bytes] = []
    size, due = 0, 0.0
    last: float | None = None
    for line in lines(chunks):
        time, sent = find(line)
        if time is not None:
            gap = 0.0 if last is None else time - last
            if find is nmea_time:
                gap %= _DAY  # past midnight
                gap = gap if gap < _DAY / 2 else 0.0
            if gap > LONGEST_GAP:
                leapt(gap)
                gap = 0.0
            last = time
            if gap > 0 and pieces:
                yield Burst(due, b"".join(pieces))
                pieces.clear()
                size = 0
            due += max(0.0, gap)
        pieces.append(sent)
        size += len(sent)
        if size >= LARGEST:
            yield Burst(due, b"".join(pieces))
            pieces.clear()
            size = 0
    if pieces:
        yield Burst(due, b"".join(pieces))


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends. `LARGEST` bytes or more without an end are cut where their chunk ends."""
    rest = b""
    for chunk in chunks:
        found = (rest + chunk).split(b"\n")
        rest = found.pop()
        for line in found:
            yield line + b"\n"
        if len(rest) >= LARGEST:
            yield rest
            rest = b""
    if rest:
        yield rest


def single_bytes(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each byte of the chunks."""
    for chunk in chunks:
        for index in range(len(chunk)):
            yield chunk[index : index + 1]
