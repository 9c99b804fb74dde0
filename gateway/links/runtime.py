"""What all links of one program share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.logger import Logger

from ..bus.bus import Bus
from ..bus.demand import Demand
from ..bus.outbox import Memory
from ..net import clock
from ..net.admission import Admission
from ..net.chance import SYSTEM, Chance
from ..net.notices import Notices
from ..net.watch import Watch
from ..options import write_count
from ..packet import Batch
from ..ports.devices import Devices

WATCH_INTERVAL = 1.0
"""Seconds between two looks at what is paused, blocked, or may be replaced."""


class Watched(Protocol):
    """Something that is looked after: a paused or blocked session, a device that may be replaced."""

    def check(self, now: float) -> bool:
        """Look; whether it is to be looked at again."""


class Runtime:
    """The bus, the memory, the log, and the outside as links reach it; a link holds this and no other link.

    From outside come time and sockets (``reactor``), the time of day (``wall``), randomness (``chance``) and terminal devices.
    ``memory``: bytes that all outboxes together may hold. ``linger``: seconds that a closing session has to write what waits for it.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        memory: int,
        linger: float,
        tls: Mapping[str, Any] | None = None,
        wall: Callable[[], int] = clock.wall,
        chance: Chance = SYSTEM,
        devices: Devices | None = None,
        log: Logger | None = None,
    ) -> None:
        self.reactor = reactor
        self.log = log or Logger(namespace="gateway")
        self.notices = Notices(reactor, self.log)
        self.counters: Counter[str] = Counter()
        """What happened that is no single link's."""
        self.bus = Bus(self._hearer_failed, self._asker_gone)
        self.demand = Demand()
        self.admission = Admission()
        self.memory = Memory(memory)
        self.watch = Watch[Watched](reactor, WATCH_INTERVAL, lambda thing, now: thing.check(now), self._look_failed)
        self.linger = linger
        self.tls = dict(tls or {})
        self.wall = wall
        self.chance = chance
        self.devices = devices or Devices(reactor.seconds)
        self.shared: dict[Any, Any] = {}
        """What links of one transport share among themselves: a listener for several paths, say."""

    def stop(self) -> None:
        """Leave no timer behind."""
        self.watch.stop()
        self.notices.stop()

    def _look_failed(self, thing: Watched) -> None:
        self.notices.failed("watch", "a paused session could not be looked after")

    def _hearer_failed(self, name: str, error: Exception) -> None:
        self.counters["failures"] += 1
        self.notices.failed(f"{name} hearing", f"[{name}] failed at a packet; it goes on with the next")

    def _asker_gone(self, batch: Batch) -> None:
        self.counters["undelivered_packets"] += batch.count
        self.notices.say(
            "undelivered", f"{write_count(batch.count, 'packet')} of {batch.topic} for {batch.to} dropped: it has gone", "info"
        )
