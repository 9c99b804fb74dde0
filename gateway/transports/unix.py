"""``transport = unix``: the same over a UNIX socket."""

from __future__ import annotations

import os
from typing import Any

from pydantic import Field, model_validator
from twisted.internet.endpoints import UNIXClientEndpoint

from ..config.plan import LinkPlan, StreamOptions
from ..links.acceptor import ListeningLink, server_factory
from ..links.connector import TIMEOUT, DialingLink
from ..links.link import Link as AnyLink
from ..links.runtime import Runtime
from ..net.direct import DirectReactor
from ..net.listeners import unix_listener
from ..options import FileMode, FilePath

IS_DEVICE = False


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


def absent(options: Options) -> list[str]:
    """What is not there now, for ``--check``."""
    if options.connect is not None:
        return [] if os.path.exists(options.connect) else [f"connect = {options.connect} is not there now; it is waited for"]
    folder = os.path.dirname(options.listen or "")
    if os.path.isdir(folder):
        return []
    return [f"listen = {options.listen}: the folder {folder} is not there now, and without it the start ends: make it first"]


class UNIXListeningLink(ListeningLink):
    """A session for each client."""

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        options: Any = plan.options
        self._place: str = options.listen
        self._clients = 0
        factory = server_factory(self, self.accepted)
        self.listener = unix_listener(self.name, self._place, options.mode, factory, runtime.reactor, runtime.log)

    def peer_of(self, address: Any) -> str:
        # The clients of a UNIX socket have no addresses of their own.
        self._clients += 1
        return f"unix:{self._place} client {self._clients}"


class ConnectingLink(DialingLink):
    """One session, with the program that listens."""

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        options: Any = plan.options
        self._path: str = options.connect
        super().__init__(plan, runtime, f"unix:{self._path}", "")

    def endpoint(self) -> Any:
        return UNIXClientEndpoint(DirectReactor(self.runtime.reactor), self._path, timeout=TIMEOUT)


def Link(plan: LinkPlan, runtime: Runtime) -> AnyLink:
    """The link for a plan."""
    options: Any = plan.options
    return UNIXListeningLink(plan, runtime) if options.listen is not None else ConnectingLink(plan, runtime)
