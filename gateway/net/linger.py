"""The end of a connection, also when the peer does not read: a regular close, and after a while a cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Closable(Protocol):
    """A Twisted transport, as far as its end goes."""

    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


def linger_close(transport: Closable, reactor: IReactorTime, seconds: float, end: Callable[[], None] | None = None) -> IDelayedCall:
    """Close the connection when all is written, and cut it if it has not ended after ``seconds``.

    ``end()`` closes it, if ``loseConnection`` is not the way. Only its protocol learns that a connection is lost: cancel the returned call
    in ``connectionLost``.
    """
    cut = reactor.callLater(seconds, transport.abortConnection)
    (end or transport.loseConnection)()
    return cut
