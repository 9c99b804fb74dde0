"""``transport = websocket``: browsers and other WebSocket clients; a packet is a message."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ..config.exposures import Exposure
from ..config.plan import LinkOptions, LinkPlan
from ..http.front import Announce, Front
from ..http.origins import ANY, NULL, normalize
from ..http.upgrade import check_subprotocol
from ..links.acceptor import server_factory
from ..links.link import Link
from ..links.runtime import Runtime
from ..net.building import Build
from ..net.listeners import Listener, tcp_listener
from ..options import Duration, Names, Size, TcpAddress, YesNo
from ..registry import kind_name, make_codec
from ..websocket.acceptor import Path
from ..websocket.wire import MessageWire

IS_DEVICE = False
PLACES = {"listen": "listens"}
SHARED_BY = "path"
ALSO_CALLED = ("ws", "wss", "http", "https")
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


def exposures(options: Options) -> list[Exposure]:
    """Origins that stand for any page."""
    unsafe = {ANY: "every page that a user visits can reach this link", NULL: "every page can reach this link, from a sandboxed frame"}
    return [Exposure(f"origins {origin}", f"origins = {origin}: {why}") for origin, why in unsafe.items() if origin in options.origins]


def make_link(plan: LinkPlan, runtime: Runtime) -> Link:
    """A session for each client."""
    options: Any = plan.options
    wire = MessageWire(make_codec(options.codec), options.on_bad)
    return Link(plan, runtime, Path(options, kind_name(options.codec), lambda link: _front_of(link, options)), lambda: wire)


def _front_of(link: Link, options: Options) -> Front:
    """The front that links on this address share. Port 0 can be as many free ports as there are links with the same path."""
    runtime, address, tls = link.runtime, options.listen, options.tls

    def listen(build: Build, announce: Announce) -> Listener:
        factory = server_factory(link, build, runtime.tls[tls] if tls else None)
        return tcp_listener(link.name, address, factory, runtime.reactor, runtime.log, announce)

    key = ("websocket", address)
    front: Front | None = runtime.shared.get(key)
    if front is None or (address.port == 0 and (options.path in front.routes or tls != front.tls)):
        front = runtime.shared[key] = Front(runtime.reactor, runtime.linger, address, tls, link.report, listen)
    return front
