"""A serial link on ptys: options, opening, unplugging and replugging, locks, demand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.bus.outbox import DeviceOutboxOptions
from gateway.config.plan import LinkPlan
from gateway.links.link import Link
from gateway.packet import Batch
from gateway.ports import devices, ttys
from gateway.ports.settings import PortSettings, Speed
from gateway.transports import serial
from gateway.transports.serial import Options, warnings
from tests.building import gone, join, make_link, make_runtime

LINES = registry.load("framing", "lines").Options()
RAW = registry.load("codec", "raw").Options()


class OptionTests(SynchronousTestCase):
    def refused(self, **options: Any) -> str:
        return str(self.assertRaises(ValidationError, Options, **{"device": "/dev/ttyS9", **options}))

    def test_settings(self) -> None:
        """What is written becomes the port's settings, with the defaults of the field."""
        self.assertEqual(Options(device="/dev/x").settings, PortSettings())
        options = Options(device="/dev/x", baudrate="19200 7E1", flow="xonxoff", dtr="off", hangup="yes", exclusive="no")
        self.assertEqual(options.settings, PortSettings(19200, 7, "even", "1", "xonxoff", "keep", "off", True, False))
        apart = Options(device="/dev/x", baudrate="19200", bytesize="7", parity="even")
        self.assertEqual(apart.settings, PortSettings(19200, 7, "even"))

    def test_contradictions(self) -> None:
        """Settings that contradict each other are refused where they stand; the same said twice is no contradiction."""
        self.assertIn("8 contradicts baudrate = 9600 7E1", self.refused(baudrate="9600 7E1", bytesize="8"))
        self.assertIn("odd contradicts baudrate = 9600 7E1", self.refused(baudrate="9600 7E1", parity="odd"))
        self.assertIn("rts = on contradicts flow = rtscts", self.refused(flow="rtscts", rts="on"))
        self.assertIn("dtr = off contradicts flow = dsrdtr", self.refused(flow="dsrdtr", dtr="off"))
        self.assertEqual(Options(device="/dev/x", baudrate="9600 7E1", bytesize="7").baudrate, Speed(9600, 7, "even", "1"))

    def test_bad_values(self) -> None:
        """Values that no port has are refused."""
        for options in ({"baudrate": "0"}, {"baudrate": "fast"}, {"bytesize": "9"}, {"stopbits": "3"}, {"parity": "some"}, {"flow": "on"}):
            self.refused(**options)

    def test_devices(self) -> None:
        """Paths, USB names, Windows names and URLs are told apart; only a path is completed with the folder of the file."""
        absolute = {"absolute": lambda path: os.path.join("/etc", path)}
        for written, read in (
            ("ttyV0", "/etc/ttyV0"),
            ("/dev/ttyS9", "/dev/ttyS9"),
            ("usb:0403:6001:A1", "usb:0403:6001:A1"),
            ("COM3", "COM3"),
            ("com3", "COM3"),
            ("USB:0403:6001:a1B", "usb:0403:6001:a1B"),
            ("LOOP://", "loop://"),
            ("loop://", "loop://"),
            ("rfc2217://10.0.0.1:4001", "rfc2217://10.0.0.1:4001"),
        ):
            self.assertEqual(Options.model_validate({"device": written}, context=absolute).device, read)

    def test_no_devices(self) -> None:
        """What is none is refused with what to write."""
        for device, said in (
            ("", "a device is missing"),
            ("usb:403:1", "is not a USB name (write usb:VID:PID"),
            ("nonsense://x", "pyserial knows no nonsense://"),
            ("../x://y", "pyserial knows no ../x://"),
            ("a\0b", "holds a NUL"),
        ):
            self.assertIn(said, self.refused(device=device))

    def test_outbox(self) -> None:
        """Towards a device the outbox is short, and whoever writes waits."""
        self.assertEqual(Options(device="/dev/x").outbox, DeviceOutboxOptions())

    def test_warnings(self) -> None:
        """What is allowed and unwise is told."""
        self.assertEqual(warnings(Options(device="/dev/x", flow="xonxoff", framing=LINES)), [])
        self.assertIn("0x11 and 0x13", warnings(Options(device="/dev/x", flow="xonxoff"))[0])
        self.assertIn("2 will be in force", warnings(Options(device="/dev/x", stopbits="1.5"))[0])
        silence = registry.load("framing", "silence").Options
        self.assertIn(
            "one character takes 33 ms at 300 baud", warnings(Options(device="/dev/x", baudrate="300", framing=silence(interval=0.03)))[0]
        )
        self.assertEqual(warnings(Options(device="/dev/x", baudrate="300", framing=silence(interval=0.05))), [])
        fixed = registry.load("framing", "fixed").Options(size=4, resync=0.02)
        self.assertIn("framing.resync = 20ms: one character", warnings(Options(device="/dev/x", baudrate="300", framing=fixed))[0])
        self.assertIn("hangup has no effect", warnings(Options(device="socket://h:1", hangup="yes"))[0])


