"""Opening ptys as serial ports: what is set, what is a warning, who is locked out, what is left behind."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import subprocess
import sys
import termios

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports import ttys
from gateway.ports.errors import PortAbsentError, PortError
from gateway.ports.settings import PortSettings
from gateway.ports.ttys import TTY, open_tty


class PtyTestCase(SynchronousTestCase):
    """A pty whose slave is the port; nothing of it is left behind."""

    def setUp(self) -> None:
        before = os.listdir("/proc/self/fd")
        self.addCleanup(lambda: self.assertEqual(len(os.listdir("/proc/self/fd")), len(before)))
        self.master, slave = os.openpty()
        self.addCleanup(os.close, self.master)
        self.path = os.ttyname(slave)
        os.close(slave)

    def opened(self, settings: PortSettings = PortSettings()) -> TTY:  # noqa: B008
        tty = open_tty(self.path, settings)
        self.addCleanup(tty.close)
        return tty

    def refused(self) -> str:
        return str(self.assertRaises(PortError, open_tty, self.path, PortSettings()))


class SettingsTests(PtyTestCase):
    def test_in_force(self) -> None:
        """The far end of the line sees the settings that were asked for: rate, stop bits, flow control, raw bytes."""
        attributes = termios.tcgetattr(self.master)
        attributes[0] |= termios.BRKINT
        termios.tcsetattr(self.master, termios.TCSANOW, attributes)
        tty = self.opened(PortSettings(115200, stopbits="2", flow="rtscts"))
        self.assertEqual((str(tty.in_force()), tty.warnings), ("115200 8N2, flow rtscts", []))
        iflag, oflag, cflag, lflag, _, speed, _ = termios.tcgetattr(self.master)
        self.assertEqual((speed, cflag & termios.CSTOPB, cflag & termios.CRTSCTS), (termios.B115200, termios.CSTOPB, termios.CRTSCTS))
        self.assertEqual((lflag & (termios.ICANON | termios.ECHO), oflag & termios.OPOST, iflag & termios.BRKINT), (0, 0, 0))

    def test_xonxoff(self) -> None:
        """Flow control by characters is set only when it is asked for."""
        self.assertEqual(self.opened(PortSettings(flow="xonxoff")).in_force().flow, "xonxoff")
        self.assertTrue(termios.tcgetattr(self.master)[0] & termios.IXON)

    def test_any_rate(self) -> None:
        """A rate that is in no table is set as it is."""
        tty = self.opened(PortSettings(250_001))
        words = array.array("i", [0] * 16)
        fcntl.ioctl(self.master, ttys._TCGETS2, words)
        self.assertEqual((words[10], tty.in_force().baudrate, tty.warnings), (250_001, 250_001, []))

    def test_refused_settings(self) -> None:
        """Each setting that the driver refuses is one warning, and all others are set."""
        tty = self.opened(PortSettings(1_234_567, 7, "even", "2", rts="on", dtr="off"))
        self.assertEqual(
            tty.warnings,
            [
                "bytesize 7: the driver refuses it; 8 is in force",
                "parity even: the driver refuses it; none is in force",
                "dtr off: the driver has no DTR (Inappropriate ioctl for device)",
                "rts on: the driver has no RTS (Inappropriate ioctl for device)",
            ],
        )
        self.assertEqual(str(tty.in_force()), "1234567 8N2, flow none")

    def test_every_parity(self) -> None:
        """No parity, nor mark and space, is a reason to fail."""
        for parity in ("even", "odd", "mark", "space"):
            tty = open_tty(self.path, PortSettings(parity=parity))  # type: ignore[arg-type]
            self.assertEqual(tty.warnings, [f"parity {parity}: the driver refuses it; none is in force"])
            tty.close()

    def test_lines_kept(self) -> None:
        """`keep` drives no modem line, so there is nothing to refuse."""
        self.assertEqual(self.opened().warnings, [])

    def test_dsrdtr(self) -> None:
        """A flow control that the system does not have is a warning."""
        self.assertIn("flow dsrdtr", self.opened(PortSettings(flow="dsrdtr")).warnings[0])

    def test_hangup(self) -> None:
        """HUPCL, which would reset an Arduino at each close, is set only if asked for."""
        for hangup in (True, False):
            open_tty(self.path, PortSettings(hangup=hangup)).close()
            self.assertEqual(bool(termios.tcgetattr(self.master)[2] & termios.HUPCL), hangup)

    def test_changed_later(self) -> None:
        """An open port takes a new rate, and keeps its lock and what the driver refused."""
        tty = self.opened(PortSettings(parity="odd"))
        tty.baudrate = 19200
        self.assertEqual((tty.in_force().baudrate, len(tty.warnings)), (19200, 1))
        self.assertIn("in use", self.refused())

    def test_empty_is_not_the_end(self) -> None:
        """A read when there is nothing gives EAGAIN (VMIN = 1), so that an empty read can mean a hang-up."""
        self.assertRaises(BlockingIOError, os.read, self.opened().fd, 1)

    def test_last_output(self) -> None:
        """What was written before the close reaches the far end, however slowly that reads."""
        os.set_blocking(self.master, False)
        tty = self.opened()
        sent = os.write(tty.fd, b"x" * 16384)
        tty.close()
        got = b""
        while len(got) < sent:
            got += os.read(self.master, 65536)
        self.assertEqual(len(got), sent)

    def test_old_input(self) -> None:
        """What came before the port was opened, perhaps at another rate, is not read."""
        os.write(self.master, b"stale")
        self.assertRaises(BlockingIOError, os.read, self.opened().fd, 10)


class ExclusiveTests(PtyTestCase):
    def test_second_opener(self) -> None:
        """A second open is refused with the name of the first, before it changes a setting; after the close it succeeds."""
        tty = self.opened(PortSettings(19200))
        self.assertIn(f"is in use by this program itself, pid {os.getpid()}", self.refused())
        self.assertEqual(tty.in_force().baudrate, 19200)
        tty.close()
        self.opened()

    def holding(self, how: str) -> subprocess.Popen[bytes]:
        opening = "import fcntl, os, sys, termios\nfd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)"
        source = f"{opening}\n{how}\nprint(flush=True)\nsys.stdin.read()"
        child = subprocess.Popen([sys.executable, "-c", source, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None

        def end() -> None:
            child.communicate()

        self.addCleanup(end)
        child.stdout.readline()
        return child

    def test_flock(self) -> None:
        """Another program that locked the port is named with its pid and command."""
        child = self.holding("fcntl.flock(fd, fcntl.LOCK_EX)")
        self.assertIn(f"is in use by pid {child.pid} ({sys.executable}", self.refused())

    def test_tiocexcl(self) -> None:
        """A port that another program locked by ioctl alone, which does not stop root, is in use too."""
        child = self.holding("fcntl.ioctl(fd, termios.TIOCEXCL)")
        self.assertIn(f"is in use by pid {child.pid}", self.refused())

    def test_released(self) -> None:
        """The exclusive mode ends with our close, also while another program has the port open."""
        other = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, other)
        open_tty(self.path, PortSettings()).close()
        self.assertEqual(any(fcntl.ioctl(other, ttys._TIOCGEXCL, bytes(4))), False)

    def test_is_exclusive(self) -> None:
        """While it is open the port is in exclusive mode, and only if that was asked for."""
        for exclusive in (True, False):
            tty = open_tty(self.path, PortSettings(exclusive=exclusive))
            self.assertEqual(any(fcntl.ioctl(tty.fd, ttys._TIOCGEXCL, bytes(4))), exclusive)
            tty.close()

    def test_shared(self) -> None:
        """Without `exclusive` two programs can have the port."""
        self.opened(PortSettings(exclusive=False))
        self.opened(PortSettings(exclusive=False))

    def test_failed_opening(self) -> None:
        """An open that fails half-way leaves neither lock nor descriptor."""

        def fail(self: TTY) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patch = self.patch(ttys.TTY, "_update_rts_state", fail)
        self.assertEqual(self.refused(), "Input/output error")
        patch.restore()
        self.opened()


class RefusedTests(SynchronousTestCase):
    def said(self, path: str) -> str:
        return str(self.assertRaises(PortError, open_tty, path, PortSettings()))

    def test_not_ports(self) -> None:
        """A path that is no serial port is refused as what it is, and not opened where that could have effects."""
        file, fifo = self.mktemp(), self.mktemp()
        with open(file, "wb"):
            pass
        os.mkfifo(fifo)
        self.assertEqual(self.said("/dev/null"), "is not a serial port")
        self.assertEqual(self.said("/dev"), "is not a serial port but a directory")
        self.assertEqual(self.said(file), "is not a serial port but a regular file")
        self.assertEqual(self.said(fifo), "is not a serial port but a FIFO")

    def test_absent(self) -> None:
        """An absent device is an error of its own class, so that its return can be waited for."""
        self.assertRaises(PortAbsentError, open_tty, "/dev/nowhere", PortSettings())
        self.assertRaises(PortAbsentError, open_tty, "/dev/null/below", PortSettings())

    def test_by_errno(self) -> None:
        """An error of the system becomes a message that says what to do."""
        for number, said in (
            (errno.EACCES, "permission denied"),
            (errno.EBUSY, "is in use by "),
            (errno.ENXIO, "is not there"),
            (errno.EIO, "Input/output error"),
        ):

            def fail(path: str, settings: PortSettings, number: int = number) -> TTY:
                raise OSError(number, os.strerror(number))

            self.patch(ttys, "TTY", fail)
            self.assertIn(said, self.said("/dev/null"))
