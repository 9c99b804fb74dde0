"""The terminal devices of this machine."""

from __future__ import annotations

import os
import pty
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.devices import Devices
from gateway.ports.errors import PortAbsentError, PortError
from gateway.ports.settings import PortSettings


class DeviceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.devices = Devices()

    def test_find(self) -> None:
        """A path is where the device is; a USB name is looked for, and is absent when nothing has it."""
        self.assertEqual(self.devices.find("/dev/ttyUSB0"), "/dev/ttyUSB0")
        self.assertIn("is plugged in", str(self.assertRaises(PortAbsentError, self.devices.find, "usb:fffe:fffe")))

    def test_look(self) -> None:
        """Two names of one device have the same identity; another device has another, and nothing none."""
        link = Path(self.mktemp())
        link.symlink_to("/dev/null")
        self.assertEqual(self.devices.look(str(link)), self.devices.look("/dev/null"))
        self.assertNotEqual(self.devices.look("/dev/zero"), self.devices.look("/dev/null"))
        self.assertIsNone(self.devices.look(self.mktemp()))

    def test_open(self) -> None:
        """An open device never waits: nothing there, data, no room, and the end of the line are told apart."""
        master, slave = pty.openpty()
        path = os.ttyname(slave)
        os.close(slave)
        tty = self.devices.open(path, PortSettings())
        self.addCleanup(tty.close)
        self.assertRaises(BlockingIOError, tty.read_some, 100)
        os.write(master, b"12.5 kg\r\n")
        self.assertEqual(tty.read_some(100), b"12.5 kg\r\n")
        self.assertEqual(tty.write_some(b"tare\r"), 5)
        self.assertEqual(os.read(master, 100), b"tare\r")
        self.assertFalse(tty.hung_up())
        os.close(master)
        self.assertTrue(tty.hung_up())
        self.assertEqual(tty.unsent(), 0)

    def test_refused(self) -> None:
        """What is not a serial port is refused with a reason."""
        self.assertIn("is not a serial port", str(self.assertRaises(PortError, self.devices.open, "/dev/null", PortSettings())))
