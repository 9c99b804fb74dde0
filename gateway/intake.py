"""The way in of one stream: a framer, and the timer that it may need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .framing import Framer
from .packet import Frames


class Intake:
    """Gives ``take`` what the framer finds: at each read, when a silence means something, and at the end.

    ``failed`` is called where an exception was caught, of the framer or of ``take``: nothing is raised from here.
    """

    __slots__ = ("_clock", "_failed", "_framer", "_take", "_timer")

    def __init__(self, framer: Framer, clock: Any, take: Callable[[Frames], None], failed: Callable[[], None]) -> None:
        self._framer = framer
        self._clock = clock
        self._take = take
        self._failed = failed
        self._timer: Any = None

    def feed(self, data: bytes) -> None:
        """Bytes as they were read."""
        try:
            self._take(self._framer.feed(data, self._clock.seconds()))
        except Exception:  # a fault of ours: whoever has this intake decides what it costs
            self._failed()
        if self._framer.deadline is not None:
            self._expect(self._framer.deadline)

    def finish(self, clean: bool) -> None:
        """The end of the stream; with ``clean`` what is left is a packet. No timer runs afterwards."""
        self.stop()
        try:
            self._take(self._framer.finish(clean))
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
                self._take(framer.expire(now))
            except Exception:  # as at a read
                self._failed()
                return
        if framer.deadline is not None:
            self._expect(framer.deadline)
