"""Serial ports of a simulated run: a UART at the end of a line, with a bounded buffer behind it, as the kernel has one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from gateway.ports.errors import PortAbsentError, PortError
from gateway.ports.settings import PortSettings

from .reactor import Handle, SimReactor
from .world import World

_BUFFER = 4095
"""Bytes that the kernel's terminal holds; what comes beyond that is lost."""
_OUT = 4096


class Uart:
    """One device and its line, plugged in at ``path`` or nowhere. Whoever is behind it sets ``on_data``, and calls `say`."""

    def __init__(self, world: World, devices: SimDevices, path: str, baudrate: int = 9600) -> None:
        self.world = world
        self.devices = devices
        self.path = path
        self.baudrate = baudrate
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_read: Callable[[bytes], None] = lambda data: None
        """Told what the program has read: the truth about what it can know."""
        self.on_open: Callable[[], None] = lambda: None
        """Told when the program has opened the port."""
        self.on_gone: Callable[[], None] = lambda: None
        """Told when the program's open port has ended."""
        self.tty: SimTty | None = None
        self.stopped = False
        """Whether it has sent XOFF, or has no paper: it takes nothing."""
        self.overrun = 0
        self.serial = 0
        self.is_there = False
        self.changed_at = world.now
        """When it was plugged in or out last."""
        self.left_at = 0.0
        """When the program closed its port although it was there."""
        devices.plug(self, path)

    def say(self, data: bytes) -> None:
        """These bytes have come over the line by now."""
        tty = self.tty
        if tty is not None and not tty.hung:
            room = _BUFFER - len(tty.incoming)
            self.overrun += max(0, len(data) - room)
            tty.incoming += data[: max(0, room)]
            tty.look()

    def unplug(self) -> None:
        self.devices.unplug(self)
        tty = self.tty
        if tty is not None:
            tty.hung = True
            tty.look()

    def plug(self, path: str) -> None:
        self.path = path
        self.devices.plug(self, path)

    def stop(self) -> None:
        self.stopped = True

    def go_on(self) -> None:
        self.stopped = False
        if self.tty is not None:
            self.tty.drain()


class SimTty(Handle):
    """An open port: `gateway.ports.devices.Tty`."""

    def __init__(self, reactor: SimReactor, uart: Uart, settings: PortSettings) -> None:
        super().__init__(reactor)
        self.fd = self.descriptor
        self.warnings: list[str] = []
        self.uart = uart
        self.settings = settings
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.writable = True
        self._drains: Any = None
        uart.tty = self

    def read_some(self, size: int) -> bytes:
        world = self.uart.world
        world.work += 1
        if self.incoming:
            data = bytes(self.incoming[:size])
            del self.incoming[:size]
            self.look()
            world.note("device", self.descriptor, len(data))
            self.uart.on_read(data)
            return data
        if self.hung:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def write_some(self, data: bytes) -> int:
        world = self.uart.world
        world.work += 1
        if self.hung:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        size = min(len(data), _OUT - len(self.outgoing))
        if size <= 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.outgoing += data[:size]
        world.note("to device", self.descriptor, size)
        self.look()
        self.drain()
        return size

    def unsent(self) -> int:
        return len(self.outgoing)

    def hung_up(self) -> bool:
        return self.hung

    def in_force(self) -> PortSettings:
        return self.settings

    def close(self) -> None:
        if self.fd is not None:
            self.uart.tty = None
            if not self.hung:
                self.uart.left_at = self.uart.world.now
            self.uart.devices.closed(self)
            if self._drains is not None and self._drains.active():
                self._drains.cancel()
            self.released()
            self.fd = None  # type: ignore[assignment]
            self.uart.on_gone()

    def look(self) -> None:
        self.readable = bool(self.incoming) or self.hung
        self.writable = len(self.outgoing) < _OUT or self.hung
        self.changed()

    def drain(self) -> None:
        """Send on what the line can take, as fast as it is."""
        if self._drains is None and self.outgoing and not self.uart.stopped and self.fd is not None:
            size = min(len(self.outgoing), 64)
            self._drains = self.uart.world.at(size * 10 / self.uart.baudrate, self._sent, size)

    def _sent(self, size: int) -> None:
        self._drains = None
        if self.uart.stopped or self.hung or self.fd is None:
            return
        data = bytes(self.outgoing[:size])
        del self.outgoing[:size]
        self.look()
        self.uart.on_data(data)
        self.drain()


class SimDevices:
    """In place of `gateway.ports.devices.Devices`."""

    def __init__(self, world: World, reactor: SimReactor) -> None:
        self.world = world
        self.reactor = reactor
        self.opened = 0
        self._there: dict[str, Uart] = {}
        self._names: dict[str, Uart] = {}
        self._numbers = 0

    def name(self, name: str, uart: Uart) -> None:
        """A USB name, which finds a device under whatever path it is."""
        self._names[name] = uart

    def plug(self, uart: Uart, path: str) -> None:
        self._numbers += 1
        uart.serial = self._numbers
        uart.is_there = True
        uart.changed_at = self.world.now
        self._there[path] = uart

    def unplug(self, uart: Uart) -> None:
        if self._there.get(uart.path) is uart:
            del self._there[uart.path]
            uart.is_there = False
            uart.changed_at = self.world.now

    def closed(self, tty: SimTty) -> None:
        self.opened -= 1

    def find(self, device: str) -> str:
        if device not in self._names:
            return device
        uart = self._names[device]
        if self._there.get(uart.path) is not uart:
            raise PortAbsentError(f"no USB device {device} is plugged in, or it has no serial port")
        return uart.path

    def look(self, path: str) -> tuple[int, ...] | None:
        uart = self._there.get(path)
        return None if uart is None else (uart.serial, 0)

    def open(self, path: str, settings: PortSettings) -> SimTty:
        uart = self._there.get(path)
        if uart is None:
            raise PortAbsentError("is not there (is the device plugged in?)")
        if uart.tty is not None:
            raise PortError("is in use by this program itself")
        self.opened += 1
        self.world.note("open", len(self._there))
        tty = SimTty(self.reactor, uart, settings)
        uart.on_open()
        return tty

    def sharer(self, path: str) -> str:
        return ""
