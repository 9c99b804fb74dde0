"""Pings by one sweep."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.websocket.pulse import Pulse


class Peer:
    def __init__(self) -> None:
        self.heard, self.heard_at, self.pinged_at = True, 0.0, None
        self.excused = False
        self.pings: list[float] = []
        self.ended: list[float] = []

    def ping(self) -> None:
        self.pings.append(clock.seconds())

    def unanswered(self, timeout: float) -> None:
        self.ended.append(clock.seconds())


clock = Clock()


class PulseTests(SynchronousTestCase):
    def setUp(self) -> None:
        global clock
        clock = self.clock = Clock()
        self.peer = Peer()
        self.others: list[Peer] = []
        self.failed: list[Peer] = []

    def pulse(self, interval: float = 20.0, timeout: float = 20.0) -> Pulse[Peer]:
        pulse = Pulse[Peer](self.clock, interval, timeout, self.failed.append)
        for peer in (self.peer, *self.others):
            pulse.add(peer)
        return pulse

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def test_silent(self) -> None:
        """Whoever is silent is pinged after the interval and ended after the timeout, late by a sweep at most and never early."""
        self.pulse()
        self.pass_time(60)
        [pinged], ended = self.peer.pings, self.peer.ended[0]
        self.assertTrue(20 <= pinged <= 25 + 5, pinged)
        self.assertTrue(20 <= ended - pinged <= 25, ended)

    def test_answering(self) -> None:
        """Whoever answers is pinged about once an interval, and never ended: no storm of pings."""
        self.pulse(interval=0.5, timeout=20)
        for _ in range(120):
            self.clock.pump([0.05] * 10)
            if self.peer.pinged_at is not None:
                self.peer.heard = True
        self.assertEqual(self.peer.ended, [])
        self.assertTrue(30 <= len(self.peer.pings) <= 120, len(self.peer.pings))

    def test_talking(self) -> None:
        """Whoever talks is not pinged."""
        self.pulse()
        for _ in range(200):
            self.peer.heard = True
            self.pass_time(1)
        self.assertEqual(self.peer.pings, [])

    def test_excused(self) -> None:
        """Whoever cannot answer because of us is neither pinged nor ended, and has the full time again afterwards."""
        self.pulse()
        self.pass_time(24)
        self.peer.excused = True
        self.pass_time(100)
        self.assertEqual(self.peer.ended, [])
        self.peer.excused = False
        before = self.clock.seconds()
        self.pass_time(60)
        self.assertGreaterEqual(self.peer.ended[0] - before, 35)

    def test_one_that_fails(self) -> None:
        """Whoever cannot be looked at is handed over, and costs nobody else the pulse."""

        class Broken(Peer):
            def ping(self) -> None:
                raise ZeroDivisionError

        good, self.peer, self.others = self.peer, Broken(), [self.peer]
        self.pulse()
        self.pass_time(60)
        self.assertEqual((self.failed, len(good.pings), len(good.ended) > 0), ([self.peer], 1, True))

    def test_off(self) -> None:
        """An interval of 0 pings nobody and leaves no timer."""
        self.pulse(interval=0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_forget(self) -> None:
        """It leaves no timer behind when the last one has gone, and begins anew with the next."""
        pulse = self.pulse()
        pulse.forget(self.peer)
        pulse.forget(self.peer)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        pulse.add(self.peer)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
