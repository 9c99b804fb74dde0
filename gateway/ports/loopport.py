"""``loop://``: a port whose output is its own input, to try things out without a device."""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from .room import Room
from .ttyport import LineLostError


@implementer(IConsumer, IPushProducer)
class LoopPort(Room):
    """A Twisted transport that gives ``protocol`` what is written to it, in a later turn of the reactor."""

    disconnecting = False

    def __init__(self, protocol: Any, reactor: Any) -> None:
        self.protocol = protocol
        self.connected = True
        self.pending = 0
        """Bytes that were written and have not come back yet."""
        self._reactor = reactor
        self._data: deque[bytes] = deque()
        self._turn: Any = None
        self._reading = True
        protocol.makeConnection(self)

    def write(self, data: bytes) -> None:
        if not self.connected or self.disconnecting or not data:
            return
        self._data.append(data)
        self.filled(len(data))
        self._plan()

    def pauseProducing(self) -> None:
        self._reading = False

    def resumeProducing(self) -> None:
        self._reading = True
        self._plan()

    def stopProducing(self) -> None:
        self.loseConnection()

    def loseConnection(self) -> None:
        """End when all that was written has come back."""
        self.disconnecting = True
        self._plan()

    def abortConnection(self) -> None:
        """End now."""
        if not self.connected:
            return
        self.connected = False
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._data.clear()
        self.pending = 0
        self.protocol.connectionLost(Failure(LineLostError("closed")))

    def _plan(self) -> None:
        if self.connected and self._turn is None and ((self._reading and self._data) or (self.disconnecting and not self._data)):
            self._turn = self._reactor.callLater(0, self._come_back)

    def _come_back(self) -> None:
        self._turn = None
        if self._data and self._reading:
            data = b"".join(self._data)
            self._data.clear()
            self.pending = 0
            self.protocol.dataReceived(data)
            if not self._data:
                self.emptied()
        if self.disconnecting and not self._data:
            self.abortConnection()
        else:
            self._plan()
