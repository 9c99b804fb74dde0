"""Between a Twisted transport and a session: bytes come up, the end comes up, nothing else."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from .session import Session


@implementer(IHalfCloseableProtocol)
class StreamProtocol(Protocol):
    """Feeds one session from one byte stream."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def connectionMade(self) -> None:
        self.session.connected(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self.session.received(data)

    def readConnectionLost(self) -> None:
        self.session.input_ended()

    def writeConnectionLost(self) -> None:
        """Our own end is out: what is left is the peer's."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.session.lost(why(reason), clean=False)


def why(reason: Failure) -> str:
    """A short text for the end of a connection."""
    if reason.check(ConnectionDone):
        return "closed by the peer"
    return reason.getErrorMessage().strip() or type(reason.value).__name__
