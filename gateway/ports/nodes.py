"""The node of a device in the file system: whether it is there, comes back, or leads to another device."""

from __future__ import annotations

from collections.abc import Callable

from ..net.watch import Watch
from .devices import Devices, Identity
from .errors import PortError

LOOK = 0.25
"""Seconds between two looks for a node that is away."""


class Node:
    """The node of ``device``, as the user has written it, among ``devices``. ``looks`` calls `look` every `LOOK` seconds."""

    def __init__(self, device: str, devices: Devices, looks: Watch[Node]) -> None:
        self._device = device
        self._devices = devices
        self._looks = looks
        self._wake: Callable[[], None] | None = None
        self._seen: Identity | None = None
        self._path = ""
        self._opened: Identity | None = None

    def look_out(self, wake: Callable[[], None] | None) -> None:
        """Call ``wake`` once, when there is a node that could be opened and that was not there, or not the same, before. None: stop."""
        self._wake = wake
        if wake is None:
            self._looks.forget(self)
        else:
            self._seen = self._present()
            self._looks.add(self)

    def look(self) -> bool:
        """Look for the node; whether it is to be looked for again."""
        seen, self._seen = self._seen, self._present()
        if self._seen is None or self._seen == seen:
            return True
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()
        return self._wake is not None  # it may have begun to look out again

    def opened(self, path: str) -> None:
        """The device was opened at this path."""
        self._path, self._opened = path, self._devices.look(path)

    @property
    def replaced(self) -> bool:
        """Whether the path leads to another device by now; one that has gone is none."""
        there = self._devices.look(self._path)
        return there is not None and (self._opened is None or there[0] != self._opened[0])

    def _present(self) -> Identity | None:
        """What could be opened now, access rights included: udev sets them a moment after it makes the node."""
        try:
            return self._devices.look(self._devices.find(self._device))
        except PortError:
            return None
