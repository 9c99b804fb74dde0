"""Write the demo's capture file: one hour of a GPS receiver aboard a ferry, calculated, not recorded.

``python -m scripts.demo_log FILE``

NMEA 0183 (version 4.1) as a u-blox receiver sends it once a second: GGA, GSA, every fifth second GSV, RMC, VTG, each line with its
checksum and CR LF. The track is closed, so that the file can be repeated. As on every real line there are a few faults: see `FAULTS`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path
from typing import NamedTuple

START = datetime(2025, 6, 21, 9, 0, 0)
SECONDS = 3600

_CENTRE_LATITUDE, _CENTRE_LONGITUDE = 47.60, 9.40
_NORTH_METRES, _EAST_METRES = 2200.0, 6500.0
_METRES_PER_DEGREE = 111_320.0
_LAKE_ALTITUDE, _GEOID_SEPARATION = 395.4, "47.9"
_KNOTS_PER_METRE_A_SECOND = 1.943844

# Number, elevation and azimuth in degrees, and signal in dBHz, at the start; they drift during the hour.
_SATELLITES = [
    (2, 12, 305, 27), (5, 47, 98, 42), (7, 66, 281, 45), (9, 31, 231, 38), (13, 22, 51, 34), (14, 9, 152, 24),
    (16, 38, 188, 40), (20, 15, 17, 29), (21, 55, 64, 44), (27, 27, 262, 36), (30, 73, 139, 46),
]  # fmt: skip
_SATELLITES_IN_USE = [number for number, elevation, _, _ in _SATELLITES if elevation >= 15]

FAULTS: dict[int, tuple[str, Callable[[bytes], bytes]]] = {
    300: ("a wrong checksum", lambda burst: burst.replace(b",N,", b",S,", 1)),
    900: ("half a line, its end lost with its CR LF", lambda burst: burst[:31] + burst[burst.index(b"\n") + 1 :]),
    1500: ("noise between two lines", lambda burst: b"\x00\xff\xfe\x80\x13\xf8" + burst),
    2100: ("noise in the middle of a line", lambda burst: burst[:20] + b"\xff\xe0\x00" + burst[23:]),
    2700: ("a line that ends with LF alone", lambda burst: burst.replace(b"\r\n", b"\n", 1)),
}
"""What is wrong, by the second in which it happens."""


class Position(NamedTuple):
    """Latitude and longitude in degrees north and east, speed in metres a second, course in degrees from north."""

    latitude: float
    longitude: float
    speed: float
    course: float


def position(second: float) -> Position:
    """Where the ferry is: a figure of eight on Lake Constance, once an hour."""
    turn = 2 * math.pi * second / SECONDS
    rate = 2 * math.pi / SECONDS
    north, east = _NORTH_METRES * math.sin(2 * turn), _EAST_METRES * math.sin(turn)
    north_speed, east_speed = 2 * rate * _NORTH_METRES * math.cos(2 * turn), rate * _EAST_METRES * math.cos(turn)
    latitude = _CENTRE_LATITUDE + north / _METRES_PER_DEGREE
    longitude = _CENTRE_LONGITUDE + east / (_METRES_PER_DEGREE * math.cos(math.radians(_CENTRE_LATITUDE)))
    course = math.degrees(math.atan2(east_speed, north_speed)) % 360
    return Position(latitude, longitude, math.hypot(north_speed, east_speed), course)


def sentence(*fields: str) -> bytes:
    """One line: ``$``, the fields, ``*``, the XOR of all between them in hex, CR LF."""
    body = ",".join(fields).encode("ascii")
    return b"$%s*%02X\r\n" % (body, reduce(xor, body))


def _degrees(value: float, width: int, hemisphere: str) -> tuple[str, str]:
    whole, minutes = divmod(round(value * 60, 5), 60)
    return f"{int(whole):0{width}d}{minutes:08.5f}", hemisphere


def _satellites_in_view(second: int) -> Iterator[bytes]:
    drift = second / 240
    seen = [
        f"{number:02d},{min(90, round(elevation + math.sin(number + drift / 6) * 3)):02d},"
        f"{round(azimuth + drift) % 360:03d},{round(signal + math.sin(number * 3 + drift) * 2):02d}"
        for number, elevation, azimuth, signal in _SATELLITES
    ]
    parts = [seen[index : index + 4] for index in range(0, len(seen), 4)]
    for index, part in enumerate(parts, 1):
        yield sentence("GPGSV", str(len(parts)), str(index), f"{len(seen):02d}", *part)


def burst(second: int) -> bytes:
    """What the receiver sends in one second, without faults."""
    now = START + timedelta(seconds=second)
    time, date = now.strftime("%H%M%S.00"), now.strftime("%d%m%y")
    place = position(second)
    latitude, longitude = _degrees(place.latitude, 2, "N"), _degrees(place.longitude, 3, "E")
    knots, course = f"{place.speed * _KNOTS_PER_METRE_A_SECOND:.2f}", f"{place.course:.2f}"
    altitude = f"{_LAKE_ALTITUDE + 0.4 * math.sin(second / 7):.1f}"
    used = [f"{number:02d}" for number in _SATELLITES_IN_USE]
    in_use = used + [""] * (12 - len(used))
    return b"".join(
        [
            sentence("GPGGA", time, *latitude, *longitude, "1", f"{len(used):02d}", "0.95", altitude, "M", _GEOID_SEPARATION, "M", "", ""),
            sentence("GPGSA", "A", "3", *in_use, "1.78", "0.95", "1.51"),
            *(_satellites_in_view(second) if second % 5 == 0 else ()),
            sentence("GPRMC", time, "A", *latitude, *longitude, knots, course, date, "", "", "A"),
            sentence("GPVTG", course, "T", "", "M", knots, "N", f"{place.speed * 3.6:.2f}", "K", "A"),
        ]
    )


def capture() -> Iterator[bytes]:
    """The whole hour with its faults, second by second."""
    for second in range(SECONDS):
        sent = burst(second)
        if second in FAULTS:
            sent = FAULTS[second][1](sent)
        yield sent


def main(path: Path) -> None:
    """Write the capture; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.writelines(capture())
    unfinished.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
