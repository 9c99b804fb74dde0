"""The node of a device in the file system: whether it is there, comes back, or leads to another device."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .errors import PortError

LOOK = 0.25
"""Seconds between two looks for a node that is away."""


class Node:
    """``find()`` gives the present path of the device, or raises PortError."""

    def __init__(self, find: Callable[[], str], clock: Any) -> None:
        self._find = find
        self._clock = clock
        self._timer: Any = None
        self._seen: tuple[int, ...] | None = None
        self._path = ""
        self._opened: tuple[int, ...] | None = None

    def look_out(self, wake: Callable[[], None] | None) -> None:
        """Call ``wake`` once, when there is a node that could be opened and that was not there, or not the same, before. None: stop."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if wake is not None:
            self._seen = self._present()
            self._timer = self._clock.callLater(LOOK, self._look, wake)

    def opened(self, path: str) -> None:
        """The device was opened at this path."""
        self._path, self._opened = path, _device(path)

    @property
    def replaced(self) -> bool:
        """Whether the path leads to another device by now; one that has gone is none."""
        there = _device(self._path)
        return there is not None and there != self._opened

    def _look(self, wake: Callable[[], None]) -> None:
        seen, self._seen = self._seen, self._present()
        if self._seen is not None and self._seen != seen:
            wake()
        else:
            self._timer = self._clock.callLater(LOOK, self._look, wake)

    def _present(self) -> tuple[int, ...] | None:
        """What identifies the node that could be opened now, access rights included: udev sets them a moment after it makes the node."""
        try:
            found = os.stat(self._find())
        except (OSError, PortError):
            return None
        return (found.st_dev, found.st_ino, found.st_rdev, found.st_mode, found.st_gid)


def _device(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_rdev,)
