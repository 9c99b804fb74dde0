"""What a session asks of its link, and of a protocol of its own below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..bus.gates import Gate
from ..bus.outbox import Memory, Outbox, OutboxOptions
from ..ledger import Delays
from ..net.watch import Watch
from ..peer import Ended
from ..wires import Event

S = TypeVar("S", contravariant=True)


@dataclass
class Terms:
    """What all sessions of one link have in common: clocks, limits, and where those wait who publish to it."""

    clock: Any
    """The reactor's time, in seconds, for timers."""
    wall: Callable[[], int]
    """The time of day, in ns since the epoch, for stamps."""
    watch: Watch[Any]
    linger: float
    """Seconds that an ending session may still write."""
    stall_timeout: float
    """Seconds that a peer may take nothing while something waits for it; 0: for ever."""
    outbox: OutboxOptions
    memory: Memory
    gate: Gate
    """Where those wait who publish to this link, while it has no room."""
    counters: Counter[str]
    delays: Delays
    """From the last byte read to the write taken."""
    kept: bool = False
    """Whether there is one far end: what comes when that has ended a session is left for the owner to hold, or to tell who sent it."""


class Owner(Protocol[S]):
    """All that a session asks of its link."""

    terms: Terms

    def opened(self, session: S) -> None:
        """Its transport is connected."""

    def heard(self, session: S, event: Event, time: int) -> None:
        """The peer has said something. ``time``: when the last byte of it was read, in ns since the epoch."""

    def ended(self, session: S, ended: Ended, unsent: Outbox | None) -> None:
        """It is over; ``unsent`` is what nobody has written."""

    def report(self, event: str, text: str, session: S | None = None, *, times: int = 1, level: str = "warn") -> None:
        """Something has happened that people may want to know: it is counted, logged and published. ``level`` "": not logged."""


class Channel(Protocol):
    """A protocol of its own between a session and its transport: it takes leave in its own way, and has words of its own to write."""

    def goodbye(self, reason: str, too_slow: bool) -> None:
        """Say goodbye behind what is written; it calls `Session.sealed`."""

    def written(self) -> None:
        """The transport is clear again."""
