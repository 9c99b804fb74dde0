"""One timer for many."""

from __future__ import annotations

from typing import Any

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
        self.clock = Clock()
        self.failed: list[Any] = []
        self.watch: Watch[Any] = Watch(self.clock, 1.0, lambda thing, now: thing.check(now), self.failed.append)

    def test_one_raises(self) -> None:
        """One that raises is handed over, and looked at no more; the others are."""
        bad, good = Raising(), Watched(3)
        self.watch.add(bad)
        self.watch.add(good)
        self.clock.pump([1] * 5)
        self.assertEqual((good.seen, self.failed), ([1, 2, 3], [bad]))

    def test_each_second(self) -> None:
        """Each is looked at once a second until it needs no more; then no timer runs."""
        one, two = Watched(1), Watched(3)
        self.watch.add(one)
        self.watch.add(two)
        self.clock.pump([1] * 5)
        self.assertEqual((one.seen, two.seen), ([1], [1, 2, 3]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_forget(self) -> None:
        """A forgotten one is not looked at, and the last one takes the timer along."""
        one = Watched(9)
        self.watch.add(one)
        self.watch.forget(one)
        self.watch.forget(one)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.watch.stop()

    def test_ended_by_another(self) -> None:
        """One that is forgotten within a look at another is not looked at in that sweep any more."""
        last = Watched(9)

        class First(Watched):
            def check(inner, now: float) -> bool:  # noqa: N805
                self.watch.forget(last)
                return False

        self.watch.add(First(1))
        self.watch.add(last)
        self.clock.advance(1)
        self.assertEqual((last.seen, self.clock.getDelayedCalls()), ([], []))

    def test_added_within_a_look(self) -> None:
        """One that comes within a look is looked at in the next sweep, and there is one timer."""
        late = Watched(1)

        class First(Watched):
            def check(inner, now: float) -> bool:  # noqa: N805
                self.watch.add(late)
                return False

        self.watch.add(First(1))
        self.clock.advance(1)
        self.assertEqual((late.seen, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(1)
        self.assertEqual((late.seen, self.clock.getDelayedCalls()), ([2], []))
