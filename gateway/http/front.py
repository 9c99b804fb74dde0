"""What a browser meets first: one request head is read and answered with a page, an error, or a WebSocket.

Twisted's own HTTP server is not used: a WebSocket under it loses the bytes that follow the request in the same segment, its timeout
starts anew with every byte, and each connection would keep an HTTP channel.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from ..errors import ConfigError
from ..links.link import Link
from ..net.admission import Admission, source_of
from ..net.listeners import Listener
from ..net.probes import half_close
from ..options import Address
from ..peer import Peer
from ..websocket.protocol import HardenedFactory
from ..websocket.session import WebSocketSession
from .head import HeadReader, HttpError, Request, error_response, parse_head
from .origins import Visit, check_origin
from .page import page_response
from .upgrade import canonical_request, upgrade_required

HEAD_TIMEOUT = 3.0
"""Seconds from the connection to the end of the request head, however many bytes come in between."""
MAX_WAITING, MAX_WAITING_PER_SOURCE = 2000, 1500
"""Connections whose head is not complete, with at most 16 KiB each. A room full of clients behind one address may come at once."""

_LONGEST_QUOTED = 100
_MOST_NAMED = 10
_FORWARDED = frozenset(("forwarded", "via", "x-forwarded-for", "x-real-ip"))
"""Headers of a proxy on this machine, behind which anybody may stand."""


class Served(Link):
    """A link that a front can serve."""

    options: Any
    codec_name: str
    factory: HardenedFactory

    def listen(self, build: Callable[[IAddress, Peer], IProtocol], announce: Callable[[str], None]) -> Listener:
        """A listener at the link's address. ``build`` is called for each connection, ``announce`` when it is known what is bound."""
        raise NotImplementedError


class Front:
    """The websocket links of one listener, by path. It listens while at least one of them is open."""

    def __init__(self, opener: Served, address: Address, tls: str | None) -> None:
        self.runtime = opener.runtime
        self.opener = opener
        """The link that whatever has no link yet is counted for."""
        self.place = str(address)
        self.tls = tls
        self.listener = opener.listen(self.build, self._announce)
        self.routes: dict[str, Served] = {}
        self.admission = Admission(MAX_WAITING, MAX_WAITING_PER_SOURCE)
        self.visitors: set[Visitor] = set()
        self._open: set[Served] = set()
        self._emptied: Deferred[None] | None = None
        self._failed: set[str] = set()
        name = socket.gethostname().lower()
        label = name.partition(".")[0]
        self.machine = frozenset((name, label, f"{label}.local"))

    def add(self, link: Served, path: str, tls: str | None) -> None:
        """Serve a link at a path; raises ConfigError when another link is there, or on the same address with other TLS."""
        for other_path, other in self.routes.items():
            if other_path == path:
                text = f"{path!r} on {self.place} belongs to [{other.name}] already: give each link its own path"
                raise ConfigError(text, section=link.name, key="path")
            if tls != self.tls:
                text = f"[{other.name}] listens on {self.place} {'with tls = ' + self.tls if self.tls else 'without TLS'}: use the same"
                raise ConfigError(text, section=link.name, key="tls")
        self.routes[path] = link

    def open(self, link: Served) -> None:
        """Listen, if no other link has begun to; raises ListenError."""
        if not self._open:
            self.listener.start()
        self._open.add(link)

    def close(self, link: Served) -> Deferred[Any]:
        """Serve this link no more. With the last one listen no more, and cut whoever is not answered yet; fires when all have gone."""
        self.routes = {path: other for path, other in self.routes.items() if other is not link}
        self._open.discard(link)
        if self._open:
            return succeed(None)
        self._emptied = Deferred()
        for visitor in tuple(self.visitors):
            visitor.cut()
        if not self.visitors:
            self._emptied.callback(None)
        return gatherResults([self.listener.stop(), self._emptied])

    def _announce(self, bound: str) -> None:
        scheme = "https" if self.tls else "http"
        for path, link in self.routes.items():
            where = f"{scheme}://{bound}{path}" if link.options.page else bound
            self.runtime.log.info("[{name}] listening on {where}", name=link.name, where=where)

    def gone(self, visitor: Visitor) -> None:
        """A connection has ended, or belongs to its session now."""
        self.visitors.discard(visitor)
        if self._emptied is not None and not self.visitors and not self._emptied.called:
            self._emptied.callback(None)

    def build(self, address: IAddress, security: Peer) -> IProtocol:
        """A protocol for a connection that was accepted."""
        return Visitor(self, address, security)

    def refuse(self, peer: str, refusal: HttpError, link: Link | None) -> None:
        """Count and tell a refusal."""
        link = link or self.opener
        link.count("refused_requests")
        name = link.name
        self.runtime.notices.say(f"{name} refused request", f"[{name}] {peer}: {refusal.status}: {refusal.text}")

    def failed(self, peer: str, error: Exception, link: Link | None) -> None:
        """A fault of ours while a request was answered: logged at length once for each kind, and told by rate after that."""
        kind = type(error).__name__
        link = link or self.opener
        link.count("failures")
        if kind not in self._failed:
            self._failed.add(kind)
            self.runtime.log.failure("[{name}] {peer}: failed while answering a request", name=link.name, peer=peer)
        else:
            self.runtime.notices.say(f"{link.name} failed", f"[{link.name}] {peer}: failed while answering a request: {kind}", "error")


