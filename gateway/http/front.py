"""What a browser meets first: one request head is read and answered with a page, an error, or a WebSocket.

Twisted's own HTTP server is not used: a WebSocket under it loses the bytes that follow the request in the same segment, its timeout
starts anew with every byte, and each connection would keep an HTTP channel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Protocol as Duties

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ..errors import ConfigError
from ..net.admission import Admission
from ..net.approach import Approach, hand_over
from ..net.building import Build, name_of
from ..net.hosts import is_loopback
from ..net.probes import half_close
from ..net.report import Report
from ..net.sockets import machine_name
from ..options import Address
from ..peer import Peer
from .head import HeadReader, HttpError, Request, error_response, parse_head
from .origins import Visit, check_origin
from .page import page_response
from .upgrade import canonical_request, upgrade_required

Announce = Callable[[str], None]

HEAD_TIMEOUT = 3.0
"""Seconds from the connection to the end of the request head, however many bytes come in between."""
MAX_WAITING, MAX_WAITING_PER_SOURCE = 2000, 1500
"""Connections whose head is not complete, with at most 16 KiB each. A room full of clients behind one address may come at once."""

_LONGEST_QUOTED = 100
_MOST_NAMED = 10
_FORWARDED = frozenset(("forwarded", "via", "x-forwarded-for", "x-real-ip"))
"""Headers of a proxy on this machine, behind which anybody may stand."""


class Route(Duties):
    """What stands at one path: a link, as far as a front can see it."""

    name: str
    origins: tuple[str, ...]
    subprotocols: tuple[str, ...]
    codec: str
    """What its packets look like in a browser: ``text``, ``json``, ..."""
    page: bool
    """Whether it shows a page to who asks for no WebSocket."""

    @property
    def report(self) -> Report: ...

    def refusal(self, peer: str) -> str:
        """Why there is no session for this peer now; it is reported. "" where there is one."""

    def hears(self, peer: Peer) -> bool:
        """Whether what this peer would send goes anywhere."""

    def upgrade(self, peer: Peer) -> IProtocol:
        """The protocol of a WebSocket, which reads the request once more."""


class Listening(Duties):
    """What a front asks of its listener."""

    def start(self) -> None: ...
    def stop(self) -> Deferred[Any]: ...


class Front:
    """The routes of one address, by path. It listens while at least one of them is open.

    ``listen(build, announce)`` makes the listener, which is to call ``build(address, peer)`` for each connection, and ``announce(bound)``
    when it listens. ``report`` is for what happens to those who have not come to a route.
    """

    def __init__(
        self, clock: Any, linger: float, address: Address, tls: str | None, report: Report, listen: Callable[[Build, Announce], Listening]
    ) -> None:
        self.clock = clock
        self.linger = linger
        self.place = str(address)
        self.tls = tls
        self.report = report
        self.listener = listen(self.build, self._announce)
        self.routes: dict[str, Route] = {}
        self.admission = Admission(MAX_WAITING, MAX_WAITING_PER_SOURCE)
        self.visitors: set[Visitor] = set()
        self._open: set[str] = set()
        self._emptied: Deferred[None] | None = None
        name = machine_name()
        label = name.partition(".")[0]
        self.machine = frozenset((name, label, f"{label}.local"))

    def add(self, route: Route, path: str, tls: str | None) -> None:
        """Serve this route at a path; raises ConfigError when another is there, or on the same address with other TLS."""
        for other_path, other in self.routes.items():
            if other_path == path:
                text = f"{path!r} on {self.place} belongs to [{other.name}] already: give each link its own path"
                raise ConfigError(text, section=route.name, key="path")
            if tls != self.tls:
                text = f"[{other.name}] listens on {self.place} {'with tls = ' + self.tls if self.tls else 'without TLS'}: use the same"
                raise ConfigError(text, section=route.name, key="tls")
        self.routes[path] = route

    def open(self, path: str) -> None:
        """Listen, if no other route has begun to; raises ListenError."""
        if not self._open:
            self.listener.start()
        self._open.add(path)

    def close(self, path: str) -> Deferred[Any]:
        """Serve this path no more. With the last one listen no more, and cut whoever is not answered yet; fires when all have gone."""
        self.routes.pop(path, None)
        self._open.discard(path)
        if self._open:
            return succeed(None)
        self._emptied = Deferred()
        for visitor in tuple(self.visitors):
            visitor.cut()
        if not self.visitors:
            self._emptied.callback(None)
        return gatherResults([self.listener.stop(), self._emptied], consumeErrors=True)

    def _announce(self, bound: str) -> None:
        scheme = "https" if self.tls else "http"
        for path, route in self.routes.items():
            route.report("listening", f"listening on {f'{scheme}://{bound}{path}' if route.page else bound}", level="info")

    def gone(self, visitor: Visitor) -> None:
        """A connection has ended, or belongs to its session now."""
        self.visitors.discard(visitor)
        if self._emptied is not None and not self.visitors and not self._emptied.called:
            self._emptied.callback(None)

    def build(self, address: IAddress, peer: Peer) -> IProtocol:
        """A protocol for a connection that was accepted."""
        return Visitor(self, address, peer)


class Visitor(Protocol):
    """One connection until its request head is answered."""

    transport: Any

    def __init__(self, front: Front, address: Any, peer: Peer) -> None:
        self._front = front
        self._host: str = address.host
        self._peer = peer._replace(name=name_of(address))
        self._reader: HeadReader | None = HeadReader()

    def connectionMade(self) -> None:
        front = self._front
        front.visitors.add(self)
        self._approach = Approach(front.clock, front.admission, self._host, self._evicted)
        self._approach.expect(HEAD_TIMEOUT, self._too_slow)

    def dataReceived(self, data: bytes) -> None:
        if self._reader is None:
            return
        request: Request | None = None
        try:
            found = self._reader.feed(data)
            if found is None:
                return
            head, rest = found
            request = parse_head(head)
            self._serve(request, rest)
        except HttpError as refusal:
            self._refuse(refusal, self._asked(request))
            self._answer(error_response(refusal, send_body=request is None or request.method != "HEAD"))
        except Exception:  # a fault of ours: it costs this connection and nobody else
            self._asked(request)("failures", "failed while answering a request", peer=self._peer.name, level="failure")
            if self._reader is None:
                self.transport.abortConnection()
            else:
                self._answer(error_response(HttpError(500, "the gateway failed at this request; its log says why")))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._leave()
        self._front.gone(self)

    def cut(self) -> None:
        """End the connection now."""
        self._leave()
        self.transport.abortConnection()

    def _asked(self, request: Request | None) -> Report:
        """The report of the route that was asked for, as far as that is known."""
        route = self._front.routes.get(request.path) if request is not None else None
        return self._front.report if route is None else route.report

    def _refuse(self, refusal: HttpError, report: Report) -> None:
        report("refused_requests", f"{refusal.status}: {refusal.text}", peer=self._peer.name)

    def _serve(self, request: Request, rest: bytes) -> None:
        route = self._front.routes.get(request.path)
        if route is None:
            raise HttpError(404, self._nothing_at(request))
        if not request.wants_websocket:
            if not route.page:
                raise upgrade_required()
            route.report("pages", "shown a page", peer=self._peer.name, level="")
            self._answer(page_response(request, route.name, route.codec, route.hears(self._peer)))
            return
        canonical = canonical_request(request, route.subprotocols)
        known = bool(self._peer.identity) or is_loopback(self._host)
        visit = Visit(request.headers.get("origin"), request.headers["host"], self._peer.secure, known)
        check_origin(visit, route.origins, self._front.machine)
        if full := route.refusal(self._peer.name):
            self._answer(error_response(HttpError(503, full)))
            return
        self._leave()
        self._front.gone(self)
        protocol = route.upgrade(self._peer)
        hand_over(self.transport, protocol, canonical)
        if rest:
            protocol.dataReceived(rest)

    def _nothing_at(self, request: Request) -> str:
        path = request.path if len(request.path) <= _LONGEST_QUOTED else request.path[:_LONGEST_QUOTED] + "..."
        text = f"there is nothing at the path {path!r}"
        if not is_loopback(self._host) or not _FORWARDED.isdisjoint(request.headers):
            return text
        paths = sorted(self._front.routes)
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        return f"{text}; there is: {', '.join(paths[:_MOST_NAMED])}{more}"

    def _answer(self, answer: bytes) -> None:
        """Write the whole answer, read no more, and cut whoever does not go."""
        self._reader = None
        self.transport.write(answer)
        self._approach.close(self.transport, self._front.linger, lambda: half_close(self.transport, self._peer.secure))

    def _leave(self) -> None:
        self._reader = None
        self._approach.leave()

    def _too_slow(self) -> None:
        if self._reader is not None and self._reader.empty:
            # Browsers open spare connections: no fault, and no answer that they would wait for.
            self._front.report("spare_connections", f"sent nothing within {HEAD_TIMEOUT:g} s", peer=self._peer.name, level="debug")
            self.cut()
            return
        refusal = HttpError(408, f"no complete request within {HEAD_TIMEOUT:g} s")
        self._refuse(refusal, self._front.report)
        self._answer(error_response(refusal))

    def _evicted(self) -> None:
        self._refuse(HttpError(503, "cut before its request was complete, because newer connections wait"), self._front.report)
        self.cut()
