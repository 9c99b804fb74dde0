"""gpsd as a client of the gateway, as it is installed on every GPS machine."""

from __future__ import annotations

import itertools
import json
import socket
from pathlib import Path

from twisted.trial.unittest import TestCase

from ...samples import nmea
from .. import running


class GpsdTests(TestCase):
    async def gpsd(self, source: str) -> running.Peer:
        """A client of a gpsd that reads from this source. It gets its sockets as systemd gives them, so that any free port will do."""
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as control:
            control.bind(f"\0gpsd-{listening.getsockname()[1]}")
            control.listen()
            command = f"LISTEN_FDS=2 LISTEN_PID=$$ PATH=$PATH:/usr/sbin exec gpsd -N -n {source}"
            running.start(self, ["/bin/sh", "-c", command], descriptors={3: control.fileno(), 4: listening.fileno()})
            client = await running.connect(self, listening.getsockname()[1])
        await client.heard.containing(b'"class":"VERSION"')
        client.write(b'?WATCH={"enable":true,"json":true};\n')
        return client

    async def test_fix(self) -> None:
        """gpsd gets a fix from a receiver on a pty through the gateway, at the place where the receiver is."""
        device = running.Device(self)
        ini = Path(self.mktemp()).absolute()
        ini.write_text(f"[gps]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = gps\n")
        gateway = running.gateway(self, ini)
        client = await self.gpsd(f"tcp://127.0.0.1:{await running.port_of(gateway, 'lan')}")
        log = nmea("signalk/gps-head64k.log")
        pieces = itertools.cycle(log[start : start + 2000] for start in range(0, len(log), 2000))
        found = await running.meanwhile(lambda: device.write(next(pieces)), client.heard.matching(r'\{"class":"TPV"[^\n]*"lat":[^\n]*\}'))
        fix = json.loads(found[0])
        self.assertGreaterEqual(fix["mode"], 2)
        latitude = next(line.split(b",")[2] for line in log.splitlines() if line[3:6] == b"GGA" and line.split(b",")[6] == b"1")
        self.assertApproximates(fix["lat"], int(latitude[:2]) + float(latitude[2:]) / 60, 0.01)