class SerialTestCase(SynchronousTestCase):
    """A device that is a pty behind a name, on a clock that stands still."""

    def setUp(self) -> None:
        before = os.listdir("/proc/self/fd")
        self.addCleanup(lambda: self.assertEqual(len(os.listdir("/proc/self/fd")), len(before)))
        self.reactor = MemoryReactorClock()
        self.runtime = make_runtime(self.reactor)
        self.node = Path(self.mktemp()).resolve()
        self.master = -1
        self.heard: list[Batch] = []
        self.runtime.bus.subscribe(("gauge",), self.heard.append, "test")
        self.addCleanup(lambda: self.assertEqual((self.reactor.getDelayedCalls(), self.reactor.readers), ([], set())))
        self.addCleanup(self.runtime.stop)
        self.addCleanup(self.unplug)

    def plug(self) -> None:
        self.master, slave = os.openpty()
        os.set_blocking(self.master, False)
        self.path = os.ttyname(slave)
        os.close(slave)
        self.node.symlink_to(self.path)

    def unplug(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.node.unlink()
            self.master = -1
            self.react()

    def link(self, hears: tuple[str, ...] = (), name: str = "gauge", **options: Any) -> Link:
        chosen = Options(**{"codec": RAW, "device": str(self.node), "framing": LINES, **options})
        link = serial.make_link(LinkPlan(name, "serial", chosen, chosen.framing, False), self.runtime)
        link.rewire(hears)
        self.addCleanup(self.stop, link)
        link.start()
        return link

    def stop(self, link: Link) -> None:
        stopped = link.stop()
        self.react()
        self.reactor.advance(0)
        self.successResultOf(stopped)

    def react(self) -> None:
        """One turn of the reactor for all descriptors."""
        for port in list(self.reactor.readers):
            self.disconnect_if(port, port.doRead())
        for port in list(self.reactor.writers):
            self.disconnect_if(port, port.doWrite())

    def disconnect_if(self, port: Any, why: Exception | None) -> None:
        if why is not None:
            port.connectionLost(Failure(why))

    def payloads(self) -> list[bytes]:
        return [payload for batch in self.heard for payload in batch.payloads]

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]


