"""Who holds a device, read from a made-up /proc and from the real one."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.net import holders
from gateway.net.holders import holder, port_holder, socket_holder


class MadeUpCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.proc = Path(self.mktemp())
        self.proc.mkdir()
        self.device = Path(self.mktemp())
        self.device.touch()
        self.locks = self.proc / "locks"
        self.locks.touch()

    def process(self, pid: int, command: bytes, *opened: Path) -> None:
        folder = self.proc / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "cmdline").write_bytes(command)
        for number, path in enumerate(opened):
            (folder / str(number)).symlink_to(path.resolve())

    def lock(self, pid: int, kind: str = "FLOCK", waits: str = "") -> None:
        found = os.stat(self.device)
        place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        with self.locks.open("a") as file:
            file.write(f"1: {waits}{kind}  ADVISORY  WRITE {pid} {place} 0 EOF\n")

    def holder(self) -> str:
        return holder(str(self.device), str(self.proc))


class DeviceTests(MadeUpCase):
    def test_locked(self) -> None:
        """Whoever has the lock is named with pid and command line."""
        self.process(4711, b"minicom\0-D\0/dev/ttyUSB0\0")
        self.lock(4711)
        self.assertEqual(self.holder(), "pid 4711 (minicom -D /dev/ttyUSB0)")

    def test_opened(self) -> None:
        """Without a lock it is whoever has it open, and not whoever has something else open."""
        self.process(100, b"sh\0", self.proc)
        self.process(4711, b"screen\0", self.device)
        self.assertEqual(self.holder(), "pid 4711 (screen)")

    def test_other_end(self) -> None:
        """Who has a pseudo-terminal's other end open too is the device, as socat is, and holds nothing; with another one's it does."""
        for number, found in (("7", ""), ("77", "pid 4711 (socat)")):
            proc = self.proc / number
            self.proc, before = proc, self.proc
            self.process(4711, b"socat\0")
            self.proc = before
            for fd, path in (("5", "/dev/ptmx"), ("6", "/dev/pts/7")):
                (proc / "4711/fd" / fd).symlink_to(path)
            (proc / "4711/fdinfo").mkdir()
            (proc / "4711/fdinfo/5").write_text(f"pos:\t0\ntty-index:\t{number}\n")
            self.assertEqual(holder("/dev/pts/7", str(proc)), found)

    def test_unknown(self) -> None:
        """Where nothing can be known nothing is said: nobody, a lock of another kind, one who waits for it, no /proc."""
        self.lock(4711, kind="POSIX")
        self.lock(4712, waits="-> ")
        self.lock(0)
        self.assertEqual(self.holder(), "")
        self.assertEqual(holder(str(self.device), "/nowhere"), "")

    def test_printable(self) -> None:
        """A command line cannot write into the log what it likes: it is short and printable."""
        self.process(4711, b"\x1b[2Jevil\n\xff" + b"x" * 1000, self.device)
        said = self.holder()
        self.assertTrue(said.isprintable() and len(said) < 180, said)

    def test_long(self) -> None:
        """Of a long command line the beginning and the end are shown: what runs, and with which configuration."""
        self.process(4711, b"/usr/bin/python3\0/usr/bin/twistd\0" + b"-x\0" * 200 + b"--config\0/etc/gateway/two.ini\0", self.device)
        said = self.holder()
        self.assertTrue(said.startswith("pid 4711 (/usr/bin/python3 /usr/bin/twistd -x"), said)
        self.assertTrue(said.endswith(" --config /etc/gateway/two.ini)"), said)
        self.assertEqual(len(said), len("pid 4711 ()") + 160)

    def test_gone(self) -> None:
        """A process that ends while we look is named by its pid alone."""
        self.lock(4711)
        self.assertEqual(self.holder(), "pid 4711")


class PortTests(MadeUpCase):
    def row(self, place: str, inode: int, state: str = "0A") -> str:
        return f"{place} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1"

    def listening(self, name: str, *rows: str) -> None:
        (self.proc / "net").mkdir(exist_ok=True)
        (self.proc / "net" / name).write_text("  sl  local_address\n" + "".join(f"   0: {row}\n" for row in rows))

    def serving(self, pid: int, inode: int) -> None:
        folder = self.proc / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "cmdline").write_bytes(b"ser2net\0-n\0")
        (folder / "7").symlink_to(f"socket:[{inode}]")

    def test_port(self) -> None:
        """Whoever listens on the port is named, whether on this address or on all; others on it, and other ports, are not."""
        self.patch(sys, "byteorder", "little")
        self.serving(4711, 31337)
        rows = self.row("0100007F:1B58", 1, "01"), self.row("0200007F:1B58", 2), self.row("0100007F:1B59", 3)
        for name, place, host in (
            ("tcp", "0100007F:1B58", "127.0.0.1"),
            ("tcp", "00000000:1B58", "127.0.0.1"),
            ("tcp", "0100007F:1B58", "0.0.0.0"),
            ("tcp6", "00000000000000000000000001000000:1B58", "::1"),
            ("tcp6", "00000000000000000000000000000000:1B58", "127.0.0.1"),
        ):
            self.listening("tcp")
            self.listening(name, *rows, self.row(place, 31337))
            self.assertEqual(port_holder(host, 7000, str(self.proc)), "pid 4711 (ser2net -n)", (place, host))
        self.assertEqual(port_holder("127.0.0.9", 7001, str(self.proc)), "")

    def test_cannot_be_known(self) -> None:
        """Where the process cannot be seen, where looking takes too long, or without /proc, nothing is said."""
        self.listening("tcp", self.row("0100007F:1B58", 31337))
        self.assertEqual(port_holder("127.0.0.1", 7000, str(self.proc)), "")
        self.serving(4711, 31337)
        self.patch(holders, "PATIENCE", -1.0)
        self.assertEqual(port_holder("127.0.0.1", 7000, str(self.proc)), "")
        self.assertEqual(port_holder("127.0.0.1", 7000, "/nowhere"), "")


class RealTests(SynchronousTestCase):
    def test_port_and_socket(self) -> None:
        """A port and a UNIX socket that this program itself listens on are found in the real /proc."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertIn(f"this program itself, pid {os.getpid()}", port_holder("127.0.0.1", server.getsockname()[1]))
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("")
            server.listen()
            client.connect(server.getsockname())
            self.assertIn(f"this program itself, pid {os.getpid()}", socket_holder(client))

    def test_ourselves(self) -> None:
        """A lock of our own is said to be ours: two links with one device."""
        path = self.mktemp()
        with open(path, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertIn(f"this program itself, pid {os.getpid()}", holder(path))
