"""Ports opened by pyserial URL, with a TCP server, an RFC 2217 server and a pty as far ends."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

import serial
from serial.rfc2217 import PortManager
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from gateway.ports import urlport
from gateway.ports.errors import PortError
from gateway.ports.settings import PortSettings
from gateway.ports.urlport import UrlPort, open_url

from .test_ttyport import Producer, Recording

reactor: Any = _reactor
PATIENCE = 30.0


class Awaited(Recording):
    """A protocol that a test can wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: list[tuple[int, Deferred[bytes]]] = []
        self.ended: Deferred[str] = Deferred()

    def size(self, count: int) -> Deferred[bytes]:
        """Fires with all that was read when it is at least ``count`` bytes."""
        deferred: Deferred[bytes] = Deferred()
        self._wanted.append((count, deferred))
        self._look()
        return deferred.addTimeout(PATIENCE, reactor)

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self._look()

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self.ended.callback(self.lost[-1])

    def _look(self) -> None:
        size = sum(map(len, self.reads))
        for entry in [entry for entry in self._wanted if size >= entry[0]]:
            self._wanted.remove(entry)
            entry[1].callback(b"".join(self.reads))


async def until(true: Callable[[], bool]) -> None:
    """Wait for the effect of a thread that reports nothing."""
    done: Deferred[None] = Deferred()

    def look() -> None:
        if not done.called and true():
            done.callback(None)

    looking = LoopingCall(look)
    looking.start(0.02)
    try:
        await done.addTimeout(PATIENCE, reactor)
    finally:
        looking.stop()


class Far(Protocol):
    """The far end of a TCP connection."""

    def __init__(self) -> None:
        self.heard = Awaited()
        self.came: Deferred[None] = Deferred()
        self.left: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.came.callback(None)

    def dataReceived(self, data: bytes) -> None:
        self.heard.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.left.callback(None)


