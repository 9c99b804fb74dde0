"""Randomness comes from one place."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from gateway.net.chance import SYSTEM, token


class ChanceTests(SynchronousTestCase):
    def test_token(self) -> None:
        """A token is eight hex digits, always; the same chance gives the same."""
        self.assertEqual(token(Random(7)), token(Random(7)))
        chance = Random(7)
        tokens = {token(chance) for _ in range(1000)}
        self.assertEqual(len(tokens), 1000)
        for each in tokens:
            self.assertRegex(each, r"^[0-9a-f]{8}$")

    def test_system(self) -> None:
        """The system's own cannot be seeded."""
        self.assertNotEqual([token(SYSTEM) for _ in range(4)], [token(SYSTEM) for _ in range(4)])
