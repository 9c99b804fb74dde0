"""What a Twisted transport of our own needs towards its producer: how much of what was written waits, and who is told."""

from __future__ import annotations

from typing import Any

ROOM = 1 << 16
"""Bytes that may wait before the producer is paused."""


class Room:
    """``pending`` counts what was written and has not gone; the producer is paused above `ROOM`, and resumed when nothing waits."""

    pending = 0
    _producer: Any = None
    _producer_paused = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def filled(self, size: int) -> None:
        """So much more waits."""
        self.pending += size
        if self.pending > ROOM and self._producer is not None and not self._producer_paused:
            self._producer_paused = True
            self._producer.pauseProducing()

    def emptied(self) -> None:
        """Nothing waits any more."""
        if self._producer_paused and self._producer is not None:
            self._producer_paused = False
            self._producer.resumeProducing()