class PortTests(SerialTestCase):
    def test_both_ways(self) -> None:
        """Packets come from the device and go to it, and the log says once how the port is set."""
        self.plug()
        self.link(hears=("lan",), baudrate="19200")
        os.write(self.master, b"12.5\r\n12.6\r\n")
        self.react()
        self.assertEqual(self.payloads(), [b"12.5", b"12.6"])
        client, _ = join(make_link(self.runtime, "lan"))
        client.received(b"VER?\n")
        self.assertEqual(os.read(self.master, 100), b"VER?\n")
        self.assertEqual(self.said().count(f"[gauge] {self.node}: connected, 19200 8N1, flow none"), 1)

    def test_refused_settings(self) -> None:
        """What the driver refuses is told and does not keep the port closed."""
        self.plug()
        link = self.link(baudrate="9600 7E1")
        self.assertEqual(len(link.sessions), 1)
        self.assertIn(f"[gauge] {self.node}: connected, 9600 8N1, flow none", self.said())
        self.assertIn("parity even: the driver refuses it; none is in force", self.said())

    def test_busy(self) -> None:
        """A port that another link has is told as busy with its holder; when that lets go it is opened."""
        self.plug()
        first = self.link()
        second = self.link()
        self.assertIn("is in use by this program itself", self.said())
        self.stop(first)
        self.reactor.advance(1)
        self.assertEqual(len(second.sessions), 1)

    def test_shared(self) -> None:
        """Another program that has the port open without a lock is told once, since each takes bytes away from the other."""
        self.plug()
        source = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(flush=True); sys.stdin.read()"
        other = subprocess.Popen([sys.executable, "-c", source, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(other.communicate)
        assert other.stdout is not None
        other.stdout.readline()
        link = self.link()
        (session,) = link.sessions
        session.abort("once more")
        self.reactor.advance(1)
        self.assertEqual(link.counters["connected"], 2)
        self.assertEqual(self.said().count(f"[gauge] {self.node}: pid {other.pid} ({sys.executable}"), 1)
        self.assertIn("has it open too, without a lock", self.said())

    def test_not_shared(self) -> None:
        """Of a port that nobody else has open nothing is said, and a closed one is not looked at any more."""
        self.plug()
        link = self.link()
        self.assertNotIn("open too", self.said())
        self.stop(link)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_lost_framing(self) -> None:
        """A fault that would end a connection does not close the port: the framer goes on at the next boundary."""
        self.plug()
        link = self.link(framing=registry.load("framing", "lines").Options(max=4, on_oversize="close"))
        os.write(self.master, b"too long\n")
        self.react()
        os.write(self.master, b"ok\n")
        self.react()
        self.assertEqual((self.payloads(), link.counters["oversize"], link.counters["connected"]), ([b"ok"], 1, 1))
        self.assertEqual([session.open for session in link.sessions], [True])

    def test_lost_at_once(self) -> None:
        """A port that is lost while it is opened is tried again, and is not taken for open."""
        self.plug()

        opened = Link.opened

        def lost_in_opening(link: Link, session: Any) -> None:
            opened(link, session)
            session.abort("no")

        patch = self.patch(Link, "opened", lost_in_opening)
        link = self.link()
        self.assertEqual(link.how.keeper.state, "waiting")
        patch.restore()
        self.reactor.advance(1)
        self.assertEqual(link.how.keeper.state, "connected")

    def test_loop(self) -> None:
        """`loop://` needs neither thread nor device: what is written to it comes back."""
        self.link(hears=("lan",), device="loop://")
        client, _ = join(make_link(self.runtime, "lan"))
        client.received(b"hello\n")
        self.reactor.advance(0)
        self.assertEqual(self.payloads(), [b"hello"])

    def test_usb_name(self) -> None:
        """A USB name is resolved at each opening; while it is absent that is told in its own words."""
        self.plug()
        found = ValueError("several devices are usb:0403:6001")

        def find(name: Any) -> str:
            if found is not None:
                raise found
            return str(self.node)

        self.patch(devices, "find", find)
        link = self.link(device="usb:0403:6001")
        self.assertIn("[gauge] usb:0403:6001: several devices are usb:0403:6001", self.said())
        found = None  # type: ignore[assignment]
        self.reactor.pump([0.25, 0.25])
        self.assertEqual(len(link.sessions), 1)


class UnpluggedTests(SerialTestCase):
    def test_absent(self) -> None:
        """A device that is not there is told once, and opened within half a second after its node has come."""
        link = self.link()
        self.reactor.pump([0.25] * 400)
        self.assertEqual(self.said().count("is not there"), 1)
        self.plug()
        self.reactor.pump([0.25, 0.25])
        self.assertEqual(len(link.sessions), 1)
        self.assertIn("back after", self.said())

    def test_no_access_yet(self) -> None:
        """A node whose owner and mode udev sets only after it is there is opened as soon as they are set."""
        self.plug()
        refused = PermissionError(13, "Permission denied")

        def open_tty(path: str, settings: PortSettings) -> Any:
            raise refused

        patch = self.patch(ttys, "open_tty", open_tty)
        link = self.link()
        self.reactor.pump([0.25] * 100)
        self.assertEqual(len(link.sessions), 0)
        patch.restore()
        os.chmod(self.path, 0o640)
        self.reactor.pump([0.25, 0.25])
        self.assertEqual(len(link.sessions), 1)

    def test_in_the_middle_of_a_packet(self) -> None:
        """Unplugged in the middle of a packet and replugged: the half is counted and told and never delivered, and nothing else is lost."""
        self.plug()
        link = self.link()
        os.write(self.master, b"one\ntw")
        self.react()
        self.unplug()
        self.assertEqual((link.how.keeper.state, len(link.sessions), link.counters["tail"]), ("waiting", 0, 1))
        self.assertIn("unplugged", self.said())
        self.reactor.pump([0.25] * 12)
        self.plug()
        self.reactor.pump([0.25, 0.25])
        os.write(self.master, b"three\n")
        self.react()
        self.assertEqual(self.payloads(), [b"one", b"three"])

    def test_no_old_command(self) -> None:
        """A command for an absent device is refused, and not played into the device that comes back."""
        link = self.link(hears=("lan",))
        client, _ = join(make_link(self.runtime, "lan"))
        client.received(b"open valve\n")
        self.plug()
        self.reactor.pump([0.25, 0.25])
        client.received(b"VER?\n")
        self.assertEqual((os.read(self.master, 100), link.counters["refused_packets"]), (b"VER?\n", 1))

    def test_replaced(self) -> None:
        """A name that leads to another device by now, while the old one has not hung up, is followed."""
        self.plug()
        link = self.link()
        old = self.master
        self.addCleanup(os.close, old)
        self.node.unlink()
        self.plug()
        self.reactor.pump([1, 1])
        self.assertIn("replaced: its name leads to another device now", self.said())
        os.write(self.master, b"new\n")
        self.react()
        self.assertEqual((self.payloads(), len(link.sessions)), ([b"new"], 1))

    def test_name_gone(self) -> None:
        """A name that is gone is no reason to close a port that works."""
        self.plug()
        link = self.link()
        self.node.unlink()
        self.reactor.pump([1, 1, 1])
        self.assertEqual(len(link.sessions), 1)
        self.node.symlink_to(self.path)


class DemandTests(SerialTestCase):
    def test_while_used(self) -> None:
        """With `open = while-used` the port is open from the first client to the last."""
        self.plug()
        link = self.link(hears=("lan",), open="while-used")
        self.assertEqual(len(link.sessions), 0)
        lan = make_link(self.runtime, "lan", hears=("gauge",))
        client, wire = join(lan)
        self.assertEqual(len(link.sessions), 1)
        os.write(self.master, b"12.5\n")
        self.react()
        self.assertEqual(wire.value(), b"12.5\n")
        client.lost(gone("gone"))
        self.react()
        self.assertEqual((len(link.sessions), link.how.keeper.state), (0, "stopped"))
        self.assertEqual(self.said().count("closed: nobody uses it (open = while-used)"), 1)

    def test_two_that_hear_each_other(self) -> None:
        """Two such ports are no reason for each other to stay open: only somebody else is."""
        one = self.link(hears=("two",), name="one", device="loop://", open="while-used")
        two = self.link(hears=("one",), name="two", device="loop://", open="while-used")
        client, _ = join(make_link(self.runtime, "lan", hears=("one",)))
        self.reactor.advance(0)
        self.assertEqual((len(one.sessions), len(two.sessions)), (1, 0))
        client.lost(gone("gone"))
        self.reactor.pump([0.1] * 5)
        self.assertEqual((len(one.sessions), len(two.sessions)), (0, 0))

    def test_again_before_it_is_closed(self) -> None:
        """Who comes while the port is being closed has it opened again when that is done, and not while it is still locked."""
        self.plug()
        link = self.link(open="while-used")
        lan = make_link(self.runtime, "lan", hears=("gauge",))
        client, _ = join(lan)
        client.lost(gone("gone"))
        join(lan)
        self.react()
        self.assertEqual((len(link.sessions), link.how.keeper.state), (1, "connected"))
        self.assertNotIn("in use", self.said())

    def test_absent_and_unused(self) -> None:
        """Nobody looks for an absent device that nobody uses."""
        link = self.link(open="while-used")
        lan = make_link(self.runtime, "lan", hears=("gauge",))
        client, _ = join(lan)
        self.assertEqual(link.how.keeper.state, "waiting")
        client.lost(gone("gone"))
        self.assertEqual((link.how.keeper.state, self.reactor.getDelayedCalls()), ("stopped", []))
