"""Between a Twisted transport and a session: bytes come up, the end comes up, nothing else."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..net.endings import event_of, in_words
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
        if event := event_of(reason):
            self.session.link.count(event)
        self.session.lost(in_words(reason), clean=False)
