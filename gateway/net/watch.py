"""Looks after sessions that are paused or blocked: a paused Twisted transport notices neither FIN nor RST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

INTERVAL = 1.0


class Watched(Protocol):
    def check(self, now: float) -> bool:
        """Look, and end the session if need be; True if it must be looked at again."""


class Watch:
    """Calls ``check`` of each session once a second, until it returns False. No timer runs while there is no session.

    ``on_error(error)`` is called where an exception of ``check`` was caught; that session is looked at no more.
    """

    def __init__(self, clock: Any, on_error: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._on_error = on_error
        self._watched: dict[Watched, None] = {}
        self._timer: Any = None

    def add(self, session: Watched) -> None:
        """Look at this session from now on."""
        self._watched[session] = None
        if self._timer is None:
            self._timer = self._clock.callLater(INTERVAL, self._look)

    def forget(self, session: Watched) -> None:
        """Look at it no more."""
        self._watched.pop(session, None)
        if not self._watched:
            self.stop()

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for session in list(self._watched):
            try:
                again = session.check(now)
            except Exception as error:  # a fault of ours: the other sessions are looked at all the same
                self._on_error(error)
                again = False
            if not again:
                self._watched.pop(session, None)
        if self._watched and self._timer is None:
            self._timer = self._clock.callLater(INTERVAL, self._look)
