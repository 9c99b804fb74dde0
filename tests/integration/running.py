"""What the integration tests run and connect to: child processes, stream peers and ptys, all gone when the test has ended."""

from __future__ import annotations

import os
import re
import signal
import sys
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import CancelledError, Deferred, DeferredList, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.fdesc import readFromFD, setNonBlocking, writeToFD
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

reactor: Any = _reactor
ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0
"""Seconds until a test gives up waiting; a machine under load is slow, not wrong."""

T = TypeVar("T")


class Heard:
    """Bytes that come in, and tests that wait for some of them."""

    def __init__(self, what: str) -> None:
        self.data = b""
        self._what = what
        self._over = False
        self._awaited: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def add(self, data: bytes) -> None:
        self.data += data
        for entry in list(self._awaited):
            self._look(entry)

    def over(self) -> None:
        """Fail all that still wait: nothing more will come."""
        self._over = True
        awaited, self._awaited = self._awaited, []
        for _, deferred in awaited:
            deferred.cancel()

    def until(self, look: Callable[[], T | None], what: str) -> Deferred[T]:
        """Fires with what ``look`` returns as soon as that is not None; fails with all that was heard when it does not come."""

        def never(reason: Failure) -> Any:
            reason.trap(CancelledError, TimeoutError)
            if entry in self._awaited:
                self._awaited.remove(entry)
            why = "and nothing more will come" if self._over else f"in {PATIENCE:.0f} s"
            raise AssertionError(f"{self._what}: no {what} {why}; heard: {self.data[-4000:]!r}")

        deferred: Deferred[Any] = Deferred()
        entry = (look, deferred)
        self._awaited.append(entry)
        self._look(entry)
        if self._over:
            self.over()
        return deferred.addTimeout(PATIENCE, reactor).addErrback(never)

    def size(self, count: int) -> Deferred[bytes]:
        """Fires with all that was heard when it is at least ``count`` bytes."""
        return self.until(lambda: self.data if len(self.data) >= count else None, f"{count} bytes")

    def containing(self, data: bytes) -> Deferred[bytes]:
        """Fires with all that was heard when these bytes are among it."""
        return self.until(lambda: self.data if data in self.data else None, repr(data))

    def matching(self, pattern: str) -> Deferred[re.Match[bytes]]:
        """Fires with the first match of a regular expression."""
        compiled = re.compile(pattern.encode())
        return self.until(lambda: compiled.search(self.data), repr(pattern))

    def _look(self, entry: tuple[Callable[[], Any], Deferred[Any]]) -> None:
        found = entry[0]()
        if found is not None:
            self._awaited.remove(entry)
            entry[1].callback(found)


class Child(ProcessProtocol):
    """A child process. ``said`` is all that it wrote to standard output and standard error."""

    def __init__(self, name: str) -> None:
        self.said = Heard(name)
        self.ended = False
        self._ends: list[Deferred[int]] = []
        self._status = 0

    def outReceived(self, data: bytes) -> None:
        self.said.add(data)

    def errReceived(self, data: bytes) -> None:
        self.said.add(data)

    def processEnded(self, reason: Failure) -> None:
        self.ended = True
        self.said.over()
        value: Any = reason.value
        self._status = -value.signal if value.signal else value.exitCode
        ends, self._ends = self._ends, []
        for end in ends:
            end.callback(self._status)

    def end(self) -> Deferred[int]:
        """Fires with the exit status, or the negative number of the signal that ended it."""
        deferred: Deferred[int] = Deferred()
        if self.ended:
            deferred.callback(self._status)
        else:
            self._ends.append(deferred)
            deferred.addTimeout(PATIENCE, reactor)
        return deferred

    def stop(self, signal_: int = signal.SIGTERM) -> Deferred[int]:
        """Send a signal, and fire as `end` does; a child that ignores it for 10 s is killed."""
        if self.ended:
            return self.end()
        self._signal(signal_)
        kill = reactor.callLater(10, self._signal, signal.SIGKILL)

        def ended(status: Any) -> Any:
            if kill.active():
                kill.cancel()
            return status

        return self.end().addBoth(ended)

    def _signal(self, signal_: int) -> None:
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(signal_)


def start(
    case: TestCase,
    command: Sequence[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    descriptors: Mapping[int, int] | None = None,
) -> Child:
    """Start a program; it sees this checkout, inherits ``descriptors`` (its own: ours), and is stopped at the end of the test."""
    child = Child(command[0])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} if env is None else dict(env)
    fds = {0: "w", 1: "r", 2: "r", **(descriptors or {})}
    reactor.spawnProcess(child, command[0], list(command), environment, None if cwd is None else str(cwd), childFDs=fds)
    case.addCleanup(child.stop)
    return child


