"""One timer for many: things that are looked at now and then, as long as there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Thing = TypeVar("Thing")


AT_ONCE = 50
"""Things that are looked at in one turn of the reactor: to look at a thousand takes too long."""


class Watch(Generic[Thing]):
    """Calls ``look(thing, now)`` of each thing every ``interval`` seconds until that says False; no timer runs while there is nothing.

    ``failed(thing)`` is called where the exception was caught when one cannot be looked at. It is looked at no more; the others are.
    """

    def __init__(self, clock: Any, interval: float, look: Callable[[Thing, float], bool], failed: Callable[[Thing], None]) -> None:
        self._clock = clock
        self._interval = interval
        self._look = look
        self._failed = failed
        self._things: dict[Thing, None] = {}
        self._timer: Any = None
        self._looking = False

    def add(self, thing: Thing) -> None:
        """Look at this too, first within ``interval``."""
        self._things[thing] = None
        if self._timer is None and not self._looking:
            self._timer = self._clock.callLater(self._interval, self._sweep)

    def forget(self, thing: Thing) -> None:
        """Look at this no more."""
        self._things.pop(thing, None)
        if not self._things:
            self.stop()

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        self._look_at(list(self._things), self._clock.seconds() + self._interval)

    def _look_at(self, things: list[Thing], again_at: float) -> None:
        """Look at some of these things, and at the others in the next turn."""
        self._timer, self._looking = None, True
        now = self._clock.seconds()
        for thing in things[:AT_ONCE]:
            if thing not in self._things:  # one that was looked at before it has ended it
                continue
            try:
                again = self._look(thing, now)
            except Exception:  # one that cannot be looked at does not leave the others alone
                self._failed(thing)
                again = False
            if not again:
                self._things.pop(thing, None)
        self._looking = False
        if not self._things:
            return
        if rest := things[AT_ONCE:]:
            self._timer = self._clock.callLater(0, self._look_at, rest, again_at)
        else:
            self._timer = self._clock.callLater(max(0.0, again_at - now), self._sweep)
