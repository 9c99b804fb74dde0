"""``idle_timeout``: one sweep for a whole link finds the sessions on which nothing moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar


class Moving(Protocol):
    """A session that sets ``moved`` whenever it reads or writes anything."""

    moved: bool


Who = TypeVar("Who", bound=Moving)


class Idle(Generic[Who]):
    """Calls ``end`` for each session that has not moved for ``timeout`` seconds, at the latest after twice that; with 0 for none.

    ``failed(session)`` is called where an exception of ``end`` was caught; the other sessions are looked after all the same. A timer runs
    only from `start` to the first sweep that finds no session.
    """

    def __init__(
        self,
        clock: Any,
        timeout: float,
        sessions: Iterable[Who],
        end: Callable[[Who], None],
        failed: Callable[[Who], None],
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._end = end
        self._failed = failed
        self._timer: Any = None
        self.timeout = timeout

    def start(self) -> None:
        """Begin to look, now that there is a session; a second call does nothing."""
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
            moved, session.moved = session.moved, False
            if not moved:
                try:
                    self._end(session)
                except Exception:  # a fault of ours: the other sessions are looked after all the same
                    self._failed(session)
        if sessions:
            self.start()
