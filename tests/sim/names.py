"""Look-ups of names in a simulated run: several addresses, none, or late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer

from .world import World


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@implementer(IHostnameResolver)
class Names:
    """``hosts`` has the addresses of each name, ``delay`` is how many seconds a look-up takes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hosts: dict[str, Sequence[str]] = {}
        self.delay = 0.01

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> _Resolution:
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def found() -> None:
            if not resolution.cancelled:
                for host in self.hosts.get(hostName, ()):
                    resolutionReceiver.addressResolved(IPv4Address("TCP", host, portNumber))
                resolutionReceiver.resolutionComplete()

        self.world.at(self.delay, found)
        return resolution
