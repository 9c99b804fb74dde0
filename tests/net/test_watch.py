"""One timer for many."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.net.watch import AT_ONCE, Watch

from ..building import TurnClock


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
        self.clock = TurnClock()
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

    def test_many(self) -> None:
        """Of many some are looked at in each turn, all of them in one sweep, and again an interval after the first."""
        many = [Watched(9) for _ in range(2 * AT_ONCE + 1)]
        for one in many:
            self.watch.add(one)
        looks = []
        for seconds in (1, 0, 0, 0.5, 0.5):
            self.clock.advance(seconds)
            looks.append(sum(len(one.seen) for one in many))
        self.assertEqual(looks, [AT_ONCE, 2 * AT_ONCE, len(many), len(many), len(many) + AT_ONCE])

    def test_many_leave(self) -> None:
        """Those that leave between two turns are looked at no more, and the last one takes the timer along."""
        many = [Watched(9) for _ in range(AT_ONCE + 2)]
        for one in many:
            self.watch.add(one)
        self.clock.advance(1)
        self.watch.forget(many[-1])
        self.clock.advance(0)
        self.assertEqual([len(one.seen) for one in many[-2:]], [1, 0])
        for one in many:
            self.watch.forget(one)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_added_while_others_wait(self) -> None:
        """One that comes while some of many have still to be looked at keeps nobody waiting."""
        many: list[Watched] = []

        class First(Watched):
            def check(inner, now: float) -> bool:  # noqa: N805
                self.watch.add(Watched(9))
                return True

        self.watch.add(First(9))
        for _ in range(AT_ONCE):
            many.append(Watched(9))
            self.watch.add(many[-1])
        self.clock.advance(1)
        self.clock.advance(0)
        self.assertEqual([len(one.seen) for one in many], [1] * AT_ONCE)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