class Visitor(Protocol):
    """One connection until its request head is answered."""

    transport: Any

    def __init__(self, front: Front, address: Any, security: Peer) -> None:
        self._front = front
        self._host: str = address.host
        self._peer = str(Address(address.host, address.port))
        self._security = security
        self._reader: HeadReader | None = HeadReader()

    def connectionMade(self) -> None:
        self._front.visitors.add(self)
        self._ticket = self._front.admission.enter(source_of(self._host), self._evicted)
        self._timer = self._front.runtime.reactor.callLater(HEAD_TIMEOUT, self._too_slow)

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
            self._front.refuse(self._peer, refusal, self._asked(request))
            self._answer(error_response(refusal, send_body=request is None or request.method != "HEAD"))
        except Exception as error:  # a fault of ours: it costs this connection and nobody else
            self._front.failed(self._peer, error, self._asked(request))
            if self._reader is None:
                self.transport.abortConnection()
            else:
                self._answer(error_response(HttpError(500, "the gateway failed at this request; its log says why")))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._leave()
        self._front.gone(self)

    def _asked(self, request: Request | None) -> Served | None:
        return self._front.routes.get(request.path) if request is not None else None

    def cut(self) -> None:
        """End the connection now."""
        self._leave()
        self.transport.abortConnection()

    def _serve(self, request: Request, rest: bytes) -> None:
        link = self._front.routes.get(request.path)
        if link is None:
            raise HttpError(404, self._nothing_at(request))
        if not request.wants_websocket:
            if not link.options.page:
                raise upgrade_required()
            link.count("pages")
            heard = self._security.may_write and self._front.runtime.bus.heard(link.topic_of(self._security))
            self._answer(page_response(request, link.name, link.codec_name, heard))
            return
        canonical = canonical_request(request, link.options.subprotocols)
        known = bool(self._security.identity) or _is_loopback(self._host)
        visit = Visit(request.headers.get("origin"), request.headers["host"], self._security.secure, known)
        check_origin(visit, link.options.origins, self._front.machine)
        if link.full():
            link.refused(self._peer, len(link.sessions))
            self._answer(
                error_response(HttpError(503, f"there is no room for one more session (max_sessions = {link.options.max_sessions})"))
            )
            return
        self._upgrade(link, canonical, rest)

    def _nothing_at(self, request: Request) -> str:
        path = request.path if len(request.path) <= _LONGEST_QUOTED else request.path[:_LONGEST_QUOTED] + "..."
        text = f"there is nothing at the path {path!r}"
        if not _is_loopback(self._host) or not _FORWARDED.isdisjoint(request.headers):
            return text
        paths = sorted(self._front.routes)
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        return f"{text}; there is: {', '.join(paths[:_MOST_NAMED])}{more}"

    def _upgrade(self, link: Served, canonical: bytes, rest: bytes) -> None:
        self._leave()
        self._front.gone(self)
        protocol = link.factory.build(WebSocketSession(link, self._peer, self._security))
        hand_over(self.transport, protocol, self._security.secure)
        protocol.dataReceived(canonical)
        if rest:
            protocol.dataReceived(rest)

    def _answer(self, answer: bytes) -> None:
        """Write the whole answer, read no more, and cut whoever does not go."""
        self._leave()
        self._timer = self._front.runtime.reactor.callLater(self._front.runtime.linger, self.transport.abortConnection)
        self.transport.write(answer)
        half_close(self.transport, self._security.secure)

    def _leave(self) -> None:
        self._reader = None
        self._ticket.leave()
        if self._timer.active():
            self._timer.cancel()

    def _too_slow(self) -> None:
        if self._reader is not None and self._reader.empty:
            # Browsers open spare connections: no fault, and no answer that they would wait for.
            text, name = "[{name}] {peer}: sent nothing within {timeout:g} s", self._front.opener.name
            self._front.runtime.log.debug(text, name=name, peer=self._peer, timeout=HEAD_TIMEOUT)
            self.cut()
            return
        refusal = HttpError(408, f"no complete request within {HEAD_TIMEOUT:g} s")
        self._front.refuse(self._peer, refusal, None)
        self._answer(error_response(refusal))

    def _evicted(self) -> None:
        self._front.refuse(self._peer, HttpError(503, "cut before its request was complete, because newer connections wait"), None)
        self.cut()


def front_of(link: Served, address: Address, path: str, tls: str | None) -> Front:
    """The front that links on this address share. Port 0 can be as many free ports as there are links with the same path."""
    key = ("websocket", address)
    shared = link.runtime.shared
    front: Front | None = shared.get(key)
    if front is None or (address.port == 0 and (path in front.routes or tls != front.tls)):
        front = shared[key] = Front(link, address, tls)
    return front


def hand_over(transport: Any, protocol: Protocol, secure: bool) -> None:
    """Make ``protocol`` the one that the transport feeds, and connect it: nothing stays in between."""
    if secure:
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
