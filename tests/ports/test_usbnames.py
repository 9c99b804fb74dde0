"""USB names, found in a made-up sysfs."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.usbnames import UsbName, find, parse_usb_name


class NameTests(SynchronousTestCase):
    def test_read(self) -> None:
        """Vendor and product are four hex digits in either case; the serial number is whatever follows."""
        self.assertEqual(parse_usb_name("usb:0403:6001"), UsbName("0403", "6001"))
        self.assertEqual(parse_usb_name("usb:1A86:7523:A:b C"), UsbName("1a86", "7523", "A:b C"))
        self.assertEqual(str(parse_usb_name("usb:1A86:7523:A1")), "usb:1a86:7523:A1")

    def test_refused(self) -> None:
        """Anything else is refused, and the error says what to write."""
        for text in ("usb:403:6001", "usb:0403", "usb:0403:6001:", "usb:xxxx:6001"):
            self.assertIn("write usb:VID:PID", str(self.assertRaises(ValueError, parse_usb_name, text)))


class FindTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sys = Path(self.mktemp()).resolve()
        (self.sys / "class/tty").mkdir(parents=True)

    def plug(self, tty: str, device: str, vendor: str, product: str, serial: str = "", interface: str = "00", acm: bool = False) -> None:
        """A port as the kernel lays it out: a usb-serial port lies in its interface, a CDC ACM one is its interface."""
        folder = self.sys / "devices/usb1" / device
        port = folder / f"{device}:1.{int(interface, 16)}"
        (port if acm else port / tty).mkdir(parents=True)
        (port / "bInterfaceNumber").write_text(f"{interface}\n")
        for name, value in (("idVendor", vendor), ("idProduct", product), ("serial", serial)):
            if value:
                (folder / name).write_text(f"{value}\n")
        entry = self.sys / "class/tty" / tty
        entry.mkdir()
        (entry / "device").symlink_to(port if acm else port / tty)

    def find(self, text: str) -> str:
        return find(parse_usb_name(text), str(self.sys), "/dev")

    def test_found(self) -> None:
        """A device is found by its ids, by its serial number among its like, through either kind of driver."""
        self.plug("ttyUSB3", "1-1", "0403", "6001", "A1")
        self.plug("ttyUSB4", "1-2", "0403", "6001", "A2")
        self.plug("ttyACM0", "1-3", "1546", "01a7", acm=True)
        (self.sys / "class/tty/ttyS0").mkdir()
        self.assertEqual(self.find("usb:0403:6001:A2"), "/dev/ttyUSB4")
        self.assertEqual(self.find("usb:1546:01A7"), "/dev/ttyACM0")

    def test_absent(self) -> None:
        """A device that is not plugged in, has another serial number, or is looked for without sysfs is not found."""
        self.plug("ttyUSB3", "1-1", "0403", "6001", "A1")
        for text in ("usb:0403:6002", "usb:0403:6001:A2"):
            self.assertIn(f"no USB device {text} is plugged in", str(self.assertRaises(LookupError, self.find, text)))
        self.assertRaises(LookupError, find, parse_usb_name("usb:0403:6001"), "/nowhere")

    def test_ambiguous(self) -> None:
        """Of two devices that fit none is chosen: the error names both."""
        self.plug("ttyUSB3", "1-1", "0403", "6001", "A1")
        self.plug("ttyUSB4", "1-2", "0403", "6001")
        said = str(self.assertRaises(ValueError, self.find, "usb:0403:6001"))
        self.assertIn("/dev/ttyUSB3 (serial number A1), /dev/ttyUSB4 (serial number none); add the serial number", said)

    def test_several_ports(self) -> None:
        """Of a device with several ports the first is found, in whatever order the kernel lists them."""
        self.plug("ttyUSB0", "1-1", "0403", "6011", interface="02")
        self.plug("ttyUSB1", "1-1", "0403", "6011", interface="00")
        self.assertEqual(self.find("usb:0403:6011"), "/dev/ttyUSB1")
