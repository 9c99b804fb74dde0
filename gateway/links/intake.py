"""The way in of one stream: a framer, and the timer that it may need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..framing import Framer
from ..packet import Frames

Take = Callable[[Frames, int], None]
"""Takes what was found, and when its last byte was read: ns since the epoch."""


class Intake:
    """Gives ``take`` what the framer finds: at each read, when a silence means something, and at the end.

    ``clock`` is for timers, ``wall()`` for the time that packets are stamped with. ``failed`` is called where an exception was caught, of
    the framer or of ``take``: nothing is raised from here.
    """

    __slots__ = ("_clock", "_failed", "_framer", "_read", "_take", "_timer", "_wall")

    def __init__(self, framer: Framer, clock: Any, wall: Callable[[], int], take: Take, failed: Callable[[], None]) -> None:
        self._framer = framer
        self._clock = clock
        self._wall = wall
        self._take = take
        self._failed = failed
        self._timer: Any = None
        self._read = 0

    def feed(self, data: bytes) -> None:
        """Bytes as they were read."""
        framer, now = self._framer, self._clock.seconds()
        try:
            if framer.deadline is not None and framer.deadline <= now:
                # The timer is late: what ended before these bytes came has the time of the bytes before.
                self._take(framer.expire(now), self._read)
            self._read = read = self._wall()
            self._take(framer.feed(data, now), read)
        except Exception:  # a fault of ours: whoever has this intake decides what it costs
            self._failed()
        if framer.deadline is not None:
            self._expect(framer.deadline)

    def finish(self, clean: bool) -> None:
        """The end of the stream; with ``clean`` what is left is a packet. No timer runs afterwards."""
        self.stop()
        try:
            self._take(self._framer.finish(clean), self._read)
        except Exception:  # the end of a stream comes to its end all the same
            self._failed()

    def stop(self) -> None:
        """Forget everything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expect(self, deadline: float) -> None:
        # A deadline that has moved on since is looked at when the timer fires: one timer a silence, not one a read.
        if self._timer is None:
            self._timer = self._clock.callLater(max(0.0, deadline - self._clock.seconds()), self._expired)

    def _expired(self) -> None:
        self._timer = None
        framer, now = self._framer, self._clock.seconds()
        if framer.deadline is not None and framer.deadline <= now:
            try:
                self._take(framer.expire(now), self._read)
            except Exception:  # as at a read
                self._failed()
                return
        if framer.deadline is not None:
            self._expect(framer.deadline)
