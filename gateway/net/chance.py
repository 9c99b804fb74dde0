"""Randomness. Nothing else makes any: whoever needs some is handed a `Chance`."""

from __future__ import annotations

import random

Chance = random.Random

SYSTEM: Chance = random.SystemRandom()
"""The system's own, which nobody can foresee."""


def token(chance: Chance) -> str:
    """Eight hex digits, to tell one run of a source from another."""
    return f"{chance.getrandbits(32):08x}"
