"""Captures as devices: options, pace, the end, what is not there yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.config.plan import LinkPlan
from gateway.links.link import Link
from gateway.packet import Batch
from gateway.transports import replay
from gateway.transports.replay import Options, Pace, warnings
from tests import samples
from tests.building import gone, join, make_link, make_runtime
from tests.captures.test_pace import sentence

LINES = registry.load("framing", "lines").Options()
RAW = registry.load("codec", "raw").Options()


class OptionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def refused(self, **options: Any) -> str:
        return str(self.assertRaises(ValidationError, Options, file=str(self.file), **options))

    def test_rate(self) -> None:
        """A rate is a number of packets a second, or one of two words."""
        self.assertEqual(Options(file="x", rate="0.5/s", framing=LINES).rate, Pace("", 0.5))
        for rate in ("10/s", "asap", "realtime"):
            self.assertEqual(str(Options(file="x", rate=rate, framing=LINES).rate), rate)
        self.assertIn("'fast' is not a rate (write 10/s, realtime or asap)", self.refused(rate="fast"))
        self.assertIn("is not a rate", self.refused(rate="0/s", framing=LINES))

    def test_rate_without_packets(self) -> None:
        """So many packets a second need a framing that finds packets in a file."""
        silence = registry.load("framing", "silence")
        for framing in (None, registry.load("framing", "raw").Options(), silence.Options(interval=0.05)):
            self.assertIn("say where they end", self.refused(rate="10/s", framing=framing))

    def test_realtime_without_times(self) -> None:
        """A capture without times cannot be played in real time: that is said at once, with what can be done."""
        self.file.write_bytes(b"12.5 kg\r\n" * 10)
        self.assertIn("rate = realtime needs times in the capture", self.refused())
        Options(file=str(self.file), rate="asap")
        self.file.write_bytes(sentence("GPRMC,120000,A"))
        Options(file=str(self.file))

    def test_not_there_yet(self) -> None:
        """A capture may come later: a warning, not an error; a directory never becomes one, and is told as what it is."""
        self.assertIn("cannot be read: No such file or directory; it is tried again", warnings(Options(file=str(self.file)))[0])
        self.file.mkdir()
        self.assertIn("is not a regular file", warnings(Options(file=str(self.file)))[0])
        self.file.rmdir()
        self.file.write_bytes(b"")
        self.assertEqual(warnings(Options(file=str(self.file), rate="asap")), [])


class ReplayTests(SynchronousTestCase):
    def setUp(self) -> None:
        before = os.listdir("/proc/self/fd")
        self.addCleanup(lambda: self.assertEqual(len(os.listdir("/proc/self/fd")), len(before)))
        self.file = Path(self.mktemp())
        self.clock = Clock()
        self.runtime = make_runtime(self.clock)
        self.heard: list[bytes] = []
        self.runtime.bus.subscribe(("log",), self.hear, "test")
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.runtime.stop)

    def hear(self, batch: Batch) -> None:
        self.heard += batch.payloads

    def link(self, data: bytes | None = None, hears: tuple[str, ...] = (), framing: Any = LINES, **options: Any) -> Link:
        if data is not None:
            self.file.write_bytes(data)
        chosen = Options(codec=RAW, file=str(self.file), framing=framing, **options)
        link = replay.make_link(LinkPlan("log", "replay", chosen, framing, framing is not LINES), self.runtime)
        link.rewire(hears)
        self.addCleanup(self.stop, link)
        link.start()
        return link

    def stop(self, link: Link) -> None:
        stopped = link.stop()
        self.clock.advance(0)
        self.successResultOf(stopped)

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]

    def test_every_packet(self) -> None:
        """A whole capture comes out, every packet once and in order, and its end is said once."""
        data = samples.nmea("signalk/gps-head64k.log")
        link = self.link(data, rate="asap")
        self.clock.advance(0)
        self.assertEqual(b"\n".join(self.heard).replace(b"\r", b""), data.replace(b"\r", b"").removesuffix(b"\n"))
        self.clock.advance(100)
        self.assertEqual((len(link.sessions), self.said().count("played to its end")), (0, 1))

    def test_raw(self) -> None:
        """Without framing it is played byte for byte."""
        data = bytes(range(256)) * 1000
        self.link(data, framing=registry.load("framing", "raw").Options(), rate="asap")
        self.clock.advance(0)
        self.assertEqual(b"".join(self.heard), data)

    def test_rate(self) -> None:
        """At 10 packets a second a packet comes each tenth of a second."""
        self.link(b"a\nb\nc\n", rate="10/s")
        self.clock.pump([0, 0.09])
        self.assertEqual(self.heard, [b"a"])
        self.clock.pump([0.01, 0.1])
        self.assertEqual(self.heard, [b"a", b"b", b"c"])

    def test_realtime(self) -> None:
        """By default it is played by the times in its sentences."""
        self.link(sentence("GPRMC,120000,A") + sentence("GPRMC,120003,A"))
        self.clock.pump([0, 2.9])
        self.assertEqual(len(self.heard), 1)
        self.clock.advance(0.2)
        self.assertEqual(len(self.heard), 2)

    def test_repeat(self) -> None:
        """With `repeat` it begins anew for ever, in the same session."""
        link = self.link(b"a\nb", rate="1/s", repeat="yes")
        self.clock.pump([0] + [1] * 4)
        self.assertEqual((self.heard[:5], link.counters["connected"]), ([b"a", b"b", b"a", b"b", b"a"], 1))
        self.assertNotIn("played to its end", self.said())

    def test_repeat_of_nothing(self) -> None:
        """An empty capture is at its end, also with `repeat`."""
        link = self.link(b"", rate="asap", repeat="yes")
        self.clock.advance(0)
        self.assertEqual(len(link.sessions), 0)
        self.assertIn(f"[log] {self.file}: it is empty; nothing will come from it", self.said())
        self.assertNotIn("played to its end", self.said())

    def test_leap(self) -> None:
        """A capture whose clock was set goes on at once, and that is told with the gap."""
        self.link(b"1970-01-01T00:00:05Z a\n1970-01-01T01:00:05Z b\n1970-01-01T01:00:06Z c\n")
        self.clock.pump([0, 1])
        self.assertEqual(self.heard, [b"a", b"b", b"c"])
        self.assertEqual(self.said().count("the times in the capture leap by 3600 s: played on at once"), 1)

    def test_comes_later(self) -> None:
        """A file that is not there is waited for, as a device is."""
        self.link(rate="asap")
        self.assertIn("cannot be read: No such file or directory; it is tried again", self.said())
        self.file.write_bytes(b"a\n")
        self.clock.pump([1, 1])
        self.assertEqual(self.heard, [b"a"])

    def test_comes_later_without_times(self) -> None:
        """A file that came later is held to the same rule, and tried again: it may be replaced."""
        link = self.link()
        self.file.write_bytes(b"12.5 kg\n")
        self.clock.advance(1)
        self.assertEqual((self.heard, len(link.sessions)), ([], 0))

    def test_back_pressure(self) -> None:
        """A blocked reader stops the file, and nothing is lost."""
        link = self.link(b"x" * 59_999 + b"\n" + b"y\n" * 60_000, rate="asap")
        (session,) = link.sessions
        session.pause("reader")
        self.clock.advance(1)
        self.assertEqual(self.heard, [])
        session.resume("reader")
        self.clock.advance(0)
        self.assertEqual(len(self.heard), 60_001)

    def test_while_used(self) -> None:
        """With `open = while-used` it begins when the first reader is there, and waits while there is none."""
        self.link(b"a\nb\nc\n", rate="1/s", open="while-used")
        self.clock.advance(10)
        self.assertEqual(self.heard, [])
        lan = make_link(self.runtime, "lan", hears=("log",))
        reader, wire = join(lan)
        self.clock.pump([0, 1])
        self.assertEqual(wire.value(), b"a\nb\n")
        reader.lost(gone("gone"))
        self.clock.advance(10)
        self.assertEqual(self.heard, [b"a", b"b"])
        _, wire = join(lan)
        self.clock.pump([0, 1])
        self.assertEqual(wire.value(), b"c\n")

    def test_comes_while_unused(self) -> None:
        """A file that comes while nobody uses it waits from its first byte on."""
        self.link(rate="asap", open="while-used")
        self.file.write_bytes(b"a\n")
        self.clock.pump([1] * 10)
        self.assertEqual(self.heard, [])
        join(make_link(self.runtime, "lan", hears=("log",)))
        self.clock.advance(0)
        self.assertEqual(self.heard, [b"a"])

    def test_written_to(self) -> None:
        """What clients write to it is discarded, and told once."""
        link = self.link(b"a\nb\n", hears=("lan",), rate="1/s")
        lan = make_link(self.runtime, "lan")
        client, _ = join(lan)
        for _ in range(3):
            client.received(b"VER?\n")
        self.assertEqual((self.said().count("a capture takes nothing"), link.counters["writes_discarded"]), (1, 1))

    def test_stop(self) -> None:
        """It can be stopped at any moment."""
        link = self.link(b"a\n" * 1000, rate="1/s")
        self.clock.advance(3)
        self.stop(link)
        self.assertEqual(len(link.sessions), 0)