def twistd() -> str:
    """The command, of the environment that the tests run in."""
    return str(Path(sys.executable).with_name("twistd"))


def gateway(case: TestCase, ini: Path) -> Child:
    """Start the gateway from its command line with this INI file."""
    return start(case, [twistd(), "-n", "--pidfile=", "gateway", "--config", str(ini)], cwd=ini.parent)


async def port_of(child: Child, link: str) -> int:
    """The port that a link of the gateway listens on, as its log says; for an INI file with port 0."""
    return int((await child.said.matching(rf"\[{link}\] listening on \S*:(\d+)"))[1])


class Peer(Protocol):
    """A stream client that keeps all it gets."""

    def __init__(self, what: str) -> None:
        self.heard = Heard(what)
        self.lost: Deferred[str] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard.add(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.heard.over()
        self.lost.callback(reason.getErrorMessage())

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


async def connect(case: TestCase, port: int, host: str = "127.0.0.1", tls: Any = None) -> Peer:
    """Connect; with ``tls`` (what `optionsForClientTLS` gives) over TLS. It is closed at the end of the test."""
    endpoint: Any = TCP4ClientEndpoint(reactor, host, port, timeout=PATIENCE)
    if tls is not None:
        endpoint = wrapClientTLS(tls, endpoint)
    peer: Peer = await connectProtocol(endpoint, Peer(f"client of port {port}"))
    case.addCleanup(_close, peer)
    return peer


class Browser(WebSocketClientProtocol):
    """A WebSocket client that keeps all messages it gets; ``heard`` has each as a line."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[bytes] = []
        self.heard = Heard("WebSocket client")
        self.opened: Deferred[None] = Deferred()
        self.lost: Deferred[str] = Deferred()

    def onOpen(self) -> None:
        self.opened.callback(None)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.messages.append(payload)
        self.heard.add(payload + b"\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.heard.over()
        self.lost.callback(reason.getErrorMessage())


async def browse(case: TestCase, port: int, path: str = "/") -> Browser:
    """Connect a WebSocket, as a page from the gateway itself would."""
    factory = WebSocketClientFactory(f"ws://127.0.0.1:{port}{path}", origin=f"http://127.0.0.1:{port}")
    factory.protocol = Browser
    endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", port, timeout=PATIENCE)
    browser: Browser = await endpoint.connect(factory)
    case.addCleanup(_close, browser)
    await browser.opened.addTimeout(PATIENCE, reactor)
    return browser


async def meanwhile(say: Callable[[], Any], heard: Deferred[T]) -> T:
    """Send something again and again until it has been heard: a client that has just connected may miss the first times."""
    saying = LoopingCall(say)
    saying.start(0.1)
    try:
        return await heard
    finally:
        saying.stop()


def _close(peer: Peer | Browser) -> Any:
    if not peer.lost.called:
        transport: Any = peer.transport
        transport.abortConnection()
    return DeferredList([peer.lost])


async def listen(case: TestCase) -> tuple[int, Deferred[Peer]]:
    """A listener for one client: its port, and the client when it has come. Both are gone at the end of the test."""
    came: Deferred[Peer] = Deferred()

    class Accepted(Peer):
        def connectionMade(self) -> None:
            case.addCleanup(_close, self)
            came.callback(self)

    factory = Factory.forProtocol(lambda: Accepted("accepted client"))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    case.addCleanup(port.stopListening)
    return port.getHost().port, came


class Device(FileDescriptor):
    """The far end of a pty: a device on a serial port, for as long as the test runs. ``path`` is what to open."""

    def __init__(self, case: TestCase) -> None:
        super().__init__(reactor)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        setNonBlocking(self._master)
        self.path = os.ttyname(self._slave)
        self.heard = Heard(f"device {self.path}")
        self.connected = 1
        self.startReading()
        case.addCleanup(self.unplug)

    def fileno(self) -> int:
        return self._master

    def doRead(self) -> Any:
        return readFromFD(self._master, self.heard.add)

    def writeSomeData(self, data: bytes) -> Any:
        return writeToFD(self._master, data)

    def unplug(self) -> None:
        """The port hangs up, and its name is gone."""
        if self.connected:
            self.connectionLost(Failure(CONNECTION_LOST))

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        os.close(self._slave)
        os.close(self._master)
