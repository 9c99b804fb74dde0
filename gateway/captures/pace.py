"""How fast a capture is played: its bytes in bursts, each with the time when it is due. Pure: chunks in, bursts out.

The times of a realtime replay are in the capture itself: a first column with the time of each line (ISO 8601, or seconds since the
epoch, as ``ts`` and most loggers write them), or the time of day in NMEA 0183 sentences (RMC, GGA, GNS, GLL, ZDA, GST, GBS).
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
"""Seconds worth of packets that may go out at once, at a rate of so many packets a second."""
LARGEST = 60_000
"""Bytes of a burst, and of a chunk read from a file."""
LONGEST_GAP = 60.0
"""Seconds between two lines of a capture that are waited for."""

_DAY = 86400.0
_COLUMN = re.compile(
    rb"(?:(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)|(?P<epoch>\d{9,10}(?:\.\d{1,9})?))[ \t]"
)
_SENTENCE = re.compile(
    rb"\$(?P<body>[A-Z]{2}(?:(?:RMC|GGA|GNS|ZDA|GST|GBS)|GLL,[^,*]*,[^,*]*,[^,*]*,[^,*]*),"
    rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d(?:\.\d{1,6})?)[^*\r\n]*)\*(?P<sum>[0-9A-Fa-f]{2})"
)

LineTime = Callable[[bytes], tuple[float | None, bytes]]
"""From a line as it stands in the capture: its time in seconds (None if it has none), and what the device sent."""


class Burst(NamedTuple):
    """Bytes that go out together, ``due`` seconds after the beginning."""

    due: float
    data: bytes


def column_time(line: bytes) -> tuple[float | None, bytes]:
    """The time in the line's first column, which the device did not send."""
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
    """The time of day in an NMEA sentence with a good checksum: a bad digit in a bad one could stop the replay for hours."""
    match = _SENTENCE.search(line)
    if match is None or reduce(xor, match["body"]) != int(match["sum"], 16):
        return None, line
    return int(match["hour"]) * 3600 + int(match["minute"]) * 60 + float(match["second"]), line


def line_time(head: bytes) -> LineTime | None:
    """Where the times of a capture are, judged by its beginning; None if it has none."""
    lines = head.splitlines()
    for find in (column_time, nmea_time):
        if any(find(line)[0] is not None for line in lines):
            return find
    return None


def at_once(chunks: Iterable[bytes]) -> Iterator[Burst]:
    """Everything as fast as it is taken."""
    return (Burst(0.0, chunk) for chunk in chunks)


def at_rate(chunks: Iterable[bytes], rate: float, framer: Framer, by_line: bool) -> Iterator[Burst]:
    """``rate`` packets a second, counted by a framer of the capture's framing; ``by_line`` when its packets are lines."""
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
    """Lines when their times say; a line without one goes with the line before, and time that runs backwards is no wait.

    Neither is a gap longer than `LONGEST_GAP`: a clock was set while the capture was made, or the device was off. ``leapt`` hears of it.
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
    """Lines with their ends; what has no end for a chunk's length is cut."""
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
    for chunk in chunks:
        for index in range(len(chunk)):
            yield chunk[index : index + 1]
