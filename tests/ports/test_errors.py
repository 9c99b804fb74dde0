"""The errors for ports that cannot be opened."""

from __future__ import annotations

import os
import stat

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports import errors as porterrors


class SentenceTests(SynchronousTestCase):
    def test_absent(self) -> None:
        """An absent device, a link to nothing and a Windows name each have their own message."""
        self.assertEqual(str(porterrors.absent("/dev/nowhere")), "is not there (is the device plugged in?)")
        link = self.mktemp()
        os.symlink("/dev/nowhere", link)
        self.assertEqual(str(porterrors.absent(link)), "is not there: it is a link to /dev/nowhere, which does not exist")
        self.assertIn("/dev/ttyUSB0", str(porterrors.absent("COM3")))

    def test_busy(self) -> None:
        """The message names the program that has the port, or the command that finds it."""
        self.assertEqual(str(porterrors.busy("/dev/x", "pid 1 (init)")), "is in use by pid 1 (init)")
        self.assertIn("sudo fuser -v /dev/nowhere", str(porterrors.busy("/dev/nowhere")))

    def test_denied(self) -> None:
        """The owning group is named with the command to join it, where its members have access and it is not root's; else the mode."""
        path = self.mktemp()
        with open(path, "wb"):
            pass
        self.patch(porterrors.grp, "getgrgid", lambda gid: porterrors.grp.struct_group(("dialout", "", gid, ())))
        self.patch(porterrors.os, "stat", lambda path: _Stat(0o20660, 20))
        said = str(porterrors.denied(path))
        self.assertIn("permission denied; it belongs to the group dialout: sudo usermod -aG dialout ", said)
        self.patch(porterrors.grp, "getgrgid", lambda gid: porterrors.grp.struct_group(("root", "", gid, ())))
        self.patch(porterrors.os, "stat", lambda path: _Stat(0o20660, 0))
        self.assertIn("it belongs to the group root, which no user should join: a udev rule", str(porterrors.denied(path)))
        self.patch(porterrors.grp, "getgrgid", lambda gid: porterrors.grp.struct_group(("dialout", "", gid, ())))
        self.patch(porterrors.os, "stat", lambda path: _Stat(0o20600, 20))
        self.assertIn("its mode is 0600, so the group dialout has no access either", str(porterrors.denied(path)))

    def test_denied_and_gone(self) -> None:
        """A node that has gone meanwhile is still reported as denied."""
        self.assertEqual(str(porterrors.denied("/dev/nowhere")), "permission denied")

    def test_kinds(self) -> None:
        """The message for a path that is no port names what it is."""
        self.assertEqual(str(porterrors.not_a_port(stat.S_IFDIR)), "is not a serial port but a directory")
        self.assertEqual(str(porterrors.not_a_port()), "is not a serial port")


class _Stat:
    def __init__(self, mode: int, group: int) -> None:
        self.st_mode, self.st_gid = mode, group
