"""``transport = websocket``: browsers and other WebSocket clients; a packet is a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field
from twisted.internet.defer import Deferred, gatherResults

from ..config.plan import LinkOptions, LinkPlan
from ..http.front import Served, front_of
from ..http.origins import ANY, NULL, normalize
from ..http.upgrade import check_subprotocol
from ..links.acceptor import Build, server_factory
from ..links.groups import Encoder
from ..links.runtime import Runtime
from ..links.session import Session
from ..net.listeners import Listener, tcp_listener
from ..options import Duration, Names, Size, TcpAddress, YesNo, write_count
from ..packet import Batch
from ..registry import kind_name
from ..websocket.frames import messages
from ..websocket.protocol import HardenedFactory
from ..websocket.pulse import Pulse
from ..websocket.session import WebSocketSession

IS_DEVICE = False
DEFAULT_CODEC = "text"
MAX_MESSAGE = (
    "the longest message taken from a client; a longer one ends it; the unfinished messages of all clients together take at most four "
    "times as much, or 64MiB if that is more: whoever then begins a further one is ended (1013)"
)


def _path(path: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*", path):
        raise ValueError(f"{path!r} is not a path (write /name; without ?, # and blanks)")
    return path


def _origins(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(normalize(name) for name in names)


def _subprotocols(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(check_subprotocol(name) for name in names)


class Options(LinkOptions):
    """A WebSocket server. Text messages carry what is UTF-8, binary messages the rest; what a client sends is one packet a message."""

    listen: TcpAddress = Field(description="HOST:PORT to listen on; IPv6 in brackets; port 0 takes a free one and prints it")
    path: Annotated[str, AfterValidator(_path)] = Field("/", description="what clients ask for; unlike that of other links on one address")
    tls: str | None = Field(None, description="the name of a [tls NAME] section; links on one address have the same")
    origins: Annotated[Names, AfterValidator(_origins)] = Field(
        (),
        description="pages that may connect besides the gateway's own, as scheme://host (the scheme's port) or scheme://host:port; * is "
        "any page and any program (unsafe: every page that a user visits could then reach the device), and null is as unsafe; "
        "without TLS the gateway's own pages count when they were opened by address, as localhost or by a name of this machine",
    )
    subprotocols: Annotated[Names, AfterValidator(_subprotocols)] = Field((), description="subprotocols that clients may ask for")
    max_message: Size = Field(1 << 20, ge=1, le=16 << 20, description=MAX_MESSAGE)
    ping_interval: Duration = Field(20.0, description="a client that was silent for so long is pinged; 0 never")
    ping_timeout: Duration = Field(20.0, description="a client that then stays silent for so long is ended; 0 never")
    page: YesNo = Field(True, description="show a page with the live packets to a browser that opens the path")


def warnings(options: Options) -> list[str]:
    """What is unsafe in these options, for the resolved table."""
    unsafe = {ANY: "every page that a user visits can reach this link", NULL: "every page can reach this link, from a sandboxed frame"}
    return [f"origins = {origin}: {why}" for origin, why in unsafe.items() if origin in options.origins]


class Link(Served):
    """A session for each client."""

    options: Options

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        options = self.options
        self.codec_name = kind_name(options.codec)
        self.representation = "websocket"
        self.factory = HardenedFactory(options.max_message, runtime.reactor)
        self.pulse = Pulse(runtime.reactor, options.ping_interval, options.ping_timeout, self._protocols, self._pulse_failed)
        self.front = front_of(self, options.listen, options.path, options.tls)
        self.front.add(self, options.path, options.tls)

    @property
    def listener(self) -> Listener:
        """The listener, which other links may share."""
        return self.front.listener

    def listen(self, build: Build, announce: Callable[[str], None]) -> Listener:
        tls = self.options.tls
        factory = server_factory(self, build, self.runtime.tls[tls] if tls else None)
        return tcp_listener(self.name, self.options.listen, factory, self.runtime.reactor, self.runtime.log, announce)

    def start(self) -> None:
        super().start()
        self.front.open(self)

    def stop(self) -> Deferred[Any]:
        return gatherResults([self.front.close(self), super().stop()])

    def _protocols(self) -> Iterator[Any]:
        return (session.protocol for session in self.sessions)  # type: ignore[attr-defined]

    def _pulse_failed(self, protocol: Any) -> None:
        self.failed(protocol.session, "looking whether its peer is still there")

    def joined(self, session: Session) -> None:
        super().joined(session)
        self.pulse.start()

    def left(self, session: Session, reason: str) -> None:
        super().left(session, reason)
        if not self.sessions:
            self.pulse.stop()

    def encoder(self, representation: Hashable) -> Encoder:
        codec = self.codec
        encode, is_text, verbatim = codec.encode, codec.is_text, codec.verbatim

        def encode_messages(batch: Batch) -> bytes:
            frames = batch.frames
            # Pieces cut out of the data are ASCII when the data is; a framing that unescapes promises nothing of the kind.
            source = frames.data if verbatim and frames.delimiter else None
            return messages(encode(batch), is_text, source)

        return encode_messages

    def too_slow(self, session: Session) -> None:
        self.count("slow_disconnects")
        limits = self.options.outbox
        reason = f"too slow: outbox full at {limits.bytes} bytes or {write_count(limits.packets, 'packet')} (outbox.when_full = disconnect)"
        cast(WebSocketSession, session).close_too_slow(reason)
