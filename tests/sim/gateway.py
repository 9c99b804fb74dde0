"""The whole program in a simulated world: its service, as twistd runs it, on a clock, sockets, devices and chance that are not real."""

from __future__ import annotations

import gc
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import base, tcp, unix
from twisted.logger import Logger, formatEvent, globalLogPublisher

from gateway.config.load import load
from gateway.net import holders, sockets
from gateway.service import GatewayService

from .names import Names
from .reactor import SimReactor
from .sockets import Network, SelectModule, SocketModule
from .ttys import SimDevices
from .world import World

STOPS_IN = 5.0
"""Seconds after TERM by which nothing may be left."""


class Simulated:
    """A world with the program in it. ``service`` is None before `start` and after `stop`."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.world = World(seed)
        self.folder = folder
        self.names = Names(self.world)
        self.reactor = SimReactor(self.world, self.names)
        self.network = Network(self.world, self.reactor)
        self.devices = SimDevices(self.world, self.reactor)
        self.service: Any = None
        self.stopping: Any = None

    def start(self, ini: str) -> None:
        """Start the program with this configuration."""
        path = self.folder / "gw.ini"
        path.write_text(ini)
        world = self.world
        outside = {"wall": world.wall, "chance": world.chance("program"), "devices": self.devices}
        log = Logger(namespace="gateway", observer=self._logged)
        self.service = service = GatewayService(load(str(path)), self.reactor, log=log, **outside)
        service.privilegedStartService()
        service.startService()

    @property
    def links(self) -> dict[str, Any]:
        return self.service.links  # type: ignore[no-any-return]

    def term(self) -> None:
        """What TERM does."""
        if self.stopping is None:
            self.world.note("term")
            self.stopping = self.service.stopService()

    def _logged(self, event: dict[str, Any]) -> None:
        text = formatEvent(event)
        self.world.log.append(f"{self.world.now:.6f} {text}")
        if event.get("log_failure") is not None:
            self.world.alarm(f"the program has logged a failure: {text}\n{event['log_failure'].getTraceback()}")


@contextmanager
def simulated(seed: int) -> Iterator[Simulated]:
    """A world in which nothing has started yet; afterwards this machine's own sockets, clocks and signals are back."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-sim-")))
        sim = Simulated(seed, folder)
        replace = partial(_replace, stack)
        module = SocketModule(sim.network)
        for where in (base, tcp, unix, sockets):
            replace(where, "socket", module)
        replace(sockets, "select", SelectModule(sim.reactor))
        replace(holders, "PROC", str(folder))
        for number in (signal.SIGUSR2, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.getsignal(number))
        stack.callback(gc.unfreeze)  # the program freezes what it has made at its start
        globalLogPublisher.addObserver(observer := _Failures(sim))
        stack.callback(globalLogPublisher.removeObserver, observer)
        yield sim


def _replace(stack: ExitStack, where: Any, name: str, value: Any) -> None:
    """Have another value there until the end."""
    stack.callback(setattr, where, name, getattr(where, name))
    setattr(where, name, value)


class _Failures:
    def __init__(self, sim: Simulated) -> None:
        self._sim = sim

    def __call__(self, event: dict[str, Any]) -> None:
        if event.get("log_failure") is not None:
            self._sim.world.alarm(f"Twisted has logged a failure:\n{event['log_failure'].getTraceback()}")
