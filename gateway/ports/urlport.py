"""Ports that pyserial opens by URL (``rfc2217://``, ``socket://``, ``spy://``, ``hwgrep://``, ...) and, on Windows, by COM name.

The reactor cannot wait for them, because not all have a descriptor, and opening one may take seconds (RFC 2217 negotiates each setting).
So each is opened, read, written and closed in threads of its own. The data between the threads is bounded in both directions.
"""

from __future__ import annotations

import io
import queue
import sys
from collections import deque
from contextlib import suppress
from typing import Any

import serial
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ..net import threads
from ..net.sockets import ready
from .errors import PortError
from .room import ROOM, Room
from .settings import PortSettings
from .ttyport import LineLostError

_CHUNK = 1 << 14
_CHUNKS = 4
"""The most chunks that are read and not yet delivered."""

_LOOK = 0.1
"""Seconds between two looks of a thread whether it must stop."""
_PATIENCE = 1.0
"""Seconds that closing may take; a thread that needs longer is no longer waited for."""


def open_url(url: str, settings: PortSettings, reactor: Any) -> Deferred[serial.SerialBase]:
    """Open in a thread. Fires with the open port, or fails with PortError. If it is cancelled, the port is closed as soon as it is open."""
    opened: Deferred[serial.SerialBase] = Deferred()

    def succeed(port: serial.SerialBase) -> None:
        if opened.called:
            threads.start(lambda: _close(port), f"close {url}")
        else:
            opened.callback(port)

    def fail(error: Exception) -> None:
        if not opened.called:
            opened.errback(PortError(str(error) or type(error).__name__))

    def work() -> None:
        try:
            port = _open(url, settings)
        except Exception as error:  # pyserial's URL classes raise whatever is below them
            reactor.callFromThread(fail, error)
        else:
            reactor.callFromThread(succeed, port)

    threads.start(work, f"open {url}")
    return opened


def _open(url: str, settings: PortSettings) -> Any:
    port: Any = serial.serial_for_url(
        url,
        do_not_open=True,
        baudrate=settings.baudrate,
        bytesize=settings.bytesize,
        parity=settings.parity[0].upper(),
        stopbits=float(settings.stopbits),
        xonxoff=settings.flow == "xonxoff",
        rtscts=settings.flow == "rtscts",
        dsrdtr=settings.flow == "dsrdtr",
        exclusive=settings.exclusive or None,
    )
    # Set before opening: pyserial sends all settings again when the timeout of an open port changes.
    if _has_descriptor(port):
        port.timeout = port.write_timeout = 0
    else:
        port.timeout = _LOOK
    for line in ("rts", "dtr"):
        state = getattr(settings, line)
        if state != "keep":
            setattr(port, line, state == "on")
    port.open()
    _bound_input(port)
    return port


def _has_descriptor(port: Any) -> bool:
    return type(port).fileno is not io.RawIOBase.fileno


def _bound_input(port: Any) -> None:
    """Give a limit to the queue of single bytes into which the RFC 2217 client of pyserial reads ahead."""
    ahead = getattr(port, "_read_buffer", None)
    if isinstance(ahead, queue.Queue):
        with ahead.mutex:
            ahead.maxsize = ROOM


def _close(port: Any) -> None:
    ahead = getattr(port, "_read_buffer", None)
    if isinstance(ahead, queue.Queue):
        with ahead.mutex:
            # Its thread may be waiting for room, and close() waits for its thread.
            ahead.maxsize = sys.maxsize
            ahead.not_full.notify_all()
    with suppress(Exception):  # a dead port may fail in any way; it is gone in all of them
        port.close()


@implementer(IConsumer, IPushProducer)
class UrlPort(Room):
    """Connects ``protocol`` to an open pyserial ``port``, which it owns and closes."""

    disconnecting = False

    def __init__(self, protocol: Any, port: Any, reactor: Any) -> None:
        self.protocol = protocol
        self.connected = True
        self.pending = 0
        """Bytes that were written and not yet taken by the port."""
        self._port = port
        self._reactor = reactor
        self._stopping = threads.Event()
        self._room = threads.Semaphore(_CHUNKS)
        self._read: deque[bytes] = deque()
        self._reading = True
        self._writes: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reason = "closed"
        self._cut: Any = None
        protocol.makeConnection(self)
        for work in (self._reader, self._writer):
            threads.start(work, f"{work.__name__} {port.port}")

    # In the reactor's thread

    def write(self, data: bytes) -> None:
        if not self.connected or self.disconnecting or not data:
            return
        self._writes.put(data)
        self.filled(len(data))

    def pauseProducing(self) -> None:
        self._reading = False

    def resumeProducing(self) -> None:
        self._reading = True
        self._reactor.callLater(0, self._deliver)

    def stopProducing(self) -> None:
        self.loseConnection()

    def loseConnection(self) -> None:
        """End when the port has taken what was written."""
        self.disconnecting = True
        if not self.pending:
            self._stop()

    def abortConnection(self) -> None:
        """End within a second, even when the port blocks its threads for longer."""
        self.disconnecting = True
        self._stop()

    def _stop(self) -> None:
        if self._cut is None and self.connected:
            self._cut = self._reactor.callLater(_PATIENCE, self._ended, self._reason)
            self._stopping.set()
            self._writes.put(None)

    def _wrote(self, size: int) -> None:
        self.pending -= size
        if self.pending or not self.connected:
            return
        if self.disconnecting:
            self._stop()
        else:
            self.emptied()

    def _received(self, data: bytes) -> None:
        self._read.append(data)
        self._deliver()

    def _deliver(self) -> None:
        while self._read and self._reading and self.connected and not self.disconnecting:
            data = self._read.popleft()
            self._room.release()
            self.protocol.dataReceived(data)

    def _ended(self, reason: str) -> None:
        if not self.connected:
            return
        self.connected = False
        self._stopping.set()
        self._writes.put(None)
        if self._cut is not None and self._cut.active():
            self._cut.cancel()
        self._read.clear()
        self.pending = 0
        self.protocol.connectionLost(Failure(LineLostError(reason)))

    # In the threads

    def _reader(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._room.acquire(timeout=_LOOK):
                    continue
                data = self._wait_for_input()
                if data:
                    self._reactor.callFromThread(self._received, data)
                else:
                    self._room.release()
        except Exception as error:  # pyserial's URL classes raise whatever is below them
            self._fail(error)
        if hasattr(self._port, "cancel_write"):
            with suppress(Exception):  # it only wakes the writer, which a dead port does not block
                self._port.cancel_write()
        _close(self._port)
        self._reactor.callFromThread(self._ended, self._reason)

    def _wait_for_input(self) -> bytes:
        port = self._port
        if _has_descriptor(port):
            return bytes(port.read(_CHUNK)) if ready(port.fileno(), _LOOK) else b""
        first = bytes(port.read(1))
        return first + bytes(port.read(min(port.in_waiting, _CHUNK))) if first else b""

    def _writer(self) -> None:
        try:
            while (data := self._writes.get()) is not None and not self._stopping.is_set():
                rest = memoryview(data)
                while rest and not self._stopping.is_set():
                    # Without this wait pyserial would spin while the port takes nothing.
                    if not _has_descriptor(self._port) or ready(self._port.fileno(), _LOOK, to_write=True):
                        rest = rest[self._port.write(rest) :]
                self._reactor.callFromThread(self._wrote, len(data))
        except Exception as error:  # as in the reader
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._stopping.is_set():
            self._reason = f"lost: {error}"
            self._stopping.set()
