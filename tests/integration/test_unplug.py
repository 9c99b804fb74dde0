"""A device that is unplugged in the middle of a packet, and comes back."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from .running import Device, connect, gateway, meanwhile, port_of, reactor
from .test_fan_out import folder


def plug(device: Device, name: Path) -> None:
    """Give the device the name that the gateway opens."""
    fresh = name.with_suffix(".new")
    os.symlink(device.path, fresh)
    os.replace(fresh, name)


class UnplugTests(TestCase):
    """A device that comes back; how soon packets flow again is in docs/performance.md."""

    timeout = 120

    async def test_unplug_and_replug(self) -> None:
        """Clients stay connected; nothing partial is delivered; a command sent meanwhile is refused, never played; packets flow again."""
        place = folder(self)
        name = place / "tty"
        device = Device(self)
        plug(device, name)
        (place / "gw.ini").write_text(
            f"[dev]\ndevice = {name}\nframing = lines\n"
            "[lan]\nlisten = 127.0.0.1:0\nattach = dev\n"
            "[reader]\nlisten = 127.0.0.1:0\nsubscribe = dev\nframing = lines\n"
        )
        child = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(child, "lan"))
        reader = await connect(self, await port_of(child, "reader"))
        await meanwhile(lambda: device.write(b"before\n"), client.heard.containing(b"before\n"))
        await reader.heard.containing(b"before\n")
        device.write(b"half a pack")
        await deferLater(reactor, 0.3)
        os.unlink(name)
        device.unplug()
        await child.said.matching(r"\[dev\] .*unplugged")
        client.write(b"old command\n")
        await child.said.matching(r"\[dev\] absent: 1 packet from 127.0.0.1:\d+ refused")
        await deferLater(reactor, 3)
        back = Device(self)
        plug(back, name)
        await meanwhile(lambda: back.write(b"after\n"), client.heard.containing(b"after\n"))
        await reader.heard.containing(b"after\n")
        client.write(b"new command\n")
        await back.heard.containing(b"new command\n")
        self.assertEqual(back.heard.data, b"new command\n")
        for peer in (client, reader):
            self.assertFalse(peer.lost.called)
            self.assertEqual(set(peer.heard.data.split(b"\n")), {b"before", b"after", b""})
        await child.said.matching(r"\[dev\] .*back after")
        # It is there; half a packet dropped; it is gone; a command refused; it is back: a line each, and no more.
        said = [line for line in child.said.data.decode().splitlines() if "[dev]" in line and "has it open too" not in line]
        self.assertEqual(len(said), 5, "\n".join(said))
