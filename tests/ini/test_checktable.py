"""The table of --check."""

from __future__ import annotations

import re

from gateway.ini.checktable import table

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
        """Each link has its place, what it speaks and why, its outbox, whom it hears, who hears it, and what is unsafe."""
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

    def test_warnings(self) -> None:
        """The warnings stand below."""
        config = self.config(TEXT)
        self.assertEqual(table(config).splitlines()[-len(config.warnings) :], [f"warning: {text}" for text in config.warnings])
        self.assertTrue(config.warnings)
