"""Bad input to the whole program: one clear line in the log, bounded memory, and no effect on other sessions."""

from __future__ import annotations

import os
import random
import socket
import struct
from typing import Any

from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from gateway.net.probes import pending

from .running import Device, Peer, connect, gateway, meanwhile, port_of, reactor, start, twistd
from .test_fan_out import folder, rss, write_all


async def push(peer: Peer, chunk: bytes, times: int) -> None:
    """Write a chunk ``times`` times, as fast as it is taken."""
    transport: Any = peer.transport
    for _ in range(times):
        transport.write(chunk)
        while transport.dataBuffer or transport._tempDataLen:
            await deferLater(reactor, 0)


class StreamTests(TestCase):
    timeout = 180

    async def test_noise(self) -> None:
        """Noise on the line is counted and logged; the lines behind it arrive, and every reader gets the same."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[dev]\ndevice = {device.path}\nframing = enclosed\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = dev\nframing = lines\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        one, two = await connect(self, port), await connect(self, port)
        await meanwhile(lambda: device.write(b"\x02mark\x03"), one.heard.containing(b"mark\n"))
        await two.heard.containing(b"mark\n")
        noise = bytes(byte for byte in random.Random(4).randbytes(20_000) if byte not in b"\x02\x03")
        device.write(noise + b"\x02cut sho\x02good 1\x03" + noise + b"\x02good 2\x03")
        for peer in (one, two):
            await peer.heard.containing(b"good 2\n")
            self.assertEqual([line for line in peer.heard.data.split(b"\n") if line not in (b"", b"mark")], [b"good 1", b"good 2"])
        await child.stop()
        self.assertRegex(child.said.data.decode(), r"\[dev\] .*noise \d+")

    async def test_gigabyte_without_a_delimiter(self) -> None:
        """A gigabyte without a delimiter costs 64 KiB: it is dropped, counted and logged, and the line behind it arrives."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        child = gateway(self, place / "gw.ini")
        bad = await connect(self, await port_of(child, "lan"))
        good = await connect(self, await port_of(child, "lan"))
        await meanwhile(lambda: device.write(b"mark\n"), good.heard.containing(b"mark\n"))
        assert child.transport is not None
        before = rss(child.transport.pid)
        await push(bad, b"x" * (1 << 20), 1024)
        self.assertLess(rss(child.transport.pid) - before, 8 << 20)
        good.write(b"good\n")
        bad.write(b"\nbehind\n")
        await device.heard.containing(b"behind\n")
        self.assertEqual(sorted(device.heard.data.split(b"\n")), [b"", b"behind", b"good"])
        await child.said.matching(r"\[lan\] 127.0.0.1:\d+: a packet is longer than framing.max = 65536 bytes")
        await child.stop()
        self.assertRegex(child.said.data.decode(), r"lost_bytes 107\d{7}")

    async def test_endless_line_from_the_device(self) -> None:
        """A device that never ends its line costs no more than framing.max, and its clients stay connected."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[dev]\ndevice = {device.path}\nframing = lines\nframing.max = 1KiB\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = dev\n"
        )
        child = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(child, "lan"))
        await meanwhile(lambda: device.write(b"mark\n"), client.heard.containing(b"mark\n"))
        for _ in range(100):
            await write_all(device, b"y" * 65536)
        device.write(b"\nbehind\n")
        await client.heard.containing(b"behind\n")
        self.assertEqual(set(client.heard.data.split(b"\n")), {b"mark", b"behind", b""})
        await child.said.matching(r"\[dev\] .*framing.max = 1024 bytes")


class VanishedTests(TestCase):
    timeout = 120

    async def test_vanishes_while_paused(self) -> None:
        """A writer that is paused for a slow device and leaves with a reset is ended, though nothing is read from it."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        child = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(child, "lan"))
        await meanwhile(lambda: device.write(b"mark\n"), client.heard.containing(b"mark\n"))
        device.stopReading()
        line = b"z" * 999 + b"\n"
        client.write(line * 16000)  # more than the kernel holds
        transport: Any = client.transport
        still = 0
        while still < 20:  # until nothing of it moves any more: the gateway reads no more
            left = pending(transport)
            await deferLater(reactor, 0.02)
            still = still + 1 if left and pending(transport) == left else 0
        transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abortConnection()
        await child.said.matching(r"\[lan\] 127.0.0.1:\d+: gone: vanished while it was paused")
        await child.said.matching(r"\[lan\] 127.0.0.1:\d+: gone: ")


class StartTests(TestCase):
    async def test_port_in_use(self) -> None:
        """A port in use ends the start with one line that names link, address and the process that has it, and exit status 1."""
        place = folder(self)
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            (place / "gw.ini").write_text(f"[lan]\nlisten = 127.0.0.1:{port}\n")
            child = start(self, [twistd(), "-n", "--pidfile=", "gateway", "--config", "gw.ini"], cwd=place)
            self.assertEqual(await child.end(), 1)
        told = [line for line in child.said.data.decode().splitlines() if "cannot listen" in line]
        self.assertEqual(len(told), 1, child.said.data)
        self.assertIn(f"[lan] cannot listen on 127.0.0.1:{port}: the address is in use by pid {os.getpid()} (", told[0])
        self.assertNotIn(b"Traceback", child.said.data)

    async def test_address_not_there_yet(self) -> None:
        """An address that this machine does not have (yet) is logged and tried again; the rest of the program runs."""
        place = folder(self)
        (place / "gw.ini").write_text("[lan]\nlisten = 127.0.0.1:0\n[later]\nlisten = 192.0.2.1:7000\nsubscribe = lan\n")
        child = gateway(self, place / "gw.ini")
        await connect(self, await port_of(child, "lan"))
        await child.said.containing(b"[later] 192.0.2.1:7000: is not an address of this machine (yet); it is tried again")

    async def test_mistakes(self) -> None:
        """A file with mistakes starts nothing: each is reported with its line, and the exit status is 78."""
        place = folder(self)
        (place / "gw.ini").write_text("[a]\nlisten = 127.0.0.1:0\nsubscribe = b\n[c]\ndevice = /dev/x\nbaudrate = fast\n")
        child = start(self, [twistd(), "-n", "--pidfile=", "gateway", "--config", "gw.ini"], cwd=place)
        self.assertEqual(await child.end(), 78)
        said = child.said.data.decode().splitlines()
        self.assertIn("gw.ini:6: [c] baudrate: 'fast'", "\n".join(said))
        self.assertTrue(any("[a] subscribe: no link publishes 'b'" in line for line in said), said)
