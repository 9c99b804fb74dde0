"""The way in of one session: its wire, and the timer that it may need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..wires import Event, Wire

Take = Callable[[Event, int], None]
"""Takes an event, and when the last byte of it was read: ns since the epoch."""


class Intake:
    """Gives ``take`` what the wire finds: at each read, when a silence means something, and at the end.

    ``clock`` is for timers, ``wall()`` for the time that packets are stamped with. ``failed`` is called where an exception was caught, of
    the wire or of ``take``: nothing is raised from here.
    """

    __slots__ = ("_clock", "_failed", "_over", "_read", "_take", "_timer", "_wall", "_wire")

    def __init__(self, wire: Wire, clock: Any, wall: Callable[[], int], take: Take, failed: Callable[[], None]) -> None:
        self._wire = wire
        self._clock = clock
        self._wall = wall
        self._take = take
        self._failed = failed
        self._timer: Any = None
        self._read = 0
        self._over = False

    def feed(self, data: Any) -> None:
        """Bytes as they were read, or the bodies of messages."""
        wire, now = self._wire, self._clock.seconds()
        try:
            deadline = wire.deadline
            if deadline is not None and deadline <= now:
                # The timer is late: what ended before these bytes came has the time of the bytes before.
                self._give(wire.expire(now))
                if self._over:
                    return
            self._read = self._wall()
            self._give(wire.feed(data, now))
        except Exception:  # a fault of ours: whoever has this intake decides what it costs
            self._failed()
        self._expect()

    def finish(self, clean: bool) -> None:
        """The end of the stream; with ``clean`` what is left is a packet. No timer runs afterwards."""
        self._over = True
        self.stop()
        try:
            self._give(self._wire.finish(clean))
        except Exception:  # the end of a stream comes to its end all the same
            self._failed()

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give(self, events: Sequence[Event]) -> None:
        for event in events:
            self._take(event, self._read)

    def _expect(self) -> None:
        # A deadline that has moved on since is looked at when the timer fires: one timer a silence, not one a read.
        deadline = self._wire.deadline
        if deadline is not None and self._timer is None and not self._over:
            self._timer = self._clock.callLater(max(0.0, deadline - self._clock.seconds()), self._expired)

    def _expired(self) -> None:
        self._timer = None
        wire, now = self._wire, self._clock.seconds()
        if wire.deadline is not None and wire.deadline <= now:
            try:
                self._give(wire.expire(now))
            except Exception:  # as at a read
                self._failed()
                return
        self._expect()
