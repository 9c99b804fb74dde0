"""The application of a connection, built as soon as it is known who is at the far end. In clear that is at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from ..options import Address
from ..peer import PLAIN, Peer
from .report import Report

Build = Callable[[IAddress, Peer], IProtocol | None]
"""Makes the protocol that takes a connection over; None closes the connection."""


def built(
    build: Build, address: IAddress, peer: Peer, report: Report, failed: Callable[[Failure], None] = lambda reason: None
) -> IProtocol | None:
    """The application that ``build`` makes; None if it raises an exception: that is reported, and ``failed`` gets a NoProtocol."""
    try:
        return build(address, peer)
    except Exception:  # a fault of ours: it costs this connection and nobody else
        report("failures", "no session can be made", peer=name_of(address), level="failure")
        failed(Failure(NoProtocol()))
        return None


def name_of(address: Any) -> str:
    """A peer's address in a message: ``10.0.0.7:5122``, ``[::1]:5122``, or ``local`` where it has none."""
    host = getattr(address, "host", None)
    return str(Address(host, address.port)) if host is not None else "local"


class InClear(ClientFactory):
    """Builds an application for each connection without TLS, of those that we accept and that we make."""

    noisy = False

    def __init__(self, build: Build, report: Report) -> None:
        self._build = build
        self._report = report

    def buildProtocol(self, addr: Any) -> Any:
        return built(self._build, addr, PLAIN, self._report)
