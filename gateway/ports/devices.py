"""The terminal devices of this machine, as everything above reaches them; a simulation has devices of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from ..net.clock import monotonic
from ..net.holders import holder
from ..net.openers import Openers
from .errors import PortAbsentError, PortError
from .settings import PortSettings
from .usbnames import PREFIX, find, parse_usb_name

Identity = tuple[int, ...]
"""What tells one node from another: the device that it leads to, then the node itself and who may open it."""


class Tty(Protocol):
    """An open terminal device, which never waits."""

    warnings: list[str]
    """One sentence for each setting that was asked for and is not in force."""

    fd: int

    def read_some(self, size: int) -> bytes:
        """What has come in; b"" at a hang-up. Raises BlockingIOError when there is nothing, else OSError."""

    def write_some(self, data: bytes) -> int:
        """Write what there is room for, and return how much. Raises BlockingIOError when there is no room, else OSError."""

    def unsent(self) -> int:
        """Bytes that were written and that the hardware has not sent."""

    def hung_up(self) -> bool:
        """Whether the line has ended."""

    def in_force(self) -> PortSettings:
        """The settings that it has now."""

    def close(self) -> None: ...


class Devices:
    """Those of this machine. ``seconds()`` is the time."""

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._openers = Openers(seconds)

    def find(self, device: str) -> str:
        """The present path of a device, which may be a USB name. Raises PortError."""
        if not device.startswith(PREFIX):
            return device
        try:
            return find(parse_usb_name(device))
        except LookupError as error:
            raise PortAbsentError(str(error)) from None
        except ValueError as error:
            raise PortError(str(error)) from None

    def look(self, path: str) -> Identity | None:
        """What is at this path now; None where there is nothing."""
        try:
            found = os.stat(path)
        except OSError:
            return None
        return (found.st_rdev, found.st_dev, found.st_ino, found.st_mode, found.st_gid)

    def open(self, path: str, settings: PortSettings) -> Tty:
        """Open, lock and set it. Raises PortError."""
        from .ttys import open_tty  # pyserial is for those who use it

        return open_tty(path, settings)

    def sharer(self, path: str) -> str:
        """Who else has it open, as far as can be known."""
        return holder(path, locks=False, openers=self._openers)
