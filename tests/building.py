"""Plans, runtimes and transports for tests that need a link and nothing real."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import Logger

from gateway import registry
from gateway.bus.outbox import OutboxOptions
from gateway.config.plan import LinkPlan, StreamOptions
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.session import Session


def make_runtime(clock: Any = None, **options: Any) -> Runtime:
    """A runtime on a clock that stands still until it is advanced; what it logs is in ``runtime.lines``."""
    lines: list[str] = []
    log = Logger(namespace="test", observer=lambda event: lines.append(event["log_format"].format(**event)))
    runtime = Runtime(clock or Clock(), log=log, wall=lambda: 1_700_000_000_000_000_000, **options)
    runtime.lines = lines  # type: ignore[attr-defined]
    return runtime


def make_plan(
    name: str, framing: str = "lines", codec: str = "raw", hears: tuple[str, ...] = (), verbatim: bool = False, **options: Any
) -> LinkPlan:
    """A plan for a stream link; ``outbox`` may be a dict; options of the framing as ``framing_max=...``."""
    framing_options = {key.removeprefix("framing_"): options.pop(key) for key in list(options) if key.startswith("framing_")}
    if isinstance(options.get("outbox"), dict):
        options["outbox"] = OutboxOptions(**options["outbox"])
    chosen = StreamOptions(codec=registry.load("codec", codec).Options(), **options)
    return LinkPlan(name, "test", chosen, hears, registry.load("framing", framing).Options(**framing_options), verbatim or framing == "raw")


def make_link(runtime: Runtime, name: str, *, link_class: type[Link] = Link, **plan: Any) -> Link:
    """A started link."""
    link = link_class(make_plan(name, **plan), runtime)
    link.start()
    return link


class Wire(StringTransport):
    """A transport that takes everything until it is told to take no more than ``room`` bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.room: int | None = None
        self.pending = 0
        self.aborted = False
        self.reading = True

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.room is not None:
            self.room -= len(data)
            if self.room <= 0 and self.producer is not None:
                self.pending = -self.room
                self.producer.pauseProducing()

    def drain(self) -> None:
        """The peer has taken everything."""
        self.room, self.pending = None, 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def abortConnection(self) -> None:
        self.aborted = True


class Producer:
    """A push producer that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


def join(link: Link, peer: str = "10.0.0.1:1") -> tuple[Session, Wire]:
    """A connected session of a link, and its transport."""
    session, wire = Session(link, peer), Wire()
    session.connected(wire)
    return session, wire
