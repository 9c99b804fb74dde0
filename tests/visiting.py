"""WebSocket links and clients in memory, for tests without a socket."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway import registry
from gateway.bus.outbox import OutboxOptions
from gateway.config.plan import LinkPlan
from gateway.links.link import Link
from gateway.peer import PLAIN, Peer
from gateway.transports import websocket
from gateway.websocket.acceptor import Path

from .building import Wire, make_runtime
from .websocket.test_frames import client_frame, split

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def make_link(runtime: Any, name: str = "web", hears: tuple[str, ...] = ("gps",), codec: str = "text", **options: Any) -> Link:
    """A link on 127.0.0.1:8080 that does not listen."""
    options.setdefault("listen", "127.0.0.1:8080")
    if isinstance(options.get("outbox"), dict):
        options["outbox"] = OutboxOptions(**options["outbox"])
    chosen = websocket.Options(codec=registry.load("codec", codec).Options(), **options)
    link = websocket.make_link(LinkPlan(name, "websocket", chosen), runtime)
    link.rewire(hears)
    return link


def path_of(link: Link) -> Path:
    """How the sessions of a link come."""
    return cast(Path, link.how)


def request(path: str = "/", method: str = "GET", **headers: str | None) -> bytes:
    """A request for a WebSocket, or with ``upgrade=None`` for a page."""
    fields: dict[str, str | None] = {
        "host": "127.0.0.1:8080",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
        "origin": "http://127.0.0.1:8080",
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{head}\r\n".encode()


@implementer(ITCPTransport)
class Socket(Wire):
    """A transport that remembers how it was closed."""

    half_closed = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Client:
    """One connection to the front of a link."""

    def __init__(self, link: Link, host: str = "127.0.0.1", security: Peer = PLAIN) -> None:
        self.socket = Socket()
        self.link = link
        self.lost = False
        self.socket.protocol = visitor = path_of(link).front.build(IPv4Address("TCP", host, 40000), security)
        visitor.makeConnection(self.socket)

    @property
    def protocol(self) -> Any:
        """Whom the transport feeds at present."""
        return getattr(self.socket, "wrappedProtocol", None) or self.socket.protocol

    @property
    def session(self) -> Any:
        return self.protocol.session

    def open(self, **headers: str | None) -> Client:
        """Do the opening handshake; raises unless it succeeds."""
        self.send(request(self.link.options.path, **headers))
        head, _, behind = self.socket.value().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.socket.clear()
        self.socket.write(behind)
        return self

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def send_frame(self, payload: bytes, first: int = 0x81) -> None:
        self.send(client_frame(payload, first))

    def frames(self) -> list[tuple[int, bytes]]:
        """All frames that it was sent."""
        return split(self.socket.value())

    def close_code(self) -> int:
        """The code in the last frame, which must be the only Close."""
        closes = [payload for first, payload in self.frames() if first == 0x88]
        assert len(closes) == 1 and self.frames()[-1][0] == 0x88, self.frames()
        return int.from_bytes(closes[0][:2], "big")

    def status(self) -> int:
        """The status of the plain answer."""
        return int(self.socket.value().split(b" ")[1])

    def lose(self) -> None:
        """The connection has ended, once."""
        if not self.lost:
            self.lost = True
            self.socket.producer = None  # type: ignore[assignment]
            self.protocol.connectionLost(Failure(ConnectionDone()))


class Setting:
    """A runtime on a standing clock with one link, what it publishes, and what is logged; mix in before a test case."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.runtime: Any = make_runtime(self.clock)
        self.heard: list[bytes] = []
        self.runtime.bus.subscribe(["web"], lambda batch: self.heard.extend(batch.payloads), "test")
        self.clients: list[Client] = []

    def tearDown(self) -> None:
        for client in self.clients:
            client.lose()
        self.runtime.stop()
        leftover = self.clock.getDelayedCalls()
        assert not leftover, leftover

    def client(self, link: Link, host: str = "127.0.0.1", security: Peer = PLAIN) -> Client:
        client = Client(link, host, security)
        self.clients.append(client)
        return client

    def said(self) -> str:
        return "\n".join(self.runtime.lines)
