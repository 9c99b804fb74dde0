"""Sequence numbers: gap-free from 1 for each topic of one run."""

from __future__ import annotations


class Numbering:
    """``run`` names one life of a source; a reader that sees another one starts counting anew."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._next: dict[str, int] = {}

    def take(self, topic: str, count: int) -> int:
        """The first of the next ``count`` numbers of a topic."""
        first = self._next.get(topic, 1)
        self._next[topic] = first + count
        return first
