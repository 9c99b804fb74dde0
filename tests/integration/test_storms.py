"""Many at once: connecting, leaving, and the end of the program."""

from __future__ import annotations

import os
import signal
import socket
import struct
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from .running import Child, Device, connect, gateway, meanwhile, port_of, reactor
from .test_fan_out import folder, rss


def storm(port: int, count: int) -> list[socket.socket]:
    """So many connections at once, none waiting for another."""
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        clients.append(client)
    return clients


def read_line(clients: list[socket.socket], want: bytes) -> int:
    """How many clients get this line."""
    good = 0
    for client in clients:
        client.settimeout(30)
        got = b""
        while want not in got:
            more = client.recv(4096)
            if not more:
                break
            got += more
        good += want in got
    return good


def reset_all(clients: list[socket.socket]) -> None:
    """All leave at once, with a reset."""
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for client in clients:
        client.close()


class StormTests(TestCase):
    """Thousands that come and go at once; how long it takes is in docs/performance.md."""

    timeout = 240

    async def start(self, more: str = "") -> tuple[Child, Device, int]:
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n{more}")
        child = gateway(self, place / "gw.ini")
        return child, device, await port_of(child, "lan")

    async def test_thousand_at_once(self) -> None:
        """A thousand clients that connect at once are all served."""
        _, device, port = await self.start()
        clients = await deferToThread(storm, port, 1000)
        self.addCleanup(reset_all, clients)
        served = deferToThread(read_line, clients, b"hello\n")
        self.assertEqual(await meanwhile(lambda: device.write(b"hello\n"), served), 1000)

    async def test_five_thousand_leave(self) -> None:
        """Five thousand that leave at once harm nothing: a new client is served, all sessions and descriptors are given back."""
        child, device, port = await self.start("max_sessions = 6000\n")
        assert child.transport is not None
        descriptors = Path(f"/proc/{child.transport.pid}/fd")
        first = await connect(self, port)
        await meanwhile(lambda: device.write(b"first\n"), first.heard.containing(b"first\n"))
        before = len(list(descriptors.iterdir()))
        clients = []
        for _ in range(10):
            clients += await deferToThread(storm, port, 500)
            await deferLater(reactor, 0.1)
        self.assertEqual(await meanwhile(lambda: device.write(b"hello\n"), deferToThread(read_line, clients, b"hello\n")), 5000)
        full = rss(child.transport.pid)
        await deferToThread(reset_all, clients)
        survivor = await connect(self, port)
        await meanwhile(lambda: device.write(b"still here\n"), survivor.heard.containing(b"still here\n"))
        for _ in range(100):
            if len(list(descriptors.iterdir())) <= before + 1:
                break
            await deferLater(reactor, 0.1)
        names = [os.readlink(path) for path in descriptors.iterdir()]
        self.assertLessEqual(len(names), before + 1, names)
        self.assertLess(rss(child.transport.pid), full + (4 << 20))

    async def test_one_too_many(self) -> None:
        """One session more than max_sessions is refused and logged; the others stay."""
        child, device, port = await self.start("max_sessions = 1\n")
        first = await connect(self, port)
        await meanwhile(lambda: device.write(b"a\n"), first.heard.containing(b"a\n"))
        second = await connect(self, port)
        await second.lost
        await child.said.matching(r"\[lan\] 127.0.0.1:\d+: refused, there is 1 session \(max_sessions\)")
        self.assertFalse(first.lost.called)


class Sipping(Protocol):
    """A client that reads nothing until the test lets it."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)


class TerminationTests(TestCase):
    """The end of the program with many clients."""

    timeout = 120

    async def test_flushes_whole_packets(self) -> None:
        """TERM closes every socket and writes the whole packets in the outboxes; a client that never reads does not hold the end up."""
        from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[gateway]\nlinger = 5s\n[dev]\ndevice = {device.path}\nframing = lines\n"
            "[lan]\nlisten = 127.0.0.1:0\nsubscribe = dev\noutbox.bytes = 16MiB\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        sipping = Sipping()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), sipping)
        never = await connect(self, port)
        never.transport.pauseProducing()  # type: ignore[union-attr]
        normal = await connect(self, port)
        await meanwhile(lambda: device.write(b"mark\n"), normal.heard.containing(b"mark\n"))
        await deferLater(reactor, 0.3)
        lines = b"".join(b"%0127d\n" % number for number in range(60_000))
        device.write(lines)
        await normal.heard.size(normal.heard.data.count(b"mark\n") * 5 + len(lines))
        device.write(b"half a pack")
        await deferLater(reactor, 0.2)
        self.assertIsInstance(sipping.transport, Client)
        sipping.transport.resumeProducing()  # type: ignore[union-attr]
        # Once everything is closed, twistd ends as if by the signal itself.
        self.assertEqual(await child.stop(signal.SIGTERM), -signal.SIGTERM)
        self.assertIn(b"Main loop terminated", child.said.data)
        await sipping.lost
        self.assertEqual(sipping.data.replace(b"mark\n", b"") == lines, True)
        never.transport.resumeProducing()  # type: ignore[union-attr]
        await never.lost
        self.assertNotIn(b"Traceback", child.said.data)
