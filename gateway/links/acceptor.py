"""A link that listens, and has a session for each client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory, ServerFactory

from ..net.listeners import Listener
from ..peer import PLAIN, Peer
from .link import Link
from .reporting import reporter
from .session import Session
from .stream import StreamProtocol

Build = Callable[[IAddress, Peer], IProtocol | None]


class Door(ServerFactory):
    """Builds a protocol for each connection that is accepted in clear."""

    noisy = False

    def __init__(self, build: Build) -> None:
        self._build = build

    def buildProtocol(self, addr: Any) -> Any:
        return self._build(addr, PLAIN)


def server_factory(link: Link, build: Build, tls: Any = None) -> Factory:
    """A factory for connections that a link accepts: plain, or with the guards of a [tls NAME] section before it."""
    if tls is None:
        return Door(build)
    from ..tls.handshake import server_factory as secured  # OpenSSL is for those who use it

    runtime = link.runtime
    report = reporter(runtime.notices, link.name, link.counters)
    return secured(build, tls, report=report, reactor=runtime.reactor, admission=runtime.admission)


class ListeningLink(Link):
    """A transport makes the ``listener``, which calls `accepted`, and says who a client is."""

    listener: Listener

    def peer_of(self, address: Any) -> str:
        """What to call a client in the log."""
        return str(address)

    def start(self) -> None:
        super().start()
        self.listener.start()

    def stop(self) -> Deferred[Any]:
        return gatherResults([self.listener.stop(), super().stop()])

    def accepted(self, address: IAddress, security: Peer) -> IProtocol | None:
        """A protocol for a client; None when there are too many."""
        peer = self.peer_of(address)
        if self.full():
            self.refused(peer, len(self.sessions))
            return None
        return StreamProtocol(Session(self, peer, security))
