"""``transport = unix``: the same over a UNIX socket."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

from pydantic import Field, model_validator
from twisted.internet.endpoints import UNIXClientEndpoint

from ..config.exposures import Exposure
from ..config.plan import LinkPlan, StreamOptions
from ..links.acceptor import Acceptor, server_factory
from ..links.connector import Connector
from ..links.dial import TIMEOUT, StreamDial
from ..links.link import Link
from ..links.runtime import Runtime
from ..links.stream import stream_wires
from ..net.building import Build
from ..net.direct import DirectReactor
from ..net.listeners import Listener, unix_listener
from ..options import FileMode, FilePath

IS_DEVICE = False
PLACES = {"listen": "listens", "connect": "connects"}


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


def exposures(options: Options) -> list[Exposure]:
    """A socket that other users of this machine may open."""
    if options.listen is None or not options.mode & 0o066:
        return []
    mark = f"mode 0{options.mode:o}"
    return [Exposure(mark, f"{mark}: other users of this machine can connect")]


def absent(options: Options) -> list[str]:
    """What is not there now, for ``--check``."""
    if options.connect is not None:
        return [] if os.path.exists(options.connect) else [f"connect = {options.connect} is not there now; it is waited for"]
    folder = os.path.dirname(options.listen or "")
    if os.path.isdir(folder):
        return []
    return [f"listen = {options.listen}: the folder {folder} is not there now, and without it the start ends: make it first"]


def make_link(plan: LinkPlan, runtime: Runtime) -> Link:
    """A session for each client of a listener, or one with the program that listens."""
    options: Any = plan.options
    if options.listen is not None:
        # The clients of a UNIX socket have no addresses of their own.
        clients = count(1)
        acceptor = Acceptor(lambda link, build: _listener(link, build, options), lambda _: f"unix:{options.listen} client {next(clients)}")
        return Link(plan, runtime, acceptor, stream_wires(plan))
    path: str = options.connect
    dial = StreamDial(f"unix:{path}", lambda: UNIXClientEndpoint(DirectReactor(runtime.reactor), path, timeout=TIMEOUT))
    return Link(plan, runtime, Connector(dial), stream_wires(plan))


def _listener(link: Link, build: Build, options: Options) -> Listener:
    factory = server_factory(link, build)
    return unix_listener(link.name, options.listen or "", options.mode, factory, link.runtime.reactor, link.runtime.log)
