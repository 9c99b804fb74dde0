"""One pty, many readers: whole, in order, byte for byte, and no slow one in anybody's way."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from scripts.demo_certificate import main as make_certificate

from ..samples import nmea
from .running import Device, Peer, browse, connect, gateway, meanwhile, port_of, reactor

MARK = b"$--MARK*00\r\n"


def folder(case: TestCase) -> Path:
    place = Path(case.mktemp()).absolute()
    place.mkdir(parents=True)
    return place


def rss(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def write_all(device: Device, data: bytes) -> None:
    """Write as the device, as fast as the pty takes it; done when it has taken all."""
    device.write(data)
    while device.dataBuffer or device._tempDataLen:
        await deferLater(reactor, 0.01)


class EveryLineTests(TestCase):
    """Every reader of one device gets every line."""

    timeout = 120

    async def test_ten_two_two(self) -> None:
        """10 TCP, 2 TLS and 2 WebSocket clients receive every line of real logs, in order; raw readers byte for byte."""
        place, device = folder(self), Device(self)
        make_certificate(place, datetime.now(UTC))
        (place / "gw.ini").write_text(
            f"[gps]\ndevice = {device.path}\nframing = lines\n"
            "[raw]\nlisten = 127.0.0.1:0\nsubscribe = gps\n"
            "[framed]\nlisten = 127.0.0.1:0\nsubscribe = gps\nframing = lines\n"
            "[secure]\nlisten = 127.0.0.1:0\nsubscribe = gps\ntls = site\n"
            "[tls site]\ncertificate = certificate.pem\nprivate_key = private_key.pem\n"
            "[web]\ntransport = websocket\nlisten = 127.0.0.1:0\nsubscribe = gps\n"
        )
        child = gateway(self, place / "gw.ini")
        trust = optionsForClientTLS("localhost", Certificate.loadPEM((place / "certificate.pem").read_bytes()))
        raw = [await connect(self, await port_of(child, "raw")) for _ in range(5)]
        framed = [await connect(self, await port_of(child, "framed")) for _ in range(5)]
        secure = [await connect(self, await port_of(child, "secure"), tls=trust) for _ in range(2)]
        web = [await browse(self, await port_of(child, "web")) for _ in range(2)]
        await self.attached(device, [*raw, *framed, *secure, *web])

        log = b"".join(nmea(name) for name in ("gpsd/sample.aivdm", "gpsd/april6_2019.log", "signalk/gps-head64k.log"))
        log = log[: log.rindex(b"\n") + 1]
        device.write(log + b"$END\r\n")
        for each in (*raw, *framed, *secure, *web):
            await each.heard.containing(b"$END")
        lines = [line.removesuffix(b"\r") for line in log.split(b"\n")[:-1]]
        for peer in (*raw, *secure):
            self.assertEqual(peer.heard.data.rpartition(MARK)[2] == log + b"$END\r\n", True)
        for peer in framed:
            self.assertEqual(peer.heard.data.rpartition(MARK.strip() + b"\n")[2] == b"\n".join([*lines, b"$END", b""]), True)
        for browser in web:
            last = len(browser.messages) - browser.messages[::-1].index(MARK.strip())
            self.assertEqual(browser.messages[last:] == [*lines, b"$END"], True)

    async def attached(self, device: Device, peers: list[Any]) -> None:
        """Wait until all are served: each has received a mark."""
        await meanwhile(lambda: device.write(MARK), gatherResults([peer.heard.containing(MARK.strip()) for peer in peers]))
        # One more after the last client came, so that what follows it is the log for everybody.
        before = [peer.heard.data.count(MARK.strip()) for peer in peers]
        device.write(MARK)
        for peer, count in zip(peers, before, strict=True):
            await peer.heard.until(lambda peer=peer, count=count: peer.heard.data.count(MARK.strip()) > count or None, "mark")  # type: ignore[misc]
        await deferLater(reactor, 0.2)


class Counter(Protocol):
    """Counts bytes and checks that what comes is the pattern, over and over."""

    def __init__(self, pattern: bytes, total: int) -> None:
        self.pattern, self.left, self.offset = pattern, total, 0
        self.right = True
        self.done: Deferred[None] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        double = len(self.pattern)
        repeated = self.pattern * (len(data) // double + 2)
        start = self.offset % double
        self.right &= data == repeated[start : start + len(data)]
        self.offset += len(data)
        self.left -= len(data)
        if self.left <= 0 and not self.done.called:
            self.done.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.done.called:
            self.done.errback(reason)
        self.lost.callback(None)


class SlowReaderTests(TestCase):
    """One reader that never reads; the rates are in docs/performance.md."""

    timeout = 180

    async def test_one_never_reads(self) -> None:
        """One client never reads: ten others get all of 50 MB, the memory stays bounded, and the disconnect is counted and logged."""
        from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = dev\noutbox.bytes = 1MiB\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        pattern = b"".join(b"%063d\n" % number for number in range(1000))
        repeats = 50_000_000 // len(pattern)
        slow: Peer = await connect(self, port)
        assert slow.transport is not None
        slow.transport.pauseProducing()  # type: ignore[attr-defined]
        counters = []
        for _ in range(10):
            counter = Counter(pattern, repeats * len(pattern))
            await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), counter)
            self.addCleanup(lambda counter=counter: (counter.transport.abortConnection(), counter.lost)[1])  # type: ignore[misc]
            counters.append(counter)
        assert child.transport is not None
        pid = child.transport.pid
        await meanwhile(lambda: os.kill(pid, signal.SIGUSR2), child.said.containing(b"[lan] 11 sessions now"))
        before = rss(pid)
        highest = before
        for _ in range(repeats // 10):
            await write_all(device, pattern * 10)
            highest = max(highest, rss(child.transport.pid))
        left = repeats % 10
        await write_all(device, pattern * left)
        for counter in counters:
            await counter.done
        self.assertEqual([counter.right for counter in counters], [True] * 10)
        # The outbox of the slow client, Twisted's queue behind it, and what the interpreter keeps.
        self.assertLess(highest - before, 24 << 20)
        await child.said.containing(b"too slow: outbox full at 1048576 bytes")
        await child.stop()
        self.assertIn(b"slow_disconnects 1", child.said.data)
        self.assertRegex(child.said.data.decode(), r"dropped_packets \d+")
