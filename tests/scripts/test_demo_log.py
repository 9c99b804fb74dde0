from __future__ import annotations

import re
from functools import reduce
from operator import xor
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts import demo_log

_SENTENCE = re.compile(rb"\$([A-Z]{5},[ -~]*)\*([0-9A-F]{2})\r\n")


def is_valid(line: bytes) -> bool:
    match = _SENTENCE.fullmatch(line)
    return match is not None and reduce(xor, match[1]) == int(match[2], 16)


class DemoLogTests(SynchronousTestCase):
    def test_vector(self) -> None:
        """The checksum of a sentence is that of a line from a real receiver."""
        self.assertEqual(
            demo_log.sentence("GPGLL", "5057.970", "N", "00146.110", "E", "142451", "A"),
            b"$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n",
        )

    def test_bursts(self) -> None:
        """Every second has valid sentences only, at most 82 characters each, and one GGA and one RMC of the same time."""
        for second in range(0, demo_log.SECONDS, 7):
            lines = demo_log.burst(second).splitlines(keepends=True)
            self.assertEqual([line for line in lines if not is_valid(line) or len(line) > 82], [])
            times = [line.split(b",")[1] for line in lines if line.startswith((b"$GPGGA", b"$GPRMC"))]
            self.assertEqual(times, [b"%02d%02d%02d.00" % (9 + second // 3600, second // 60 % 60, second % 60)] * 2)

    def test_faults(self) -> None:
        """The hour has exactly the faults that are listed, and each spoils one line."""
        bad = {
            second: [line for line in re.split(rb"(?<=\n)", said) if line and not is_valid(line)]
            for second, said in enumerate(demo_log.capture())
        }
        self.assertEqual({second for second, lines in bad.items() if lines}, set(demo_log.FAULTS))
        self.assertEqual([len(lines) for lines in bad.values() if lines], [1] * len(demo_log.FAULTS))

    def test_track(self) -> None:
        """The track is closed, and the ferry never jumps: each second it has moved as far as its speed."""
        start, end = demo_log.position(0), demo_log.position(demo_log.SECONDS)
        self.assertAlmostEqual(start.latitude, end.latitude, 9)
        self.assertAlmostEqual(start.longitude, end.longitude, 9)
        for second in range(0, demo_log.SECONDS, 11):
            here, there = demo_log.position(second), demo_log.position(second + 1)
            north = (there.latitude - here.latitude) * 111_320
            east = (there.longitude - here.longitude) * 111_320 * 0.6743
            self.assertApproximates((north**2 + east**2) ** 0.5, here.speed, 0.05)

    def test_file(self) -> None:
        """The file holds the hour, and is whole or not there."""
        path = Path(self.mktemp()) / "deeper" / "nmea.log"
        demo_log.main(path)
        self.assertEqual(path.read_bytes(), b"".join(demo_log.capture()))
        self.assertEqual([entry.name for entry in path.parent.iterdir()], ["nmea.log"])
