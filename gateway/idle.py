"""``idle_timeout``: sessions on which nothing moves are found, by one sweep for a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .session import Session


class Idle:
    """Calls ``end`` for each session that has not moved for ``timeout`` seconds, at the latest after twice that; 0 never.

    A timer runs only between `start` and the first sweep that finds no session.
    """

    def __init__(self, clock: Any, timeout: float, sessions: Iterable[Session], end: Callable[[Session], None]) -> None:
        self._clock = clock
        self._sessions = sessions
        self._end = end
        self._timer: Any = None
        self.timeout = timeout

    def start(self) -> None:
        """There is a session to look after."""
        if self.timeout and self._timer is None:
            self._timer = self._clock.callLater(self.timeout, self._sweep)

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        self._timer = None
        sessions = list(self._sessions)
        for session in sessions:
            if not session.moved:
                self._end(session)
            session.moved = False
        if sessions:
            self.start()
