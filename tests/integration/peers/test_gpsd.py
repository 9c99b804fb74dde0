"""gpsd, as a real client: it reads the gateway's TCP port and finds a fix in what comes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall, deferLater
from twisted.trial.unittest import TestCase

from ...samples import nmea
from ..running import Device, Peer, connect, gateway, port_of, start

clock: Any = reactor


async def free_port() -> int:
    """A port that nobody listens on now."""
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Protocol))
    number: int = port.getHost().port
    await port.stopListening()
    return number


def positions(log: bytes) -> list[tuple[float, float]]:
    """Latitude and longitude of each GGA sentence, in degrees."""
    found = []
    for line in log.split(b"\r\n"):
        fields = line.decode("ascii", "replace").split(",")
        if fields[0][3:] == "GGA" and len(fields) > 5 and fields[2] and fields[4]:
            lat, lon = (int(value.partition(".")[0][:-2]) + float(value[value.index(".") - 2 :]) / 60 for value in (fields[2], fields[4]))
            found.append((lat if fields[3] == "N" else -lat, lon if fields[5] == "E" else -lon))
    return found


class GpsdTests(TestCase):
    """A client of the gateway that others wrote."""

    timeout = 120

    async def test_fix(self) -> None:
        """``gpsd tcp://HOST:PORT`` gets a fix from a real receiver's log that a pty feeds to the gateway."""
        place = Path(self.mktemp()).absolute()
        place.mkdir(parents=True)
        device = Device(self)
        (place / "gw.ini").write_text(f"[gps]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = gps\n")
        child = gateway(self, place / "gw.ini")
        source = f"tcp://127.0.0.1:{await port_of(child, 'lan')}"
        port = await free_port()
        gpsd = shutil.which("gpsd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        assert gpsd is not None
        daemon = start(self, [gpsd, "-N", "-n", "-b", "-D", "1", "-S", str(port), source])

        log = nmea("signalk/gps-head64k.log")
        lines = iter(log.splitlines(keepends=True) * 20)
        feeding = LoopingCall(lambda: device.write(b"".join(next(lines) for _ in range(4))))
        feeding.start(0.02)
        self.addCleanup(lambda: feeding.running and feeding.stop())
        watcher = await self.watch(port, daemon)
        fix = await watcher.heard.until(lambda: self.fix(watcher.heard.data), "fix")
        near = [place for place in positions(log) if abs(place[0] - fix["lat"]) < 0.001 and abs(place[1] - fix["lon"]) < 0.001]
        self.assertNotEqual(near, [], fix)
        self.assertEqual(fix["device"], source)

    async def watch(self, port: int, daemon: Any) -> Peer:
        """A client of gpsd's that watches; gpsd takes a moment to listen."""
        for _ in range(100):
            try:
                watcher = await connect(self, port)
            except ConnectError:
                self.assertFalse(daemon.ended, daemon.said.data)
                await deferLater(clock, 0.1)
                continue
            watcher.write(b'?WATCH={"enable":true,"json":true};\n')
            return watcher
        raise AssertionError(f"gpsd does not listen: {daemon.said.data!r}")

    def fix(self, said: bytes) -> dict[str, Any] | None:
        """The first position that gpsd reports."""
        for line in said.split(b"\n")[:-1]:
            report: dict[str, Any] = json.loads(line)
            if report.get("class") == "TPV" and report.get("mode", 0) >= 2 and "lat" in report:
                return report
        return None
