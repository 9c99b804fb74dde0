"""The node of a device in the file system: whether it is there, comes back, or leads to another device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .devices import Devices, Identity
from .errors import PortError

LOOK = 0.25
"""Seconds between two looks for a node that is away."""


class Node:
    """The node of ``device``, as the user has written it, among ``devices``."""

    def __init__(self, device: str, devices: Devices, clock: Any) -> None:
        self._device = device
        self._devices = devices
        self._clock = clock
        self._timer: Any = None
        self._seen: Identity | None = None
        self._path = ""
        self._opened: Identity | None = None

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
        self._path, self._opened = path, self._devices.look(path)

    @property
    def replaced(self) -> bool:
        """Whether the path leads to another device by now; one that has gone is none."""
        there = self._devices.look(self._path)
        return there is not None and (self._opened is None or there[0] != self._opened[0])

    def _look(self, wake: Callable[[], None]) -> None:
        seen, self._seen = self._seen, self._present()
        if self._seen is not None and self._seen != seen:
            wake()
        else:
            self._timer = self._clock.callLater(LOOK, self._look, wake)

    def _present(self) -> Identity | None:
        """What could be opened now, access rights included: udev sets them a moment after it makes the node."""
        try:
            return self._devices.look(self._devices.find(self._device))
        except PortError:
            return None
