"""Who holds a device, read from a made-up /proc and from the real one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.holders import holder


class MadeUpTests(SynchronousTestCase):
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


class RealTests(SynchronousTestCase):
    def test_ourselves(self) -> None:
        """A lock of our own is said to be ours: two links with one device."""
        path = self.mktemp()
        with open(path, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertIn(f"this program itself, pid {os.getpid()}", holder(path))
