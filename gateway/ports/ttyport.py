"""The Twisted transport of an open terminal device: it drains the device at each read, writes at once, and recognises a hang-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.serialport import SerialPort
from twisted.python.failure import Failure

from ..net.direct import DirectWrite
from ..net.probes import pending
from .devices import Tty

_READ = 4096
"""The kernel's terminal (N_TTY) gives at most 4095 bytes to one read, however much there is."""
_READS = 15
"""Reads in one turn of the reactor: about 60 kB."""
_DRAINED = 1024
"""A read shorter than this has drained the terminal: the next would only give EAGAIN. A pty may cut longer ones anywhere."""
_UNSENT_INTERVAL = 0.02


class LineLostError(ConnectionLost):
    """The line has ended; ``str()`` is the reason alone."""

    def __str__(self) -> str:
        return str(self.args[0])


class TtyPort(DirectWrite, SerialPort):
    """Connects ``protocol`` to ``tty``, which it owns and closes.

    ``loseConnection`` waits until the hardware has sent all that was written; ``abortConnection`` does not. When the line is lost, that is
    told through ``in_turn``: a hub with a hundred ports may be unplugged.
    """

    _serial: Tty  # type: ignore[assignment]
    reactor: Any

    def __init__(self, protocol: Any, tty: Tty, reactor: Any, in_turn: Callable[[Callable[[], None]], None] | None = None) -> None:
        # Not SerialPort.__init__: it would open the port again, and flush what has come in.
        FileDescriptor.__init__(self, reactor)
        self._serial = tty
        self._unsent: Any = None
        self._in_turn = in_turn
        self._is_lost = False
        self.protocol = protocol
        self.startReading()
        protocol.makeConnection(self)

    def doRead(self) -> Exception | None:
        read = self._serial.read_some
        chunks: list[bytes] = []
        lost: Exception | None = None
        for _ in range(_READS):
            try:
                chunk = read(_READ)
            except BlockingIOError:
                break
            except OSError as error:
                lost = LineLostError(f"unplugged: {error.strerror}")
                break
            if not chunk:
                lost = self._hung_up()
                break
            chunks.append(chunk)
            if len(chunk) < _DRAINED:
                break
        if chunks:
            self.protocol.dataReceived(b"".join(chunks) if len(chunks) > 1 else chunks[0])
        return lost if self.connected else None

    def send_now(self, data: bytes) -> int:
        return self._serial.write_some(data)

    def writeSomeData(self, data: bytes) -> int | Exception:
        try:
            return self._serial.write_some(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            return LineLostError(f"unplugged: {error.strerror}")

    def abortConnection(self) -> None:
        """End now. What the hardware has not sent is discarded."""
        if self.connected:
            self._end(Failure(LineLostError("closed before all was sent" if pending(self) else "closed")))

    def connectionLost(self, reason: Failure) -> None:
        if self._in_turn is None:
            self._end(reason)
        elif not self._is_lost:
            self._is_lost = True
            self._in_turn(lambda: self._end(reason))

    def _end(self, reason: Failure) -> None:
        if not self.connected:  # it was closed while it waited for its turn
            return
        if self._unsent is not None:
            self._unsent.cancel()
            self._unsent = None
        if reason.check(ConnectionDone, ConnectionLost) and not reason.check(LineLostError):
            # The reactor saw a hang-up while nothing was to be read: to Twisted this is "done" if the port was being read, else "lost".
            reason = Failure(LineLostError("unplugged: the line hung up"))
        super().connectionLost(reason)

    def _postLoseConnection(self) -> Exception | None:
        # Twisted's queue is written. The kernel's may take seconds at 300 baud, and a close would discard it.
        if not self.in_hardware():
            return LineLostError("closed")
        self._unsent = self.reactor.callLater(_UNSENT_INTERVAL, self._look_at_unsent)
        return None

    def _look_at_unsent(self) -> None:
        self._unsent = None
        if self.in_hardware():
            self._unsent = self.reactor.callLater(_UNSENT_INTERVAL, self._look_at_unsent)
        else:
            self._end(Failure(LineLostError("closed")))

    def in_hardware(self) -> int:
        """Bytes that the kernel has taken and not yet sent."""
        return self._serial.unsent()

    def _hung_up(self) -> Exception | None:
        """The error after an empty read; None if the line is still there: with VMIN = 0, set by another program, nothing was to be read."""
        return LineLostError("unplugged: the line hung up") if self._serial.hung_up() else None
