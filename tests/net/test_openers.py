"""Who has files open, for many that ask at the same time, read from a made-up /proc."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net import openers
from gateway.net.openers import FRESH, Openers


class OpenersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.proc = Path(self.mktemp())
        self.clock = Clock()
        self.openers = Openers(self.clock.seconds, str(self.proc))

    def process(self, pid: int, **opened: str) -> None:
        """A process with these descriptors, ``_5="/dev/x"``."""
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        for fd, path in opened.items():
            (folder / "fd" / fd[1:]).symlink_to(path)

    def of(self, path: str) -> list[int]:
        return list(self.openers.of(path))

    def test_who(self) -> None:
        """All processes but this one that have it open, by pid, each once; a descriptor that is no path is none."""
        self.process(200, _3="/dev/nowhere/a", _4="/dev/nowhere/b")
        self.process(30, _3="/dev/nowhere/a", _4="/dev/nowhere/a", _5="socket:[7]")
        self.process(os.getpid(), _3="/dev/nowhere/a")
        self.assertEqual((self.of("/dev/nowhere/a"), self.of("/dev/nowhere/b"), self.of("/dev/nowhere/c")), ([30, 200], [200], []))

    def test_by_its_link(self) -> None:
        """A device is found under the name that a link to it leads to."""
        link = Path(self.mktemp())
        link.symlink_to("/dev/nowhere/a")
        self.process(30, _3="/dev/nowhere/a")
        self.assertEqual(self.of(str(link)), [30])

    def test_once_for_all(self) -> None:
        """However many ask, /proc is read once, and once more when what was seen is old."""
        looks: list[str] = []
        processes = openers.processes
        self.patch(openers, "processes", lambda proc: looks.append(proc) or processes(proc))
        self.process(30, _3="/dev/nowhere/a")
        for number in range(1000):
            self.of(f"/dev/nowhere/{number}")
        self.assertEqual(len(looks), 1)
        self.process(40, _3="/dev/nowhere/a")
        self.clock.advance(FRESH)
        self.assertEqual(self.of("/dev/nowhere/a"), [30])
        self.clock.advance(0.01)
        self.assertEqual((self.of("/dev/nowhere/a"), len(looks)), ([30, 40], 2))

    def test_both_ends(self) -> None:
        """Who has the other ends too is the device itself; its descriptions are read once, and one that cannot be read is none."""
        self.process(30, _3="/dev/ptmx", _4="/dev/ptmx", _5="/dev/pts/7", _6="/dev/pts/77", _7="/dev/ptmx")
        infos = self.proc / "30/fdinfo"
        infos.mkdir()
        (infos / "3").write_text("pos:\t0\ntty-index:\t7\n")
        (infos / "4").write_text("pos:\t0\ntty-index:\t8\n")
        self.assertEqual((self.of("/dev/pts/7"), self.of("/dev/pts/77")), ([], [30]))
        (infos / "7").write_text("tty-index:\t77\n")
        self.assertEqual(self.of("/dev/pts/77"), [30])

    def test_no_proc(self) -> None:
        """Where nothing can be seen nobody is named."""
        self.assertEqual(self.of("/dev/nowhere/a"), [])
