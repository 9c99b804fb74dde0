"""A link that listens, and has a session for each client."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IAddress, IProtocol

from ..net.listeners import Listener
from ..peer import Peer
from .link import Link
from .session import Session
from .stream import StreamProtocol


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
