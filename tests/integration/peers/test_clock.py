"""The wall clock is stepped, by libfaketime (Debian package faketime); the monotonic clock goes on as it is."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ..running import ROOT, connect, port_of, reactor, start, twistd


class SteppedTests(TestCase):
    timeout = 120

    async def test_an_hour_back(self) -> None:
        """Stepped back an hour, timers go on: an idle session still ends after its idle_timeout, not an hour later."""
        place = Path(self.mktemp()).absolute()
        place.mkdir(parents=True)
        (place / "gw.ini").write_text("[lan]\nlisten = 127.0.0.1:0\nidle_timeout = 2s\n")
        stamp = place / "clock"
        stamp.write_text("+0")
        library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        self.assertNotEqual(library, [])
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "LD_PRELOAD": library[0],
            "FAKETIME_TIMESTAMP_FILE": str(stamp),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        child = start(self, [twistd(), "-n", "--pidfile=", "gateway", "--config", "gw.ini"], cwd=place, env=environment)
        port = await port_of(child, "lan")
        client = await connect(self, port)
        await child.said.containing(b"connected")
        await deferLater(reactor, 0.5)  # behind the line in the log, the timer is set
        stamp.write_text("-3600")
        await client.lost
        await child.said.containing(b"nothing moved for 2 s (idle_timeout)")
