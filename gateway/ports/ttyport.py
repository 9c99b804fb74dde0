"""The Twisted transport of an open terminal device: drains it when reading, writes at once, and knows a hang-up from silence."""

from __future__ import annotations

import os
import select
import termios
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionLost
from twisted.internet.serialport import SerialPort
from twisted.python.failure import Failure

from ..net.direct import DirectWrite
from ..net.probes import pending
from .ttys import TTY

_READ = 4096
"""N_TTY gives at most 4095 bytes for one read, however much there is."""
_READS = 15
"""About 60 kB for one turn of the reactor."""
_DRAINED = 1024
"""A read shorter than this has drained the terminal: the next would only say EAGAIN. On a pty a longer one may be cut anywhere."""
_UNSENT_INTERVAL = 0.02


class LineLostError(ConnectionLost):
    """The line has ended; ``str()`` says why and nothing else."""

    def __str__(self) -> str:
        return str(self.args[0])


class TtyPort(DirectWrite, SerialPort):
    """Feeds ``protocol``; owns ``tty`` and closes it.

    ``loseConnection`` waits until the hardware has sent what it was given; ``abortConnection`` does not.
    """

    _serial: TTY
    reactor: Any

    def __init__(self, protocol: Any, tty: TTY, reactor: Any) -> None:
        # Not SerialPort's own: that opens the port, and flushes what came in since.
        FileDescriptor.__init__(self, reactor)
        self._serial = tty
        self._unsent: Any = None
        self.protocol = protocol
        self.startReading()
        protocol.makeConnection(self)

    def doRead(self) -> Exception | None:
        fd = self._serial.fd
        chunks: list[bytes] = []
        lost: Exception | None = None
        for _ in range(_READS):
            try:
                chunk = os.read(fd, _READ)
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
        return os.write(self._serial.fd, data)

    def writeSomeData(self, data: bytes) -> int | Exception:
        try:
            return os.write(self._serial.fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            return LineLostError(f"unplugged: {error.strerror}")

    def abortConnection(self) -> None:
        """End it now. What the hardware has not sent is discarded."""
        if self.connected:
            self.connectionLost(Failure(LineLostError("closed before all was sent" if pending(self) else "closed")))

    def connectionLost(self, reason: Failure) -> None:
        if self._unsent is not None:
            self._unsent.cancel()
            self._unsent = None
        if reason.check(ConnectionLost) and not reason.check(LineLostError):
            # The reactor saw a hang-up while nothing was to be read.
            reason = Failure(LineLostError("unplugged: the line hung up"))
        super().connectionLost(reason)

    def _postLoseConnection(self) -> Exception | None:
        # Twisted's queue is written; the kernel's may take seconds at 300 baud, and to close now would discard it.
        if not self.in_hardware():
            return LineLostError("closed")
        self._unsent = self.reactor.callLater(_UNSENT_INTERVAL, self._look_at_unsent)
        return None

    def _look_at_unsent(self) -> None:
        self._unsent = None
        if self.in_hardware():
            self._unsent = self.reactor.callLater(_UNSENT_INTERVAL, self._look_at_unsent)
        else:
            self.connectionLost(Failure(LineLostError("closed")))

    def in_hardware(self) -> int:
        """Bytes that the kernel has and the line has not."""
        if self._serial.fd is None:
            return 0
        try:
            return int(self._serial.out_waiting)
        except (OSError, termios.error):
            return 0

    def _hung_up(self) -> Exception | None:
        """What an empty read means: with VMIN = 0, which another program may have set behind our back, only that nothing is there."""
        poll = select.poll()
        poll.register(self._serial.fd, select.POLLIN)
        if any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0)):
            return LineLostError("unplugged: the line hung up")
        return None
