"""Serial links with a real reactor: floods, other programs, ports by URL, the end of the program."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.trial.unittest import TestCase

from gateway import registry
from gateway.config.plan import LinkPlan
from gateway.links.link import Link
from gateway.packet import Batch
from gateway.ports.errors import PortError
from gateway.ports.settings import PortSettings
from gateway.ports.ttys import open_tty
from gateway.transports import serial
from gateway.transports.serial import Options
from tests import samples
from tests.building import make_runtime

from . import running

reactor: Any = _reactor
LINES = registry.load("framing", "lines").Options()


def open_terminals() -> list[str]:
    """The ptys that this process has open, once for each descriptor."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return sorted(target for target in found if target.startswith("/dev/pt"))


class LinkTests(TestCase):
    """A link in this process, and what the bus hears of it."""

    timeout = 120

    def setUp(self) -> None:
        before = open_terminals()
        self.addCleanup(lambda: self.assertEqual(open_terminals(), before))
        self.runtime = make_runtime(reactor)
        self.addCleanup(self.runtime.stop)
        self.heard = running.Heard("the bus")
        self.packets = 0
        self.runtime.bus.subscribe(("dev",), self.hear, "test")

    def hear(self, batch: Batch) -> None:
        self.packets += batch.count
        self.heard.add(batch.data)

    def link(self, device: str) -> Link:
        options = Options(codec=registry.load("codec", "raw").Options(), device=device, framing=LINES)
        link = serial.make_link(LinkPlan("dev", "serial", options, LINES, False), self.runtime)
        link.rewire(["lan"])
        self.addCleanup(link.stop)
        link.start()
        return link

    async def test_flood(self) -> None:
        """A device that sends as fast as a pty can is read whole: every byte, in order, every line a packet."""
        device = running.Device(self)
        self.link(device.path)
        log = samples.nmea("signalk/gps-head64k.log")
        log = log[: log.rindex(b"\n") + 1] * 60
        device.write(log)
        self.assertTrue(await self.heard.size(len(log)) == log)
        self.assertEqual(self.packets, log.count(b"\n"))

    async def test_url(self) -> None:
        """A port by URL is read and written like any other; when its far end leaves and comes back, so does the port."""
        came: list[Deferred[running.Peer]] = [Deferred(), Deferred()]
        waiting = list(came)

        class Server(running.Peer):
            def connectionMade(self) -> None:
                waiting.pop(0).callback(self)

        factory = Factory.forProtocol(lambda: Server("far end"))
        factory.noisy = False
        listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        self.link(f"socket://127.0.0.1:{listening.getHost().port}")
        first = await came[0]
        await running.meanwhile(lambda: first.write(b"12.5\r\n"), self.heard.containing(b"12.5\r\n"))
        self.runtime.bus.publish(Batch("lan", "run", 1, 0, "", registry.make_framer(LINES).feed(b"VER?\n", 0.0)))
        await first.heard.containing(b"VER?\n")
        assert first.transport is not None
        first.transport.loseConnection()
        second = await came[1]
        await running.meanwhile(lambda: second.write(b"12.6\r\n"), self.heard.containing(b"12.6\r\n"))
        self.assertIn("lost: ", "\n".join(self.runtime.lines))  # type: ignore[attr-defined]

    async def test_url_while_opening(self) -> None:
        """A link that is stopped while its port is being opened in a thread leaves no port open."""
        port, came = await running.listen(self)
        link = self.link(f"socket://127.0.0.1:{port}")
        await link.stop()
        far = await came
        await far.lost


class ProgramTests(TestCase):
    """The whole program with a device on a pty."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.device = running.Device(self)

    async def run_gateway(self) -> tuple[running.Child, int]:
        ini = self.folder / "gw.ini"
        ini.write_text(f"[dev]\ndevice = {self.device.path}\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        gateway = running.gateway(self, ini)
        return gateway, await running.port_of(gateway, "lan")

    async def test_locked_out(self) -> None:
        """Another program that opens the port is refused, and the error names the program that has it."""
        gateway, _ = await self.run_gateway()
        error = self.assertRaises(PortError, open_tty, self.device.path, PortSettings())
        assert gateway.transport is not None
        self.assertIn(f"is in use by pid {gateway.transport.pid} (", str(error))

    async def test_end_with_unsent_output(self) -> None:
        """The program ends in time also when the device takes nothing and output for it waits everywhere."""
        gateway, port = await self.run_gateway()
        self.device.stopReading()
        client = await running.connect(self, port)
        client.write(b"x" * 1_000_000)
        await running.meanwhile(lambda: self.device.write(b"alive\n"), client.heard.containing(b"alive\n"))
        self.assertEqual(await gateway.stop(), -signal.SIGTERM)
