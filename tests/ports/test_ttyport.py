"""The transport of a pty: draining, hang-up, direct writes, closing."""

from __future__ import annotations

import errno
import os
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.settings import PortSettings
from gateway.ports.ttyport import LineLostError, TtyPort
from gateway.ports.ttys import open_tty

from ..building import Producer


class Recording:
    """A protocol that keeps what it receives."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.lost: list[str] = []

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport

    def dataReceived(self, data: bytes) -> None:
        self.reads.append(data)

    def connectionLost(self, reason: Failure) -> None:
        self.lost.append(reason.getErrorMessage())


class TtyPortTests(SynchronousTestCase):
    def setUp(self) -> None:
        before = os.listdir("/proc/self/fd")
        self.addCleanup(lambda: self.assertEqual(len(os.listdir("/proc/self/fd")), len(before)))
        self.master, slave = os.openpty()
        self.addCleanup(lambda: os.close(self.master) if self.master >= 0 else None)
        os.set_blocking(self.master, False)
        path = os.ttyname(slave)
        os.close(slave)
        self.reactor = MemoryReactorClock()
        self.protocol = Recording()
        self.port = TtyPort(self.protocol, open_tty(path, PortSettings()), self.reactor)
        self.addCleanup(lambda: self.assertEqual(self.reactor.getDelayedCalls(), []))
        self.addCleanup(self.port.abortConnection)

    def react(self) -> None:
        """One turn of the reactor, for this descriptor alone."""
        for waiting, work in ((self.reactor.readers, self.port.doRead), (self.reactor.writers, self.port.doWrite)):
            if self.port in waiting:
                why = work()
                if why is not None:
                    self.port.connectionLost(Failure(why))

    def unplug(self) -> None:
        os.close(self.master)
        self.master = -1

    def unplug_behind(self, data: bytes) -> None:
        """Let one read give these bytes, and the next an error."""
        answers: list[Any] = [data, OSError(errno.EIO, "Input/output error")]

        def read(fd: int, size: int) -> bytes:
            answer = answers.pop(0)
            if isinstance(answer, OSError):
                raise answer
            return bytes(answer)

        self.patch(os, "read", read)

    def lost(self) -> Callable[[], None]:
        """Let the line be lost, noticed twice, where many may be lost at once; gives what is to be called in its turn."""
        turns: list[Callable[[], None]] = []
        self.port._in_turn = turns.append
        for _ in range(2):
            self.port.connectionLost(Failure(CONNECTION_DONE))
        self.assertEqual(self.protocol.lost, [])
        (turn,) = turns
        return turn

    def test_lost_in_its_turn(self) -> None:
        """Where many may be lost at once, a lost line ends in its turn, once."""
        turn = self.lost()
        turn()
        turn()
        self.assertEqual(self.protocol.lost, ["unplugged: the line hung up"])

    def test_closed_before_its_turn(self) -> None:
        """One that is closed while it waits for its turn has ended then."""
        turn = self.lost()
        self.port.abortConnection()
        turn()
        self.assertEqual(self.protocol.lost, ["closed"])

    def test_drains(self) -> None:
        """All that is there comes up at once, although the terminal gives at most 4095 bytes for a read."""
        sent = bytes(range(256)) * 32
        pieces = iter([sent[:4095], sent[4095:8190], sent[8190:]])
        self.patch(os, "read", lambda fd, size: next(pieces))
        self.react()
        self.assertEqual(self.protocol.reads, [sent])

    def test_one_read_suffices(self) -> None:
        """At a low rate a packet costs one read, without a second one that finds nothing."""
        reads = 0

        def read(fd: int, size: int) -> bytes:
            nonlocal reads
            reads += 1
            return b"packet\n"

        self.patch(os, "read", read)
        self.react()
        self.assertEqual((reads, self.protocol.reads), (1, [b"packet\n"]))

    def test_yields(self) -> None:
        """A device that never stops gets about 60 kB in one turn of the reactor, so that others get theirs."""
        self.patch(os, "read", lambda fd, size: b"x" * 4095)
        self.react()
        self.assertEqual([len(read) for read in self.protocol.reads], [15 * 4095])

    def test_nothing_to_read(self) -> None:
        """A wake-up when there is nothing to read changes nothing."""
        self.react()
        self.assertEqual((self.protocol.reads, self.protocol.lost), ([], []))

    def test_unplugged(self) -> None:
        """A hang-up ends the port with a reason that says so, and is no clean end."""
        self.unplug()
        self.react()
        self.assertEqual((self.protocol.lost, self.port.connected), (["unplugged: the line hung up"], 0))

    def test_read_error(self) -> None:
        """What was read before an error is delivered, then the error is reported."""
        self.unplug_behind(b"x" * 4095)
        self.react()
        self.assertEqual((len(self.protocol.reads[0]), self.protocol.lost), (4095, ["unplugged: Input/output error"]))

    def test_empty_read(self) -> None:
        """An empty read of a line that another program has set to VMIN = 0 is not the end."""
        tty = self.port._serial
        attributes = termios.tcgetattr(tty.fd)
        attributes[6][termios.VMIN] = 0
        termios.tcsetattr(tty.fd, termios.TCSANOW, attributes)
        self.assertEqual(os.read(tty.fd, 1), b"")
        self.react()
        self.assertEqual(self.protocol.lost, [])

    def test_closed_while_reading(self) -> None:
        """A protocol that closes the port in the middle of a read gets one connectionLost, not two."""

        def closing(data: bytes) -> None:
            self.port.abortConnection()

        self.protocol.dataReceived = closing  # type: ignore[method-assign]
        self.unplug_behind(b"x" * 4095)
        self.react()
        self.assertEqual(len(self.protocol.lost), 1)

    def test_writes_at_once(self) -> None:
        """A write is sent without waiting for the reactor, and the producer is not paused."""
        producer = Producer()
        self.port.registerProducer(producer, True)
        self.port.write(b"VER?\r")
        self.assertEqual((os.read(self.master, 100), producer.calls), (b"VER?\r", []))
        self.assertNotIn(self.port, self.reactor.writers)

    def test_slow_device(self) -> None:
        """A producer is paused while the device takes nothing; when it reads again everything comes, in order and once."""
        producer = Producer()
        self.port.registerProducer(producer, True)
        sent = bytes(range(256)) * 400
        self.port.write(sent)
        self.assertEqual(producer.calls, ["pause"])
        got = b""
        while len(got) < len(sent):
            got += os.read(self.master, 65536)
            self.react()
        self.assertEqual((got, producer.calls), (sent, ["pause", "resume"]))

    def test_write_to_the_unplugged(self) -> None:
        """A write to a line that hung up ends the port in the reactor's turn, not within the write."""
        self.unplug()
        self.port.stopReading()
        self.port.write(b"x")
        self.assertEqual(self.protocol.lost, [])
        self.react()
        self.assertEqual(self.protocol.lost, ["unplugged: Input/output error"])

    def test_hang_up_seen_by_the_reactor(self) -> None:
        """A hang-up that the reactor detects has the same reason."""
        self.port.connectionLost(Failure(CONNECTION_LOST))
        self.assertEqual(self.protocol.lost, ["unplugged: the line hung up"])

    def test_hang_up_between_two_reads(self) -> None:
        """Nor is it a clean end if the port was being read and nothing was there, which Twisted calls done."""
        self.port.connectionLost(Failure(CONNECTION_DONE))
        self.assertEqual(self.protocol.lost, ["unplugged: the line hung up"])

    def test_close(self) -> None:
        """A close writes what is queued first, and all of it reaches the device."""
        self.port.write(b"last")
        self.port.loseConnection()
        self.react()
        self.assertEqual((os.read(self.master, 100), self.protocol.lost), (b"last", ["closed"]))

    def test_close_waits_for_the_hardware(self) -> None:
        """A close waits while the hardware still sends."""
        unsent = [300, 200, 100, 0]
        self.patch(type(self.port._serial), "out_waiting", property(lambda tty: unsent.pop(0) if len(unsent) > 1 else 0))
        self.port.write(b"slow")
        self.port.loseConnection()
        self.react()
        self.assertEqual(self.protocol.lost, [])
        self.reactor.pump([0.02] * 5)
        self.assertEqual(self.protocol.lost, ["closed"])

    def test_abort(self) -> None:
        """An abort does not wait: what the hardware has not sent is discarded, so that the close cannot block."""
        flushed: list[int] = []
        self.patch(type(self.port._serial), "out_waiting", property(lambda tty: 4000))
        self.patch(termios, "tcflush", lambda fd, queue: flushed.append(queue))
        self.port.loseConnection()
        self.react()
        self.port.abortConnection()
        self.assertEqual((flushed, self.protocol.lost), ([termios.TCOFLUSH], ["closed before all was sent"]))
        self.port.abortConnection()
        self.assertEqual(len(self.protocol.lost), 1)

    def test_abort_of_an_idle_port(self) -> None:
        """The reason of an abort mentions unsent bytes only where there were any."""
        self.port.abortConnection()
        self.assertEqual(self.protocol.lost, ["closed"])

    def test_reason(self) -> None:
        """The reason is the text alone."""
        self.assertEqual(str(LineLostError("unplugged: x")), "unplugged: x")