class Rfc2217(Far):
    """An RFC 2217 server in front of pyserial's loop: pyserial's own half of the conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.port = serial.serial_for_url("loop://", timeout=0)

    def connectionMade(self) -> None:
        self.manager = PortManager(self.port, self)
        super().connectionMade()

    def write(self, data: bytes) -> None:
        """Called by the port manager."""
        assert self.transport is not None
        self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(b"".join(self.manager.filter(data)))

    def say(self, data: bytes) -> None:
        self.write(b"".join(self.manager.escape(data)))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.port.close()
        super().connectionLost(reason)


class UrlPortTests(TestCase):
    timeout = 120

    def setUp(self) -> None:
        before = set(threading.enumerate())
        self.addCleanup(lambda: self.assertEqual([thread.name for thread in set(threading.enumerate()) - before], []))

    async def listen(self, far: Far) -> int:
        factory = Factory.forProtocol(lambda: far)
        factory.noisy = False
        listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        return int(listening.getHost().port)

    async def opened(self, url: str, settings: PortSettings = PortSettings()) -> tuple[UrlPort, Awaited]:  # noqa: B008
        port = await open_url(url, settings, reactor)
        protocol = Awaited()
        transport = UrlPort(protocol, port, reactor)
        self.addCleanup(self.close, transport, protocol)
        return transport, protocol

    async def close(self, transport: UrlPort, protocol: Awaited) -> None:
        transport.abortConnection()
        if not protocol.lost:
            await protocol.ended
        await self.threads_end()

    async def threads_end(self) -> None:
        """Wait for the threads, which report their end a moment before it."""
        for thread in threading.enumerate():
            if thread.name.startswith(("_reader", "_writer", "open ", "close ")):
                thread.join(10)

    async def test_both_ways(self) -> None:
        """Bytes go both ways, all 256 of them, and in order."""
        far = Far()
        transport, protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        await far.came
        sent = bytes(range(256)) * 1000
        transport.write(sent[:100000])
        transport.write(sent[100000:])
        far.transport.write(sent)  # type: ignore[union-attr]
        self.assertEqual(await far.heard.size(len(sent)), sent)
        self.assertEqual(await protocol.size(len(sent)), sent)
        self.assertEqual(transport.pending, 0)

    async def test_rfc2217(self) -> None:
        """A port by RFC 2217 is negotiated in a thread, set as asked for, and read and written like any other."""
        far = Rfc2217()
        transport, protocol = await self.opened(f"rfc2217://127.0.0.1:{await self.listen(far)}", PortSettings(19200, 7, "even"))
        self.assertEqual((far.port.baudrate, far.port.bytesize, far.port.parity), (19200, 7, "E"))
        sent = bytes(range(256)) * 40
        far.say(sent)
        transport.write(sent)
        self.assertEqual(await protocol.size(len(sent)), sent)
        self.assertEqual(await far.heard.size(len(sent)), sent)

    async def test_rfc2217_read_ahead(self) -> None:
        """What pyserial reads ahead is bounded while the port is paused, and does not delay the close."""
        far = Rfc2217()
        transport, protocol = await self.opened(f"rfc2217://127.0.0.1:{await self.listen(far)}")
        ahead = transport._port._read_buffer
        transport.pauseProducing()
        for _ in range(20):
            far.say(b"x" * 16384)
        await until(lambda: ahead.qsize() >= 65536)
        self.assertEqual((ahead.qsize(), ahead.maxsize, isinstance(ahead, queue.Queue)), (65536, 65536, True))
        before = reactor.seconds()
        transport.loseConnection()
        self.assertEqual(await protocol.ended, "closed")
        self.assertLess(reactor.seconds() - before, 5)

    async def test_paused(self) -> None:
        """While the port is paused nothing is delivered and the far end must wait; afterwards nothing is missing."""
        far = Far()
        transport, protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        await far.came
        transport.pauseProducing()
        assert far.transport is not None
        producer = Producer()
        far.transport.registerProducer(producer, True)
        sent = os.urandom(1 << 20) * 16
        far.transport.write(sent)
        await until(lambda: len(transport._read) == urlport._CHUNKS)
        self.assertEqual((protocol.reads, producer.calls), ([], ["pause"]))
        far.transport.unregisterProducer()
        transport.resumeProducing()
        self.assertEqual(await protocol.size(len(sent)), sent)

    async def test_slow_device(self) -> None:
        """The producer is paused while the far end reads nothing; when it reads again all comes, and the producer is resumed."""
        far = Far()
        transport, _protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        await far.came
        far.transport.pauseProducing()  # type: ignore[union-attr]
        producer = Producer()
        transport.registerProducer(producer, True)
        sent = os.urandom(1 << 20) * 16
        transport.write(sent)
        self.assertEqual((producer.calls, transport.pending), (["pause"], len(sent)))
        far.transport.resumeProducing()  # type: ignore[union-attr]
        self.assertEqual(await far.heard.size(len(sent)), sent)
        await until(lambda: producer.calls == ["pause", "resume"])
        transport.unregisterProducer()

    async def test_far_end_leaves(self) -> None:
        """A far end that leaves ends the port, with a reason."""
        far = Far()
        _transport, protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        await far.came
        far.transport.loseConnection()  # type: ignore[union-attr]
        self.assertIn("lost: ", await protocol.ended)

    async def test_close(self) -> None:
        """A close lets the port take what was written first."""
        far = Far()
        transport, protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        transport.write(b"last words")
        transport.loseConnection()
        transport.write(b"too late")
        self.assertEqual(await protocol.ended, "closed")
        await far.left
        self.assertEqual(b"".join(far.heard.reads), b"last words")

    async def test_close_that_hangs(self) -> None:
        """A port that blocks its thread at the close has ended after a second."""
        far = Far()
        transport, protocol = await self.opened(f"socket://127.0.0.1:{await self.listen(far)}")
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        close = transport._port.close

        def hang() -> None:
            hangs.wait(60)
            close()

        transport._port.close = hang
        transport.abortConnection()
        self.assertEqual(await protocol.ended, "closed")
        hangs.set()

    async def test_refused(self) -> None:
        """A port that cannot be opened is an error with the text of pyserial."""
        far = Far()
        port = await self.listen(far)
        error = await self.assertFailure(open_url(f"socket://127.0.0.1:{port}/?nonsense=1", PortSettings(), reactor), PortError)
        self.assertIn("nonsense", str(error))
        await self.threads_end()

    async def test_cancelled(self) -> None:
        """A port whose open was cancelled is closed as soon as it is open."""
        closed: Deferred[None] = Deferred()

        class Port:
            def close(self) -> None:
                reactor.callFromThread(closed.callback, None)

        self.patch(urlport, "_open", lambda url, settings: Port())
        opening = open_url("socket://nowhere", PortSettings(), reactor)
        opening.addErrback(lambda _: None)
        opening.cancel()
        await closed.addTimeout(PATIENCE, reactor)
        await self.threads_end()

    async def test_descriptor(self) -> None:
        """A URL in front of a real terminal is read and written, and its hang-up is noticed."""
        master, slave = os.openpty()
        path = os.ttyname(slave)
        transport, protocol = await self.opened(f"alt://{path}?class=PosixPollSerial")
        os.close(slave)
        os.write(master, b"to us")
        self.assertEqual(await protocol.size(5), b"to us")
        transport.write(b"to it")
        self.assertEqual(os.read(master, 100), b"to it")
        os.close(master)
        self.assertIn("lost: ", await protocol.ended)
