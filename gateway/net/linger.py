"""The end of a connection, also when the peer does not read (security F6): a regular close that is cut after a while."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Closable(Protocol):
    """A Twisted transport, as far as its end goes."""

    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


def linger_close(transport: Closable, reactor: IReactorTime, seconds: float) -> IDelayedCall:
    """Close when all is written, and cut the connection if that has not happened after ``seconds``.

    A transport tells only its protocol that it is lost, so whoever calls this cancels the returned call in ``connectionLost``.
    """
    cut = reactor.callLater(seconds, transport.abortConnection)
    transport.loseConnection()
    return cut
