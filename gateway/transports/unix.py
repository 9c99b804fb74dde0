"""``transport = unix``: the same over a UNIX socket."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import IAddress, IProtocol

from ..dialing import TIMEOUT, DialingLink
from ..house import House
from ..link import Link as AnyLink
from ..listeners import unix_listener
from ..options import FileMode, FilePath
from ..plan import LinkPlan, StreamOptions
from ..security import Security
from ..session import Session
from ..stream import StreamProtocol


class Options(StreamOptions):
    """A UNIX socket that is listened on (``listen``) or connected to (``connect``)."""

    listen: FilePath | None = Field(None, description="the path to listen on; a dead socket there is replaced, a live one never")
    connect: FilePath | None = Field(None, description="the path to connect to, for ever, with back-off and jitter")
    mode: FileMode = Field(0o600, description="the permissions of the socket that is listened on")

    @model_validator(mode="after")
    def _one_place(self) -> Options:
        if (self.listen is None) == (self.connect is None):
            raise ValueError("give either listen = PATH or connect = PATH")
        path = self.listen or self.connect or ""
        if len(path.encode()) > 107:
            raise ValueError(f"{path!r} is too long for a UNIX socket (107 bytes)")
        return self


class ListeningLink(AnyLink):
    """A session for each client."""

    def __init__(self, plan: LinkPlan, house: House) -> None:
        super().__init__(plan, house)
        options: Any = plan.options
        self.listener = unix_listener(house, self.name, options.listen, options.mode, self.accepted)

    def start(self) -> None:
        super().start()
        self.listener.start()

    def stop(self) -> Deferred[Any]:
        return gatherResults([self.listener.stop(), super().stop()])

    def accepted(self, address: IAddress, security: Security) -> IProtocol | None:
        """A protocol for a client; None when there are too many."""
        options: Any = self.options
        peer = f"unix:{options.listen}"
        if self.full():
            self.refused(peer)
            return None
        session = Session(self, peer, security)
        session.peer = f"{peer} {session.id}"
        return StreamProtocol(session)


class ConnectingLink(DialingLink):
    """One session, with the program that listens."""

    def __init__(self, plan: LinkPlan, house: House) -> None:
        options: Any = plan.options
        self._path: str = options.connect
        super().__init__(plan, house, f"unix:{self._path}", "")

    def endpoint(self) -> Any:
        return UNIXClientEndpoint(self.house.reactor, self._path, timeout=TIMEOUT)


def Link(plan: LinkPlan, house: House) -> AnyLink:
    """The link for a plan."""
    options: Any = plan.options
    return ListeningLink(plan, house) if options.listen is not None else ConnectingLink(plan, house)
