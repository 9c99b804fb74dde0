"""``usb:VID:PID[:SERIAL]``: the serial port of a USB device, whatever name the kernel has given it.

Read from sysfs (Documentation/ABI in the Linux source: /sys/class/tty/NAME/device leads to the USB interface, below the USB device with
``idVendor``, ``idProduct`` and ``serial``).
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

PREFIX = "usb:"


class UsbName(NamedTuple):
    """Vendor and product id, four lower-case hex digits each, and the serial number, or ``""`` for any."""

    vendor: str
    product: str
    serial: str = ""

    def __str__(self) -> str:
        return PREFIX + ":".join(part for part in self if part)


class _Found(NamedTuple):
    device: str
    interface: str
    node: str
    serial: str


def parse_usb_name(text: str) -> UsbName:
    """Read ``usb:VID:PID`` or ``usb:VID:PID:SERIAL``; SERIAL may contain colons. Raises ValueError, which says what to write."""
    match = re.fullmatch(r"usb:([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::(.+))?", text, re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is not a USB name (write usb:VID:PID or usb:VID:PID:SERIAL; lsusb prints VID:PID, in hex)")
    return UsbName(match[1].lower(), match[2].lower(), match[3] or "")


def find(name: UsbName, sys: str = "/sys", dev: str = "/dev") -> str:
    """Return the path of the device node, of a device with several ports the first.

    Raises LookupError when there is no such device now, and ValueError when several devices have this name.
    """
    found = sorted(_usb_ports(sys, dev, name))
    if not found:
        raise LookupError(f"no USB device {name} is plugged in, or it has no serial port")
    if len({each.device for each in found}) > 1:
        fits = ", ".join(f"{each.node} (serial number {each.serial or 'none'})" for each in found)
        raise ValueError(f"several devices are {name}: {fits}; add the serial number, or name one under /dev/serial/by-path")
    return found[0].node


def _usb_ports(sys: str, dev: str, name: UsbName) -> list[_Found]:
    found: list[_Found] = []
    try:
        ttys = os.listdir(f"{sys}/class/tty")
    except OSError:
        return found
    for tty in ttys:
        link = f"{sys}/class/tty/{tty}/device"
        if not os.path.exists(link):
            continue
        place = os.path.realpath(link)
        interface = ""
        # A usb-serial port is two levels below its device (device/interface/ttyUSB0), a CDC ACM one is one (device/interface).
        for _ in range(3):
            interface = interface or _line(place, "bInterfaceNumber")
            vendor = _line(place, "idVendor")
            if vendor:
                serial = _line(place, "serial")
                if (vendor, _line(place, "idProduct")) == name[:2] and name.serial in ("", serial):
                    found.append(_Found(place, interface, f"{dev}/{tty}", serial))
                break
            place = os.path.dirname(place)
    return found


def _line(folder: str, file: str) -> str:
    try:
        with open(f"{folder}/{file}", encoding="utf-8", errors="replace") as lines:
            return lines.readline().strip()
    except OSError:
        return ""
