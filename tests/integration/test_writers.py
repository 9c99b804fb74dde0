"""Many writers, one device: packets never mix, and a slow device makes writers wait, not the gateway grow."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import cooperate, deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from .running import Device, gateway, port_of, reactor
from .test_fan_out import folder, rss

WRITERS, PACKETS = 10, 60_000


class Writer(Protocol):
    """Writes its packets cut at odd places, no faster than the gateway reads."""

    def __init__(self, number: int) -> None:
        self.data = b"".join(b"%d %06d\n" % (number, seq) for seq in range(PACKETS))
        self.step = 101 + 37 * number
        self.offset = 0
        self.full = False
        self.lost: Deferred[None] = Deferred()
        self._go: Deferred[None] | None = None

    def connectionMade(self) -> None:
        assert self.transport is not None
        # Little room in the kernel, so that back-pressure is met.
        self.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # type: ignore[attr-defined]
        self.transport.registerProducer(self, True)  # type: ignore[attr-defined]

    def pauseProducing(self) -> None:
        self.full = True

    def resumeProducing(self) -> None:
        self.full = False
        if self._go is not None:
            go, self._go = self._go, None
            go.callback(None)

    def stopProducing(self) -> None:
        self.full = True

    def pieces(self) -> Iterator[Deferred[None] | None]:
        """Write one piece a step; wait while the gateway does not read."""
        assert self.transport is not None
        while self.offset < len(self.data):
            for _ in range(20):
                self.transport.write(self.data[self.offset : self.offset + self.step])
                self.offset += self.step
            if self.full:
                self._go = Deferred()
                yield self._go
            else:
                yield None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)


class Checking(Device):
    """A device that checks each line as it comes."""

    def __init__(self, case: TestCase) -> None:
        super().__init__(case)
        self.next = [0] * WRITERS
        self.corrupt = 0
        self.count = 0
        self.rest = b""
        self.all: Deferred[None] = Deferred()
        self.heard.add = self.check  # type: ignore[method-assign]

    def check(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            try:
                number, seq = map(int, line.split(b" "))
                right = len(line) == 8 and self.next[number] == seq
                self.next[number] = seq + 1
            except (ValueError, IndexError):
                right = False
            self.corrupt += not right
        self.count += len(lines)
        if self.count >= WRITERS * PACKETS and not self.all.called:
            self.all.callback(None)


class WritersTests(TestCase):
    """Many clients that write to one device."""

    timeout = 300

    async def test_ten_writers(self) -> None:
        """10 clients write 600 000 packets, cut at odd places, to a device that is slow at times: none is corrupt, lost or disordered."""
        place, device = folder(self), Checking(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        writers = [Writer(number) for number in range(WRITERS)]
        for writer in writers:
            await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), writer)
            self.addCleanup(lambda writer=writer: (writer.transport.abortConnection(), writer.lost)[1])  # type: ignore[misc]
        assert child.transport is not None
        before = rss(child.transport.pid)
        device.stopReading()
        for writer in writers:
            cooperate(writer.pieces())
        # A device that takes nothing: every writer meets back-pressure, and stays there; the gateway holds little.
        while not all(writer.full for writer in writers):
            await deferLater(reactor, 0.05)
        self.assertLess(rss(child.transport.pid) - before, 16 << 20)
        device.startReading()
        await device.all
        self.assertEqual((device.corrupt, device.count, device.rest), (0, WRITERS * PACKETS, b""))
        self.assertLess(rss(child.transport.pid) - before, 16 << 20)
