"""The table of --check."""

from __future__ import annotations

import re

from gateway.config.table import table

from ..configuring import ConfigCase

TEXT = """\
[gps]
device = /dev/gps
framing = lines
[scale]
connect = 10.0.0.7:4001
[lan]
listen = 0.0.0.0:7000
subscribe = gps
attach = scale
[raw]
listen = 127.0.0.1:7001
subscribe = gps
[web]
transport = websocket
listen = 127.0.0.1:8080
path = /live
subscribe = #
codec = json
"""


class Table(ConfigCase):
    def test_rows(self) -> None:
        """Each link has its place, framing, codec, outbox, the links that it hears and that hear it, and what is unsafe."""
        lines = table(self.config(TEXT)).splitlines()
        rows = [re.split(r"  +", line.strip()) for line in lines]
        for row in (
            ["gps", "serial", "/dev/gps", "-", "lines", "raw", "64KiB block", "-", "-"],
            ["scale", "tcp", "connects to 10.0.0.7:4001", "-", "raw (default)", "raw", "1MiB disconnect", "-", "-"],
            ["lan", "tcp", "listens on 0.0.0.0:7000", "-", "raw (default)", "raw", "1MiB disconnect", "1000", "! no TLS"],
            ["raw", "tcp", "listens on 127.0.0.1:7001", "-", "lines (as gps, bytes as received)", "raw", "1MiB disconnect", "1000", "-"],
            ["web", "websocket", "listens on 127.0.0.1:8080 /live", "-", "messages", "json", "1MiB disconnect", "1000", "-"],
            ["gps", "gps", "-", "lan, raw, web"],
            ["lan", "lan", "gps, scale", "scale, web"],
        ):
            self.assertIn(row, rows)
        self.assertIn("5 links, memory for outboxes 256MiB, linger 1500ms", lines[0])

    def test_one_link(self) -> None:
        """One link is counted in the singular."""
        self.assertIn(": 1 link, memory", table(self.config("[a]\nlisten = 127.0.0.1:0\n")).splitlines()[0])

    def test_absent(self) -> None:
        """A device, a socket or a socket's folder that is not there now is noted, with file and line; what is there is not."""
        text = (
            "[usb]\ndevice = usb:ffff:fffe\n[dev]\ndevice = ttyUSB7\n[folder]\ndevice = .\n[pc]\ndevice = COM3\n"
            "[loop]\ndevice = loop://\n[null]\ndevice = /dev/null\n"
            "[in]\ntransport = unix\nlisten = run/a\n[out]\ntransport = unix\nconnect = b\n[here]\ntransport = unix\nlisten = c\n"
        )
        config = self.config(text)
        notes = [line for line in table(config).splitlines() if re.match(r"note: .*(not there|not a serial port)", line)]
        self.assertEqual(
            [line.replace(self.directory, "").replace("note: /gw.ini", "gw.ini") for line in notes],
            [
                "gw.ini:1: [usb] device = usb:ffff:fffe is not there (is the device plugged in?); it is waited for",
                "gw.ini:3: [dev] device = /ttyUSB7 is not there (is the device plugged in?); it is waited for",
                "gw.ini:5: [folder] device = /. is not a serial port but a directory; it is waited for",
                "gw.ini:7: [pc] device = COM3 is not there: COM names are for Windows, here a port is a path such as /dev/ttyUSB0; "
                "it is waited for",
                "gw.ini:13: [in] listen = /run/a: the folder /run is not there now, and without it the start ends: make it first",
                "gw.ini:16: [out] connect = /b is not there now; it is waited for",
            ],
        )
        self.assertNotIn("not there", "".join((*config.warnings, *config.notes)))

    def test_warnings(self) -> None:
        """The warnings follow the tables."""
        config = self.config(TEXT)
        self.assertEqual(table(config).splitlines()[-len(config.warnings) :], [f"warning: {text}" for text in config.warnings])
        self.assertTrue(config.warnings)
