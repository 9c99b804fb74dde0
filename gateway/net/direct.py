"""Twisted transports that send at once when nothing is queued.

Twisted's own ``write`` queues, asks the reactor to report when the socket is writable, and sends then: two epoll_ctl and one reactor
event for each client and batch. Here ``write`` calls send itself; only what the kernel did not take goes into Twisted's queue, and
then the producer is paused until that queue is empty. So at most one write is ever in the queue of a transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.abstract import FileDescriptor
from twisted.python import log
from zope.interface import directlyProvides, providedBy

from .sockets import Socket, tune


class DirectWrite:
    """Mix in before a FileDescriptor that has ``send_now(data) -> int`` (bytes taken; raises OSError)."""

    send_now: Callable[[bytes], int]

    def write(self: Any, data: bytes) -> None:
        if self.dataBuffer or self._tempDataLen or not self.connected or self._writeDisconnected:
            FileDescriptor.write(self, data)
            return
        try:
            sent = self.send_now(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The reactor meets the same error at its next try, and ends the connection from there and not from within our caller.
            sent = 0
        if sent != len(data):
            FileDescriptor.write(self, data[sent:] if sent else data)
            if self.producer is not None and self.streamingProducer and not self.producerPaused:
                self.producerPaused = True
                self.producer.pauseProducing()


class PausedRead:
    """Mix in before a socket's transport: what the reactor has found readable before a pause in the same turn is not read either."""

    _paused = False

    def pauseProducing(self: Any) -> None:
        self._paused = True
        FileDescriptor.pauseProducing(self)

    def resumeProducing(self: Any) -> None:
        self._paused = False
        FileDescriptor.resumeProducing(self)

    def doRead(self: Any) -> Any:
        return None if self._paused else tcp.Connection.doRead(self)


class DirectServer(PausedRead, DirectWrite, tcp.Server):
    """An accepted TCP connection: direct writes, no Nagle, and a kernel that notices dead peers."""

    def __init__(self, sock: Socket, *args: Any) -> None:
        super().__init__(sock, *args)
        self.send_now = sock.send
        tune(sock)


class QuietPort:
    """Mix in before a listening port: Twisted's log lines about it name a class; our own name the link and the address."""

    def startListening(self: Any) -> None:
        # A message whose format is empty is written by no observer.
        log.callWithContext({"log_format": ""}, super().startListening)  # type: ignore[misc]

    def _logConnectionLostMsg(self) -> None:
        """Log nothing: the link logs that it stops."""


class DirectPort(QuietPort, tcp.Port):
    """A listening TCP port of such connections."""

    transport: Any = DirectServer


class DirectClient(DirectWrite, tcp.Client):
    """A TCP connection that we dialed, with direct writes. Call `tune_transport` once it is connected."""

    def send_now(self, data: bytes) -> int:
        return int(self.socket.send(data))


class DirectConnector(tcp.Connector):
    """Dials a `DirectClient`."""

    def _makeTransport(self) -> Any:
        return DirectClient(self.host, self.port, self.bindAddress, self, self.reactor)


class DirectUNIXClient(DirectWrite, unix.Client):
    """A UNIX connection that we dialed, with direct writes."""

    def send_now(self, data: bytes) -> int:
        return int(self.socket.send(data))


class DirectUNIXConnector(unix.Connector):
    """Dials a `DirectUNIXClient`."""

    def _makeTransport(self) -> Any:
        return DirectUNIXClient(self.address, self, self.reactor, self.checkPID)


class DirectReactor:
    """A reactor for Twisted's endpoints: what they dial with it writes directly."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> DirectConnector:
        connector = DirectConnector(host, port, factory, timeout, bindAddress, self._reactor)
        connector.connect()
        return connector

    def connectUNIX(self, address: str, factory: Any, timeout: float = 30, checkPID: bool = False) -> DirectUNIXConnector:
        connector = DirectUNIXConnector(address, factory, timeout, self._reactor, checkPID)
        connector.connect()
        return connector


class DirectUNIXServer(PausedRead, DirectWrite, unix.Server):
    """An accepted UNIX connection with direct writes."""

    def __init__(self, sock: Socket, *args: Any) -> None:
        super().__init__(sock, *args)
        self.send_now = sock.send


class DirectUNIXPort(QuietPort, unix.Port):
    """A listening UNIX socket of such connections."""

    transport: Any = DirectUNIXServer
