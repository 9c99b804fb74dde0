"""Looking after paused sessions."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.watch import Watch


class Watched:
    def __init__(self, times: int) -> None:
        self.left = times
        self.seen: list[float] = []

    def check(self, now: float) -> bool:
        self.seen.append(now)
        self.left -= 1
        return self.left > 0


class Raising:
    def check(self, now: float) -> bool:
        raise ValueError("no")


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.errors: list[Exception] = []

    def test_one_raises(self) -> None:
        """One that raises is reported, and looked after no more; the others are."""
        clock = Clock()
        watch, good = Watch(clock, self.errors.append), Watched(3)
        watch.add(Raising())
        watch.add(good)
        clock.pump([1] * 5)
        self.assertEqual((good.seen, len(self.errors)), ([1, 2, 3], 1))

    def test_each_second(self) -> None:
        """Each is looked at once a second until it needs no more; then no timer runs."""
        clock = Clock()
        watch = Watch(clock, self.errors.append)
        one, two = Watched(1), Watched(3)
        watch.add(one)
        watch.add(two)
        clock.pump([1] * 5)
        self.assertEqual((one.seen, two.seen), ([1], [1, 2, 3]))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_forget(self) -> None:
        """A forgotten one is not looked at, and the last one takes the timer along."""
        clock = Clock()
        watch = Watch(clock, self.errors.append)
        one = Watched(9)
        watch.add(one)
        watch.forget(one)
        watch.forget(one)
        self.assertEqual(clock.getDelayedCalls(), [])
        watch.stop()
