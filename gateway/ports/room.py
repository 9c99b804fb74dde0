"""Back-pressure for our own Twisted transports: a producer is paused while too much of what was written waits."""

from __future__ import annotations

from typing import Any

ROOM = 1 << 16
"""Bytes that may wait before the producer is paused."""


class Room:
    """Counts in ``pending`` the bytes that were written and still wait. Above `ROOM` it pauses the producer; at 0 it resumes it."""

    pending = 0
    _producer: Any = None
    _producer_paused = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None

    def filled(self, size: int) -> None:
        """Count ``size`` more bytes as waiting."""
        self.pending += size
        if self.pending > ROOM and self._producer is not None and not self._producer_paused:
            self._producer_paused = True
            self._producer.pauseProducing()

    def emptied(self) -> None:
        """Resume the producer: nothing waits any more."""
        if self._producer_paused and self._producer is not None:
            self._producer_paused = False
            self._producer.resumeProducing()
