"""A little in each turn."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from gateway.net.turns import SPAN, Turns

from ..building import TurnClock


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = TurnClock()
        self.turns = Turns(self.clock)
        self.called: list[str] = []

    def taking(self, name: str, seconds: float) -> Callable[[], None]:
        """Something that takes so long."""

        def call() -> None:
            self.called.append(name)
            self.clock.rightNow += seconds

        return call

    def test_alone(self) -> None:
        """What is asked for alone, or when the last is long over, is called at once, and leaves no timer."""
        self.turns.call(self.taking("a", 0.5))
        self.clock.advance(0.5)
        self.turns.call(self.taking("b", 0.5))
        self.assertEqual((self.called, self.clock.getDelayedCalls()), (["a", "b"], []))

    def test_many(self) -> None:
        """Of many that are asked for at once the first is called at once, and then as many in each turn as its time allows, in order."""
        names = "abcdefgh"
        for name in names:
            self.turns.call(self.taking(name, SPAN * 0.4))
        counts = [len(self.called)]
        while self.clock.getDelayedCalls():
            self.clock.advance(0)
            counts.append(len(self.called))
        self.assertEqual((counts, "".join(self.called)), ([1, 4, 7, 8], names))

    def test_one_asks_for_more(self) -> None:
        """What one asks for while it is called comes after all that wait."""

        def asks() -> None:
            self.turns.call(self.taking("more", 0))
            self.called.append("asks")

        self.turns.call(self.taking("a", SPAN))
        self.turns.call(asks)
        self.turns.call(self.taking("b", 0))
        self.clock.advance(0)
        self.assertEqual(self.called, ["a", "asks", "b", "more"])

    def test_one_raises(self) -> None:
        """One that raises keeps none of the others from its turn."""
        self.turns.call(self.taking("a", SPAN))
        self.turns.call(lambda: [][0])
        self.turns.call(self.taking("b", 0))
        self.assertRaises(IndexError, self.clock.advance, 0)
        self.clock.advance(0)
        self.assertEqual(self.called, ["a", "b"])
