"""The end of a connection, also when the peer does not read: a regular close, and after a while a cut."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Closable(Protocol):
    """A Twisted transport, as far as its end goes."""

    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


def linger_close(transport: Closable, reactor: IReactorTime, seconds: float) -> IDelayedCall:
    """Close the connection when all is written, and cut it if it has not ended after ``seconds``.

    Only its protocol learns that a connection is lost: cancel the returned call in ``connectionLost``.
    """
    cut = reactor.callLater(seconds, transport.abortConnection)
    transport.loseConnection()
    return cut
