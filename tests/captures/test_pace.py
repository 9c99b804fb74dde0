"""When each byte of a capture is due."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.captures.pace import LARGEST, Burst, at_once, at_rate, column_time, in_real_time, line_time, lines, nmea_time


def sentence(body: str) -> bytes:
    check = 0
    for char in body.encode():
        check ^= char
    return f"${body}*{check:02X}\r\n".encode()


class TimeTests(SynchronousTestCase):
    def test_column(self) -> None:
        """A first column with the time is read, and is not part of what the device sent."""
        self.assertEqual(column_time(b"1970-01-01T00:01:00.5Z $GPGLL\r\n"), (60.5, b"$GPGLL\r\n"))
        self.assertEqual(column_time(b"1970-01-01T01:01:00+01:00\tx"), (60.0, b"x"))
        self.assertEqual(column_time(b"1700000000.25 x\n"), (1700000000.25, b"x\n"))

    def test_no_column(self) -> None:
        """A number that is data stays data."""
        for line in (b"12.5 kg\n", b"170000000000 x", b"2024-13-45T00:00:00Z x", b"1700000000\n", b""):
            self.assertEqual(column_time(line), (None, line))

    def test_nmea(self) -> None:
        """The time of day is found in each sentence that has one, of any talker."""
        for body in (
            "GPRMC,085411.5,A,5222.3215,N",
            "GNGGA,085411.500,5222.3215,N",
            "GPGLL,5222.3215,N,00454.5778,E,085411.5,A",
            "GPZDA,085411.50,03,04,2014,00,00",
        ):
            self.assertEqual(nmea_time(sentence(body))[0], 8 * 3600 + 54 * 60 + 11.5)

    def test_nmea_without(self) -> None:
        """A sentence with a wrong checksum, whose time may be wrong too, or without a time has none."""
        good = sentence("GPRMC,085411,A")
        for line in (good.replace(b"08", b"18"), sentence("GPGSA,A,3,16"), sentence("GPRMC,,V"), sentence("GPRMC,995411,A"), b"\xff\x00"):
            self.assertEqual(nmea_time(line), (None, line))

    def test_found(self) -> None:
        """The beginning of a capture shows how its times are read; a capture may have none."""
        self.assertIs(line_time(b"# note\n1700000000 " + sentence("GPRMC,085411,A")), column_time)
        self.assertIs(line_time(b"noise\xff\n" + sentence("GPRMC,085411,A")), nmea_time)
        self.assertIsNone(line_time(b"12.5 kg\n12.6 kg\n"))
        self.assertIsNone(line_time(b""))

    @given(st.binary(max_size=200))
    @settings(derandomize=True, max_examples=200)
    def test_any_bytes(self, data: bytes) -> None:
        """No bytes raise anything."""
        line_time(data)
        list(in_real_time([data], column_time))
        list(in_real_time([data], nmea_time))


class RealTimeTests(SynchronousTestCase):
    def test_groups(self) -> None:
        """Lines of one time are one burst, due at that time."""
        first, second = sentence("GPRMC,235959,A") + sentence("GPGSA,A"), sentence("GPRMC,000001,A")
        bursts = list(in_real_time([first[:10], first[10:] + second], nmea_time))
        self.assertEqual(bursts, [Burst(0.0, first), Burst(2.0, second)])

    def test_backwards(self) -> None:
        """Where the time runs backwards there is no wait, and the replay goes on from there."""
        log = [sentence(f"GPRMC,{time},A") for time in ("120000", "115959", "120001")]
        self.assertEqual([burst.due for burst in in_real_time(log, nmea_time)], [0.0, 2.0])
        column = [b"1700000009 a\n", b"1700000000 b\n", b"1700000001 c\n"]
        self.assertEqual(list(in_real_time(column, column_time)), [Burst(0.0, b"a\nb\n"), Burst(1.0, b"c\n")])

    def test_gap(self) -> None:
        """A long gap, as when the clock was set from 1970 to the present, is reported and not waited for; a minute is waited for."""
        gaps: list[float] = []
        log = [b"1970-01-01T00:00:05Z a\n2026-01-01T00:00:00Z b\n", b"2026-01-01T00:01:00Z c\n1970-01-01T00:00:07Z d\n"]
        log.append(b"1970-01-01T00:00:08Z e\n")
        bursts = list(in_real_time(log, column_time, gaps.append))
        self.assertEqual(bursts, [Burst(0.0, b"a\nb\n"), Burst(60.0, b"c\nd\n"), Burst(61.0, b"e\n")])
        self.assertEqual([gap // (365 * 86400) for gap in gaps], [56])
        gaps.clear()
        sentences = [sentence("GPRMC,120000,A"), sentence("GPRMC,130000,A")]
        self.assertEqual(list(in_real_time(sentences, nmea_time, gaps.append)), [Burst(0.0, b"".join(sentences))])
        self.assertEqual(gaps, [3600.0])


class RateTests(SynchronousTestCase):
    def play(self, framing: str, data: bytes, rate: float, **options: object) -> list[Burst]:
        module = registry.load("framing", framing)
        return list(at_rate([data], rate, module.Framer(module.Options(**options)), framing == "lines"))

    def test_one_by_one(self) -> None:
        """At a low rate each packet is a burst of its own, at its time."""
        self.assertEqual(self.play("lines", b"a\r\nb\r\nc", 2), [Burst(0.0, b"a\r\n"), Burst(0.5, b"b\r\n"), Burst(1.0, b"c")])

    def test_bursts(self) -> None:
        """At a high rate a burst has the packets of at most 10 ms."""
        bursts = self.play("lines", b"x\n" * 1000, 2000)
        self.assertEqual({len(burst.data) for burst in bursts}, {40})
        self.assertEqual([burst.due for burst in bursts[:3]], [0.0, 0.01, 0.02])

    def test_any_framing(self) -> None:
        """Packets of every framing are counted, not only lines."""
        self.assertEqual(self.play("fixed", b"abcdef", 1, size=3), [Burst(0.0, b"abc"), Burst(1.0, b"def")])
        self.assertEqual(self.play("enclosed", b"\x02a\x03??\x02b\x03", 1), [Burst(0.0, b"\x02a\x03"), Burst(1.0, b"??\x02b\x03")])

    def test_noise(self) -> None:
        """A capture in which no packet ends is played in bursts of bounded size."""
        module = registry.load("framing", "lines")
        chunks = [b"\xff" * LARGEST] * 4
        bursts = list(at_rate(chunks, 1.0, module.Framer(module.Options()), True))
        self.assertEqual([len(burst.data) for burst in bursts], [LARGEST] * 4)


class ChunkTests(SynchronousTestCase):
    @given(st.lists(st.binary(max_size=20)))
    @settings(derandomize=True, max_examples=100)
    def test_nothing_lost(self, chunks: list[bytes]) -> None:
        """The lines are the chunks, cut behind each line end."""
        found = list(lines(chunks))
        self.assertEqual(b"".join(found), b"".join(chunks))
        self.assertTrue(all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in found[:-1]))

    def test_lazy(self) -> None:
        """No chunk is read before it is needed: a capture may be larger than memory."""
        read = []

        def chunks() -> Iterator[bytes]:
            for number in range(1_000_000):
                read.append(number)
                yield b"x\n" * 100

        next(at_once(chunks()))
        next(lines(chunks()))
        self.assertEqual(len(read), 2)
