"""Sequence numbers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.numbering import Numbering


class NumberingTests(SynchronousTestCase):
    def test_gap_free(self) -> None:
        """Each topic counts from 1, without gaps, for itself."""
        numbers = Numbering("run")
        self.assertEqual([numbers.take("a", 3), numbers.take("b", 1), numbers.take("a", 2), numbers.take("a", 1)], [1, 1, 4, 6])
        self.assertEqual(numbers.run, "run")
