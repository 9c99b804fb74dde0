"""What many may ask for at the same moment is done a little in each turn of the reactor, so that it delays nobody else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

SPAN = 0.001
"""Seconds of one turn."""


class Turns:
    """``call(what)`` calls it at once, unless another has just been called: then in its turn."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._free_at = 0.0

    def call(self, what: Callable[[], None]) -> None:
        began = self._clock.seconds()
        if self._waiting or began < self._free_at:
            if not self._waiting:
                self._clock.callLater(0, self._turn)
            self._waiting.append(what)
            return
        what()
        ended = self._clock.seconds()
        self._free_at = ended + (ended - began)

    def _turn(self) -> None:
        until = self._clock.seconds() + SPAN
        try:
            while self._waiting:
                # It stays in the queue while it is called, so that what it asks for comes after all that wait.
                try:
                    self._waiting[0]()
                finally:
                    self._waiting.popleft()
                if self._clock.seconds() >= until:
                    return
        finally:
            if self._waiting:
                self._clock.callLater(0, self._turn)
